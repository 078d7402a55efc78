"""What there is to say of a node: its second line, its states, and the lines of its panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dws_graph.model.subgraph import Node
from dws_graph.render.look import State
from dws_graph.render.text import clean, command_text, seconds, value_text

# Property and what people call it, in the order of the panel; the rest follows by name.
FACTS: Mapping[str, str] = {
    "status": "status",
    "start_time": "started",
    "timestamp": "taken",
    "execution_time_seconds": "took",
    "command_line": "command",
    "run_from": "run from",
    "resource": "resource",
    "subpath": "path",
    "hash": "hash",
    "subpath_hash": "hash of path",
    "version": "version",
    "role": "role",
    "number": "number",
    "tags": "tags",
    "message": "message",
    "instance": "instance",
    "workspace": "workspace",
}
GROUPS = ("parameters", "metrics")
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$")
STALE = "stale because"
UNSAID = frozenset({"produced", "environment", "stale"})


class Fact(NamedTuple):
    """A line of a node's panel; `group` is empty, `parameters`, `metrics` or `code`."""

    name: str
    value: str
    group: str = ""


def second_line(node: Node) -> str:
    """A step's time and metric, a certificate's hash."""
    properties = node.properties
    if node.kind == "step":
        status = str(properties.get("status") or "completed")
        took = seconds(properties.get("execution_time_seconds"))
        said = ["" if status == "completed" else status, took, _metric(properties)]
        return clean(" · ".join(filter(None, said)))
    return hash_or_status(properties)


def _metric(properties: Mapping[str, Any]) -> str:
    """The number that a step is known by: its accuracy, else its first that is one."""
    metrics = properties.get("metrics")
    if not isinstance(metrics, Mapping):
        return ""
    numbers = {
        name: value
        for name, value in metrics.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }
    name = "accuracy" if "accuracy" in numbers else next(iter(numbers), None)
    return "" if name is None else f"{name} {numbers[name]:.3g}"


def hash_or_status(properties: Mapping[str, Any]) -> str:
    """A certificate's hash, shortened, or why it has none."""
    if properties.get("status") in ("pending", "not kept"):
        return str(properties["status"])
    return clean(str(properties.get("hash") or ""))[:8]


def states_of(properties: Mapping[str, Any], *, root: bool, stale: bool) -> Iterator[State]:
    """The states that a node is in."""
    if root:
        yield "root"
    if stale:
        yield "stale"
    status = properties.get("status")
    if status == "failed":
        yield "failed"
    elif status == "not kept":
        yield "not_kept"
    elif status == "pending":
        yield "pending"


def reasons_of(stale: Any) -> list[str]:
    """What the property `stale` says: nothing, that it is so, why, or each reason."""
    if isinstance(stale, str):
        return [stale] if stale else []
    if isinstance(stale, list | tuple):
        return [str(reason) for reason in stale]
    return [""] if stale else []


def facts_of(properties: Mapping[str, Any]) -> Iterator[Fact]:
    """The lines of a node's panel."""
    known = [key for key in FACTS if key in properties]
    others = sorted(set(properties) - set(FACTS) - set(GROUPS) - UNSAID)
    for key in (*known, *others):
        value = properties[key]
        if value in (None, "", [], {}) or value is False:
            continue
        name = FACTS.get(key) or clean(key.replace("_", " "))
        yield Fact(name, _fact_text(key, value))
    for group in GROUPS:
        for name, value in dict(properties.get(group) or {}).items():
            yield Fact(value_text(str(name)), value_text(value, exact=group != "metrics"), group)


def _fact_text(key: str, value: Any) -> str:
    if key == "command_line" and isinstance(value, str | list | tuple):
        return command_text(value)
    if key in ("start_time", "timestamp") and isinstance(value, str):
        return value_text(_MOMENT.sub(r"\1 \2 UTC", value))
    if key == "execution_time_seconds":
        return seconds(value) or value_text(value)
    if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return value_text(", ".join(value))
    return value_text(value)
