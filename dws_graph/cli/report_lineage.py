"""`dws report lineage`."""

from __future__ import annotations

import click
from rich.text import Text

from dws_graph.api.tables import LineageInput, lineage_warnings_in, report_lineage_in
from dws_graph.cli.cells import Row, lines
from dws_graph.cli.commands import Command
from dws_graph.cli.options import snapshot_option
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json, warn
from dws_graph.render.tables import table
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws report lineage
  dws report lineage --snapshot SVC-1
"""


@click.command("lineage", cls=Command, epilog=EPILOG)
@snapshot_option
@format_option("table", "json")
@pass_session
def command(session: Session, snapshot: str | None, fmt: str) -> None:
    """Show what each resource was made from, now or in a snapshot.

    A row is a resource or a path in one: the step that wrote it and what that step read, or the
    version of source data or code.
    """
    with session.workspace() as ws:
        rows = report_lineage_in(ws, snapshot)
        warnings = lineage_warnings_in(ws, snapshot)
    for text in warnings:
        warn(clean(text))
    if fmt == "json":
        show_json(rows)
        return
    title = f"Lineage for {snapshot or 'current state'}"
    if not rows:
        say(f"{title}: no step was recorded.")
        return
    cells: list[Row] = [[r["ref"], r["type"], r["details"], _inputs(r["inputs"])] for r in rows]
    show(session, table(["Resource", "Type", "Details", "Inputs"], cells), title, keep=(0, 1))


def _inputs(inputs: list[LineageInput]) -> Text:
    said = [f"{i['ref']} ({'current' if i['current'] else _version(i)})" for i in inputs]
    return lines(said or ["None"])


def _version(one: LineageInput) -> str:
    return f"Hash:{one['hash'][:8]}" if one["hash"] else one["status"]
