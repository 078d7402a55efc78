"""`dws config`."""

from __future__ import annotations

from typing import Any

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, format_option, say, show, show_json
from dws_graph.errors import ParamNotFoundError
from dws_graph.render.tables import table
from dws_graph.render.text import clean
from dws_graph.workspace.configuring import set_param, set_resource_param
from dws_graph.workspace.params import PARAMS, param
from dws_graph.workspace.workspace import Workspace

EPILOG = """
\b
Examples:
  dws config
  dws config results.dir_template
  dws config results.dir_template "snapshots/{TAG}"
  dws config results.move_exclude_files README.md,notes.txt
  dws config --unset results.dir_template
  dws config --resource images keep on
  dws config --resource images local_path /data/images
  dws config --resource images store s3://bucket/kept
"""

Row = dict[str, Any]


@click.command("config", cls=Command, epilog=EPILOG)
@click.option("--resource", metavar="NAME", help="The parameters of this resource instead.")
@click.option("--unset", is_flag=True, help="Take the setting away: the default holds again.")
@format_option("table", "json")
@click.argument("parameter_name", required=False)
@click.argument("parameter_value", required=False)
@pass_session
def command(
    session: Session,
    resource: str | None,
    unset: bool,
    fmt: str,
    parameter_name: str | None,
    parameter_value: str | None,
) -> None:
    """Get or set parameters of the workspace.

    Without a name, all are listed; with a name, that one; with a value too, it is set. Global
    parameters hold for all copies of the workspace and are committed; local ones hold for this
    copy. A list is given as a,b,c.
    """
    if unset and (parameter_name is None or parameter_value is not None):
        raise click.UsageError("--unset takes the name of one parameter, and no value")
    with session.workspace() as ws:
        changes = unset or parameter_value is not None
        if resource is not None:
            if parameter_name is not None and changes:
                confirm_verbose(session, f"Set {parameter_name} of {clean(resource)}")
                set_resource_param(ws, resource, parameter_name, parameter_value)
                rows = _of_resource(ws, resource, None)
                now = _text({row["name"]: row["value"] for row in rows}.get(parameter_name))
                say(f"{parameter_name} of {clean(resource)} is {now} now.")
                return
            _show(session, _of_resource(ws, resource, parameter_name), fmt)
            return
        if parameter_name is not None and changes:
            found = param(parameter_name)
            # refused before it is repeated: it may hold a password
            value = None if unset else found.validate(found.parse(str(parameter_value)))
            confirm_verbose(session, f"Set {parameter_name} to {_text(value)}")
            set_param(ws, parameter_name, value)
            now = _rows(ws, parameter_name)[0]["value"]
            say(f"{parameter_name} is {_text(now)} now.")
            return
        _show(session, _rows(ws, parameter_name), fmt)


def _rows(ws: Workspace, name: str | None) -> list[Row]:
    values = ws.param_values()
    return [
        {
            "name": p.name,
            "scope": p.scope,
            "value": values.get(p.name, p.default),
            "is_default": p.name not in values or values[p.name] == p.default,
            "default": p.default,
            "help": p.help,
        }
        for p in ([param(name)] if name is not None else PARAMS.values())
    ]


def _of_resource(ws: Workspace, resource: str, name: str | None) -> list[Row]:
    found = ws.get_resource(resource)
    rows: list[Row] = [
        {"name": key, "scope": scope, "value": value}
        for scope, params in (
            ("global", found.get_params()),
            ("local", found.get_local_params()),
        )
        for key, value in params.items()
    ]
    if name is None:
        return rows
    if not (chosen := [row for row in rows if row["name"] == name]):
        raise ParamNotFoundError(
            f"resource '{resource}' has no parameter '{name}'",
            hint="There are: " + ", ".join(row["name"] for row in rows) + ".",
        )
    return chosen


def _show(session: Session, rows: list[Row], fmt: str) -> None:
    if fmt == "json":
        show_json(rows)
        return
    of_workspace = "help" in rows[0] if rows else False
    columns = ["Name", "Scope", "Value", *(["Default?", "Help"] if of_workspace else [])]
    cells = [
        [
            row["name"],
            row["scope"],
            _text(row["value"]),
            *(["yes" if row["is_default"] else "no", row["help"]] if of_workspace else []),
        ]
        for row in rows
    ]
    show(session, table(columns, cells), keep=(0, 1))


def _text(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, list):
        return ",".join(map(str, value)) or "none"
    return str(value)
