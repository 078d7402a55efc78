"""`dws delete-snapshot`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm, say, tell
from dws_graph.render.text import clean_lines
from dws_graph.workspace.deleting import delete_snapshot

EPILOG = """
\b
Examples:
  dws delete-snapshot SVC-1
  dws delete-snapshot --no-include-resources f1401a8
"""


@click.command("delete-snapshot", cls=Command, epilog=EPILOG)
@click.option(
    "--no-include-resources", is_flag=True, help="Leave its results directories where they are."
)
@click.argument("tag_or_hash")
@pass_session
def command(session: Session, no_include_resources: bool, tag_or_hash: str) -> None:
    """Delete a snapshot: its metadata, its tags and its results directories.

    TAG_OR_HASH is a tag, a hash or 6 or more digits of it, or 'latest'. The plan is shown, and
    asked about, before anything changes. What was recorded about steps stays, and so does the
    content of other snapshots. 'dws undo' takes it back until the next command.
    """

    def agreed(plan: str) -> bool:
        tell(clean_lines(plan))
        return confirm(session, "Delete it?")

    with session.workspace() as ws:
        done = delete_snapshot(
            ws, tag_or_hash, include_resources=not no_include_resources, confirm=agreed
        )
        say(f"Deleted snapshot {done.label}.")
