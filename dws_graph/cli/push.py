"""`dws push`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.sharing import check_which, show_sharing, watched, which_options
from dws_graph.workspace.pushing import push_workspace

EPILOG = """
\b
Examples:
  dws push
  dws push --only code,data
  dws push --only-workspace
"""


@click.command("push", cls=Command, epilog=EPILOG)
@which_options
@pass_session
def command(
    session: Session, only: list[str] | None, skip: list[str] | None, only_workspace: bool
) -> None:
    """Push the workspace and its resources to their origins.

    Resources go first, then the workspace, whose snapshots name them. When an origin has what is
    not here, or a resource has changes that are not committed, nothing is pushed.
    """
    check_which(only, skip, only_workspace)
    with session.workspace() as ws:
        with watched(session, ws, "Pushing"):
            done = push_workspace(ws, only=only, skip=skip, only_workspace=only_workspace)
        show_sharing(done, "Pushed", "to")
