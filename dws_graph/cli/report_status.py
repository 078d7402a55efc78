"""`dws report status`."""

from __future__ import annotations

import click

from dws_graph.api.status import ResourceStatus, report_status_in
from dws_graph.cli.cells import Row, pairs
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.render.tables import table
from dws_graph.render.text import clean
from dws_graph.resources.terms import RESOURCE_ROLE_CHOICES
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.snapshots import latest
from dws_graph.workspace.workspace import Workspace

EPILOG = """
\b
Examples:
  dws report status
  dws report status --format json
"""


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
    newest = latest(ws)
    rows: list[Row] = []
    for r in found["resources"]:
        told = {k: v for k, v in r["params"].items() if v is not None and v is not False}
        rows.append([r["name"], r["role"], r["type"], pairs(told), _changed(r, newest)])
    if rows:
        columns = ["Resource", "Role", "Type", "Parameters", "Changed?"]
        show(session, table(columns, rows), keep=(0, 4, 1, 2))
    used = {r["role"] for r in found["resources"]}
    unused = [role for role in RESOURCE_ROLE_CHOICES if role not in used]
    if unused:
        say(f"No resources for the following roles: {', '.join(unused)}.")


def _changed(resource: ResourceStatus, newest: SnapshotMetadata | None) -> str:
    """Whether it changed since the newest snapshot, if it was there then."""
    if newest is None or resource["name"] not in newest.restore_hashes:
        return "new"
    return {True: "yes", False: "no", None: "unknown"}[resource["changed"]]
