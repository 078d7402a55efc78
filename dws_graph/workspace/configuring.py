"""Setting configuration parameters."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from dws_graph.errors import ConfigurationError
from dws_graph.model import facts as f
from dws_graph.resources.file_resource import FileResource
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change, keep_uncommitted
from dws_graph.workspace.filtering import check_known, filter_as
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.params import FILTERS, Scope, param

LOCAL_PATH = "local_path"


def set_param(ws: OpenWorkspace, name: str, value: Any, *, scope: Scope | None = None) -> None:
    """Set a parameter; one of all copies is committed. None takes the setting away.

    Args:
        ws: The workspace.
        name: The parameter's.
        value: Of the parameter's type.
        scope: Refuse a parameter of another scope.

    Raises:
        ParamNotFoundError: There is no such parameter.
        ParamValidationError: It may not have this value.
        ConfigurationError: A filter is unknown to git, or failed; nothing was changed.
    """
    found = param(name)
    if scope is not None and found.scope != scope:
        raise ConfigurationError(f"'{name}' is a {found.scope} parameter, not a {scope} one")
    if value is not None:
        value = found.validate(value)
    if found.scope == "local":
        with ws.locked():
            local = (layout.LOCAL_PARAMS, layout.OWN_LOCAL_PARAMS)
            if name == FILTERS:
                check_known(ws.git, value or ())
                filter_as(ws, value or ())
            keep_uncommitted(ws, "config", {path: ws.file_content(path) for path in local})
            ws.write_local_params({name: value})
        return
    path = layout.OWN if found.own else layout.CONFIG
    with ws.locked():
        obj = ws.read_object(path, missing_ok=found.own)
        key = "params" if found.own else "global_params"
        params = dict(obj.get(key) or {})
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
        obj = {**_own_defaults(ws, obj), key: params} if found.own else {**obj, key: params}
        verb = "Unset" if value is None else "Set"
        drafts = [(f.PARAMETER_SET, {"name": name, "unset": value is None})]
        files = {path: json_bytes(obj)}
        if ws.file_content(path) != files[path]:
            commit_change(ws, f"{verb} parameter {name}", files, drafts, operation="config")


def set_resource_param(ws: OpenWorkspace, resource: str, name: str, value: str | None) -> None:
    """Set a parameter of a resource, and commit it; `local_path` is of this copy alone.

    Args:
        ws: The workspace.
        resource: Its name.
        name: The parameter's.
        value: As text; None takes the setting away.

    Raises:
        ConfigurationError: It cannot be changed, or may not have this value; nothing was changed.
    """
    with ws.locked():
        found = ws.get_resource(resource)
        if name == LOCAL_PATH and isinstance(found, FileResource):
            _move(ws, found, value)
            return
        changed = found.with_param(name, value)
        params = [changed if p.get("name") == resource else p for p in ws.resource_params]
        if changed == found.get_params():
            return
        verb = "Unset" if value is None else "Set"
        commit_change(
            ws,
            f"{verb} parameter {name} of resource {resource}",
            {layout.RESOURCES: json_bytes(params)},
            [(f.PARAMETER_SET, {"name": f"{resource}: {name}", "unset": value is None})],
            operation="config",
            more=lambda intent: replace(intent, touched=(resource,)),
        )


def _move(ws: OpenWorkspace, resource: FileResource, value: str | None) -> None:
    """Say where a resource's folder is on this machine; nothing is moved, nor committed."""
    if value is None:
        raise ConfigurationError(
            f"where {resource} is cannot be unset",
            hint="Say where: dws config --resource "
            f"{shlex.quote(resource.name)} {LOCAL_PATH} FOLDER.",
        )
    folder = Path(os.path.abspath(os.path.expanduser(value)))
    params = resource.moved_to(folder)
    ws.validate_local_path_for_resource(resource.name, str(folder))
    path = layout.RESOURCE_LOCAL_PARAMS
    keep_uncommitted(ws, "config", {path: ws.file_content(path)})
    ws.keep_local_params(resource.name, params)
    ws.reload()


def _own_defaults(ws: OpenWorkspace, obj: dict[str, Any]) -> dict[str, Any]:
    return obj or {"format": 1, "workspace_id": ws.id}
