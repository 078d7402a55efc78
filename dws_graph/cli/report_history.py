"""`dws report history`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import click

from dws_graph.api.history import HistoryRow, commonest_metrics, report_history_in
from dws_graph.cli.cells import HASH_DIGITS, short, when
from dws_graph.cli.commands import Command
from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json, tell, warn
from dws_graph.render.tables import table
from dws_graph.workspace.snapshots import all_metadata
from dws_graph.workspace.workspace import Workspace

EPILOG = """
\b
Examples:
  dws report history
  dws report history --metrics accuracy,loss --sort accuracy
  dws report history --format csv > history.csv
"""


@click.command("history", cls=Command, epilog=EPILOG)
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="Only the N newest snapshots."
)
@click.option(
    "--metrics", type=NAMES, help="These metrics.  [default: the two commonest; csv, json: all]"
)
@click.option("--sort", metavar="METRIC", help="By this metric, largest first.")
@click.option("--reverse", is_flag=True, help="The other way round.")
@format_option("table", "json", "csv")
@pass_session
def command(
    session: Session,
    limit: int | None,
    metrics: list[str] | None,
    sort: str | None,
    reverse: bool,
    fmt: str,
) -> None:
    """Show the snapshots, newest first, with their metrics."""
    with session.workspace() as ws:
        show_history(session, ws, limit, metrics, sort, reverse, fmt)


def show_history(
    session: Session,
    ws: Workspace,
    limit: int | None,
    metrics: list[str] | None = None,
    sort: str | None = None,
    reverse: bool = False,
    fmt: str = "table",
) -> None:
    """Print the history of snapshots."""
    rows = report_history_in(ws, limit, metrics, sort=sort, reverse=reverse)
    total = len(rows) if limit is None else len(all_metadata(ws))
    for wanted in (*(metrics or ()), *([sort] if sort is not None and metrics is None else ())):
        if rows and not any(wanted in row["metrics"] for row in rows):
            warn(f"no snapshot has a metric '{wanted}'")
    if fmt == "json":
        show_json(rows)
    elif fmt == "csv":
        click.echo(_csv(rows), nl=False)
    else:
        _table(session, rows, metrics, total)


def _table(session: Session, rows: list[HistoryRow], metrics: list[str] | None, total: int) -> None:
    shown = metrics if metrics is not None else commonest_metrics(rows)
    columns = ["Hash", "Tags", "Created", *shown, "Message"]
    cells = [
        [
            row["hash"][:HASH_DIGITS],
            ", ".join(row["tags"]),
            when(row["timestamp"]),
            *(short(row["metrics"][m]) if m in row["metrics"] else "" for m in shown),
            row["message"],
        ]
        for row in rows
    ]
    if rows:
        made = table(columns, cells)
        for column in made.columns[3:-1]:
            column.justify = "right"
        show(session, made, "History of snapshots", keep=(0, 2, 1, 3, 4)[: len(columns) - 1])
    of = f"{len(rows)} of " if len(rows) != total else ""
    say(f"{of}{total} snapshot{'' if total == 1 else 's'} total")
    if not total:
        tell("Take one: dws snapshot TAG.")


def _csv(rows: list[HistoryRow]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["metrics"]))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "hash", "tags", "timestamp", "message", *names])
    for row in rows:
        head: list[Any] = [row["number"], row["hash"], ",".join(row["tags"])]
        values = [_cell(row["metrics"].get(name)) for name in names]
        writer.writerow([*head, row["timestamp"], row["message"], *values])
    return out.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
