"""`dws log`."""

from __future__ import annotations

import click

from dws_graph.api.operations import log_in
from dws_graph.cli.cells import when
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.render.tables import table

EPILOG = """
\b
Examples:
  dws log --limit 10
  dws log --format json
"""


@click.command("log", cls=Command, epilog=EPILOG)
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Only the N newest.")
@format_option("table", "json")
@pass_session
def command(session: Session, limit: int | None, fmt: str) -> None:
    """Show what each command did to the workspace, in all its copies, newest first."""
    with session.workspace() as ws:
        rows = log_in(ws, limit)
    if fmt == "json":
        show_json(rows)
    elif rows:
        cells = [
            [
                when(row["time"]),
                row["what"],
                row["details"] + (" (undone since)" if row["undone"] else ""),
                row["hostname"],
            ]
            for row in rows
        ]
        show(session, table(["Time", "What", "Details", "Host"], cells), keep=(0, 1, 3))
    else:
        say("Nothing was done yet.")
