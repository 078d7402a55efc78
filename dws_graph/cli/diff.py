"""`dws diff`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from dws_graph.api.differences import is_known
from dws_graph.api.differing import DiffReport, DiffResource, DiffStep, diff_in, lineage_diff_in
from dws_graph.cli.cells import Row, text
from dws_graph.cli.commands import Command
from dws_graph.cli.drawing import drawn, picture_format
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import say, show, show_json, warn, write_or_show
from dws_graph.model.overlay import Difference
from dws_graph.render.look import State
from dws_graph.render.tables import STATE_STYLES, table
from dws_graph.render.text import clean, shortened

EPILOG = """
\b
Examples:
  dws diff SVC-1 LR-1
  dws diff latest
  dws diff SVC-1 LR-1 --graph changes.html --ref results
"""
FORMATS = ("table", "json", "html", "dot", "svg", "png", "mermaid")
FILES_SHOWN, NESTED_SHOWN, LONGEST = 20, 6, 60
SIGNS = {"added": "+", "dropped": "-", "changed": "~"}
STYLES = {"added": "green", "removed": "red", "changed": "yellow", "unknown": "dim"}


@click.command("diff", cls=Command, epilog=EPILOG)
@click.option(
    "--format",
    "fmt",
    type=click.Choice(FORMATS),
    help="What to print: table or json. With --graph, what to write.  "
    "[default: table; with --graph what the file's name ends in]",
)
@click.option(
    "--graph",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    metavar="FILE",
    help="Draw both versions of the lineage over one another, to this file (- prints it).",
)
@click.option(
    "--ref", metavar="REF", help="With --graph: only what this was made from.  [default: all]"
)
@click.argument("a")
@click.argument("b", required=False)
@pass_session
def command(
    session: Session, fmt: str | None, graph: Path | None, ref: str | None, a: str, b: str | None
) -> None:
    """List what differs between two snapshots.

    A and B are snapshots: tags, hashes or 6 or more digits of them, or 'latest'. Without B, A is
    compared with the workspace as it is now. Shown are files, steps, parameters, command lines,
    metrics and packages that were added, removed or changed; a step is known by its name and what
    it writes.
    """
    if graph is not None:
        _draw(session, graph, fmt, ref, a, b)
        return
    if ref is not None:
        raise click.UsageError("--ref is for --graph: give a file to draw to")
    if fmt not in (None, "table", "json"):
        raise click.UsageError(f"--format {fmt} is for --graph: give a file to draw to")
    with session.workspace() as ws:
        found = diff_in(ws, a, b)
    if fmt == "json":
        show_json(found)
    else:
        _show(session, found)


def _draw(
    session: Session, file: Path, fmt: str | None, ref: str | None, a: str, b: str | None
) -> None:
    form = picture_format(file, None if fmt == "table" else fmt)
    with session.workspace() as ws:
        found = lineage_diff_in(ws, a, b, ref)
    for warning in found.warnings:
        warn(clean(warning))
    write_or_show(drawn(found, form), None if str(file) == "-" else file)


def _show(session: Session, found: DiffReport) -> None:
    for said in found["notes"]:
        note(said)
    a, b = clean(found["a"]["label"]), clean(found["b"]["label"])
    sections = [section for section in _sections(found, a, b) if section[2]]
    if not sections:
        say(f"No differences between {a} and {b}.")
        return
    say(f"From {a} to {b}:")
    for title, columns, rows in sections:
        say()
        made = table(columns, rows)
        if columns[-1] == "Difference":
            for column in made.columns[1:]:
                column.justify = "right"
        show(session, made, title, keep=(0, 1))


def _sections(
    found: DiffReport, a: str, b: str
) -> Iterator[tuple[str, Sequence[str], Sequence[Row]]]:
    differing = [r for r in found["resources"] if r["change"] != "same"]
    yield "Resources", ["Resource", "Change", "Files"], [_resource(r) for r in differing]
    yield "Steps", ["Step", "Change", "What"], list(_steps(found))
    yield (
        "Parameters",
        ["Step", "Parameter", a, b],
        [[p["step"], p["name"], _value(p["a"]), _value(p["b"])] for p in found["parameters"]],
    )
    yield (
        "Command lines",
        ["Step", a, b],
        [[c["step"], _value(c["a"]), _value(c["b"])] for c in found["commands"]],
    )
    yield "Metrics", ["Metric", a, b, "Difference"], list(_metrics(found))
    yield (
        "Environment",
        ["Package", a, b],
        [[e["name"], _value(e["a"]), _value(e["b"])] for e in found["environment"]],
    )


def _resource(found: DiffResource) -> Row:
    return [found["name"], _change(found["change"]), _files(found)]


def _change(change: str) -> Text:
    return Text(change, style=STYLES[change])


def _files(found: DiffResource) -> Text:
    files = found["files"]
    if files is None:
        return Text(clean(found["note"]), style="dim")
    kinds: tuple[tuple[State, list[str]], ...] = (
        ("added", files["added"]),
        ("changed", files["changed"]),
        ("dropped", files["removed"]),
    )
    lines = [
        Text(f"{SIGNS[kind]} {clean(name)}", style=STATE_STYLES[kind])
        for kind, names in kinds
        for name in names
    ]
    if len(lines) > FILES_SHOWN:
        left = f"... and {len(lines) - FILES_SHOWN + 1:,} more (--format json)"
        lines[FILES_SHOWN - 1 :] = [Text(left, style="dim")]
    return Text("\n").join(lines)


def _steps(found: DiffReport) -> Iterator[Row]:
    for step in found["changed_steps"]:
        yield [step["step"], _change("changed"), _what(step)]
    for change in ("added", "removed"):
        for name in found["steps"][change]:
            yield [name, _change(change), ""]


def _what(step: DiffStep) -> str:
    """In what a step changed; versions that nobody can compare, as that."""
    names = {"inputs": "input"}
    known = {c["what"] for c in step["changes"] if is_known(Difference(**c))}
    listed = {c["what"] for c in step["changes"]}
    return ", ".join(
        f"{one} (not kept)" if names.get(one, one) in listed - known else one
        for one in step["what"]
    )


def _metrics(found: DiffReport) -> Iterator[Row]:
    """Metrics that stand on their own first; of nested ones, which may be hundreds, some."""
    metrics = sorted(found["metrics"], key=lambda m: "." in m["name"])
    nested = sum("." in m["name"] for m in metrics)
    shown = len(metrics) - nested + (nested if nested <= NESTED_SHOWN + 1 else NESTED_SHOWN)
    for metric in metrics[:shown]:
        a, b = metric["a"], metric["b"]
        yield [metric["name"], _value(a), _value(b), _difference(a, b)]
    if left := len(metrics) - shown:
        yield [Text(f"... and {left} more (--format json)", style="dim"), "", "", ""]


def _difference(a: Any, b: Any) -> str:
    numbers = (a, b)
    if any(isinstance(n, bool) or not isinstance(n, int | float) for n in numbers):
        return ""
    return f"{b - a:+.4g}"


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return shortened(text(value), LONGEST)
