"""The product's versions, and the resources of a workspace."""

from __future__ import annotations

from typing import NamedTuple

from dws_graph import __version__
from dws_graph.api.session import opened
from dws_graph.workspace.opened import OpenWorkspace

API_VERSION = "0.2"


class ResourceInfo(NamedTuple):
    """A resource, as `get_resource_info` tells of it; `local_path` is None without files here."""

    name: str
    role: str
    resource_type: str
    local_path: str | None


def get_version() -> str:
    """The version of dws-graph."""
    return __version__


def get_api_version() -> str:
    """The version of this API, which changes less often than the product's."""
    return API_VERSION


def get_resource_info(
    workspace_uri_or_path: str | None = None, verbose: bool = False
) -> list[ResourceInfo]:
    """The resources of a workspace, in the order in which they were added.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return get_resource_info_in(ws)


def get_resource_info_in(ws: OpenWorkspace) -> list[ResourceInfo]:
    """See `get_resource_info`."""
    return [
        ResourceInfo(r.name, r.role, r.resource_type, r.get_local_path_if_any())
        for r in ws.get_resources()
    ]


def get_local_path_for_resource(
    name: str, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> str | None:
    """The folder of a resource on this machine; None when it has none.

    Args:
        name: The resource's.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return ws.get_resource(name).get_local_path_if_any()
