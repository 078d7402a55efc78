"""`dws lineage explain`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dws_graph.api.explaining import Explanation, lineage_explain_in
from dws_graph.cli.commands import Command
from dws_graph.cli.options import output_option, snapshot_option
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, show_json, warn, write_or_show
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws lineage explain results
  dws lineage explain results --since SVC-1
  dws lineage explain results --snapshot SVC-1 --format html -o svc.html
"""


@click.command("explain", cls=Command, epilog=EPILOG)
@click.option(
    "--since",
    metavar="SNAPSHOT",
    help="Say first why it differs from what it was in this snapshot.",
)
@snapshot_option
@format_option("text", "markdown", "html", "json")
@output_option
@click.argument("ref")
@pass_session
def command(
    session: Session,
    since: str | None,
    snapshot: str | None,
    fmt: str,
    output: Path | None,
    ref: str,
) -> None:
    """Tell the story of a result, in sentences.

    What it is, from which data, code and steps it was made, what is not known, whether it still
    holds, and by which commands to get it again. With --since, why it is another than it was: the
    data, code, parameters or packages that changed and reach it, nearest first. What only follows
    from those is named as the way they took.
    """
    with session.workspace() as ws:
        found = lineage_explain_in(ws, ref, since, snapshot=snapshot)
    for text in found.warnings:
        warn(clean(text))
    if fmt == "json" and output is None:
        show_json(found.to_json())
    else:
        write_or_show(_told(found, fmt), output)


def _told(found: Explanation, fmt: str) -> str:
    if fmt == "json":
        return json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    if fmt == "markdown":
        return found.to_markdown()
    return found.to_html() if fmt == "html" else found.to_text()
