"""`Workspace`: what scripts and extensions hold, under the names of Data Workspaces 1.6.

Each use case is imported by the method that it is behind: a command pays for its own alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dws_graph.errors import ApiParamError
from dws_graph.resources.base import Resource
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change, recover_locked
from dws_graph.workspace.opened import OpenWorkspace


class Workspace(OpenWorkspace):
    """A workspace on this machine; see `OpenWorkspace` for its attributes."""

    def __enter__(self) -> Workspace:
        return self

    def close(self) -> None:
        """Bring the team's graph up to date, where there is one, and close the files."""
        try:
            if self.graph_url is not None:
                from dws_graph.workspace.team import bring_up_to_date

                bring_up_to_date(self)
        finally:
            super().close()

    def on_locked(self) -> None:
        """Finish or undo what a killed process left."""
        recover_locked(self)

    def set_global_param(self, name: str, value: Any) -> None:
        """Set a parameter of all copies, and commit it.

        Raises:
            ParamNotFoundError, ParamValidationError: It cannot be set so.
        """
        from dws_graph.workspace.configuring import set_param

        set_param(self, name, value, scope="global")

    def set_local_param(self, name: str, value: Any) -> None:
        """Set a parameter of this copy.

        Raises:
            ParamNotFoundError, ParamValidationError: It cannot be set so.
        """
        from dws_graph.workspace.configuring import set_param

        set_param(self, name, value, scope="local")

    def add_resource(
        self, name: str, resource_type: str, role: str, *args: Any, **kwargs: Any
    ) -> Resource:
        """Add a resource, and commit that.

        Args:
            name: Unique in the workspace.
            resource_type: As in resources.json: `git`, `file`, ...
            role: One of `ResourceRoles`.
            *args: As the type takes them.
            **kwargs: As the type takes them.

        Raises:
            ConfigurationError: They do not fit; nothing was changed.
        """
        from dws_graph.workspace.adding import add_resource

        return add_resource(self, resource_type, role, name, *args, **kwargs)

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

    def pull_workspace(self) -> Workspace:
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

    def get_names_for_resources_that_need_to_be_cloned(self) -> Iterable[str]:
        """Resources that are not on this machine yet."""
        from dws_graph.workspace.cloning import missing_resources

        return missing_resources(self)

    def clone_resource(self, name: str) -> Resource:
        """Bring a resource of another repository to this machine.

        Raises:
            ConfigurationError: It cannot be brought; nothing is left of it.
        """
        from dws_graph.workspace.cloning import clone_resource

        clone_resource(self, name)
        return self.get_resource(name)

    def delete_snapshot(self, hash_val: str, include_resources: bool = False) -> None:
        """Delete a snapshot.

        Args:
            hash_val: Its hash.
            include_resources: Its results directories go, too.

        Raises:
            ConfigurationError: There is no such snapshot.
        """
        from dws_graph.workspace.deleting import delete_snapshot

        delete_snapshot(self, hash_val, include_resources=include_resources)

    def save(self, message: str) -> None:
        """Commit the workspace's metadata files as they are on disk, if they changed."""
        files = {
            path: (self.root / path).read_bytes()
            for path in (layout.CONFIG, layout.OWN, layout.RESOURCES, layout.GITIGNORE)
            if (self.root / path).exists()
        }
        commit_change(self, message, files)

    def neo4j_driver(self) -> Any:
        """The team's graph by the official driver, a `neo4j.Driver`, for code of your own.

        Close it when done: `with ws.neo4j_driver() as driver: driver.execute_query(...)`. Give
        `database_=ws.get_local_param("graph.database")` where that is not the server's default.

        Raises:
            ConfigurationError: No Neo4j is configured, or its password cannot be had.
            ViewUnavailableError: It does not answer.
        """
        from dws_graph.backends.graph.drivers import neo4j_driver
        from dws_graph.workspace.credentials import configured_address

        return neo4j_driver(configured_address(self))

    def py2neo_graph(self) -> Any:
        """The team's graph as a `py2neo.Graph`, for code that has one; py2neo is no longer kept.

        Raises:
            ConfigurationError: No Neo4j is configured, or the extra `py2neo` is not installed.
            ViewUnavailableError: It does not answer.
        """
        from dws_graph.backends.graph.drivers import py2neo_graph
        from dws_graph.workspace.credentials import configured_address

        return py2neo_graph(configured_address(self))
