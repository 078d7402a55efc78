"""The visual language, one for all formats: shapes, colours, and what the legend calls them.

Meaning is never carried by colour alone: each kind has a shape, each state a mark or a word.
Every colour is given for a light and a dark page; text and lines keep a contrast of 3 to 1 or more
on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Shape = Literal["step", "source", "intermediate", "result", "code", "snapshot", "between"]
State = Literal[
    "root",
    "stale",
    "failed",
    "not_kept",
    "pending",
    "retracted",
    "added",
    "dropped",
    "changed",
    "current",
    "several",
]
Stroke = Literal["flow", "code", "imported", "contains", "via", "added", "dropped"]
Detail = Literal["steps", "certificates"]
Grouping = Literal["none", "steps", "resources"]

NOTHING = "Nothing has been recorded here yet."
FONTS = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
LABEL_SIZE = 12.0
SECOND_SIZE = 10.0
BETWEEN_SIZE = 10.5
NODE_HEIGHT = 36.0
BETWEEN_HEIGHT = 18.0
WIDTHS = (88.0, 240.0)
BADGE_ROOM = 15.0


class ChangeLook(NamedTuple):
    """How a change between two versions is marked: its sign, the width of the line, its dash."""

    sign: str
    wide: float
    dash: str


class Tone(NamedTuple):
    """A colour on a light and on a dark page."""

    light: str
    dark: str


SHAPES: Mapping[Shape, str] = {
    "source": "source data",
    "intermediate": "intermediate",
    "result": "result",
    "step": "step",
    "code": "code",
    "snapshot": "snapshot",
    "between": "data between steps",
}
STATES: Mapping[State, str] = {
    "root": "asked for",
    "stale": "stale",
    "failed": "failed",
    "not_kept": "not kept",
    "pending": "pending",
    "retracted": "written by a step that was retracted",
    "added": "added",
    "dropped": "dropped",
    "changed": "changed",
    "current": "current then",
    "several": "several in one",
}
GROUPINGS: Mapping[Grouping, str] = {
    "none": "nothing",
    "steps": "by step",
    "resources": "by resource",
}
CHANGES: Mapping[State, ChangeLook] = {
    "added": ChangeLook("+", 3.0, ""),
    "dropped": ChangeLook("\N{MINUS SIGN}", 1.8, "6 3"),
    "changed": ChangeLook("\N{GREEK CAPITAL LETTER DELTA}", 2.4, ""),
}
HOLLOW: frozenset[State] = frozenset({"failed", *CHANGES})
"""States whose colour could not be told on a step's fill: it has the page's."""

OF_SOME: tuple[State, ...] = ("stale", "failed", "retracted", *CHANGES, "current")
"""States that a group is marked with when any of its members is in them."""

STROKES: Mapping[Stroke, str] = {
    "flow": "data flows",
    "code": "read as code",
    "imported": "imported as",
    "contains": "in snapshot",
    "via": "over what is left out",
    "added": "only in the second",
    "dropped": "only in the first",
}

TONES: Mapping[str, Tone] = {
    "page": Tone("#fbfbfd", "#12161d"),
    "panel": Tone("#ffffff", "#1a2029"),
    "rule": Tone("#d5dae3", "#333c49"),
    "text": Tone("#1b2330", "#e8ecf3"),
    "second": Tone("#566072", "#a3adbd"),
    "edge": Tone("#7d8798", "#7a8597"),
    "step": Tone("#24364f", "#b4c6e0"),
    "step-fill": Tone("#24364f", "#b4c6e0"),
    "step-text": Tone("#ffffff", "#12161d"),
    "step-second": Tone("#d3dcea", "#2c3848"),
    "source": Tone("#0b7a6b", "#4cc2ae"),
    "source-fill": Tone("#e3f4f1", "#12302d"),
    "intermediate": Tone("#2b6cb0", "#6ea8e8"),
    "intermediate-fill": Tone("#ffffff", "#161c26"),
    "result": Tone("#7440b3", "#b794f0"),
    "result-fill": Tone("#f3ecfb", "#281f38"),
    "code": Tone("#5d6676", "#98a2b3"),
    "code-fill": Tone("#f0f2f5", "#1d232c"),
    "snapshot": Tone("#1b2330", "#e8ecf3"),
    "snapshot-fill": Tone("#fff8e1", "#2b2718"),
    "between": Tone("#566072", "#a3adbd"),
    "between-fill": Tone("#fbfbfd", "#12161d"),
    "stale": Tone("#9a5b00", "#f0b44c"),
    "retracted": Tone("#9a5b00", "#f0b44c"),
    "failed": Tone("#b3261e", "#ff8a80"),
    "added": Tone("#1a7f37", "#57c470"),
    "dropped": Tone("#b3261e", "#ff8a80"),
    "changed": Tone("#9a5b00", "#f0b44c"),
    "current": Tone("#0b7a6b", "#4cc2ae"),
    "selected": Tone("#0b57d0", "#8ab4f8"),
    "downstream": Tone("#b45309", "#f6a95b"),
}


def of_all(states: Iterable[State]) -> tuple[State, ...]:
    """The states that change a shape's line and fill: a group only bears what some of it are."""
    found = tuple(states)
    partly = OF_SOME if "several" in found else ()
    return tuple(state for state in found if state not in partly)


def badges(states: Iterable[State]) -> int:
    """How many states have a sign."""
    return sum(state in OF_SOME for state in states)


def light(tone: str) -> str:
    """The colour on a light page, on which everything but the html page is drawn."""
    return TONES[tone].light
