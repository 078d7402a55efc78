"""What a snapshot says of itself beside others: metrics, parameters, steps, content, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from dws_graph.api import diff_in
from dws_graph.api.differences import flat
from dws_graph.api.service.problems import not_found
from dws_graph.api.service.sources import Source
from dws_graph.api.version_files import ChangedFiles
from dws_graph.backends.overviews import Held
from dws_graph.backends.views import Questions, SnapshotInfo, StepInfo
from dws_graph.errors import DwsError

K = TypeVar("K", str, tuple[str, str])
MOST_STEPS = 500


class Side(NamedTuple):
    """A snapshot with what it contains, and the steps that wrote that, by name."""

    snapshot: SnapshotInfo
    steps: Mapping[str, StepInfo]
    held: Sequence[Held]

    @property
    def label(self) -> str:
        """What people call the snapshot."""
        return ", ".join(self.snapshot.tags) or self.snapshot.hash[:8]


def side_of(q: Questions, workspace: str, snapshot_hash: str) -> Side:
    """A snapshot with all that is told of it.

    Raises:
        Problem: There is no such snapshot.
    """
    snapshot = q.snapshot(workspace, snapshot_hash)
    if snapshot is None:
        raise not_found("There is no such snapshot.")
    held = q.snapshot_certificates(workspace, snapshot_hash)
    steps = q.snapshot_steps(workspace, snapshot_hash, MOST_STEPS)
    return Side(snapshot, {step.name: step for step in reversed(steps)}, held)


def contents_of(sides: Sequence[Side]) -> list[dict[str, str]]:
    """The hash of each ref, for each side: of a part its own, where all sides know that."""
    known = [{str(one.certificate.ref): one.certificate for one in side.held} for side in sides]
    whole = {
        ref
        for certs in known
        for ref, cert in certs.items()
        if cert.ref.subpath is not None and cert.subpath_hash is None
    }
    return [
        {
            ref: (None if ref in whole else cert.subpath_hash) or cert.hash or "not hashed"
            for ref, cert in certs.items()
        }
        for certs in known
    ]


def parameters_of(side: Side) -> dict[tuple[str, str], Any]:
    """By (step, name)."""
    return dict(_parameters(side))


def _parameters(side: Side) -> Iterator[tuple[tuple[str, str], Any]]:
    for step in side.steps.values():
        for name, value in flat(step.parameters).items():
            yield (step.name, name), value


def differing(a: Mapping[K, Any], b: Mapping[K, Any]) -> list[K]:
    """The names of what is another thing in each, or in one alone, sorted."""
    names: set[K] = set(a) | set(b)
    return sorted(key for key in names if _said(a, key) != _said(b, key))


def _said(side: Mapping[K, Any], key: K) -> tuple[Any, ...]:
    """What a side says; 1 is not True."""
    return (type(side[key]), side[key]) if key in side else ()


def files_between(
    source: Source, a: SnapshotInfo, b: SnapshotInfo
) -> Mapping[str, ChangedFiles] | None:
    """The files that differ, by resource; None where nothing here can tell."""
    if source.home != a.workspace:
        return None
    try:
        found = source.at_home(lambda ws: diff_in(ws, a.hash, b.hash))
    except DwsError:  # another copy's snapshot, which was not pulled: the graph alone has it
        return None
    return {one["name"]: one["files"] for one in found["resources"] if one["files"]}
