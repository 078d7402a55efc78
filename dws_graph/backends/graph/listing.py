"""Which steps there are: chosen by name, status, ref, parameters, metrics and time, newest first.

The conditions are constants, joined as they are needed; what a user gave is always a value. A list
with a limit reads little more than it shows. Parameters that are scalars, and metrics, are compared
by the server, as properties; then all as the JSON values that they are.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from dws_graph.backends.decoding import parsed
from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read, steps_in_full
from dws_graph.backends.overviews import LAST, Place
from dws_graph.backends.views import MetricIs, StepFilter, StepInfo
from dws_graph.model.values import Json, as_property, scalar_properties

LOOKED_AT = 1_000  # steps that the server found, at a time


def steps(
    read: Read, chosen: StepFilter, limit: int | None, after: Place | None = None
) -> list[StepInfo]:
    """The steps meant, newest first; at most so many."""
    return steps_in_full(read, list(itertools.islice(_keys(read, chosen, limit, after), limit)))


def count(read: Read, chosen: StepFilter) -> int:
    """How many steps are meant."""
    if _looks(chosen):
        return sum(1 for _ in _keys(read, chosen, None, None))
    text, values = count_text(chosen)
    [row] = read(text, **values)
    return int(row["steps"])


def _keys(read: Read, chosen: StepFilter, limit: int | None, after: Place | None) -> Iterator[str]:
    """The ids of the steps meant; where each is looked at, the server is asked for some at a time.

    Args:
        read: Asks.
        chosen: Which are meant.
        limit: How many are wanted; more may come.
        after: Where the page before ended.
    """
    size = LOOKED_AT if _looks(chosen) else limit
    while True:
        text, values = find_text(chosen, after, few=size is not None)
        if size is not None:
            values["limit"] = size
        rows = read(text, **values)
        for row in rows:
            if _has(row, chosen):
                yield row["id"]
        if size != LOOKED_AT or len(rows) < size:
            return
        after = Place(rows[-1]["start_time"], rows[-1]["id"])


def _looks(chosen: StepFilter) -> bool:
    """Whether what the server finds is looked at again."""
    return bool(chosen.parameters or chosen.metrics)


def find_text(
    chosen: StepFilter, after: Place | None = None, *, few: bool
) -> tuple[str, dict[str, Any]]:
    """The text that finds the steps that are meant, newest first, and its values.

    Args:
        chosen: Which are meant.
        after: Where the page before ended.
        few: Only `$limit` of them.
    """
    text, values = _match(chosen, after)
    if chosen.refs is not None or chosen.workspace is None:
        newest = texts.NEWEST
    else:
        newest = texts.NEWEST_IN if chosen.name is None else texts.NEWEST_NAMED
    return " ".join([text, newest, *([texts.FEW] if few else [])]), values


def count_text(chosen: StepFilter) -> tuple[str, dict[str, Any]]:
    """The text that counts the steps that are meant, but for their parameters; its values."""
    text, values = _match(chosen)
    return f"{text} {texts.COUNT}", values


def _match(chosen: StepFilter, after: Place | None = None) -> tuple[str, dict[str, Any]]:
    """The text that finds the steps `s` that are meant, all but its RETURN."""
    values = _values(chosen, after)
    conditions = [name for name in values if name in texts.CONDITIONS]
    values |= {"since": chosen.since or "", "latest": chosen.until or LAST}
    if after:
        values |= {"by": after.by, "latest": min(after.by, values["latest"])}
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


def _values(chosen: StepFilter, after: Place | None) -> dict[str, Any]:
    """Those of the conditions that are needed."""
    given = {
        "name": chosen.name,
        "wanted": None if chosen.text is None else chosen.text.lower(),
        "status": chosen.status,
        "until": chosen.until,
        "after": after.id if after else None,
        "scalars": scalar_properties("param_", chosen.parameters) or None,
        "metrics": [_condition(metric) for metric in chosen.metrics] or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _condition(metric: MetricIs) -> Json:
    whole = isinstance(metric.number, int) and as_property(metric.number) == metric.number
    return {
        "property": f"metric_{metric.name}",
        "comparison": metric.comparison,
        "number": metric.number if whole else float(metric.number),
    }


def _has(row: Json, chosen: StepFilter) -> bool:
    if not _looks(chosen):
        return True
    parameters, metrics = parsed(row["parameters"]) or {}, parsed(row["metrics"]) or {}
    return all(metric.holds(metrics) for metric in chosen.metrics) and all(
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
