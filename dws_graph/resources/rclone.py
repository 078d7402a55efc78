"""Type `rclone`: a folder here, and a remote that the program rclone copies to or from.

One of the two is the master, the other its replica; or neither is, and users copy themselves. The
folder is known by its hash tree, as local files are; its content is not kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dws_graph.backends.files import as_file_name
from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json
from dws_graph.resources import rclone_program as program
from dws_graph.resources.cloning import as_local_path
from dws_graph.resources.exports import check_exportable, check_imported
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.rclone_resource import (
    COPY,
    LOCAL,
    NEW_CONFIG,
    NONE,
    RCLONE,
    RcloneResource,
    check_master,
)
from dws_graph.resources.terms import Ask, ResourceWorkspace, default_answer


def _is_free(path: Path) -> bool:
    """Whether a folder can be made there: nothing is, or an empty one."""
    if not os.path.lexists(path):
        return True
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


class RcloneFactory(ResourceFactory):
    """Makes `RcloneResource`."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> RcloneResource:
        """See `ResourceFactory`.

        `remote_origin, local_path, config=None, compute_hash=False, export=False, imported=False,
        master="none", sync_mode="copy", size_only=False`.
        """
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(
        self,
        role: str,
        name: str,
        workspace: ResourceWorkspace,
        remote_origin: str,
        local_path: str,
        config: str | None = None,
        compute_hash: bool = False,
        export: bool = False,
        imported: bool = False,
        master: str = NONE,
        sync_mode: str = COPY,
        size_only: bool = False,
    ) -> RcloneResource:
        path = os.path.abspath(os.path.expanduser(local_path))
        params = {
            "resource_type": RCLONE,
            "name": name,
            "role": role,
            "global_local_path": path,
            "compute_hash": compute_hash,
            "export": export,
            "imported": imported,
            "remote_origin": remote_origin,
            "config": None if config is None else os.path.abspath(os.path.expanduser(config)),
            "master": master,
            "sync_mode": sync_mode,
            "size_only": size_only,
        }
        resource = RcloneResource(params, {"local_path": None}, workspace)
        check_master(master, imported=imported)
        program.check_known(remote_origin, resource.usable_config(NEW_CONFIG))
        workspace.validate_local_path_for_resource(name, path)

        def check(folder: Path) -> None:
            if imported:
                check_imported(folder, name, role)
            if export:
                check_exportable(folder, name, read_only=imported)

        _bring_or_take(resource, check)
        return resource

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> RcloneResource:
        """See `ResourceFactory`."""
        return RcloneResource(params, local_params, workspace)

    def has_local_state(self) -> bool:
        """See `ResourceFactory`."""
        return True

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> RcloneResource:
        """See `ResourceFactory`: where the folder is to be, is asked."""
        told = RcloneResource(params, {}, workspace)
        program.check_remote(told.remote)
        default = workspace.root / as_file_name(told.name)
        answer = ask(
            f"Where are the files of resource '{told.name}' to be? They were in "
            f"{told.global_local_path}.",
            str(default),
        )
        path = Path(os.path.abspath(os.path.expanduser(answer)))
        config = told.config
        if config is not None and not os.path.isfile(config):
            config = ask(f"Where is rclone's configuration for '{told.remote}'?", config)
        is_same = str(path) == told.global_local_path
        local = {"local_path": None if is_same else as_local_path(workspace, path)}
        if config != told.config and config is not None:
            local["config"] = os.path.abspath(os.path.expanduser(config))
        resource = RcloneResource(params, local, workspace)
        program.check_known(resource.remote, resource.usable_config())
        workspace.validate_local_path_for_resource(resource.name, str(path))
        # a folder of that name which the user did not choose is somebody else's
        if path == default and not _is_free(path) and not resource.is_as_noted():
            raise ConfigurationError(
                f"resource '{told.name}' cannot be put into {path}, where there is something "
                "already",
                hint="Move that away, then type: dws pull.",
            )
        _bring_or_take(resource, lambda _: None)
        if resource.master == LOCAL and not any(path.iterdir()):
            workspace.notify(
                f"{path} is empty: the master of {resource} is the folder where it was added. For "
                f"what that has pushed: rclone copy {resource.remote} {path}"
            )
        return resource

    def suggest_name(self, workspace: ResourceWorkspace, role: str, *args: Any) -> str:
        """See `ResourceFactory`: the last part of the remote's path, else of the folder's."""
        remote, folder = (str(arg) for arg in args[:2])
        path = remote.partition(":")[2].rstrip("/")
        return os.path.basename(path) or os.path.basename(os.path.abspath(folder))


def _bring_or_take(resource: RcloneResource, check: Callable[[Path], None]) -> None:
    """Make its folder; or take one that is there as it is, and copy nothing."""
    path = resource.place
    if _is_free(path):
        resource.copy_down(check)
        return
    if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK):
        raise ConfigurationError(f"{path} is no folder that can be read")
    check(path)
    if resource.not_pulled() is None and not resource.is_as_noted():
        resource.workspace.notify(
            f"{path} was there already, so nothing was copied: bring what is new at "
            f"'{resource.remote}' with dws pull"
        )


FACTORY = RcloneFactory()
