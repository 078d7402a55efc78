"""`Workspace`: what scripts and extensions hold, under the names of Data Workspaces 1.6."""

from __future__ import annotations

from typing import Any

from dws_graph.resources.base import Resource
from dws_graph.workspace import layout
from dws_graph.workspace.adding import add_resource
from dws_graph.workspace.committing import commit_change, recover_locked
from dws_graph.workspace.configuring import set_param
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.team import bring_up_to_date


class Workspace(OpenWorkspace):
    """A workspace on this machine; see `OpenWorkspace` for its attributes."""

    def close(self) -> None:
        """Bring the team's graph up to date, where there is one, and close the files."""
        try:
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
        set_param(self, name, value, scope="global")

    def set_local_param(self, name: str, value: Any) -> None:
        """Set a parameter of this copy.

        Raises:
            ParamNotFoundError, ParamValidationError: It cannot be set so.
        """
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
        return add_resource(self, resource_type, role, name, *args, **kwargs)

    def save(self, message: str) -> None:
        """Commit the workspace's metadata files as they are on disk, if they changed."""
        files = {
            path: (self.root / path).read_bytes()
            for path in (layout.CONFIG, layout.OWN, layout.RESOURCES, layout.GITIGNORE)
            if (self.root / path).exists()
        }
        commit_change(self, message, files)
