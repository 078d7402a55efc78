"""Results that a snapshot moved away: which are meant, now that their resource has none."""

from __future__ import annotations

from dataclasses import dataclass

from dws_graph.model.certificates import Certificate
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata


@dataclass(frozen=True, slots=True)
class MovedResults:
    """What a snapshot holds of a resource's results.

    Attributes:
        snapshot: Its hash.
        certificates: Of what was current then; none of results made by hand.
    """

    snapshot: str
    certificates: tuple[Certificate, ...]


def moved_results(ws: OpenWorkspace, name: str) -> MovedResults | None:
    """The results that a snapshot moved away, of a resource in which nothing is current.

    Those of the snapshot that was taken or restored last, else of the newest before it that has
    some; None: something is current, or none has any.
    """
    if ws.index.entries(ws.id, ws.instance, name):
        return None
    return results_at(ws, name, ws.index.base(ws.id, ws.instance))


def results_at(ws: OpenWorkspace, name: str, snapshot: str | None) -> MovedResults | None:
    """The results that were there when a snapshot was taken: its own, else the newest before.

    Results that no step is known to have made count by their files; they have no certificates.
    """
    folders = {m.hashval: m.relative_destination_path.strip("/") for m in all_metadata(ws)}
    here = ws.get_resource(name) if name in set(ws.get_resource_names()) else None
    for before in snapshots_back(ws, snapshot):
        contained = ws.index.contains(ws.id, before)
        if held := [c for c, entry in contained if entry and c.ref.name == name]:
            return MovedResults(before, tuple(held))
        if here and moved_files(here, folders.get(before, "")):
            return MovedResults(before, ())
    return None


def moved_files(resource: Resource, folder: str, subpath: str | None = None) -> bool:
    """Whether a snapshot moved files of a results resource, or of a path in it, to its folder."""
    folder = folder.strip("/")
    if not folder or not has_folder(resource):
        return False
    if subpath is None:
        return resource.does_subpath_exist(folder, must_be_directory=True)
    return resource.does_subpath_exist(f"{folder}/{subpath}")


def has_folder(resource: Resource) -> bool:
    """Whether a resource is on this machine, so that what is not in it is nowhere."""
    return resource.local_path is not None and resource.local_path.is_dir()


def has_files(resource: Resource) -> bool:
    """Whether a resource has content in its folder, of results beside those of snapshots."""
    folder = resource.local_path
    if not isinstance(resource, FileResource) or folder is None or not folder.is_dir():
        return False
    return bool(resource.entries())


def snapshots_back(ws: OpenWorkspace, snapshot: str | None) -> list[str]:
    """The hashes of the snapshots from this one back to the oldest; None: of all, newest first."""
    hashes = [s.hash for s in ws.index.snapshots(ws.id)]
    if snapshot in hashes:
        hashes = hashes[: hashes.index(snapshot) + 1]
    return hashes[::-1]
