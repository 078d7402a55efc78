"""A drawing as an SVG of its own: the fallback where Graphviz's `dot` is missing or too slow.

Nothing in it runs or is loaded from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from dws_graph.render.drawing import Drawing, Leg
from dws_graph.render.look import (
    BADGE_ROOM,
    BETWEEN_SIZE,
    FONTS,
    LABEL_SIZE,
    NOTHING,
    SECOND_SIZE,
    badges,
    light,
    of_all,
)
from dws_graph.render.marks import (
    SWATCH,
    Entry,
    box,
    is_hollow,
    legend_of,
    line,
    number,
    polygon,
    stroke_tone,
    swatch,
    words,
)
from dws_graph.render.picture import PictureNode
from dws_graph.render.text import clean, cut_middle, text_width

MARGIN = 24.0
TITLE_SIZE = 17.0
NOTE_SIZE = 11.0
LEGEND_ROW = 26.0
LEGEND_SIZE = 11.0
LEAST_WIDTH = 420.0


def draw_svg(drawing: Drawing, *, title: str) -> str:
    """The drawing as a standalone SVG document, on a light page."""
    width = max(drawing.width, LEAST_WIDTH)
    heading = clean(title)
    note = drawing.picture.note
    top = MARGIN + (TITLE_SIZE + 6 if heading else 0) + (NOTE_SIZE + 8 if note else 0) + 14
    below = top + drawing.height + MARGIN
    rows = list(_legend_rows(legend_of(drawing.picture), width))
    height = below + (len(rows) * LEGEND_ROW + 4 + MARGIN if rows else 0)
    body = [
        f"<title>{escape(heading)}</title>",
        f'<rect width="100%" height="100%" fill="{light("page")}"/>',
        *_heading(heading, note, width),
        f'<g transform="translate({number(MARGIN + (width - drawing.width) / 2)} {number(top)})">',
        *(_leg(leg) for leg in drawing.legs),
        *dict.fromkeys(_arrow(drawing.legs[end]) for end in drawing.heads()),
    ]
    if not drawing.picture.nodes:
        body.append(words(NOTHING, 0, 12, LABEL_SIZE, light("second")))
    for node in drawing.picture.nodes:
        body += _node(node, *drawing.centres[node.key])
    body += ["</g>", *_legend(rows, below)]
    w, h = number(width + 2 * MARGIN), number(height)
    size = f'width="{w}" height="{h}" viewBox="0 0 {w} {h}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family={quoteattr(FONTS)}>'
    return "\n".join([head, *body, "</svg>", ""])


def _heading(heading: str, note: str, width: float) -> Iterator[str]:
    y = MARGIN - 4
    if heading:
        y += TITLE_SIZE
        shown = cut_middle(heading, width, TITLE_SIZE, bold=True)
        yield words(shown, MARGIN, y, TITLE_SIZE, light("text"), anchor="start", bold=True)
    if note:
        shown = cut_middle(note, width, NOTE_SIZE)
        yield words(shown, MARGIN, y + 19, NOTE_SIZE, light("second"), anchor="start")


def _node(node: PictureNode, x: float, y: float) -> Iterator[str]:
    said = [node.words(), *(f"{d.group} {d.name}: {d.value}".strip() for d in node.details)]
    yield f"<g><title>{escape(chr(10).join(said))}</title>"
    yield from box(node.shape, node.states, x, y, node.width, node.height, light)
    if node.shape == "between":
        beside = x - BADGE_ROOM * badges(node.states) / 2
        yield words(node.label, beside, y + 3.5, BETWEEN_SIZE, light("text")) + "</g>"
        return
    states, bold = of_all(node.states), node.shape == "step"
    failed, filled = "failed" in states, bold and not is_hollow(states)
    first, second = ("step-text", "step-second") if filled else ("text", "second")
    height = y + (-2 if node.second else 4.5)
    yield words(node.label, x, height, LABEL_SIZE, light(first), bold=bold)
    if node.second:
        colour = light("failed" if failed else second)
        yield words(node.second, x, y + 11, SECOND_SIZE, colour)
    yield "</g>"


def _leg(leg: Leg) -> str:
    way = f"M{number(leg.x1)} {number(leg.y1)}"
    if leg.curved:
        middle = number((leg.x1 + leg.x2) / 2)
        way += f"C{middle} {number(leg.y1)} {middle} {number(leg.y2)} "
        way += f"{number(leg.x2)} {number(leg.y2)}"
    else:
        way += f"H{number(leg.x2)}"
    return line(way, leg.stroke, light)


def _arrow(leg: Leg) -> str:
    back = -7 if leg.x2 >= leg.x1 else 7
    points = [(leg.x2, leg.y2), (leg.x2 + back, leg.y2 - 3.2), (leg.x2 + back, leg.y2 + 3.2)]
    return f'<path d="{polygon(points)}" fill="{light(stroke_tone(leg.stroke))}"/>'


def _legend_rows(entries: list[Entry], width: float) -> Iterator[list[Entry]]:
    row: list[Entry] = []
    for entry in entries:
        if row and sum(map(_entry_width, [*row, entry])) > width:
            yield row
            row = []
        row.append(entry)
    if row:
        yield row


def _entry_width(entry: Entry) -> float:
    return SWATCH[0] + 10 + text_width(entry.words, LEGEND_SIZE) + 22


def _legend(rows: list[list[Entry]], top: float) -> Iterator[str]:
    if not rows:
        return
    wide = max(sum(map(_entry_width, row)) for row in rows) + 6
    yield (
        f'<rect x="{number(MARGIN)}" y="{number(top)}" width="{number(wide)}" rx="5" '
        f'height="{number(len(rows) * LEGEND_ROW + 4)}" fill="{light("panel")}" '
        f'stroke="{light("rule")}"/>'
    )
    for i, row in enumerate(rows):
        x, y = MARGIN + 14, top + 2 + (i + 0.5) * LEGEND_ROW
        for entry in row:
            yield swatch(entry, x + SWATCH[0] / 2, y, light)
            after = x + SWATCH[0] + 10
            yield words(entry.words, after, y + 4, LEGEND_SIZE, light("text"), anchor="start")
            x += _entry_width(entry)
