"""A snapshot where nothing at all has happened since this copy took the last one.

One look at the stats of all files tells so, and nothing is written: no commit, no fact. What is
not plainly as it was goes a snapshot's whole way, which finds out. The note that the look compares
with may be lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dws_graph.backends.files import write_atomic
from dws_graph.backends.git.command import LITERAL, decoded
from dws_graph.errors import JsonError
from dws_graph.model.values import Json, take
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.fingerprints import Look
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.workspace import layout
from dws_graph.workspace.committing import workspace_folders
from dws_graph.workspace.opened import OpenWorkspace, json_bytes

_STATUS = (
    *("status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=normal"),
    *("--ignore-submodules=dirty", "--", layout.FOLDER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the last snapshot found.

    Attributes:
        hash: Of the snapshot.
        number: The instance's.
        tags: All of it.
        commit: That made it.
        seq: Number of the last fact of the instance then.
        files: Folder and look of each resource that is not in the repository.
    """

    hash: str
    number: int
    tags: tuple[str, ...]
    commit: str
    seq: int
    files: dict[str, tuple[str, str]]


def note_taken(
    ws: OpenWorkspace,
    taken: tuple[str, int, Sequence[str]],
    commit: str,
    seen: Mapping[str, Look],
) -> None:
    """Keep what a look is to be compared with; the caller holds the journal's lock.

    Args:
        ws: The workspace.
        taken: The snapshot's hash, number and tags.
        commit: That made it.
        seen: What local files looked like when they were hashed.
    """
    files = {}
    for resource in ws.get_resources():
        if not _is_told_by_stats(resource):
            return
        if isinstance(resource, LocalFileResource):
            look = seen[resource.name]
            if not look.is_sure:  # a file was written just before: its stat tells too little
                return
            files[resource.name] = (str(resource.place), look.digest)
    snapshot_hash, number, tags = taken
    obj = {
        "instance": ws.instance,
        "hash": snapshot_hash,
        "number": number,
        "tags": list(tags),
        "commit": commit,
        "seq": ws.journal.head().seq,
        "files": files,
    }
    write_atomic(ws.root / layout.TAKEN, json_bytes(obj), fsync=False)


def _is_told_by_stats(resource: Resource) -> bool:
    """Whether its files' stats say all that a snapshot of it depends on, and it writes nothing."""
    if type(resource) not in (GitSubdirectoryResource, LocalFileResource):
        return False
    keeps = (
        isinstance(resource, LocalFileResource) and resource.keep
    )  # its store may have lost some
    return not (keeps or resource.is_exported() or resource.is_imported())


def taken_already(ws: OpenWorkspace) -> Note | None:
    """The last snapshot, where nothing has happened since; None where something may have.

    The caller holds the workspace's lock.
    """
    note = _read(ws)
    if note is None or ws.journal.head().seq != note.seq:
        return None
    resources = list(ws.get_resources())
    if not all(map(_is_told_by_stats, resources)) or not _is_as_committed(ws, note.commit):
        return None
    if all(_is_as_noted(ws, resource, note) for resource in resources):
        return note
    return None


def _read(ws: OpenWorkspace) -> Note | None:
    try:
        obj = ws.read_object(layout.TAKEN, missing_ok=True)
        if not obj or take(obj, "instance", str) != ws.instance:
            return None
        return _from_json(obj)
    except (JsonError, TypeError, LookupError):  # damaged: it can be done without
        return None


def _from_json(obj: Json) -> Note:
    return Note(
        hash=take(obj, "hash", str),
        number=take(obj, "number", int),
        tags=tuple(take(obj, "tags", list)),
        commit=take(obj, "commit", str),
        seq=take(obj, "seq", int),
        files={name: (found[0], found[1]) for name, found in take(obj, "files", dict).items()},
    )


def _is_as_committed(ws: OpenWorkspace, commit: str) -> bool:
    """Whether a branch is at this commit, and the workspace's own files and folders are, too."""
    raw = ws.git.run(*_STATUS, *workspace_folders(ws), env=LITERAL)
    lines = [decoded(line) for line in raw.split(b"\0")[:-1]]
    if not all(line.startswith("# ") for line in lines):
        return False
    at = dict(line[2:].split(" ", 1) for line in lines)
    return at.get("branch.oid") == commit and at.get("branch.head") != "(detached)"


def _is_as_noted(ws: OpenWorkspace, resource: Resource, note: Note) -> bool:
    if isinstance(resource, LocalFileResource):
        folder, digest = note.files.get(resource.name, ("", ""))
        if folder != str(resource.place) or not resource.place.is_dir():
            return False
        if resource.look().digest != digest:
            return False
    if resource.has_results_role() and isinstance(resource, FileResource):
        excluded = ws.get_global_param("results.move_exclude_files")
        return not resource.plan_results("snapshots/none", excluded)
    return True
