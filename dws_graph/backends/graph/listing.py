"""Which steps there are: chosen by name, status, ref, parameters and time, newest first.

The conditions are constants, joined as they are needed; what a user gave is always a value. A list
with a limit reads little more than it shows. Parameters that are scalars are compared by the
server, as properties; then all as the JSON values that they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dws_graph.backends.decoding import parsed
from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read, steps_in_full
from dws_graph.backends.views import StepFilter, StepInfo
from dws_graph.model.values import Json, scalar_properties


def steps(read: Read, chosen: StepFilter, limit: int | None) -> list[StepInfo]:
    """The steps meant, newest first; at most so many."""
    return steps_in_full(read, list(_keys(read, chosen, limit)))


def count(read: Read, chosen: StepFilter) -> int:
    """How many steps are meant."""
    if chosen.parameters:
        return sum(1 for _ in _keys(read, chosen, None))
    text, values = count_text(chosen)
    [row] = read(text, **values)
    return int(row["steps"])


def _keys(read: Read, chosen: StepFilter, limit: int | None) -> Iterator[str]:
    few = limit is not None and not chosen.parameters
    text, values = find_text(chosen, few=few)
    if few:
        values["limit"] = limit
    left = limit
    for row in read(text, **values):
        if left == 0:
            return
        if _has(parsed(row["parameters"]) or {}, chosen):
            left = None if left is None else left - 1
            yield row["id"]


def find_text(chosen: StepFilter, *, few: bool) -> tuple[str, dict[str, Any]]:
    """The text that finds the steps that are meant, newest first, and its values.

    Args:
        chosen: Which are meant.
        few: Only `$limit` of them.
    """
    text, values = _match(chosen)
    if chosen.refs is not None or chosen.workspace is None:
        newest = texts.NEWEST
    else:
        newest = texts.NEWEST_IN if chosen.name is None else texts.NEWEST_NAMED
    return " ".join([text, newest, *([texts.FEW] if few else [])]), values


def count_text(chosen: StepFilter) -> tuple[str, dict[str, Any]]:
    """The text that counts the steps that are meant, but for their parameters; its values."""
    text, values = _match(chosen)
    return f"{text} {texts.COUNT}", values


def _match(chosen: StepFilter) -> tuple[str, dict[str, Any]]:
    """The text that finds the steps `s` that are meant, all but its RETURN."""
    given: dict[str, Any] = {"name": chosen.name, "status": chosen.status}
    given["scalars"] = scalar_properties("param_", chosen.parameters) or None
    values = {name: value for name, value in given.items() if value is not None}
    conditions = list(values)
    values |= {"since": chosen.since or ""}
    if chosen.workspace is not None:
        values["workspace"] = chosen.workspace
    if chosen.refs is not None:
        start = texts.TOUCHING
        values["refs"] = chosen.ref_ids()
    elif chosen.workspace is None:
        start = texts.STARTED
    elif chosen.name is None:
        start = texts.STARTED_IN
    else:
        start = texts.NAMED_IN
        conditions.remove("name")
    return " AND ".join([start, *(texts.CONDITIONS[name] for name in conditions)]), values


def _has(parameters: Json, chosen: StepFilter) -> bool:
    return all(
        name in parameters and _canonical(parameters[name]) == _canonical(value)
        for name, value in chosen.parameters.items()
    )


def _canonical(value: Any) -> str:
    """Equal texts for equal JSON values: 1 is 1.0, and neither is true."""
    return json.dumps(_plain_numbers(value), sort_keys=True)


def _plain_numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(item) for item in value]
    return value
