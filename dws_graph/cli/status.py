"""`dws status`, which `dws report` replaces."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.report_history import show_history
from dws_graph.cli.report_status import show_status
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import say, warn


@click.command("status", cls=Command)
@click.option("--history", is_flag=True, help="Show previous snapshots.")
@click.option(
    "--limit", type=click.IntRange(min=0), metavar="N", help="Only the N newest snapshots."
)
@pass_session
def command(session: Session, history: bool, limit: int | None) -> None:
    """Deprecated: use 'dws report status' and 'dws report history'."""
    warn("'dws status' is deprecated: use 'dws report status' and 'dws report history'")
    with session.workspace() as ws:
        show_status(session, ws)
        if history or limit is not None:
            say()
            show_history(session, ws, limit)
