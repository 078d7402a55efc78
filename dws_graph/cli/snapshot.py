"""`dws snapshot`."""

from __future__ import annotations

import click

from dws_graph.api.history import number_in
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import confirm, confirm_verbose, progress, say
from dws_graph.workspace.taking import take_snapshot

EPILOG = """
\b
Examples:
  dws snapshot
  dws snapshot -m "first run with SVC" SVC-1
"""


@click.command("snapshot", cls=Command, epilog=EPILOG)
@click.option("-m", "--message", default="", metavar="TEXT", help="What is special about it.")
@click.argument("tag", required=False)
@pass_session
def command(session: Session, message: str, tag: str | None) -> None:
    """Keep the state of all resources, under the name TAG.

    The files of results resources move to a folder of their own below snapshots/, with
    lineage.json beside them; the next run finds an empty folder. Where nothing has changed, TAG
    goes to the snapshot that there is.
    """
    with session.workspace() as ws:
        confirm_verbose(session, "Take a snapshot")
        with progress(session, "Hashing") as report:
            taken = take_snapshot(
                ws,
                tag,
                message,
                confirm=lambda question: confirm(session, question),
                progress=report,
            )
        for text in taken.notes:
            note(text)
        names = f" ({', '.join(taken.tags)})" if taken.tags else ""
        if taken.is_new:
            say(f"Took snapshot {taken.hash[:7]}{names}, number {number_in(ws, taken.hash)}.")
        else:
            added = f" It has the tag {tag} now." if tag else ""
            say(f"Nothing changed since snapshot {taken.hash[:7]}{names}.{added}")
            if message:
                note("its message stays as it was")
