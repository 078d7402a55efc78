"""Resources that another workspace made, known by the lineage file beside their files."""

from __future__ import annotations

import os
from pathlib import Path

from dws_graph.errors import ConfigurationError, JsonError
from dws_graph.model.values import parse_json, take, take_or
from dws_graph.resources.terms import LINEAGE_FILE, ResourceRoles


def check_imported(path: Path, name: str, role: str) -> None:
    """Refuse to import from a folder that no workspace exported, or under another name.

    Raises:
        ConfigurationError: Its role is not source-data, it has no `lineage.json`, or that is
            about a resource of another name.
    """
    if role != ResourceRoles.SOURCE_DATA_SET:
        raise ConfigurationError(
            f"an imported resource has the role source-data, not {role}",
            hint="Add it with --role source-data.",
        )
    file = path / LINEAGE_FILE
    if not file.is_file():
        raise ConfigurationError(
            f"{path} has no {LINEAGE_FILE}",
            hint="Add it with --export in the workspace that makes it, and take a snapshot there.",
        )
    exported = take(parse_json(file.read_bytes(), file=str(file)), "resource_name", str)
    if exported != name:
        raise ConfigurationError(
            f"{file} is about a resource '{exported}', not '{name}'",
            hint=f"Add it with --name {exported}.",
        )


def exported_role(file: Path, name: str) -> str | None:
    """The role that a resource has where it was exported, as a `lineage.json` tells it."""
    try:
        told = take_or(parse_json(file.read_bytes(), file=str(file)), "roles", dict) or {}
    except (OSError, JsonError):  # who imports it says what is wrong with it
        return None
    role = told.get(name)
    return role if isinstance(role, str) else None


def check_exportable(path: Path, name: str, *, read_only: bool) -> None:
    """Refuse to export a folder into which a snapshot cannot, or must not, write `lineage.json`.

    Raises:
        ConfigurationError: It is read-only, or has a `lineage.json` that is not about this
            resource.
    """
    if read_only:
        raise ConfigurationError(
            f"a read-only or imported resource cannot be exported: no {LINEAGE_FILE} could be "
            "written into it"
        )
    file = path / LINEAGE_FILE
    if not os.path.lexists(file):
        return
    try:
        about = take(parse_json(file.read_bytes(), file=str(file)), "resource_name", str)
    except (OSError, JsonError):
        about = ""
    if about != name:
        raise ConfigurationError(
            f"{file} is there already, and is not about '{name}': a snapshot would overwrite it",
            hint="Move the file away, or leave --export out.",
        )
