"""`dws tag`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, say
from dws_graph.workspace.tagging import tag_snapshot, untag

EPILOG = """
\b
Examples:
  dws tag latest best-so-far
  dws tag f1401a8 submitted
  dws tag --delete best-so-far
"""


@click.command("tag", cls=Command, epilog=EPILOG)
@click.option("--delete", metavar="TAG", help="Take this tag away from its snapshot.")
@click.argument("snapshot", required=False)
@click.argument("tag", required=False)
@pass_session
def command(session: Session, delete: str | None, snapshot: str | None, tag: str | None) -> None:
    """Name a snapshot that there is, or take a name away.

    SNAPSHOT is a tag that it has, its hash or 6 or more digits of it, or 'latest'. A snapshot may
    have many tags.
    """
    if delete is not None and snapshot is not None:
        raise click.UsageError("--delete takes one tag, and nothing after it")
    if delete is None and (snapshot is None or tag is None):
        raise click.UsageError("give a snapshot and a tag for it, or --delete TAG")
    with session.workspace() as ws:
        if delete is not None:
            confirm_verbose(session, f"Take the tag '{delete}' away")
            changed = untag(ws, delete)
            say(f"Took the tag '{delete}' away from snapshot {changed.hashval[:7]}.")
            return
        confirm_verbose(session, f"Tag snapshot {snapshot} as '{tag}'")
        changed = tag_snapshot(ws, str(snapshot), str(tag))
        say(f"Snapshot {changed.hashval[:7]} is tagged {', '.join(changed.tags)}.")
