"""Text in pictures: how wide it is, how it is cut, and how values read."""

from __future__ import annotations

import json
import shlex
import unicodedata
from collections.abc import Sequence
from typing import Any

ELLIPSIS = "…"
NARROW = frozenset("iljI.,:;'|!()[]{}`/\\tfr -\"")
BROAD = frozenset("mwMW@%—…")
LONGEST_VALUE = 400

# They would turn text round, hide it, or are no characters.
_INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u2028\u2029\ufeff\ufffe\uffff") | frozenset(
    map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)


def clean(text: str) -> str:
    """The text on one line, every character one that XML, HTML and UTF-8 can hold."""
    return "".join(_clean_character(c) for c in text)


def _clean_character(c: str) -> str:
    if " " <= c <= "~":
        return c
    category = unicodedata.category(c)
    if c in _INVISIBLE or category == "Cs":
        return "\ufffd"
    return " " if category == "Cc" else c


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide the text is in a wide sans-serif face such as DejaVu Sans or Verdana."""
    return sum(map(_em, text)) * size * (1.11 if bold else 1.0)


def _em(c: str) -> float:
    if c in NARROW:
        return 0.37
    if c in BROAD:
        return 0.95
    if c < "\x7f":
        return 0.69 if c.isupper() else 0.615
    if unicodedata.combining(c):
        return 0.0
    return 1.05 if unicodedata.east_asian_width(c) in "WF" else 0.7


def cut_middle(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """The text, or its beginning and its end, so that it is no wider than `width`."""
    if text_width(text, size, bold=bold) <= width:
        return text
    room = width - text_width(ELLIPSIS, size, bold=bold)
    head = tail = 0
    while head + tail < len(text):
        take_tail = tail <= head
        c = text[-1 - tail] if take_tail else text[head]
        room -= text_width(c, size, bold=bold)
        if room < 0:
            break
        head, tail = (head, tail + 1) if take_tail else (head + 1, tail)
    return text[:head] + ELLIPSIS + text[len(text) - tail :]


def cut_name(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """A name so that it is no wider than `width`; of a ref, rather the end of its path.

    `data:/…/scores.csv`, else `…/berlin/scores.csv`, else what `cut_middle` leaves.
    """

    def fits(shown: str) -> bool:
        return text_width(shown, size, bold=bold) <= width

    if fits(text):
        return text
    resource, _, path = text.partition(":/")
    *folders, tail = path.split("/")
    if folders and fits(shown := f"{resource}:/{ELLIPSIS}/{tail}"):
        return shown
    if not tail or not fits(f"{ELLIPSIS}/{tail}"):
        return cut_middle(text, width, size, bold=bold)
    while folders and fits(f"{ELLIPSIS}/{folders[-1]}/{tail}"):
        tail = f"{folders.pop()}/{tail}"
    return f"{ELLIPSIS}/{tail}"


def seconds(value: object) -> str:
    """`0.04 s`, `26.5 s`, `1 h 05 min`; empty when it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if not 0 <= value < float("inf"):
        return ""
    if value < 0.995:
        return f"{value:.2g} s" if value >= 0.001 else "0 s"
    if value < 1000:
        return f"{value:.1f} s"
    minutes = round(value / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def value_text(value: Any, *, exact: bool = True) -> str:
    """A parameter, metric or property as people read it: one line, never endless."""
    if value is None:
        text = "none"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, float):
        text = str(value) if exact else f"{value:.6g}"
    elif isinstance(value, str | int):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return shortened(clean(text))


def command_text(command: Sequence[str] | str) -> str:
    """A command line as a shell takes it."""
    text = command if isinstance(command, str) else shlex.join(map(str, command))
    return shortened(clean(text))


def shortened(text: str, longest: int = LONGEST_VALUE) -> str:
    """The text, its middle left out when it is very long."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} {ELLIPSIS} {text[-half:]}"


def clean_lines(text: str) -> str:
    """Text whose names cannot steer the terminal; its own line ends stay."""
    return "\n".join(map(clean, text.splitlines()))
