"""`dws lineage upstream`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.api.lineage import upstream_in
from dws_graph.cli.commands import Command
from dws_graph.cli.drawing import answer, answer_format, form_of
from dws_graph.cli.options import (
    all_workspaces_option,
    depth_option,
    output_option,
    snapshot_option,
)
from dws_graph.cli.session import Session, pass_session

EPILOG = """
\b
Examples:
  dws lineage upstream results
  dws lineage upstream results --snapshot SVC-1 -o svc.html
  dws lineage upstream features --all-workspaces
"""


@click.command("upstream", cls=Command, epilog=EPILOG)
@snapshot_option
@depth_option("How many steps to go back.  [default: all]")
@all_workspaces_option
@answer_format
@output_option
@click.argument("ref")
@pass_session
def command(
    session: Session,
    snapshot: str | None,
    depth: int | None,
    all_workspaces: bool,
    fmt: str | None,
    output: Path | None,
    ref: str,
) -> None:
    """Show everything that REF was made from.

    Versions of data and code, and steps, that the current version of REF goes back to; with
    --snapshot, those of the version in that snapshot. With --all-workspaces also what other
    workspaces made that this one imported, as far as their lineage is in the team's graph.
    """
    form = form_of(fmt, output)
    with session.workspace() as ws:
        graph = upstream_in(
            ws,
            ref,
            snapshot=snapshot,
            depth=depth,
            all_workspaces=all_workspaces,
            stale=form != "json",
        )
    answer(session, graph, form, output)
