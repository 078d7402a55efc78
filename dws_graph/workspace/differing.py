"""Which files of a resource that keeps no content are no longer as a snapshot had them."""

from __future__ import annotations

import os

from dws_graph.errors import ConfigurationError, some_of
from dws_graph.resources import hashing
from dws_graph.resources.local_files import FILE, LocalFileResource
from dws_graph.workspace.comparing import ResourceState, compare_states
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import manifest_of
from dws_graph.workspace.stats import IndexStatCache

NAMED = 5  # files in a message


def cannot_come_back(ws: OpenWorkspace, name: str, snapshot_hash: str, label: str) -> str | None:
    """What to say of a resource that a restore leaves as it is; None: its files are the same.

    Files whose stat is as it was when they were hashed are not read again. Where files are known
    by size, one of the same size counts as the same.

    Args:
        ws: The workspace.
        name: The resource's.
        snapshot_hash: The snapshot that is restored.
        label: What to call that.
    """
    resource = ws.get_resource(name)
    if not isinstance(resource, LocalFileResource) or resource.local_path is None:
        return None
    then = next((p["hash"] for p in manifest_of(ws, snapshot_hash) if p.get("name") == name), None)
    if not isinstance(then, str):
        return None
    try:
        with IndexStatCache(ws.index, resource.place) as cache:
            now = resource.hash_tree(cache)
    except ConfigurationError as e:
        return f"{name} cannot be compared with snapshot {label}: {e.message}"
    if now.root == then or now.less(resource.not_content_at_root) == resource.known_as(then):
        return None
    here = ResourceState(resource=resource)
    found = compare_states(ws, name, ResourceState(resource=resource, hash=then), here).files
    files = sorted((*found.added, *found.changed, *found.removed)) if found else []
    said = some_of([os.fsdecode(hashing.quoted(os.fsencode(file))) for file in files], NAMED)
    kind = "a local-files" if resource.resource_type == FILE else f"an {resource.resource_type}"
    return (
        f"{name} is not as in snapshot {label} and cannot come back, for {kind} resource "
        f"keeps no content{': ' if said else ''}{said}"
    )
