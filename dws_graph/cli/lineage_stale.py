"""`dws lineage stale`."""

from __future__ import annotations

import click

from dws_graph.api.stale import StaleRow, lineage_stale_in
from dws_graph.cli.cells import Row, lines
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json, tell
from dws_graph.render.tables import table

EPILOG = """
\b
Examples:
  dws lineage stale
  dws lineage stale results --exit-code
"""
BY_HAND = "output changed outside a step"
ABOUT_BY_HAND = (
    "An output that was changed, moved or deleted by hand is stale until its step runs again, or "
    "is taken out of lineage: dws steps retract."
)


@click.command("stale", cls=Command, epilog=EPILOG)
@click.option("--exit-code", is_flag=True, help="End with status 1 when anything is stale.")
@format_option("table", "json")
@click.argument("refs", metavar="[REF]...", nargs=-1)
@click.pass_context
@pass_session
def command(
    session: Session, ctx: click.Context, exit_code: bool, fmt: str, refs: tuple[str, ...]
) -> None:
    """Show which outputs no longer follow from what is on disk, and why.

    The steps to run again, in an order in which they can be: those that read another version of
    data or code than there is now, those whose inputs are stale, those whose outputs were changed
    by hand, and those that failed and wrote something last. With REF, only what was written there
    and what that was made from.
    """
    with session.workspace() as ws:
        rows = lineage_stale_in(ws, refs)
    if fmt == "json":
        show_json(rows)
    elif rows:
        columns = ["", "Step", "Outputs", "Reasons"]
        cells = [_cells(number, row) for number, row in enumerate(rows, start=1)]
        show(session, table(columns, cells), "To run again, in this order", keep=(0, 1))
        if any(reason["reason"] == BY_HAND for row in rows for reason in row["reasons"]):
            tell(ABOUT_BY_HAND)
    else:
        of = f" of {', '.join(refs)}" if refs else ""
        say(f"Nothing{of} is stale: all outputs follow from what is on disk.")
    if rows and exit_code:
        ctx.exit(1)


def _cells(number: int, row: StaleRow) -> Row:
    at = f" at {row['failed']}" if row["failed"] else ""
    reasons = lines(f"{r['reason']}{at}: {r['ref']}" for r in row["reasons"])
    return [str(number), row["step"], lines(row["outputs"]), reasons]
