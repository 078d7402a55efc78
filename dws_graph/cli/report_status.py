"""`dws report status`."""

from __future__ import annotations

import click

from dws_graph.api.status import report_status_in
from dws_graph.cli.cells import pairs, unbroken
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json, tell
from dws_graph.render.tables import table
from dws_graph.render.text import clean
from dws_graph.resources.base import RESOURCE_ROLE_CHOICES
from dws_graph.workspace.workspace import Workspace

EPILOG = """
\b
Examples:
  dws report status
  dws report status --format json
"""
CHANGED = {True: "yes", False: "no", None: "unknown"}


@click.command("status", cls=Command, epilog=EPILOG)
@format_option("table", "json")
@pass_session
def command(session: Session, fmt: str) -> None:
    """Show the resources, and which of them changed since the last snapshot."""
    with session.workspace() as ws:
        show_status(session, ws, fmt)


def show_status(session: Session, ws: Workspace, fmt: str = "table") -> None:
    """Print the state of the resources."""
    found = report_status_in(ws)
    if fmt == "json":
        show_json(found)
        return
    say(f"Status for workspace: {clean(found['name'])}")
    rows = []
    for r in found["resources"]:
        told = {k: v for k, v in r["params"].items() if v is not None and v is not False}
        rows.append([r["name"], r["role"], r["type"], pairs(told), CHANGED[r["changed"]]])
    if rows:
        columns = ["Resource", "Role", "Type", "Parameters", "Changed?"]
        show(session, unbroken(table(columns, rows), 1, 2, 4))
    used = {r["role"] for r in found["resources"]}
    unused = [role for role in RESOURCE_ROLE_CHOICES if role not in used]
    if unused:
        say(f"No resources for the following roles: {', '.join(unused)}.")
    waiting = {view: n for view, n in found["lineage"]["waiting_facts"].items() if n}
    for view, n in waiting.items():
        tell(f"Note: {n} facts wait for {view}: dws graph sync.")
