"""The marks of the visual language as SVG: shapes with their states, lines, and the legend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from dws_graph.render.look import (
    BADGE_ROOM,
    BETWEEN_SIZE,
    CHANGES,
    HOLLOW,
    SHAPES,
    STATES,
    STROKES,
    Shape,
    State,
    Stroke,
    of_all,
)
from dws_graph.render.picture import Picture

Tint = Callable[[str], str]  # a colour by its name: fixed, or a page's variable

DASHES: dict[Stroke, str] = {
    "code": "5 3",
    "imported": "2 3",
    "contains": "2 3",
    "via": "1 4",
    "dropped": CHANGES["dropped"].dash,
}
BADGES: dict[State, str] = {
    "failed": "✕",
    "stale": "!",
    "retracted": "?",
    **{state: look.sign for state, look in CHANGES.items()},
    "current": "\N{CHECK MARK}",
}
SWATCH = (28.0, 15.0)


class Entry(NamedTuple):
    """A line of the legend: a shape, a state of a shape, or a kind of line.

    A shape is `hollow` where all of its kind in the picture are.
    """

    words: str
    shape: Shape | None = None
    state: State | None = None
    stroke: Stroke | None = None
    hollow: bool = False


def legend_of(picture: Picture) -> list[Entry]:
    """What needs saying: the shapes, states and kinds of lines that occur."""
    return [
        *(Entry(SHAPES[s], shape=s, hollow=_all_hollow(picture, s)) for s in picture.shapes()),
        *(Entry(STATES[s], shape=_example(s), state=s) for s in picture.states()),
        *(Entry(STROKES[s], stroke=s) for s in picture.strokes()),
    ]


def swatch(entry: Entry, x: float, y: float, tint: Tint) -> str:
    """The mark of a legend's entry, its centre at (x, y)."""
    if entry.shape == "between":
        half = SWATCH[0] / 2 + 4
        way = f"M{number(x - half)} {number(y)}h6M{number(x + half)} {number(y)}h-6"
        name = words("data", x, y + 3.5, BETWEEN_SIZE, tint("text"))
        return line(way, "flow", tint) + name
    if entry.hollow and entry.shape:
        around = outline(entry.shape, x, y, *SWATCH)
        return f'<path d="{around}" fill="{tint("page")}" stroke="{tint("step")}"/>'
    if entry.shape:
        return "".join(box(entry.shape, filter(None, [entry.state]), x, y, *SWATCH, tint))
    half = SWATCH[0] / 2
    return line(f"M{number(x - half)} {number(y)}H{number(x + half)}", entry.stroke or "flow", tint)


def box(
    shape: Shape, states: Iterable[State], x: float, y: float, w: float, h: float, tint: Tint
) -> Iterator[str]:
    """A shape with its centre at (x, y), and the marks of its states."""
    states = tuple(states)
    if shape != "between":
        yield from _outlined(shape, of_all(states), x, y, w, h, tint)
    at, top = (x + w / 2 - 4, y - h / 2) if shape != "between" else (x + w / 2 - 8, y)
    for state, sign in BADGES.items():
        if state in states:
            where = f'cx="{number(at)}" cy="{number(top)}" r="6.5"'
            yield f'<circle {where} fill="{tint(state)}" stroke="{tint("page")}"/>'
            yield words(sign, at, top + 3.5, 9.5, tint("panel"), bold=True)
            at -= BADGE_ROOM


def _outlined(
    shape: Shape,
    states: tuple[State, ...],
    x: float,
    y: float,
    w: float,
    h: float,
    tint: Tint,
) -> Iterator[str]:
    stroke, fill, wide, dash = tint(shape), tint(f"{shape}-fill"), 1.4, ""
    if "root" in states:
        ring = outline(shape, x, y, w + 8, h + 8)
        yield f'<path d="{ring}" fill="none" stroke="{tint("text")}" stroke-width="1.2"/>'
    if "failed" in states:
        stroke, fill, wide = tint("failed"), tint("page"), 2.4
    elif "stale" in states:
        stroke, wide = tint("stale"), 2.4
    for state in states:
        if state in CHANGES:
            stroke, wide = tint(state), CHANGES[state].wide
            fill = tint("page") if shape == "step" else fill
            dash = f' stroke-dasharray="{CHANGES[state].dash}"' if CHANGES[state].dash else ""
    if "not_kept" in states:
        fill, dash = tint("page"), ' stroke-dasharray="5 3"'
    elif "pending" in states:
        dash = ' stroke-dasharray="1.5 2.5"'
    for behind in (3, 0) if "several" in states else (0,):
        path = outline(shape, x + behind, y + behind, w, h)
        if "several" in states and shape == "step" and not behind:
            stroke = tint("page")  # sets it off from what lies behind
        yield f'<path d="{path}" fill="{fill}" stroke="{stroke}" stroke-width="{wide}"{dash}/>'


def outline(shape: Shape, x: float, y: float, w: float, h: float) -> str:
    """The path of a shape with its centre at (x, y)."""
    left, right, top, foot = x - w / 2, x + w / 2, y - h / 2, y + h / 2
    inset = min(10.0, h / 3)
    if shape == "code":
        upper = [(left, y), (left + inset, top), (right - inset, top)]
        return polygon([*upper, (right, y), (right - inset, foot), (left + inset, foot)])
    if shape == "snapshot":
        upper = [(left, top), (right - inset, top), (right, top + inset)]
        return polygon([*upper, (right, foot), (left, foot)])
    r = 4.0 if shape == "step" else h / 2
    arc, n = f"a{number(r)} {number(r)} 0 0 1", number
    return (
        f"M{n(left + r)} {n(top)}H{n(right - r)}{arc} {n(r)} {n(r)}"
        f"V{n(foot - r)}{arc} {n(-r)} {n(r)}H{n(left + r)}{arc} {n(-r)} {n(-r)}"
        f"V{n(top + r)}{arc} {n(r)} {n(-r)}z"
    )


def line(path: str, stroke: Stroke, tint: Tint) -> str:
    """A line, dashed as its kind is."""
    dash = f' stroke-dasharray="{DASHES[stroke]}"' if stroke in DASHES else ""
    colour, wide = tint(stroke_tone(stroke)), 2.4 if stroke == "added" else 1.2
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{wide}"{dash}/>'


def stroke_tone(stroke: Stroke) -> str:
    """The name of a line's colour."""
    return stroke if stroke in CHANGES else "edge"


def is_hollow(states: Iterable[State]) -> bool:
    """Whether a step has the page's colour instead of its fill."""
    return not HOLLOW.isdisjoint(states)


def words(
    text: str,
    x: float,
    y: float,
    size: float,
    colour: str,
    *,
    anchor: str = "middle",
    bold: bool = False,
) -> str:
    """A piece of text, escaped."""
    weight = ' font-weight="600"' if bold else ""
    where = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}" font-size="{number(size)}"'
    return f'<text {where} fill="{colour}"{weight}>{escape(text)}</text>'


def polygon(points: list[tuple[float, float]]) -> str:
    """The closed path through these points."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points) + "z"


def number(value: float) -> str:
    """A coordinate without needless digits."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _all_hollow(picture: Picture, shape: Shape) -> bool:
    """Whether no step in the picture has a step's fill: each is marked as added, failed, ..."""
    if shape != "step":
        return False
    steps = [node for node in picture.nodes if node.shape == "step"]
    return all(is_hollow(of_all(node.states)) for node in steps)


def _example(state: State) -> Shape:
    return "step" if state in HOLLOW or state == "several" else "intermediate"
