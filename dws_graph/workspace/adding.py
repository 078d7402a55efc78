"""Adding resources."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError
from dws_graph.model import facts as f
from dws_graph.resources import registry
from dws_graph.resources.base import RESOURCE_ROLE_CHOICES, Resource
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.importing import import_draft
from dws_graph.workspace.names import check_new_resource_name
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.renaming import check_not_an_earlier_name

_SHORT = {role[0]: role for role in RESOURCE_ROLE_CHOICES}


def full_role(role: str) -> str:
    """A role from what was typed: the role, or its first letter.

    Raises:
        ConfigurationError: It is neither; the hint lists the roles.
    """
    found = _SHORT.get(role, role)
    if found not in RESOURCE_ROLE_CHOICES:
        raise ConfigurationError(
            f"'{role}' is not a role", hint=f"Roles: {', '.join(RESOURCE_ROLE_CHOICES)}."
        )
    return found


def add_resource(
    ws: OpenWorkspace, resource_type: str, role: str, name: str | None, *args: Any, **kwargs: Any
) -> Resource:
    """Add a resource to the workspace: one commit.

    Args:
        ws: The workspace.
        resource_type: As in resources.json; `git` becomes `git-subdirectory` for a folder of
            the workspace's own repository.
        role: One of the four.
        name: None for one made from its path.
        *args: As the type takes them.
        **kwargs: As the type takes them.

    Returns:
        The resource.

    Raises:
        ConfigurationError: The name is taken, the path lies outside or within another
            resource, ...; nothing was changed.
    """
    with ws.locked():
        role = full_role(role)
        if name is None:
            name = ws.suggest_resource_name(resource_type, role, *args)
        check_new_resource_name(name, ws.get_resource_names())
        check_not_an_earlier_name(ws, name)
        resource = registry.factory(resource_type).from_command_line(
            role, name, ws, *args, **kwargs
        )
        if resource.local_path is not None:
            ws.validate_local_path_for_resource(name, str(resource.local_path))
        files = {
            layout.RESOURCES: json_bytes([*ws.resource_params, resource.get_params()]),
            **getattr(resource, "files_to_add", dict)(),
        }
        fact = {"name": name, "role": role, "type": resource.resource_type}
        message = f"Added resource {name}, of type {resource.resource_type}, as {role}"
        drafts: list[Draft] = [(f.RESOURCE_ADDED, fact)]
        if resource.is_imported():
            drafts.append(import_draft(ws, resource))
        files |= _ignored(ws, resource)
        local = ws.file_content(layout.RESOURCE_LOCAL_PARAMS)
        ws.keep_local_params(name, resource.get_local_params())
        commit_change(
            ws,
            message,
            files,
            drafts,
            operation="add",
            more=lambda intent: replace(
                intent, before={layout.RESOURCE_LOCAL_PARAMS: local}, touched=(name,)
            ),
        )
    return ws.get_resource(name)


def _ignored(ws: OpenWorkspace, resource: Resource) -> dict[str, bytes]:
    """`.gitignore` with the folder of a repository or of files within the workspace."""
    path = resource.local_path
    if path is None or resource.resource_type == "git-subdirectory":
        return {}
    real, root = path.resolve(), ws.root.resolve()
    if not real.is_relative_to(root):
        return {}
    line = "/" + real.relative_to(root).as_posix()
    file = ws.root / ".gitignore"
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    if line in text.splitlines():
        return {}
    text = f"{text.rstrip()}\n{line}\n" if text.strip() else f"{line}\n"
    return {".gitignore": text.encode("utf-8", "surrogateescape")}
