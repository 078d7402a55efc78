"""Adding resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError, some_of
from dws_graph.model import facts as f
from dws_graph.resources import registry
from dws_graph.resources.base import Resource
from dws_graph.resources.outside import OUTSIDE
from dws_graph.resources.terms import RESOURCE_ROLE_CHOICES
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
        resource = _resource(ws, resource_type, role, name, *args, **kwargs)
        _commit(
            ws, [resource], f"Added resource {name}, of type {resource.resource_type}, as {role}"
        )
    return ws.get_resource(name)


def add_folders(ws: OpenWorkspace, roles: Sequence[str]) -> None:
    """Add a folder of the workspace's repository for each role, of its name: one commit.

    Raises:
        ConfigurationError: As `add_resource`.
    """
    with ws.locked():
        names = list(dict.fromkeys(roles))
        resources = [_resource(ws, "git", name, name, str(ws.root / name)) for name in names]
        if resources:
            _commit(ws, resources, f"Added resources {', '.join(names)}")


def add_outside(ws: OpenWorkspace, roles: Mapping[str, str]) -> None:
    """Add the resources that programs outside name, those that are not there: one commit.

    Args:
        ws: The workspace.
        roles: {name: role}.

    Raises:
        ConfigurationError: A name cannot be one of a resource; nothing was changed.
    """
    if set(roles) <= set(ws.get_resource_names()):
        return
    with ws.locked():
        missing = {n: role for n, role in roles.items() if n not in set(ws.get_resource_names())}
        made: list[Resource] = []
        for name, role in missing.items():
            resource = _resource(ws, OUTSIDE, role, name)
            check_new_resource_name(name, [other.name for other in made])
            made.append(resource)
        if made:
            names = some_of([resource.name for resource in made])
            _commit(ws, made, f"Added resources from outside: {names}")


def _resource(
    ws: OpenWorkspace, resource_type: str, role: str, name: str, *args: Any, **kwargs: Any
) -> Resource:
    check_new_resource_name(name, ws.get_resource_names())
    check_not_an_earlier_name(ws, name)
    factory = registry.factory(resource_type)
    resource = factory.from_command_line(role, name, ws, *args, **kwargs)
    if resource.local_path is not None:
        ws.validate_local_path_for_resource(name, str(resource.local_path))
    return resource


def _commit(ws: OpenWorkspace, resources: Sequence[Resource], message: str) -> None:
    params = [*ws.resource_params, *(resource.get_params() for resource in resources)]
    files = {layout.RESOURCES: json_bytes(params)}
    drafts: list[Draft] = []
    for resource in resources:
        files |= getattr(resource, "files_to_add", dict)()
        fact = {"name": resource.name, "role": resource.role, "type": resource.resource_type}
        drafts.append((f.RESOURCE_ADDED, fact))
        if resource.is_imported():
            drafts.append(import_draft(ws, resource))
    files |= _ignored(ws, resources)
    local = ws.file_content(layout.RESOURCE_LOCAL_PARAMS)
    for resource in resources:
        ws.keep_local_params(resource.name, resource.get_local_params())
    commit_change(
        ws,
        message,
        files,
        drafts,
        operation="add",
        more=lambda intent: replace(
            intent,
            before={layout.RESOURCE_LOCAL_PARAMS: local},
            touched=tuple(resource.name for resource in resources),
        ),
    )


def _ignored(ws: OpenWorkspace, resources: Iterable[Resource]) -> dict[str, bytes]:
    """`.gitignore` with the folders of repositories and of files within the workspace."""
    file = ws.root / ".gitignore"
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    known = text.splitlines()
    lines = [line for r in resources if (line := _ignoring(ws, r)) and line not in known]
    if not lines:
        return {}
    start = f"{text.rstrip()}\n" if text.strip() else ""
    text = start + "".join(f"{line}\n" for line in lines)
    return {".gitignore": text.encode("utf-8", "surrogateescape")}


def _ignoring(ws: OpenWorkspace, resource: Resource) -> str | None:
    """By which git ignores a resource's folder, where it must."""
    path = resource.local_path
    if path is None or resource.resource_type == "git-subdirectory":
        return None
    real, root = path.resolve(), ws.root.resolve()
    return "/" + real.relative_to(root).as_posix() if real.is_relative_to(root) else None
