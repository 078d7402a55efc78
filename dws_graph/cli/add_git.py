"""`dws add git`."""

from __future__ import annotations

import click

from dws_graph.cli.adding import add, resource_options, sharing_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session

EPILOG = """
\b
Examples:
  dws add git --role code ./code
  dws add git --role source-data --read-only ./digits-dataset
  dws add git --role results --name evaluation ./out
  dws add git --role intermediate-data --export ../features
  dws add git --imported ../features
"""


@click.command("git", cls=Command, epilog=EPILOG)
@resource_options
@click.option(
    "--branch", metavar="BRANCH", help="Branch to use.  [default: the one that is checked out]"
)
@click.option("-r", "--read-only", is_flag=True, help="Never commit to it, never push it.")
@sharing_options
@click.argument("path")
@pass_session
def command(
    session: Session,
    role: str | None,
    name: str | None,
    branch: str | None,
    read_only: bool,
    export: bool,
    imported: bool,
    path: str,
) -> None:
    """Add a git repository, or a folder of the workspace's own repository.

    PATH is the root of a repository, inside the workspace or elsewhere, or a plain folder within
    the workspace. A snapshot commits what changed there.
    """
    add(
        session,
        "git",
        role,
        name,
        path,
        branch=branch,
        read_only=read_only,
        export=export,
        imported=imported,
    )
