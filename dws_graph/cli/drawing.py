"""A piece of the lineage graph in each format that commands offer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dws_graph.api.lineage import LineageGraph
from dws_graph.cli.session import Session
from dws_graph.cli.terminal import as_text, say, show, warn, write_or_show
from dws_graph.render.dot import to_dot, to_png, to_svg
from dws_graph.render.html import to_html
from dws_graph.render.look import Detail, Grouping
from dws_graph.render.mermaid import to_mermaid
from dws_graph.render.tables import lineage_tree
from dws_graph.render.text import clean

F = TypeVar("F", bound=Callable[..., Any])
WIDTH, HEIGHT = 1024, 800
FORMATS = ("html", "dot", "svg", "png", "mermaid", "json")
SUFFIXES = {".htm": "html", ".gv": "dot", ".mmd": "mermaid", **{f".{f}": f for f in FORMATS}}


def answer_format(f: F) -> F:
    """`--format` of a question about lineage, as `answer` takes it."""
    return click.option(
        "--format",
        "fmt",
        type=click.Choice(("table", *FORMATS)),
        help="What to print.  [default: what the name of -o FILE ends in, else table]",
    )(f)


def picture_format(file: Path, wanted: str | None) -> str:
    """The format of a picture: the one wanted, else what the file's name ends in, else html.

    Raises:
        UsageError: The name ends in something else.
    """
    suffix = file.suffix.lower()
    if wanted is None and suffix and suffix not in SUFFIXES:
        raise click.UsageError(f"{suffix} is no format of pictures: choose one with --format")
    return wanted or SUFFIXES.get(suffix, "html")


def drawn(
    graph: LineageGraph,
    fmt: str,
    *,
    width: int = WIDTH,
    height: int | None = None,
    detail: Detail = "steps",
    group: Grouping | None = None,
) -> str | bytes:
    """The graph as a text or picture; a page without a height is as high as it needs."""
    subgraph, title, marks = graph.for_people(), graph.title, graph.marks
    if fmt == "json":
        return json.dumps(graph.to_json(), indent=2, ensure_ascii=False) + "\n"
    by: Grouping = group or "none"
    if fmt == "dot":
        return to_dot(subgraph, title=title, detail=detail, group=by, marks=marks)
    if fmt == "mermaid":
        return to_mermaid(subgraph, detail, group=by, marks=marks)
    if fmt == "svg":
        return to_svg(subgraph, title=title, detail=detail, group=by, marks=marks)
    if fmt == "png":
        return to_png(subgraph, title=title, detail=detail, group=by, marks=marks)
    return to_html(
        subgraph, title=title, width=width, height=height, detail=detail, group=group, marks=marks
    )


def form_of(fmt: str | None, output: Path | None) -> str:
    """The format of an answer: the one wanted, else what its file's name ends in, else table."""
    suffix = output.suffix.lower() if output is not None else ""
    return fmt or SUFFIXES.get(suffix, "table")


def answer(session: Session, graph: LineageGraph, fmt: str, output: Path | None) -> None:
    """Print or write the answer to a question about lineage, in the format of `form_of`."""
    for text in graph.warnings:
        warn(clean(text))
    if fmt != "table":
        write_or_show(drawn(graph, fmt), output)
        return
    made = lineage_tree(graph.for_people(), graph.marks)
    if output is None:
        say(clean(graph.title))
        show(session, made)
    else:
        write_or_show(f"{clean(graph.title)}\n{as_text(made)}\n", output)
