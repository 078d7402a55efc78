"""`dws run`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import click

from dws_graph.api.running import run_step_in
from dws_graph.cli.commands import Command
from dws_graph.cli.options import values_by_name
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import tell, warn
from dws_graph.errors import some_of
from dws_graph.lineage.running import RunReport
from dws_graph.lineage.value_files import read_parameters
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws run -i raw -o intermediate-data/clean -- python code/clean.py
  dws run -i intermediate-data:/clean -p gamma=0.01 --results results \\
    --metrics metrics.json -- Rscript code/fit.R --gamma 0.01
"""
SHOWN = 5


@click.command(
    "run", cls=Command, epilog=EPILOG, context_settings={"allow_interspersed_args": False}
)
@click.option("--step-name", metavar="NAME", help="[default: that of the script, or program]")
@click.option("-i", "--input", "inputs", multiple=True, metavar="REF", help="It reads this.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="REF",
    help="It writes this, which need not exist yet.",
)
@click.option(
    "--code",
    multiple=True,
    metavar="REF",
    help="Its code.  [default: the code resource that the script in COMMAND lies in]",
)
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME=VALUE",
    callback=values_by_name,
    help="A parameter: a number, true, a JSON value, else text.",
)
@click.option(
    "--params-file",
    metavar="FILE",
    help="Parameters from a .json or .toml file; -p wins over them.",
)
@click.option(
    "--metrics", metavar="FILE", help="A JSON file of metrics by name, which COMMAND writes."
)
@click.option(
    "--results",
    metavar="DIR",
    help="Write results.json, with the metrics, to this directory of a results resource.",
)
@click.option(
    "--no-trace",
    is_flag=True,
    expose_value=False,
    help="Record only what is told, without watching COMMAND, which is what happens anyway.",
)
@click.argument(
    "command_line", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND..."
)
@pass_session
def command(
    session: Session,
    step_name: str | None,
    inputs: Sequence[str],
    outputs: Sequence[str],
    code: Sequence[str],
    params: dict[str, Any],
    params_file: str | None,
    metrics: str | None,
    results: str | None,
    command_line: Sequence[str],
) -> int:
    """Run COMMAND, and record it as a step.

    What it reads and writes is as told by -i, -o, --code and --results; these may be repeated,
    but for the last. COMMAND has the streams of dws, and its exit status is that of dws (128+N
    when signal N killed it). When it fails, the step is recorded as failed, and what it writes
    is unknown. It is not run when its inputs do not go together.
    """
    with session.workspace() as ws:
        parameters = {**read_parameters(params_file), **params} if params_file else params
        report = run_step_in(
            ws,
            command_line,
            step_name=step_name,
            inputs=inputs,
            outputs=outputs,
            code=code or None,
            parameters=parameters,
            metrics_file=metrics,
            results=results,
            pass_signals=True,
        )
    with contextlib.suppress(OSError):  # nobody reads it: the exit status is still the command's
        for warning in report.warnings:
            warn(clean(warning))
        tell(clean(_recorded(report)))
    return report.exit_status


def _recorded(report: RunReport) -> str:
    """What was recorded, in a line."""
    failed = f" as failed ({report.error})" if report.error else ""
    parts = [
        f"{what} {some_of(refs, SHOWN)}"
        for what, refs in (
            ("read", report.inputs),
            ("ran", report.code),
            ("wrote", report.outputs),
            ("leaves unknown", report.unknown),
        )
        if refs
    ]
    told = "; ".join(parts) or "nothing is told of what it read and wrote"
    return f"Recorded step '{report.step_name}'{failed}: {told}."
