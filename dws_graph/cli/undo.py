"""`dws undo`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, say
from dws_graph.render.text import clean, clean_lines
from dws_graph.workspace.taking_back import plan_undo, undo_last

EPILOG = """
\b
Examples:
  dws undo --dry-run
  dws undo
"""


@click.command("undo", cls=Command, epilog=EPILOG)
@click.option("--dry-run", is_flag=True, help="Say what would be done; change nothing.")
@pass_session
def command(session: Session, dry_run: bool) -> None:
    """Take back the last command of this copy of the workspace.

    Of snapshot, restore, pull, add, config, tag, delete-snapshot, remove and rename. Lineage,
    files and what git tracks are as they were before; what a snapshot committed in the repository
    of a git resource stays committed there. It is refused where something since depends on it: a
    step, a commit, an edit, a push. A second 'dws undo' does the command again.
    """
    with session.workspace() as ws:
        plan = plan_undo(ws)
        if dry_run:
            say(clean_lines("\n".join(plan.describe())))
            return
        confirm_verbose(session, plan.describe()[0])
        done = undo_last(ws)
        verb = "Done again" if done.again else "Undone"
        say(f"{verb}: {clean(done.what)}")
