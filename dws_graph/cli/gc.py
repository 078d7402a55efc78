"""`dws gc`."""

from __future__ import annotations

import click

from dws_graph.api.operations import garbage_row
from dws_graph.cli.commands import Command
from dws_graph.cli.options import seconds
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm, format_option, say, show_json, tell
from dws_graph.render.text import clean_lines
from dws_graph.workspace.collecting import collect

EPILOG = """
\b
Examples:
  dws gc --dry-run
  dws gc
  dws gc --grace 0
"""


@click.command("gc", cls=Command, epilog=EPILOG)
@click.option("--dry-run", is_flag=True, help="Say what would be dropped, and drop nothing.")
@click.option(
    "--grace",
    metavar="TIME",
    default="14d",
    show_default=True,
    callback=seconds,
    help="Leave what is younger than this: 14d, 12h, 0.",
)
@format_option("text", "json")
@pass_session
def command(session: Session, dry_run: bool, grace: float, fmt: str) -> None:
    """Drop kept content that nothing names any more.

    Content is named by the snapshots of every branch and of every copy whose lineage is here, and
    by what 'dws undo' can bring back. What was kept in the last 14 days stays in any case.
    """

    def agreed(plan: str) -> bool:
        tell(clean_lines(plan))
        return confirm(session, "Drop it?")

    with session.workspace() as ws:
        found = collect(ws, grace=grace, dry_run=dry_run, confirm=agreed)
    if fmt == "json":
        show_json([garbage_row(garbage) for garbage in found])
        return
    for garbage in found:
        say(garbage.describe("would drop" if dry_run else "dropped"))
    if not found:
        say("No resource keeps its content.")
