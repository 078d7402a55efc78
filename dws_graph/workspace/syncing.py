"""The methods of a workspace that are about its origin, under the names of 1.6.

Each use case is imported by the method that it is behind: a command pays for its own alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from dws_graph.errors import ApiParamError
from dws_graph.resources.base import Resource
from dws_graph.workspace.opened import OpenWorkspace

Self = TypeVar("Self", bound="SyncedWorkspaceMixin")


class SyncedWorkspaceMixin(OpenWorkspace):
    """A workspace that is shared through an origin, once it has one: each `Workspace` is one."""

    def publish(self, *args: str) -> None:
        """Make an empty repository the origin, and push everything there.

        Args:
            args: Its URL.

        Raises:
            ConfigurationError: It cannot be; nothing was changed.
        """
        from dws_graph.workspace.pushing import publish_workspace

        if len(args) != 1:
            raise ApiParamError("publish takes one argument, the URL of an empty repository")
        publish_workspace(self, args[0])

    def push(self, resource_list: Iterable[Resource]) -> None:
        """Push these resources, and the workspace itself.

        Raises:
            ConfigurationError: One cannot be pushed; nothing was.
        """
        from dws_graph.workspace.pushing import push_workspace

        names = [resource.name for resource in resource_list]
        push_workspace(self, only=names or None, only_workspace=not names)

    def pull_workspace(self: Self) -> Self:
        """Pull the workspace itself; it is as it is now, read again.

        Raises:
            ConfigurationError: It cannot be pulled; nothing was changed.
        """
        from dws_graph.workspace.pulling import pull_all

        pull_all(self, only_workspace=True)
        return self

    def pull_resources(self, resource_list: Iterable[Resource]) -> None:
        """Pull these resources, and the workspace that names their snapshots.

        Raises:
            ConfigurationError: One cannot be pulled; nothing was changed.
        """
        from dws_graph.workspace.pulling import pull_all

        names = [resource.name for resource in resource_list]
        if names:
            pull_all(self, only=names)
