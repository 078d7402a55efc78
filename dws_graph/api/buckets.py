"""Reading the objects of a bucket, as they are or as a snapshot has them."""

from __future__ import annotations

from typing import Any

from dws_graph.api.session import opened
from dws_graph.errors import ConfigurationError, NotSupportedError
from dws_graph.resources.s3 import S3Resource
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import find_snapshot


def get_filesystem(
    name: str,
    tag_or_hash: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> Any:
    """A bucket's objects as a file system of fsspec, to be read; paths are keys.

    Args:
        name: Of the resource.
        tag_or_hash: Of a snapshot: each object in the version of then; else as it is read here.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        NotSupportedError: The resource is no bucket.
        ConfigurationError: There is no such resource or snapshot, or the resource is not in it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return get_filesystem_in(ws, name, tag_or_hash)


def get_filesystem_in(ws: OpenWorkspace, name: str, tag_or_hash: str | None = None) -> Any:
    """See `get_filesystem`."""
    resource = ws.get_resource(name)
    if not isinstance(resource, S3Resource):
        raise NotSupportedError(
            f"{resource} is no bucket",
            hint="Its files are in the folder that get_local_path_for_resource() returns.",
        )
    if tag_or_hash is None:
        return resource.filesystem()
    hashval = find_snapshot(ws, tag_or_hash).restore_hashes.get(name)
    if hashval is None:
        raise ConfigurationError(f"{resource} is not in snapshot {tag_or_hash}")
    return resource.filesystem(hashval)
