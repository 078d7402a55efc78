"""Results files: `results.json` in results resources, and the metrics that they hold.

A step writes one to the folder that its results go to. The metrics of one file, or of that at the
root of a resource, have their own names; where there are several, the others' are named by where
they are: `forest/accuracy`, and `RESOURCE/...` where several resources have some.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dws_graph.errors import JsonError
from dws_graph.model.values import clean_text, to_plain
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.moving import SNAPSHOTS
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.moved_results import MovedResults, has_files, moved_results, results_at
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import scrubbed_metrics
from dws_graph.workspace.snapshots import all_metadata

RESULTS_FILE = "results.json"


@dataclass(frozen=True, slots=True)
class ResultsFile:
    """A results file.

    Attributes:
        resource: That it is in.
        path: In the resource.
        place: The folder that it is in, below the root of the results; empty for that root.
    """

    resource: FileResource
    path: str
    place: str

    def __str__(self) -> str:
        """As `resource:/path`."""
        return f"{self.resource.name}:/{clean_text(self.path)}"

    def read(self) -> dict[str, Any]:
        """What it holds.

        Raises:
            JsonValueError: It holds no JSON object.
        """
        return self.resource.read_results_file(self.path)


def results_files(resources: Iterable[Resource], folder: str = "") -> list[ResultsFile]:
    """The results files of resources: those at the root first, then by path.

    Args:
        resources: Those of another role, or without files, have none.
        folder: Below which the results are: a snapshot's; empty for the current ones.
    """
    found = []
    for resource in resources:
        if resource.has_results_role() and isinstance(resource, FileResource):
            found += sorted(_files_of(resource, folder), key=lambda file: file.path.split("/"))
    return sorted(found, key=lambda file: bool(file.place))


def _files_of(resource: FileResource, folder: str) -> Iterator[ResultsFile]:
    if resource.local_path is None or not resource.does_subpath_exist(
        folder or ".", must_be_directory=True
    ):
        return
    top = os.path.join(resource.local_path, folder)
    for at, below, names in os.walk(top):
        place = os.path.relpath(at, top).replace(os.sep, "/").removeprefix(".")
        left_out = {SNAPSHOTS} if not place and not folder else set()
        below[:] = [n for n in below if not n.startswith((".", "__")) and n not in left_out]
        if RESULTS_FILE in names:
            path = "/".join(part for part in (folder, place, RESULTS_FILE) if part)
            yield ResultsFile(resource, path, place)


def metrics_of(files: Sequence[ResultsFile]) -> tuple[dict[str, Any], list[str]]:
    """The metrics of results files, by name; and which of them could not be read.

    Raises:
        JsonValueError: One at the root of a resource holds no JSON object.
    """
    several = len({file.resource.name for file in files}) > 1
    metrics: dict[str, Any] = {}
    notes = []
    for file in files:
        parts = [file.resource.name] if several else []
        parts += [clean_text(file.place)] if file.place and len(files) > 1 else []
        try:
            values = file.read().get("metrics")
        except JsonError as e:
            if not file.place:
                raise
            notes.append(f"no metrics are taken from {file}: it {e.reason}")
            continue
        if isinstance(values, dict):
            metrics |= {"/".join([*parts, name]): value for name, value in values.items()}
    return metrics, notes


def metrics_meant(ws: OpenWorkspace, snapshot: SnapshotMetadata | None) -> dict[str, Any]:
    """The metrics of the results that were meant when a snapshot was taken; None: that are now.

    Where a resource had no results then, those are meant that a snapshot before had moved.
    """
    taken = {m.hashval: m for m in all_metadata(ws)}
    files: list[ResultsFile] = []
    of: dict[str, SnapshotMetadata] = {}
    current = False
    for resource in ws.get_resources():
        if not resource.has_results_role():
            continue
        if snapshot is None and has_files(resource):
            current = True
            files += results_files([resource])
            continue
        moved = _moved(ws, resource.name, snapshot)
        if moved is not None and moved.snapshot in taken:
            of[moved.snapshot] = taken[moved.snapshot]
            folder = taken[moved.snapshot].relative_destination_path.strip("/")
            files += results_files([resource], folder)
    if len(of) == 1 and not current:
        return dict(next(iter(of.values())).metrics or {})
    files.sort(key=lambda file: bool(file.place))
    return scrubbed_metrics(ws, to_plain(metrics_of(files)[0], "metrics"))


def _moved(ws: OpenWorkspace, name: str, snapshot: SnapshotMetadata | None) -> MovedResults | None:
    if snapshot is None:
        return moved_results(ws, name)
    return results_at(ws, name, snapshot.hashval)
