"""Giving a resource a new name, under which its lineage and its snapshots are found.

Source: docs/formats.md, "Undoing and renaming".
"""

from __future__ import annotations

import os
from dataclasses import replace

from dws_graph.errors import ConfigurationError
from dws_graph.model import facts as f
from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.intent import Intent
from dws_graph.workspace.names import check_new_resource_name
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.reading import living

ANOTHER = "Choose another name."


def rename_resource(ws: OpenWorkspace, old: str, new: str) -> None:
    """Give a resource a new name: one commit. No file of it is touched.

    Args:
        ws: The workspace.
        old: Its name.
        new: The name from now on.

    Raises:
        ConfigurationError: There is no such resource, or it cannot be named so; nothing was
            changed.
    """
    with ws.locked():
        resource = ws.get_resource(old)
        _check(ws, resource, new)
        params = [
            {**item, "name": new} if item.get("name") == old else item
            for item in ws.resource_params
        ]
        kept = _kept_files(ws, resource)
        folder = resource.kept_below(new)
        commit_change(
            ws,
            f"Renamed resource {old}: {new}",
            {
                layout.RESOURCES: json_bytes(params),
                **{f"{folder}/{os.path.basename(path)}": data for path, data in kept.items()},
            },
            [(f.RESOURCE_RENAMED, {"old": old, "new": new})],
            operation="rename",
            remove=list(kept),
            more=lambda intent: _local(ws, old, new, intent),
        )


def check_not_an_earlier_name(
    ws: OpenWorkspace, name: str, *, hint: str = "Choose another name with --name."
) -> None:
    """Refuse a name under which the lineage of another resource was recorded.

    Args:
        ws: The workspace.
        name: To be.
        hint: How to give another.

    Raises:
        ConfigurationError: Names that resource.
    """
    if now := ws.names_now().get(name):
        raise ConfigurationError(
            f"'{name}' was the name of resource '{now}', whose lineage is found under it",
            hint=hint,
        )


def _check(ws: OpenWorkspace, resource: Resource, new: str) -> None:
    old = resource.name
    others = [name for name in ws.get_resource_names() if name != old]
    check_new_resource_name(new, others, hint=ANOTHER)
    if new == old:
        raise ConfigurationError(f"the resource is named '{new}' already")
    if ws.names_now().get(new) != old:  # else it is a name that it had before
        check_not_an_earlier_name(ws, new, hint=ANOTHER)
        if ws.index.has_refs(ws.id, new):
            raise ConfigurationError(
                f"'{new}' was the name of another resource, whose lineage is kept",
                hint=ANOTHER,
            )
    if resource.is_imported():
        raise ConfigurationError(
            f"resource '{old}' is imported: its lineage.json is about '{old}'",
            hint="Rename it in the workspace that exports it.",
        )
    for step in living(ws)[0]:
        if any(ref.name == old for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to resource '{old}' now",
                hint="Rename it when the step has ended.",
            )


def _kept_files(ws: OpenWorkspace, resource: Resource) -> dict[str, bytes]:
    """What its snapshots have committed (hash trees of local files), in a folder of its name."""
    below = resource.kept_below(resource.name)
    if below is None:
        return {}
    paths = sorted(path for path in (ws.root / below).glob("*") if path.is_file())
    return {f"{below}/{path.name}": path.read_bytes() for path in paths}


def _local(ws: OpenWorkspace, old: str, new: str, intent: Intent) -> Intent:
    """What this machine alone keeps of the resource goes with the name."""

    def renamed(params: Json) -> None:
        if old in params:
            params[new] = params.pop(old)

    outside: dict[str, bytes | None] = {layout.RESOURCE_LOCAL_PARAMS: ws.local_params_of(renamed)}
    return replace(intent, outside=outside, touched=(old, new))
