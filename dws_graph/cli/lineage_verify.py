"""`dws lineage verify`."""

from __future__ import annotations

import click

from dws_graph.api.verify import VerifiedRef, VerifyReport, lineage_verify_in
from dws_graph.cli.cells import HASH_DIGITS, Row
from dws_graph.cli.commands import Command
from dws_graph.cli.options import snapshot_option
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json, tell
from dws_graph.render.tables import table
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws lineage verify
  dws lineage verify --snapshot SVC-1 --strict
"""


@click.command("verify", cls=Command, epilog=EPILOG)
@snapshot_option
@click.option("--strict", is_flag=True, help="Content that is not kept fails too.")
@format_option("table", "json")
@click.pass_context
@pass_session
def command(
    session: Session, ctx: click.Context, snapshot: str | None, strict: bool, fmt: str
) -> None:
    """Read content again, and compare it with what was recorded of it.

    Every file is read, whatever caches say. What is on disk is compared with what is current;
    with --snapshot, what is kept of that snapshot, in git or on disk, with its hashes. Results
    that the last snapshot moved away are read where they are now. The journal's chain of hashes
    is checked too, and whether metadata files are as they were committed. The exit status is 1
    when something is changed or missing, a fact was tampered with or metadata is damaged;
    content that is not kept is shown and counted.
    """
    with session.workspace() as ws:
        report = lineage_verify_in(ws, snapshot)
    if fmt == "json":
        show_json(report)
    else:
        _show(session, report, snapshot)
    if not report["ok"] or (strict and report["counts"]["not kept"]):
        ctx.exit(1)


def _show(session: Session, report: VerifyReport, snapshot: str | None) -> None:
    if report["refs"]:
        cells = [_cells(one) for one in report["refs"]]
        columns = ["Resource", "Status", "Expected", "Found", "Note"]
        title = f"Content of snapshot {snapshot}" if snapshot else "Content on disk"
        show(session, table(columns, cells), title, keep=(0, 1, 2, 3))
    else:
        say("No step was recorded and nothing is current: there is nothing to compare.")
    for what in (*report["journal"], *report["metadata"]):
        say(f"Error: {clean(what)}")
    said = [f"{n} {status}" for status, n in report["counts"].items() if n or status == "same"]
    metadata = "; metadata is damaged" if report["metadata"] else ""
    journal = "is damaged" if report["journal"] else "is sound"
    say(f"{', '.join(said)}; the journal {journal}{metadata}.")
    if report["journal"] or report["metadata"]:
        tell("How to mend it: dws doctor.")
    if report["counts"]["changed"] or report["counts"]["missing"]:
        tell("What differs, and why: dws lineage stale.")


def _cells(one: VerifiedRef) -> Row:
    expected, found = ((h or "")[:HASH_DIGITS] for h in (one["expected"], one["found"]))
    return [one["ref"], one["status"], expected, found, one["note"]]
