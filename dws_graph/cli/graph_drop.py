"""`dws graph drop`."""

from __future__ import annotations

import click

from dws_graph.api.views import CYPHER_VIEWS, NEO4J, graph_drop_in
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm, say, tell
from dws_graph.errors import UserAbort


@click.command("drop", cls=Command)
@click.option("--view", type=click.Choice(CYPHER_VIEWS), required=True, help="Out of which view.")
@pass_session
def command(session: Session, view: str) -> None:
    """Take this workspace's part out of a view, after asking.

    What other workspaces in the same Neo4j need of it stays there. Nothing is lost: every fact is
    in the journal. As long as a Neo4j is configured, the next command folds the part into it
    again.
    """
    with session.workspace() as ws:
        if not confirm(session, f"Take workspace '{ws.name}' out of the view {view}?"):
            raise UserAbort("nothing was changed")
        graph_drop_in(ws, view)
    say(f"{view}: holds nothing of this workspace now.")
    if view == NEO4J:
        tell("To leave it so, in each copy of the workspace: dws config --unset graph.url")
