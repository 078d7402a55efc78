"""`dws lineage path`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.api.lineage import lineage_path_in
from dws_graph.cli.commands import Command
from dws_graph.cli.drawing import answer, answer_format, form_of
from dws_graph.cli.options import output_option, snapshot_option
from dws_graph.cli.session import Session, pass_session

EPILOG = """
\b
Examples:
  dws lineage path raw results
  dws lineage path raw:/2024/january.csv results -o way.html
"""


@click.command("path", cls=Command, epilog=EPILOG)
@snapshot_option
@answer_format
@output_option
@click.argument("a")
@click.argument("b")
@pass_session
def command(
    session: Session, snapshot: str | None, fmt: str | None, output: Path | None, a: str, b: str
) -> None:
    """Show every version of data and code, and every step, on a way from A to B.

    From any version of A to what B is now; with --snapshot, to what it was in that snapshot.
    """
    form = form_of(fmt, output)
    with session.workspace() as ws:
        graph = lineage_path_in(ws, a, b, snapshot=snapshot, stale=form != "json")
    answer(session, graph, form, output)
