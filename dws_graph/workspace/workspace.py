"""`Workspace`: what scripts and extensions hold, under the names of Data Workspaces 1.6.

Each use case is imported by the method that it is behind: a command pays for its own alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dws_graph.resources.base import Resource
from dws_graph.resources.mixins import LocalStateResourceMixin
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change, recover_locked
from dws_graph.workspace.snapshotting import SnapshotWorkspaceMixin
from dws_graph.workspace.syncing import SyncedWorkspaceMixin


class Workspace(SnapshotWorkspaceMixin, SyncedWorkspaceMixin):
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

    def as_snapshot_ws(self) -> SnapshotWorkspaceMixin:
        """This workspace, which takes snapshots."""
        return self

    def as_lineage_ws(self) -> SnapshotWorkspaceMixin:
        """This workspace, which records lineage."""
        return self

    def get_names_of_resources_with_local_state(self) -> Iterable[str]:
        """Resources of which something is, or should be, on this machine."""
        return [r.name for r in self.get_resources() if isinstance(r, LocalStateResourceMixin)]

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
