"""Results that a snapshot moved away: which are meant, now that their resource has none."""

from __future__ import annotations

from dataclasses import dataclass

from dws_graph.model.certificates import Certificate
from dws_graph.resources.base import FileResource, Resource
from dws_graph.workspace.opened import OpenWorkspace


@dataclass(frozen=True, slots=True)
class MovedResults:
    """What a snapshot holds of a resource's results.

    Attributes:
        snapshot: Its hash.
        certificates: Of what was current then.
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
    for snapshot in snapshots_back(ws):
        contained = ws.index.contains(ws.id, snapshot)
        if held := [c for c, entry in contained if entry and c.ref.name == name]:
            return MovedResults(snapshot, tuple(held))
    return None


def has_files(resource: Resource) -> bool:
    """Whether a resource has content in its folder, of results beside those of snapshots."""
    folder = resource.local_path
    if not isinstance(resource, FileResource) or folder is None or not folder.is_dir():
        return False
    return bool(resource.entries())


def snapshots_back(ws: OpenWorkspace) -> list[str]:
    """The hashes of the snapshots, from the one taken or restored last back to the oldest."""
    base = ws.index.base(ws.id, ws.instance)
    hashes = [s.hash for s in ws.index.snapshots(ws.id)]
    if base in hashes:
        hashes = hashes[: hashes.index(base) + 1]
    return hashes[::-1]
