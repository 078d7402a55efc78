"""`dws steps`."""

from __future__ import annotations

from typing import Any

import click

from dws_graph.api.step_list import (
    STATUSES,
    StepRow,
    choose_steps_in,
    count_steps_in,
    steps_in,
)
from dws_graph.cli.cells import Row, lines, text, when
from dws_graph.cli.commands import Entry, Group
from dws_graph.cli.options import values_by_name
from dws_graph.cli.session import Session
from dws_graph.cli.terminal import format_option, say, show, show_json, tell
from dws_graph.model.values import local_text
from dws_graph.render.tables import table
from dws_graph.render.text import seconds, shortened

NEWEST = 30
KEY_DIGITS = 13
LONGEST = 60
EPILOG = """
\b
Examples:
  dws steps
  dws steps --name train --param lr=0.1 --since 7d
  dws steps --ref results --status failed --format json
  dws steps show train
  dws steps retract 01a21031-61ca --reason "trained on the test set"
"""


@click.group(
    "steps",
    cls=Group,
    sections={
        "One step": [
            Entry("show", "steps_show", "Show everything about a step."),
            Entry("retract", "steps_retract", "Take a step out of lineage; it is still shown."),
        ]
    },
    invoke_without_command=True,
    epilog=EPILOG,
)
@click.option("--name", metavar="NAME", help="Steps of this name.")
@click.option("--ref", metavar="REF", help="That read or wrote this, or a part of it.")
@click.option(
    "--status", type=click.Choice(STATUSES), help="How they ended, or that they were retracted."
)
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=values_by_name,
    help="With this parameter: a number, true, a JSON value, else text.  [may be repeated]",
)
@click.option(
    "--since", metavar="TIME", help="Started then or later: 2026-11-24, 2026-11-24T09:30, 7d, 12h."
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Only the N newest.  [default: {NEWEST}; json: all]",
)
@format_option("table", "json")
@click.pass_context
def command(
    ctx: click.Context,
    name: str | None,
    ref: str | None,
    status: str | None,
    params: dict[str, Any],
    since: str | None,
    limit: int | None,
    fmt: str,
) -> None:
    """List the recorded steps of all copies of the workspace, newest first."""
    if ctx.invoked_subcommand is not None:
        _refuse_options(ctx)
        return
    session = ctx.ensure_object(Session)
    with session.workspace() as ws:
        chosen = choose_steps_in(ws, name, ref=ref, status=status, parameters=params, since=since)
        if fmt == "json":
            show_json(steps_in(ws, chosen, limit))
            return
        most = NEWEST if limit is None else limit
        rows = steps_in(ws, chosen, most)
        total = count_steps_in(ws, chosen) if len(rows) == most else len(rows)
        recorded = total or count_steps_in(ws)
    _table(session, rows, total, recorded)


def _refuse_options(ctx: click.Context) -> None:
    """What chooses steps for the list means nothing to a command on one."""
    for param in ctx.command.params:
        source = ctx.get_parameter_source(str(param.name))
        if param.expose_value and source is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(
                f"{param.opts[0]} belongs to the list: give options of "
                f"'{ctx.invoked_subcommand}' after it"
            )


def _table(session: Session, rows: list[StepRow], total: int, recorded: int) -> None:
    if rows:
        digits = _digits([row["key"] for row in rows])
        cells: list[Row] = [
            [
                row["key"][:digits],
                row["name"],
                row["status"],
                when(local_text(row["start_time"])),
                seconds(row["execution_time_seconds"]),
                shortened(
                    ", ".join(f"{k}={text(v)}" for k, v in row["parameters"].items()), LONGEST
                ),
                lines(row["outputs"]),
            ]
            for row in rows
        ]
        columns = ["ID", "Step", "Status", "Started", "Took", "Parameters", "Wrote"]
        show(session, table(columns, cells), "Recorded steps", keep=(0, 2, 4, 1, 3))
    of = f"{len(rows):,} of " if len(rows) != total else ""
    say(f"{of}{total:,} step" + ("" if total == 1 else "s"))
    if len(rows) < total:
        tell("More: --limit N. Fewer: --name, --ref, --status, --param, --since.")
    elif not recorded:
        tell("None is recorded yet. See: dws run -h, and docs/lineage.md for scripts.")


def _digits(keys: list[str]) -> int:
    """How much of an id tells those shown apart: a millisecond, or more."""
    for digits in range(KEY_DIGITS, 36):
        if len({key[:digits] for key in keys}) == len(keys):
            return digits
    return 36
