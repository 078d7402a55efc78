"""`dws lineage downstream`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.api.lineage import downstream_in
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
  dws lineage downstream raw
  dws lineage downstream raw:/2024/january.csv --snapshot SVC-1 --depth 1
  dws lineage downstream raw --all-workspaces --format json
"""


@click.command("downstream", cls=Command, epilog=EPILOG)
@snapshot_option
@depth_option("How many steps to go on.  [default: all]")
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
    """Show everything that was made from REF.

    Steps and data that any version of REF went into, in any copy of the workspace (with
    --all-workspaces, in others that imported what was made, too); with --snapshot, those that the
    version in that snapshot went into.
    """
    form = form_of(fmt, output)
    with session.workspace() as ws:
        graph = downstream_in(
            ws,
            ref,
            snapshot=snapshot,
            depth=depth,
            all_workspaces=all_workspaces,
            stale=form != "json",
        )
    answer(session, graph, form, output)
