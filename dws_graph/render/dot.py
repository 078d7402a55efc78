"""A picture as a Graphviz text, and as the SVG or PNG that Graphviz's `dot` makes of it.

Labels are Graphviz's HTML-like ones, so that a name is bold and its hash small.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from xml.sax.saxutils import escape

from dws_graph.errors import NotSupportedError
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.drawing import laid_out
from dws_graph.render.groups import TIMES, grouped
from dws_graph.render.look import (
    BETWEEN_SIZE,
    CHANGES,
    NOTHING,
    Detail,
    Grouping,
    Shape,
    State,
    Stroke,
    light,
    of_all,
)
from dws_graph.render.marks import BADGES, Entry, is_hollow, legend_of, stroke_tone
from dws_graph.render.picture import Marks, Picture, PictureNode, picture_for
from dws_graph.render.svg import draw_svg
from dws_graph.render.text import clean, shortened

TIME_LIMIT = 20.0  # seconds
TANGLED = 600  # nodes, above which curved lines take dot too long
FONT = "Helvetica,Arial,sans-serif"
SHAPES: dict[Shape, str] = {"step": "box", "code": "hexagon", "snapshot": "note"}
STYLES: dict[Stroke, str] = {
    "code": "style=dashed",
    "imported": "style=dotted",
    "via": "style=dotted",
    "contains": "style=dotted",
    "added": f'color="{light("added")}", penwidth=2.4',
    "dropped": f'color="{light("dropped")}", style=dashed',
}
TITLE_LENGTH = 200
BLANK = '<font point-size="6"> </font>'  # a cell must hold something, and that must fit

_log = logging.getLogger(__name__)


def to_dot(
    subgraph: Subgraph,
    *,
    title: str,
    detail: Detail = "steps",
    group: Grouping = "none",
    marks: Marks | None = None,
) -> str:
    """The subgraph as a Graphviz text: the same text for the same subgraph.

    Args: as `drawing_of`, and a title.
    """
    return _text(grouped(picture_for(subgraph, detail, marks), group), title)


def to_svg(
    subgraph: Subgraph,
    *,
    title: str,
    detail: Detail = "steps",
    group: Grouping = "none",
    marks: Marks | None = None,
) -> str:
    """The subgraph as an SVG, by `dot`; by our own layout where `dot` is missing or too slow.

    Args: as `to_dot`.
    """
    picture = grouped(picture_for(subgraph, detail, marks), group)
    try:
        return _dot(_text(picture, title), "svg").decode("utf-8")
    except NotSupportedError as error:
        _log.warning("%s: drawn by dws-graph's own layout", error.message)
        return draw_svg(laid_out(picture), title=title)


def to_png(
    subgraph: Subgraph,
    *,
    title: str,
    detail: Detail = "steps",
    group: Grouping = "none",
    marks: Marks | None = None,
) -> bytes:
    """The subgraph as a PNG, by `dot`.

    Args: as `to_dot`.

    Raises:
        NotSupportedError: `dot` is missing, or did not finish within its time.
    """
    return _dot(to_dot(subgraph, title=title, detail=detail, group=group, marks=marks), "png")


def _dot(text: str, form: str) -> bytes:
    import graphviz  # noqa: PLC0415 - only who draws pays for it
    from graphviz.backend import execute  # noqa: PLC0415
    from graphviz.backend.dot_command import command  # noqa: PLC0415

    arguments = [*command("dot", form), *(["-Gdpi=144"] if form == "png" else [])]
    try:
        done = execute.run_check(
            arguments,
            input=text.encode("utf-8"),
            capture_output=True,
            quiet=True,
            timeout=TIME_LIMIT,
        )
    except graphviz.ExecutableNotFound:
        raise NotSupportedError(
            f"Graphviz's program 'dot', which draws {form}, is not installed",
            hint="Install it (Debian, Ubuntu: apt-get install graphviz), or use --format html.",
        ) from None
    except subprocess.TimeoutExpired:
        raise NotSupportedError(
            f"Graphviz's program 'dot' did not finish this {form} in {TIME_LIMIT:.0f} seconds",
            hint="Ask for less (--resource, --snapshot), or use --format html.",
        ) from None
    except graphviz.CalledProcessError as error:
        said = shortened(clean((error.stderr or b"").decode("utf-8", "replace")).strip())
        raise NotSupportedError(
            f"Graphviz's program 'dot' could not draw this {form}: {said or error.returncode}",
            hint="Use --format html, which needs no other program.",
        ) from None
    output: bytes = done.stdout
    return output


def _text(picture: Picture, title: str) -> str:
    return "\n".join(_lines(picture, title)) + "\n"


def _lines(picture: Picture, title: str) -> Iterator[str]:
    ids = {node.key: f"n{i}" for i, node in enumerate(picture.nodes)}
    splines = "polyline" if len(picture.nodes) > TANGLED else "true"
    yield "digraph lineage {"
    yield f'  graph [rankdir=LR, bgcolor="{light("page")}", pad=0.3, nodesep=0.2, ranksep=0.6,'
    yield f'    splines={splines}, fontname="{FONT}", labelloc=b, labeljust=l,'
    yield f"    label={_legend(picture)}];"
    yield f'  node [fontname="{FONT}", fontsize=12, height=0.5, width=1.2, margin="0.16,0.03"];'
    yield f'  edge [color="{light("edge")}", arrowsize=0.6, penwidth=1.1];'
    yield "  subgraph cluster_all {"
    yield f"    peripheries=0; margin=14; labelloc=t; labeljust=l; label={_title(picture, title)};"
    if not picture.nodes:
        yield f"    nothing [shape=plain, label=<{_font(NOTHING, 12, light('second'))}>];"
    for node in picture.nodes:
        yield f"    {ids[node.key]} [{_node(node)}];"
    yield "  }"
    passed = {node.key for node in picture.nodes if node.shape == "between"}
    for edge in picture.edges:
        how = [STYLES[edge.stroke]] if edge.stroke in STYLES else []
        how += ["arrowhead=none"] if edge.target in passed else []
        style = f" [{', '.join(how)}]" if how else ""
        yield f"  {ids[edge.source]} -> {ids[edge.target]}{style};"
    yield "}"


def _node(node: PictureNode) -> str:
    states = of_all(node.states)
    failed = "failed" in states
    filled = node.shape == "step" and not is_hollow(states)
    first, second = ("step-text", "step-second") if filled else ("text", "second")
    between = node.shape == "between"
    size = BETWEEN_SIZE if between else 12
    lines = [_font(node.label, size, light(first), bold=node.shape == "step")]
    if node.second and not between:
        lines.append(_font(node.second, 10, light("failed" if failed else second)))
    for state, sign in BADGES.items():
        if state in node.states:
            colour = light("step-text" if filled else state)
            lines[0] += " " + _font(sign, 12, colour, bold=True)
    said = [node.words(), *(f"{f.group} {f.name}: {f.value}".strip() for f in node.details)]
    tooltip = _quoted(shortened("; ".join(said), 1000))
    return (
        f"{_box(node.shape, of_all(node.states))}, label=<{'<br/>'.join(lines)}>, tooltip={tooltip}"
    )


def _box(shape: Shape, states: tuple[State, ...]) -> str:
    if shape == "between":
        return 'shape=none, margin="0.06,0.01", width=0, height=0'
    line, fill, width = light(shape), light(f"{shape}-fill"), 1.4
    styles = ["filled"] + ["rounded"] * (shape not in SHAPES)
    if "failed" in states:
        line, fill, width = light("failed"), light("page"), 2.4
    elif "stale" in states:
        line, width = light("stale"), 2.4
    for state in states:
        if state in CHANGES:
            line, width = light(state), CHANGES[state].wide
            fill = light("page") if shape == "step" else fill
            styles += ["dashed"] * bool(CHANGES[state].dash)
    if "not_kept" in states:
        fill = light("page")
        styles.append("dashed")
    elif "pending" in states:
        styles.append("dotted")
    rings = ", peripheries=2" if "root" in states else ""
    rings += ", margin=0" if shape == "code" else ""
    return (
        f'shape={SHAPES.get(shape, "box")}, style="{",".join(styles)}", color="{line}", '
        f'fillcolor="{fill}", penwidth={width}{rings}'
    )


def _title(picture: Picture, title: str) -> str:
    lines = [_font(shortened(clean(title), TITLE_LENGTH), 17, light("text"), bold=True)]
    if picture.note:
        lines.append(_font(picture.note, 11, light("second")))
    return "<" + "".join(f'{line}<br align="left"/>' for line in lines) + ">"


def _legend(picture: Picture) -> str:
    cells = "".join(f"<td>{_swatch(e)}</td><td>{_words(e)}  </td>" for e in legend_of(picture))
    if not cells:
        return '""'
    table = f'color="{light("rule")}" bgcolor="{light("panel")}" style="rounded"'
    return f'<<table border="1" cellborder="0" cellspacing="5" {table}><tr>{cells}</tr></table>>'


def _swatch(entry: Entry) -> str:
    if not entry.shape:
        drawn = {"code": "╌╌╌", "dropped": "╌╌╌", "added": "━━━"}.get(str(entry.stroke), "┈┈┈")
        return _font(drawn, 12, light(stroke_tone(entry.stroke or "flow")))
    if entry.shape == "between":
        return _font("─ data ─", 10, light("text"))
    if entry.state == "several":
        return _font(f"{TIMES}2", 12, light("text"), bold=True)
    if entry.shape == "code" and not entry.state:
        return _font("⬡", 16, light("code"))  # a table has no hexagon
    line, fill, width, text = light(entry.shape), light(f"{entry.shape}-fill"), 1, BLANK
    style = "solid" if entry.shape in SHAPES else "rounded"
    if entry.state in BADGES:
        line, width = light(entry.state), 2
        text = _font(BADGES[entry.state], 9, line, bold=True)
    if entry.hollow or entry.state == "not_kept" or (entry.state and is_hollow([entry.state])):
        fill = light("page")
    if entry.state in ("not_kept", "pending", "dropped"):
        style += ",dotted" if entry.state == "pending" else ",dashed"
    cell = f'<td fixedsize="true" width="26" height="14">{text}</td>'
    inside = f'bgcolor="{fill}" color="{line}" style="{style}" cellborder="0" cellspacing="0"'
    drawn = f'<table border="{width}" cellpadding="0" {inside}><tr>{cell}</tr></table>'
    if entry.state == "root":
        ring = f'border="1" color="{line}" style="{style}" cellborder="0" cellspacing="0"'
        return f'<table {ring} cellpadding="2"><tr><td>{drawn}</td></tr></table>'
    return drawn


def _words(entry: Entry) -> str:
    return _font(entry.words, 11, light("text"))


def _font(text: str, size: float, colour: str, *, bold: bool = False) -> str:
    inner = escape(text.replace("\\", "\\\\"))  # Graphviz replaces \\N and the like here too
    shown = f"<b>{inner}</b>" if bold else inner
    return f'<font point-size="{size}" color="{colour}">{shown}</font>'


def _quoted(text: str) -> str:
    """A quoted string; a backslash would begin one of Graphviz's escapes."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
