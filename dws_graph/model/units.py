"""Sizes and durations as people write them."""

from __future__ import annotations

import re

from dws_graph.errors import ParamParseError

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw]?)")


def size_text(count: int) -> str:
    """A size in bytes, in the unit that fits: `12.3 MB` is 12,300,000 bytes."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def parse_duration(text: str) -> float:
    """The seconds that `14d`, `12h`, `30m`, `2w` or `90` mean.

    Raises:
        ParamParseError: It is no duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ParamParseError(f"'{text}' is no duration", hint="Give 14d, 12h, 30m or 0.")
    return float(found[1]) * _SECONDS[found[2]]
