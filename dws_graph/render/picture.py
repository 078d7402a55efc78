"""What a subgraph looks like, before anyone says where: shapes, labels, states and details.

Every format draws from this one description, so that a step has the same name, mark and words
in a page, an SVG and a Mermaid text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.model.ways import VIA
from dws_graph.render.details import (
    CHANGED,
    STALE,
    Fact,
    code_text,
    facts_of,
    reasons_of,
    short_line,
    states_of,
)
from dws_graph.render.look import (
    BADGE_ROOM,
    BETWEEN_HEIGHT,
    BETWEEN_SIZE,
    LABEL_SIZE,
    NODE_HEIGHT,
    SECOND_SIZE,
    SHAPES,
    STATES,
    STROKES,
    WIDTHS,
    Detail,
    Shape,
    State,
    Stroke,
    badges,
)
from dws_graph.render.text import clean, cut_middle, cut_name, text_width, value_text

Marks = Mapping[str, Sequence[str]]  # why a node is stale, by its key

PADDING: Mapping[Shape, float] = {"step": 28.0, "code": 40.0, "snapshot": 34.0, "between": 14.0}
OTHER_PADDING = 32.0
STROKE_OF: Mapping[str, Stroke] = {
    "CODE_OF": "code",
    "IMPORTED_AS": "imported",
    "CONTAINS": "contains",
    VIA: "via",
}
CHANGED_STROKE: Mapping[str, Stroke] = {"added": "added", "dropped": "dropped"}
INCOMPLETE = "Incomplete: something in it is not kept or unknown."


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """A node as it is drawn: `label` and `second` fit the width, `name` is whole.

    `role` is what it is: its shape, unless it is data that is only a name on a line. `family` is
    what it may be grouped by: a step's name, a certificate's resource. A group has `members`.
    """

    key: str
    shape: Shape
    role: Shape
    family: str
    name: str
    label: str
    second: str
    states: tuple[State, ...]
    details: tuple[Fact, ...]
    width: float
    height: float
    members: tuple[str, ...] = ()

    def words(self) -> str:
        """The node in a sentence: for those who cannot see its shape."""
        states = [STATES[s] for s in self.states if STATES[s] not in self.second]
        return ", ".join(
            [f"{SHAPES[self.role]} {self.name}", *filter(None, [self.second]), *states]
        )

    def said(self, state: State) -> str:
        """A state in words, with the reasons of one that has some."""
        name = {"stale": STALE, "changed": CHANGED}.get(state)
        why = [f.value for f in self.details if f.name == name and not f.group]
        return ": ".join([STATES[state], *filter(None, ["; ".join(why)])])


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


def picture_for(subgraph: Subgraph, detail: Detail, marks: Marks | None = None) -> Picture:
    """Describe how a subgraph is drawn in this detail; see `picture_of`."""
    steps = detail == "steps"
    return picture_of(subgraph, fold_code=steps, fold_data=steps, marks=marks)


def picture_of(
    subgraph: Subgraph,
    *,
    fold_code: bool = True,
    fold_data: bool = False,
    marks: Marks | None = None,
) -> Picture:
    """Describe how a subgraph is drawn.

    Args:
        subgraph: What to draw; edges to nodes that it lacks are left out.
        fold_code: Whether code that is nothing but code becomes a line in the details of the
            steps that ran it.
        fold_data: Whether data that one step wrote and others read is a name on the line between
            them. What was asked for, sources and ends stay nodes.
        marks: Why nodes are stale, besides what the subgraph itself says.
    """
    nodes = {n.key: n for n in subgraph.nodes}
    edges = [e for e in dict.fromkeys(subgraph.edges) if e.source in nodes and e.target in nodes]
    touching: dict[str, list[Edge]] = defaultdict(list)
    for e in edges:
        touching[e.source].append(e)
        touching[e.target].append(e)
    roles = {key: _shape(n, touching[key]) for key, n in nodes.items()}
    folded = {
        key
        for key, role in roles.items()
        if fold_code and key != subgraph.root and role == "code" and _only_code(touching[key])
    }

    def shape(key: str) -> Shape:
        lies_between = fold_data and key != subgraph.root and _lies_between(key, touching[key])
        return "between" if lies_between else roles[key]

    return Picture(
        nodes=tuple(
            _drawn(
                n,
                shape(key),
                roles[key],
                root=key == subgraph.root,
                code=[_code(nodes[e.source]) for e in touching[key] if e.source in folded],
                reasons=(marks or {}).get(key, ()),
            )
            for key, n in nodes.items()
            if key not in folded
        ),
        edges=tuple(
            PictureEdge(e.source, e.target, _stroke(e))
            for e in edges
            if e.source not in folded and e.target not in folded
        ),
        complete=subgraph.complete,
    )


def _lies_between(key: str, touching: list[Edge]) -> bool:
    entering = [e.type for e in touching if e.target == key]
    leaving = [e.type for e in touching if e.source == key]
    return entering == ["WROTE"] and "READ_BY" in leaving and {*leaving} <= {"READ_BY"}


def _shape(node: Node, touching: list[Edge]) -> Shape:
    if node.kind != "certificate":
        return node.kind
    leaving = {e.type for e in touching if e.source == node.key}
    written = any(e.type == "WROTE" and e.target == node.key for e in touching)
    role = node.properties.get("role")
    if role == "code" or ("CODE_OF" in leaving and "READ_BY" not in leaving):
        return "code"
    tried = node.properties.get("retracted") or node.properties.get("left_by")
    made = node.properties.get("produced", written) or tried
    if role == "source-data" or not made:
        return "source"
    return "result" if role == "results" else "intermediate"


def _stroke(edge: Edge) -> Stroke:
    return CHANGED_STROKE.get(edge.change) or STROKE_OF.get(edge.type, "flow")


def _only_code(touching: list[Edge]) -> bool:
    types = {e.type for e in touching}
    return "CODE_OF" in types and types <= {"CODE_OF", "CONTAINS"}


def _code(certificate: Node) -> Fact:
    return Fact(value_text(certificate.name), code_text(certificate.properties), "code")


def _drawn(
    node: Node,
    shape: Shape,
    role: Shape,
    *,
    root: bool,
    code: list[Fact],
    reasons: Sequence[str],
) -> PictureNode:
    name = clean(node.name) or "(no name)"
    stale = [clean(reason) for reason in [*reasons_of(node.properties.get("stale")), *reasons]]
    states = tuple(states_of(node.properties, root=root, stale=bool(stale)))
    facts = [Fact(STALE, value_text(reason)) for reason in stale if reason]
    return sized(
        PictureNode(
            key=node.key,
            shape=shape,
            role=role,
            family=_family(node, name),
            name=name,
            label=name,
            second=short_line(node, stale, WIDTHS[1] - PADDING.get(shape, OTHER_PADDING)),
            states=states,
            details=(*facts, *facts_of(node.properties), *code),
            width=0.0,
            height=0.0,
        )
    )


def sized(node: PictureNode) -> PictureNode:
    """The node with its label and second line cut to what a node has room for."""
    between, bold = node.shape == "between", node.shape == "step"
    padding = PADDING.get(node.shape, OTHER_PADDING)
    room = WIDTHS[1] - padding
    size = BETWEEN_SIZE if between else LABEL_SIZE
    if between:  # its signs stand beside its name, for there is no outline for them to sit on
        room -= BADGE_ROOM * badges(node.states)
        padding += BADGE_ROOM * badges(node.states)
    label = cut_name(node.label, room, size, bold=bold)
    second = cut_middle(node.second, room, SECOND_SIZE)
    text = text_width(label, size, bold=bold)
    if not between:
        text = max(WIDTHS[0] - padding, text, text_width(second, SECOND_SIZE))
    return replace(
        node,
        label=label,
        second=second,
        width=float(min(WIDTHS[1], round(text + padding))),
        height=BETWEEN_HEIGHT if between else NODE_HEIGHT,
    )


def _family(node: Node, name: str) -> str:
    if node.kind == "snapshot":
        return "snapshots"
    if node.kind == "step":
        return name
    return clean(str(node.properties.get("resource") or "")) or name
