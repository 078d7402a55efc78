"""`dws rename`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, say
from dws_graph.render.text import clean
from dws_graph.workspace.renaming import rename_resource

EPILOG = """
\b
Examples:
  dws rename raw measurements
"""


@click.command("rename", cls=Command, epilog=EPILOG)
@click.argument("old")
@click.argument("new")
@pass_session
def command(session: Session, old: str, new: str) -> None:
    """Give a resource a new name.

    No file of it is touched. All that was recorded of it, steps and snapshots, is found under
    the new name from now on; the old one is not given to another resource.
    """
    with session.workspace() as ws:
        confirm_verbose(session, f"Rename the resource '{old}' to '{new}'")
        rename_resource(ws, old, new)
        say(f"Renamed resource {clean(old)}: {clean(new)}.")
