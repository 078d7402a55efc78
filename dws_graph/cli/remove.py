"""`dws remove`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm, say, tell
from dws_graph.render.text import clean, clean_lines
from dws_graph.workspace.removing import remove_resource

EPILOG = """
\b
Examples:
  dws remove old-data
  dws remove --delete-files old-data
"""


@click.command("remove", cls=Command, epilog=EPILOG)
@click.option("--delete-files", is_flag=True, help="Delete its folder here, too.")
@click.argument("resource")
@pass_session
def command(session: Session, delete_files: bool, resource: str) -> None:
    """Take a resource out of the workspace.

    Its files stay, unless told otherwise. Snapshots that hold it can still be read, and restored
    but for it; its lineage stays. 'dws undo' takes it back until the next command.
    """

    def agreed(plan: str) -> bool:
        tell(clean_lines(plan))
        return confirm(session, "Remove it?")

    with session.workspace() as ws:
        remove_resource(ws, resource, delete_files=delete_files, confirm=agreed)
        say(f"Removed resource {clean(resource)}.")
