"""`dws restore`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import confirm, say, tell
from dws_graph.render.text import clean_lines
from dws_graph.workspace.restoring import restore_snapshot

EPILOG = """
\b
Examples:
  dws restore SVC-1
  dws restore --only code,raw SVC-1
  dws restore --leave code latest
"""


@click.command("restore", cls=Command, epilog=EPILOG)
@click.option(
    "--only",
    type=NAMES,
    help="Restore these resources alone; each must be restorable. The rest stays.",
)
@click.option("--leave", type=NAMES, help="Leave these resources as they are.")
@click.option(
    "--strict", is_flag=True, help="Change nothing when one of the resources cannot be restored."
)
@click.argument("tag_or_hash")
@pass_session
def command(
    session: Session,
    only: list[str] | None,
    leave: list[str] | None,
    strict: bool,
    tag_or_hash: str,
) -> None:
    """Bring data and code back to a snapshot.

    TAG_OR_HASH is a tag, a hash or 6 or more digits of it, or 'latest'. The plan is shown before
    anything changes. Results stay as they are, and changes of yours that are not in a snapshot
    are committed first, so that nothing is lost.
    """
    if only and leave:
        raise click.UsageError("--only and --leave exclude one another")

    def agreed(plan: str) -> bool:
        tell(clean_lines(plan))
        return confirm(session, "Go on?")

    with session.workspace() as ws:
        report = restore_snapshot(
            ws, tag_or_hash, only=only, leave=leave, strict=strict, confirm=agreed
        )
        for text in report.notes:
            note(clean_lines(text))
        name = ", ".join(report.snapshot.tags) or report.snapshot.hashval[:7]
        what = f"{report.count} resource" + ("" if report.count == 1 else "s")
        say(f"Restored {what} to snapshot {name}.")
