"""Taking a resource out of the workspace; its files stay, unless told otherwise."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dws_graph.errors import ConfigurationError, UserAbort
from dws_graph.model import facts as f
from dws_graph.model.facts import Current
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.moving import Move
from dws_graph.workspace import layout
from dws_graph.workspace.aside import aside_for
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.intent import Intent, as_path
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.reading import living
from dws_graph.workspace.taking import always


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What removing a resource does.

    Attributes:
        resource: Which.
        folder: Of the files that are deleted; None: they stay.
    """

    resource: Resource
    folder: Path | None

    def describe(self) -> list[str]:
        """The plan in lines."""
        lines = [f"Remove resource {self.resource.name} from the workspace:"]
        if self.folder is not None:
            return [*lines, f"  delete   {self.folder}, with all in it"]
        where = self.resource.local_path
        return [*lines, f"  leave    {where}"] if where is not None else lines


def plan_removal(ws: OpenWorkspace, name: str, *, delete_files: bool = False) -> RemovalPlan:
    """Decide what removing a resource does; everything that can be refused is refused here.

    Raises:
        ConfigurationError: There is no such resource, a step writes to it just now, or its
            files are not to be deleted.
    """
    resource = ws.get_resource(name)
    for step in living(ws)[0]:
        if any(ref.name == name for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to resource '{name}' now",
                hint="Remove it when the step has ended.",
            )
    if not delete_files:
        return RemovalPlan(resource, None)
    if not isinstance(resource, FileResource) or resource.local_path is None:
        raise ConfigurationError(
            f"resource '{name}' has no files here to delete", hint="Leave --delete-files out."
        )
    path = resource.local_path
    if path.is_symlink():
        raise ConfigurationError(
            f"{path} is a link: the files that it leads to are not deleted",
            hint="Leave --delete-files out, and delete them yourself.",
        )
    return RemovalPlan(resource, path if path.is_dir() else None)


def remove_resource(
    ws: OpenWorkspace,
    name: str,
    *,
    delete_files: bool = False,
    confirm: Callable[[str], bool] = always,
) -> RemovalPlan:
    """Take a resource out of the workspace: one commit.

    Snapshots that hold it stay; its lineage too.

    Args:
        ws: The workspace.
        name: The resource's.
        delete_files: Delete its folder here.
        confirm: Asked, with the plan, before anything changes.

    Raises:
        ConfigurationError: It cannot be done; nothing was changed.
        UserAbort: The answer was no; nothing was changed.
    """
    with ws.locked():
        plan = plan_removal(ws, name, delete_files=delete_files)
        if not confirm("\n".join(plan.describe())):
            raise UserAbort("nothing was removed")
        left = [params for params in ws.resource_params if params.get("name") != name]
        gone = [
            Current(ref=entry.ref, certificate=None).to_json()
            for entry in ws.index.entries(ws.id, ws.instance, name)
        ]
        role, kind = plan.resource.role, plan.resource.resource_type
        fact = {"name": name, "role": role, "type": kind, "current": gone}
        remove = []
        if plan.folder is not None and isinstance(plan.resource, GitSubdirectoryResource):
            remove = [plan.resource.relative_path]
        commit_change(
            ws,
            f"Removed resource {name}",
            {layout.RESOURCES: json_bytes(left)},
            [(f.RESOURCE_REMOVED, fact)],
            operation="remove",
            remove=remove,
            more=lambda intent: _without(ws, plan, intent),
        )
    return plan


def _without(ws: OpenWorkspace, plan: RemovalPlan, intent: Intent) -> Intent:
    name = plan.resource.name
    local = ws.local_params_of(lambda params: params.pop(name, None))
    intent = replace(
        intent,
        touched=(name,),
        outside={layout.RESOURCE_LOCAL_PARAMS: local},
    )
    if plan.folder is None:
        return intent
    source = plan.folder.resolve()
    root, away = aside_for(ws.root, source.parent, os.urandom(8).hex())
    mode = stat.S_IMODE(source.stat().st_mode)
    move = Move(str(source.relative_to(root)), str((away / "files").relative_to(root)), mode)
    return replace(intent, moves={as_path(ws.root, root): [move]}, aside=(as_path(ws.root, away),))
