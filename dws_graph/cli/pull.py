"""`dws pull`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.sharing import asker, check_which, show_sharing, watched, which_options
from dws_graph.workspace.pulling import pull_all

EPILOG = """
\b
Examples:
  dws pull
  dws pull --skip data
  dws pull --only-workspace
"""


@click.command("pull", cls=Command, epilog=EPILOG)
@which_options
@pass_session
def command(
    session: Session, only: list[str] | None, skip: list[str] | None, only_workspace: bool
) -> None:
    """Pull the workspace and its resources from their origins.

    What was done here and there is merged. Where both sides changed the same, nothing is changed,
    and you are told what to do. Resources that others added are cloned.
    """
    check_which(only, skip, only_workspace)
    with session.workspace() as ws:
        ask = asker(session)
        with watched(session, ws, "Pulling"):
            done = pull_all(ws, only=only, skip=skip, only_workspace=only_workspace, ask=ask)
        show_sharing(done, "Pulled", "from")
