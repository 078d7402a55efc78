"""Which files differ between two states of a resource: in snapshots, or as it is on disk.

Content that is not here (a repository not cloned yet) is no difference and no sameness: it is
said to be unknown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dws_graph.errors import DwsError
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, clean_text
from dws_graph.resources import registry
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.mixins import FileResourceMixin
from dws_graph.resources.terms import Listing
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.moved_results import has_files, moved_results, results_at
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import content_now
from dws_graph.workspace.snapshots import all_metadata, manifest_of
from dws_graph.workspace.stats import IndexStatCache

SAME = ("resource_type", "role", "compute_hash")  # else its files are found elsewhere
ResourceChange = Literal["same", "changed", "added", "removed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """A resource in a snapshot, or as it is on disk.

    Attributes:
        resource: Through which it is read; None where its type is not installed here.
        hash: In the snapshot; None for what is on disk.
        folder: Of a results resource, where the snapshot's results are.
    """

    resource: Resource | None
    hash: str | None = None
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class FileChanges:
    """Files that differ, by their paths in the resource, sorted."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether any differs."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceDifference:
    """What became of a resource; `files` is None where nobody can tell here, `note` says why."""

    name: str
    change: ResourceChange
    files: FileChanges | None
    note: str = ""


def states_in(ws: OpenWorkspace, snapshot: SnapshotMetadata) -> dict[str, ResourceState]:
    """Each resource of a snapshot, in the order of its manifest; of results those meant then."""
    found = {p["name"]: _state(ws, p, snapshot) for p in manifest_of(ws, snapshot.hashval)}
    for name, state in found.items():
        if state.folder is not None and (moved := results_at(ws, name, snapshot.hashval)):
            found[name] = replace(state, folder=_folder_of(ws, moved.snapshot) or state.folder)
    return found


def states_now(ws: OpenWorkspace) -> dict[str, ResourceState]:
    """Each resource of the workspace as it is; of emptied results, those of their snapshot."""
    found = {}
    for params in ws.resource_params:
        name = params["name"]
        resource = _resource(ws, params)
        found[name] = ResourceState(resource=resource)
        moved_to = results_moved_to(ws, resource) if resource is not None else None
        if moved_to is not None:
            found[name] = states_in(ws, moved_to).get(name, found[name])
    return found


def _folder_of(ws: OpenWorkspace, snapshot_hash: str) -> str | None:
    folders = (m.relative_destination_path for m in all_metadata(ws) if m.hashval == snapshot_hash)
    return next((folder.strip("/") for folder in folders), None)


def results_moved_to(ws: OpenWorkspace, resource: Resource) -> SnapshotMetadata | None:
    """The snapshot whose results are meant, of a resource in which there are none now."""
    if not resource.has_results_role() or not isinstance(resource, FileResource):
        return None
    if has_files(resource):
        return None
    moved = moved_results(ws, resource.name)
    if moved is None:
        return None
    return next((m for m in all_metadata(ws) if m.hashval == moved.snapshot), None)


def compare_states(
    ws: OpenWorkspace, name: str, a: ResourceState | None, b: ResourceState | None
) -> ResourceDifference:
    """What became of a resource from one state to another; None: the resource is not there."""
    known = _Listings(ws)
    before = known.of(a) if a else {}
    after = known.of(b) if b else {}
    note = "; ".join(dict.fromkeys(known.notes))
    if a and b and _hashing(a) != _hashing(b):
        before, note = None, "its files are known by content on one side, by size on the other"
    files = None if before is None or after is None else file_changes(before, after)
    if files is None:
        a, b = known.hashed(a), known.hashed(b)
    change: ResourceChange
    if a is None or b is None:
        change = "added" if a is None else "removed"
    elif files is not None:
        change = "changed" if files else "same"
    elif a.hash is not None and a.hash == b.hash and a.folder == b.folder:
        change, files = "same", FileChanges()
    else:
        # the hash of results says something of all snapshots' results
        known_to_differ = a.hash and b.hash and not (a.folder or b.folder)
        change = "changed" if known_to_differ else "unknown"
    return ResourceDifference(name=name, change=change, files=files, note=note)


def compare_ref(
    ws: OpenWorkspace, ref: ResourceRef, a: ResourceState, b: ResourceState
) -> FileChanges | None:
    """Which files of a ref differ between two states of its resource; None: nobody can tell."""
    known = _Listings(ws)
    before, after = known.of(a), known.of(b)
    if before is None or after is None or _hashing(a) != _hashing(b):
        return None
    if ref.subpath is None:
        return file_changes(before, after)
    return file_changes(_at(before, ref.subpath), _at(after, ref.subpath))


def file_changes(a: Listing, b: Listing) -> FileChanges:
    """Which files differ; one that was renamed is one removed and one added."""
    return FileChanges(
        added=_named(b.keys() - a.keys()),
        changed=_named({name for name in a.keys() & b.keys() if a[name] != b[name]}),
        removed=_named(a.keys() - b.keys()),
    )


class _Listings:
    """Lists files, and keeps why it could not."""

    def __init__(self, ws: OpenWorkspace) -> None:
        self._ws = ws
        self.notes: list[str] = []

    def of(self, state: ResourceState) -> Listing | None:
        """The files of a state; None where nobody can tell here."""
        resource = state.resource
        if resource is None:
            self.notes.append("its type is not installed here")
            return None
        try:
            found = self._files(resource, state.hash)
        except DwsError as e:  # its folder is gone, or is no repository any more
            self.notes.append(e.message)
            return None
        if found is None:
            self.notes.append(_why_unknown(resource))
            return None
        if state.folder is not None:
            found = _below(found, state.folder)
        return _content(resource, found)

    def _files(self, resource: Resource, hashval: str | None) -> Listing | None:
        if hashval is not None:
            return resource.files_at(hashval)
        if resource.local_path is None:
            return resource.files_now() if resource.is_here() else None
        with IndexStatCache(self._ws.index, Path(resource.local_path)) as cache:
            return resource.files_now(cache)

    def hashed(self, state: ResourceState | None) -> ResourceState | None:
        """The same; what has no files that could be listed, with its hash of now."""
        if state is None or state.hash is not None or state.resource is None:
            return state
        if isinstance(state.resource, FileResourceMixin) or not state.resource.is_here():
            return state
        return replace(state, hash=content_now(self._ws, state.resource, None).hash)


def _why_unknown(resource: Resource) -> str:
    if isinstance(resource, FileResourceMixin):
        return "its content is not on this machine"
    return f"a resource of type {resource.resource_type} has no files: compared by its hash"


def _state(ws: OpenWorkspace, params: Json, snapshot: SnapshotMetadata) -> ResourceState:
    resource = _resource(ws, params)
    is_results = params.get("role") == "results"
    folder = snapshot.relative_destination_path.strip("/") if is_results else None
    return ResourceState(resource=resource, hash=params.get("hash"), folder=folder)


def _resource(ws: OpenWorkspace, params: Json) -> Resource | None:
    """The workspace's own, if it is the same still; else one made of the manifest."""
    try:
        if params["name"] in list(ws.get_resource_names()):
            found = ws.get_resource(params["name"])
            now = found.get_params()
            if all(now.get(key) == params.get(key) for key in SAME):
                return found
        return registry.from_json({k: v for k, v in params.items() if k != "hash"}, {}, ws)
    except DwsError:  # of a type that is not installed: said by who lists its files
        return None


def _hashing(state: ResourceState) -> object:
    """How files are told from others, where a resource can choose."""
    return state.resource.get_params().get("compute_hash") if state.resource else None


def _below(files: Listing, folder: str) -> Listing:
    prefix = os.fsencode(folder) + b"/"
    return {name[len(prefix) :]: c for name, c in files.items() if name.startswith(prefix)}


def _at(files: Listing, subpath: str) -> Listing:
    name = os.fsencode(subpath)
    return {n: c for n, c in files.items() if n == name or n.startswith(name + b"/")}


def _content(resource: Resource, files: Listing) -> Listing:
    if not isinstance(resource, FileResource):
        return files
    return {name: content for name, content in files.items() if not resource.not_content(name)}


def _named(names: set[bytes]) -> tuple[str, ...]:
    return tuple(clean_text(os.fsdecode(name)) for name in sorted(names))
