"""`dws graph rebuild`."""

from __future__ import annotations

import click

from dws_graph.api.views import VIEWS, graph_rebuild_in
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import progress, say


@click.command("rebuild", cls=Command)
@click.option("--view", type=click.Choice(VIEWS), help="This one alone.  [default: all]")
@pass_session
def command(session: Session, view: str | None) -> None:
    """Fold a view anew from git and the journal."""
    with session.workspace() as ws, progress(session, "Folding facts") as report:
        done = graph_rebuild_in(ws, view, lambda n, total: report("", n, total))
    for one in done:
        facts = f"{one['applied']} fact" + ("" if one["applied"] == 1 else "s")
        say(f"{one['view']}: folded {facts}.")
