"""`dws graph status`."""

from __future__ import annotations

import click

from dws_graph.api.views import graph_status_in
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, show, show_json, warn
from dws_graph.model.units import size_text
from dws_graph.render.tables import table


@click.command("status", cls=Command)
@format_option("table", "json")
@pass_session
def command(session: Session, fmt: str) -> None:
    """Show where each view is, the facts applied and waiting, and its size."""
    with session.workspace() as ws:
        found = graph_status_in(ws)
    if fmt == "json":
        show_json(found)
        return
    rows = [
        [v["view"], _count(v["applied"]), _count(v["waiting"]), _size(v["size"]), v["where"]]
        for v in found
    ]
    made = table(["View", "Applied", "Waiting", "Size", "Where"], rows)
    for column in made.columns[1:4]:
        column.justify = "right"
    show(session, made, keep=(0, 1, 2, 3))
    for view in found:
        if view["error"]:
            warn(view["error"])


def _count(count: int | None) -> str:
    return "?" if count is None else str(count)


def _size(count: int | None) -> str:
    return "" if count is None else size_text(count)
