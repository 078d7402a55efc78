"""Values as cells of tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

from dws_graph.render.text import clean, shortened

HASH_DIGITS = 7
Row = list[str | Text]
LONGEST = 40


def number(value: Any) -> str:
    """A metric: three digits after the point, or three that count for a small one."""
    if isinstance(value, bool) or not isinstance(value, float):
        return text(value)
    if value == 0 or abs(value) >= 0.01:
        return repr(round(value, 3))
    return f"{value:.3g}"


def text(value: Any) -> str:
    """Any value of JSON in a line."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {text(v)}" for k, v in value.items())
    return json.dumps(value, ensure_ascii=False)


def short(value: Any) -> str:
    """Any value, cut where it is long."""
    return number(value) if isinstance(value, float) else shortened(text(value), LONGEST)


def lines(many: Iterable[str]) -> Text:
    """Several things in a cell, one a line."""
    return Text("\n".join(map(clean, many)))


def pairs(values: Mapping[str, Any]) -> Text:
    """Names and values, one a line."""
    return lines(f"{name}={text(value)}" for name, value in values.items())


def when(timestamp: str) -> str:
    """A time without its fraction of a second."""
    return timestamp.partition(".")[0]
