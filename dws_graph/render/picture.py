"""What a subgraph looks like, before anyone says where: shapes, labels, states and details.

Every format draws from this one description, so that a step has the same name, mark and words
in a page, an SVG and a Mermaid text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.render.look import (
    LABEL_SIZE,
    NODE_HEIGHT,
    SECOND_SIZE,
    SHAPES,
    STATES,
    STROKES,
    WIDTHS,
    Shape,
    State,
    Stroke,
)
from dws_graph.render.text import (
    clean,
    command_text,
    cut_middle,
    seconds,
    text_width,
    value_text,
)

PADDING: Mapping[Shape, float] = {"step": 28.0, "code": 40.0, "snapshot": 34.0}
OTHER_PADDING = 32.0
STROKE_OF: Mapping[str, Stroke] = {
    "CODE_OF": "code",
    "IMPORTED_AS": "imported",
    "CONTAINS": "contains",
}
# Property and what people call it, in the order of the panel; the rest follows by name.
FACTS: Mapping[str, str] = {
    "status": "status",
    "stale": "stale because",
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
INCOMPLETE = "Incomplete: something upstream is not kept, unknown, or there in two versions."
UNSAID = frozenset({"produced", "environment"})


class Fact(NamedTuple):
    """A line of a node's panel; `group` is empty, `parameters`, `metrics` or `code`."""

    name: str
    value: str
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """A node as it is drawn: `label` and `second` fit the width, `name` is whole."""

    key: str
    shape: Shape
    name: str
    label: str
    second: str
    states: tuple[State, ...]
    details: tuple[Fact, ...]
    width: float
    height: float

    def words(self) -> str:
        """The node in a sentence: for those who cannot see its shape."""
        states = [STATES[s] for s in self.states if STATES[s] not in self.second]
        return ", ".join(
            [f"{SHAPES[self.shape]} {self.name}", *filter(None, [self.second]), *states]
        )


@dataclass(frozen=True, slots=True)
class PictureEdge:
    """An arrow as it is drawn."""

    source: str
    target: str
    stroke: Stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """All that is drawn, in the order of the subgraph."""

    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    complete: bool

    @property
    def note(self) -> str:
        """A sentence when the picture does not show all that led here."""
        return "" if self.complete else INCOMPLETE

    def shapes(self) -> list[Shape]:
        """The shapes that occur, in the legend's order."""
        found = {n.shape for n in self.nodes}
        return [s for s in SHAPES if s in found]

    def states(self) -> list[State]:
        """The states that occur, in the legend's order."""
        found = {s for n in self.nodes for s in n.states}
        return [s for s in STATES if s in found]

    def strokes(self) -> list[Stroke]:
        """The kinds of lines that occur, in the legend's order, without the plain one."""
        found = {e.stroke for e in self.edges}
        return [s for s in STROKES if s in found and s != "flow"]


def picture_of(subgraph: Subgraph, *, fold_code: bool = True) -> Picture:
    """Describe how a subgraph is drawn.

    Args:
        subgraph: What to draw; edges to nodes that it lacks are left out.
        fold_code: Whether code that is nothing but code becomes a line in the details of the
            steps that ran it.
    """
    nodes = {n.key: n for n in subgraph.nodes}
    edges = [e for e in dict.fromkeys(subgraph.edges) if e.source in nodes and e.target in nodes]
    touching: dict[str, list[Edge]] = defaultdict(list)
    for e in edges:
        touching[e.source].append(e)
        touching[e.target].append(e)
    shapes = {key: _shape(n, touching[key]) for key, n in nodes.items()}
    folded = {
        key
        for key, shape in shapes.items()
        if fold_code and key != subgraph.root and shape == "code" and _only_code(touching[key])
    }
    return Picture(
        nodes=tuple(
            _drawn(
                n,
                shapes[key],
                root=key == subgraph.root,
                code=[_code(nodes[e.source]) for e in touching[key] if e.source in folded],
            )
            for key, n in nodes.items()
            if key not in folded
        ),
        edges=tuple(
            PictureEdge(e.source, e.target, STROKE_OF.get(e.type, "flow"))
            for e in edges
            if e.source not in folded and e.target not in folded
        ),
        complete=subgraph.complete,
    )


def _shape(node: Node, touching: list[Edge]) -> Shape:
    if node.kind != "certificate":
        return node.kind
    leaving = {e.type for e in touching if e.source == node.key}
    written = any(e.type == "WROTE" and e.target == node.key for e in touching)
    role = node.properties.get("role")
    if role == "code" or ("CODE_OF" in leaving and "READ_BY" not in leaving):
        return "code"
    if role == "source-data" or not node.properties.get("produced", written):
        return "source"
    return "result" if role == "results" else "intermediate"


def _only_code(touching: list[Edge]) -> bool:
    types = {e.type for e in touching}
    return "CODE_OF" in types and types <= {"CODE_OF", "CONTAINS"}


def _code(certificate: Node) -> Fact:
    return Fact(value_text(certificate.name), _certificate_second(certificate.properties), "code")


def _drawn(node: Node, shape: Shape, *, root: bool, code: list[Fact]) -> PictureNode:
    name = clean(node.name) or "(no name)"
    second = _second(node)
    bold, padding = shape == "step", PADDING.get(shape, OTHER_PADDING)
    room = WIDTHS[1] - padding
    label, below = (
        cut_middle(name, room, LABEL_SIZE, bold=bold),
        cut_middle(second, room, SECOND_SIZE),
    )
    text = max(text_width(label, LABEL_SIZE, bold=bold), text_width(below, SECOND_SIZE))
    return PictureNode(
        key=node.key,
        shape=shape,
        name=name,
        label=label,
        second=below,
        states=tuple(_states(node.properties, root=root)),
        details=(*_facts(node.properties), *code),
        width=float(min(WIDTHS[1], max(WIDTHS[0], round(text + padding)))),
        height=NODE_HEIGHT,
    )


def _second(node: Node) -> str:
    properties = node.properties
    if node.kind == "step":
        status = str(properties.get("status") or "completed")
        took = seconds(properties.get("execution_time_seconds"))
        said = ["" if status == "completed" else status, took, _metric(properties)]
        return clean(" · ".join(filter(None, said)))
    return _certificate_second(properties)


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


def _certificate_second(properties: Mapping[str, Any]) -> str:
    if properties.get("status") in ("pending", "not kept"):
        return str(properties["status"])
    return clean(str(properties.get("hash") or ""))[:8]


def _states(properties: Mapping[str, Any], *, root: bool) -> Iterator[State]:
    if root:
        yield "root"
    if properties.get("stale"):
        yield "stale"
    status = properties.get("status")
    if status == "failed":
        yield "failed"
    elif status == "not kept":
        yield "not_kept"
    elif status == "pending":
        yield "pending"


def _facts(properties: Mapping[str, Any]) -> Iterator[Fact]:
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
