"""`dws lineage graph`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from dws_graph.api.lineage import lineage_graph_in
from dws_graph.cli.commands import Command
from dws_graph.cli.drawing import FORMATS, HEIGHT, WIDTH, drawn, picture_format
from dws_graph.cli.options import snapshot_option
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import warn, write_or_show
from dws_graph.render.look import Detail, Grouping
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws lineage graph lineage.html
  dws lineage graph --snapshot SVC-1 --resource results svc.svg
  dws lineage graph --group steps lineage.svg
  dws lineage graph --format dot - | dot -Tpdf > lineage.pdf
"""


@click.command("graph", cls=Command, epilog=EPILOG)
@click.option(
    "--resource",
    metavar="REF",
    help="What to draw the lineage of.  [default: the first results resource]",
)
@snapshot_option
@click.option(
    "--format",
    "fmt",
    type=click.Choice(FORMATS),
    help="What to write.  [default: what the file's name ends in, else html]",
)
@click.option(
    "--width",
    type=click.IntRange(min=100),
    default=WIDTH,
    show_default=True,
    help="Of the html figure, in pixels.",
)
@click.option(
    "--height", type=click.IntRange(min=100), default=HEIGHT, show_default=True, help="Likewise."
)
@click.option(
    "--detail",
    type=click.Choice(["steps", "certificates"]),
    default="steps",
    show_default=True,
    help="'steps' writes data between steps on their line and tells of code in its steps; "
    "'certificates' draws both on their own.",
)
@click.option(
    "--group",
    type=click.Choice(["none", "steps", "resources"]),
    help="Draw steps of one name, or versions of one resource, as one.  [default: 'none'; html "
    "can be switched, and opens by steps when there are many]",
)
@click.argument("output_file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@pass_session
def command(
    session: Session,
    resource: str | None,
    snapshot: str | None,
    fmt: str | None,
    width: int,
    height: int,
    detail: str,
    group: str | None,
    output_file: Path,
) -> None:
    """Draw the lineage of a resource, to a file.

    An html page opens from disk in any browser and needs no network; svg and png are for
    documents (png needs Graphviz), mermaid for README files, dot and json for other programs.
    OUTPUT_FILE may be - for standard output.
    """
    form = picture_format(output_file, fmt)
    with session.workspace() as ws:
        graph = lineage_graph_in(ws, resource, snapshot=snapshot, stale=form != "json")
    for text in graph.warnings:
        warn(clean(text))
    picture = drawn(
        graph,
        form,
        width=width,
        height=height,
        detail=cast(Detail, detail),
        group=cast("Grouping | None", group),
    )
    write_or_show(picture, None if str(output_file) == "-" else output_file)
