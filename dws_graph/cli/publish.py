"""`dws publish`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.sharing import show_sharing, skip_option
from dws_graph.workspace.pushing import publish_workspace

EPILOG = """
\b
Examples:
  dws publish git@github.com:ann/digits.git
  dws publish --skip data /srv/git/digits.git
"""


@click.command("publish", cls=Command, epilog=EPILOG)
@skip_option
@click.argument("remote_repository")
@pass_session
def command(session: Session, skip: list[str] | None, remote_repository: str) -> None:
    """Make an empty git repository the origin of the workspace, and push everything there.

    REMOTE_REPOSITORY is a URL (https, ssh, file) or a path. Others get the workspace from there
    with 'dws clone'.
    """
    with session.workspace() as ws:
        done = publish_workspace(ws, remote_repository, skip=skip)
        show_sharing(done, "Published", "at")
