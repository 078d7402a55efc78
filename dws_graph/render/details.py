"""What there is to say of a node: its second line, its states, and the lines of its panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dws_graph.model.subgraph import Node
from dws_graph.render.look import CHANGES, SECOND_SIZE, State
from dws_graph.render.text import clean, command_text, seconds, text_width, value_text

# Property and what people call it, in the order of the panel; the rest follows by name.
FACTS: Mapping[str, str] = {
    "status": "status",
    "changes": "what changed",
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
    "left_by": "left by failed step",
    "number": "number",
    "tags": "tags",
    "message": "message",
    "instance": "instance",
    "workspace": "workspace",
}
GROUPS = ("parameters", "metrics")
_MOMENT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$")
_HEX = re.compile(r"[0-9a-f]{40,64}")
STALE = "stale because"
CHANGED = FACTS["changes"]
LEFT_BY = FACTS["left_by"]
UNSAID = frozenset({"produced", "environment", "stale", "change", "current", "retracted"})


class Fact(NamedTuple):
    """A line of a node's panel; `group` is empty, `parameters`, `metrics` or `code`."""

    name: str
    value: str
    group: str = ""


def second_line(node: Node) -> str:
    """A step's time and metric, a certificate's hash."""
    return " · ".join(_seconds(node))


def short_line(node: Node, reasons: Sequence[str], room: float) -> str:
    """The second line of a shape: before all what changed, or why the node is stale.

    Args:
        node: The node.
        reasons: Why it is stale, each as `reason: ref`.
        room: For what is known besides; in a size that pictures have for it.
    """
    if changes := node.properties.get("changes"):
        return short_changes(changes)
    said = _seconds(node)
    why = [reason.partition(": ")[0] for reason in reasons[:1] if reason]
    kept = len(said)
    while why and kept and text_width(" · ".join([*said[:kept], *why]), SECOND_SIZE) > room:
        kept -= 1
    return " · ".join([*said[:kept], *why])


def _seconds(node: Node) -> list[str]:
    properties = node.properties
    if node.kind != "step":
        said = [hash_or_status(properties)]
    else:
        status = str(properties.get("status") or "completed")
        took = seconds(properties.get("execution_time_seconds"))
        said = ["" if status == "completed" else status, took, _metric(properties)]
    return [clean(text) for text in said if text]


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


def code_text(properties: Mapping[str, Any]) -> str:
    """Which version of code a step ran, and what became of that where two versions differ."""
    if changes := properties.get("changes"):
        return value_text("; ".join(change_text(**change) for change in changes))
    change = properties.get("change")
    said = [hash_or_status(properties), str(change) if change in CHANGES else ""]
    return " · ".join(filter(None, said))


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
    if properties.get("retracted"):
        yield "retracted"
    yield from (state for state in CHANGES if state == properties.get("change"))
    if properties.get("current"):
        yield "current"


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
        if key == "changes" and isinstance(value, list):
            yield from (Fact(CHANGED, value_text(change_text(**change))) for change in value)
        else:
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


def change_text(what: str, name: str, a: Any, b: Any) -> str:
    """What changed, and from what to what: `parameter C: 1 → 2`."""
    return f"{what} {name}".strip() + f": {_from_to(what, a, b)}"


def short_changes(changes: Sequence[Mapping[str, Any]]) -> str:
    """What there is room for in a shape: `C 1 → 2, input, code`."""
    said = []
    for change in changes:
        what, name, a, b = (change[key] for key in ("what", "name", "a", "b"))
        if what in ("hash", "parameter"):
            said.append(f"{name} {_from_to(what, a, b)}".strip())
        else:
            said.append(what)
    return clean(", ".join(dict.fromkeys(said)))


def _from_to(what: str, *versions: Any) -> str:
    values = [value if isinstance(value, str) else value_text(value) for value in versions]
    if what in ("hash", "input", "code", "commit"):
        values = [value[:8] if _HEX.fullmatch(value) else value for value in values]
    return " → ".join(values)
