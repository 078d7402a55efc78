"""Where a searched text stands in what a step or a snapshot says of itself.

A view finds candidates by what its engine compares; which of them are hits, and what in them is
shown as found, is decided here for all views alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dws_graph.backends.views import Hit
from dws_graph.model.values import dump_line

LOOKED_AT = 200  # candidates that an engine is asked for at a time
_HASH = re.compile(r"[0-9a-f]{4,128}")
_EQUALS = re.compile(r"\s*=\s*")
_NUMBER = re.compile(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?")


def is_hash(text: str) -> bool:
    """Whether a text, in lower case, may be the first digits of a hash."""
    return _HASH.fullmatch(text) is not None


def needles(text: str) -> tuple[str, str]:
    """Two texts that the JSON of parameters has, in lower case, when one of them has the text.

    `name=value` stands there as `"name":value`, and the name of an object that `name` is in stands
    apart from it.
    """
    before, equals, after = _spaced(text).partition("=")
    if equals:
        return _escaped(before.rpartition(".")[2]), _escaped(after.rpartition("=")[2])
    first, _, rest = before.partition("." if _NUMBER.fullmatch(before) is None else "=")
    return _escaped(first), _escaped(rest.rpartition(".")[2])


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def of_step(text: str, name: str, description: str | None, parameters: Any) -> str | None:
    """What of a step has the text, where that is not its name; None: nothing has it."""
    if text in name.lower():
        return ""
    wanted = {text, _spaced(text)}
    for pair in _pairs(parameters if isinstance(parameters, Mapping) else {}):
        if any(one in pair.lower() for one in wanted):
            return pair
    return description if text in (description or "").lower() else None


def of_snapshot(text: str, tags: Iterable[str], message: str, hashval: str) -> str:
    """What of a snapshot has the text, where that is not a tag, or what it is called by."""
    if any(text in tag.lower() for tag in tags):
        return ""
    return hashval if hashval.startswith(text) else message


def hits_of_steps(text: str, rows: Iterable[Sequence[Any]]) -> Iterator[Hit]:
    """Hits among candidates: id, name, workspace, time, description, parameters as JSON."""
    for key, name, workspace, time, description, parameters in rows:
        found = of_step(text, name, description, json.loads(parameters or "{}"))
        if found is not None:
            yield Hit("step", key, name, workspace, time, found)


def _pairs(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _pairs(value, f"{before}{name}.")
        else:
            said = value if isinstance(value, str) else dump_line(value)
            yield f"{before}{name}={said}"


def _spaced(text: str) -> str:
    """The text without the blanks around `=`, which people write or leave out."""
    return _EQUALS.sub("=", text)
