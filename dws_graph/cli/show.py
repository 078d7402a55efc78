"""`dws show`."""

from __future__ import annotations

import click

from dws_graph.api.history import ShownSnapshot, show_snapshot_in
from dws_graph.cli.cells import Row, number, pairs, when
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.render.tables import table
from dws_graph.render.text import clean, seconds

EPILOG = """
\b
Examples:
  dws show latest
  dws show SVC-1 --format json
"""

NOT_HERE = " (no such directory here: there were no results, or it is gone)"


@click.command("show", cls=Command, epilog=EPILOG)
@format_option("table", "json")
@click.argument("snapshot")
@pass_session
def command(session: Session, fmt: str, snapshot: str) -> None:
    """Show everything about a snapshot.

    SNAPSHOT is a tag, a hash or 6 or more digits of it, or 'latest'. Shown are its message and
    metrics, the hash of each resource and whether it can be restored, and the steps that its
    content came from.
    """
    with session.workspace() as ws:
        found = show_snapshot_in(ws, snapshot)
    if fmt == "json":
        show_json(found)
    else:
        _show(session, found)


def _show(session: Session, found: ShownSnapshot) -> None:
    say(f"Snapshot {found['hash']}")
    facts = {
        "Tags": ", ".join(found["tags"]),
        "Number": str(found["number"]),
        "Taken": f"{when(found['timestamp'])} on {found['hostname']}",
        "Message": found["message"],
        "Results in": found["results_directory"] + ("" if found["results_here"] else NOT_HERE),
    }
    for name, value in facts.items():
        if value:
            say(f"  {name:<11} {clean(value)}")
    rows = [
        [r["name"], r["role"], r["type"], (r["hash"] or "none")[:8], r["note"] or "yes"]
        for r in found["resources"]
    ]
    columns = ["Resource", "Role", "Type", "Hash", "Can be restored"]
    say()
    show(session, table(columns, rows), "Resources", keep=(0, 3, 1, 2))
    scalars = {k: v for k, v in found["metrics"].items() if not isinstance(v, dict)}
    if scalars:
        say()
        cells = [[name, number(value)] for name, value in scalars.items()]
        show(session, table(["Metric", "Value"], cells), "Metrics")
    if found["steps"]:
        say()
        steps: list[Row] = [
            [
                s["name"],
                when(s["start_time"]),
                _took(s["execution_time_seconds"]),
                pairs(s["parameters"]),
            ]
            for s in found["steps"]
        ]
        columns = ["Step", "Started", "Took", "Parameters"]
        show(session, table(columns, steps), "Steps", keep=(0, 1, 2))


def _took(value: float | None) -> str:
    return "" if value is None else seconds(value)
