"""Whether anything is known of a path that lineage has only as a part of something bigger."""

from __future__ import annotations

from collections.abc import Iterable

from dws_graph.errors import ConfigurationError
from dws_graph.model.refs import ResourceRef
from dws_graph.resources.base import Resource
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import manifest_of


def check_known(ws: OpenWorkspace, ref: ResourceRef, snapshots: Iterable[SnapshotMetadata]) -> None:
    """Refuse a path that neither the disk, nor lineage, nor one of these snapshots knows.

    Where that cannot be told (the resource was removed, or its content is not here), it is let be.

    Raises:
        ConfigurationError: Names it.
    """
    if ref.subpath is None or ref.name not in set(ws.get_resource_names()):
        return
    resource = ws.get_resource(ref.name)
    if resource.local_path is None and resource.needs_cloning():
        return
    if resource.does_subpath_exist(ref.subpath):
        return
    if any(ref == known or ref.covers(known) for known in ws.index.refs_touching(ws.id, ref)):
        return
    if all(_holds(ws, resource, ref.subpath, metadata) is False for metadata in snapshots):
        where = f"Look for it in {resource.local_path}; of" if resource.local_path else "Of"
        raise ConfigurationError(
            f"{ref} is neither on disk nor in what was recorded",
            hint=f"{where} what a snapshot held, ask with --snapshot.",
        )


def _holds(
    ws: OpenWorkspace, resource: Resource, subpath: str, metadata: SnapshotMetadata
) -> bool | None:
    """Whether a snapshot held a path of a resource; None: nobody can tell."""
    paths = [subpath]
    if resource.has_results_role():
        paths.append(f"{metadata.relative_destination_path}/{subpath}")
        if resource.does_subpath_exist(paths[1]):
            return True
    for params in manifest_of(ws, metadata.hashval):
        hashval = params.get("hash")
        if params.get("name") == resource.name and isinstance(hashval, str):
            found = [resource.held(hashval, path) for path in paths]
            return True if True in found else None if None in found else False
    return False
