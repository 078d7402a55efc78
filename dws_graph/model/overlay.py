"""Two versions of the lineage laid over one another: what is the same, new, gone, or changed.

    first    raw@1 -> clean -> data@1 -> fit(C=1) -> model@1
    second   raw@1 -> clean -> data@1 -> fit(C=2) -> model@2
                                         ~ C 1 -> 2  ~ hash

Nodes are matched by what they mean: a step by its name and what it wrote, a certificate by its
ref and the name of the step that wrote it. Where several mean the same, a node that is in both
versions is matched with itself, and of the others the last with the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dws_graph.model.subgraph import Edge, Node, Subgraph

Change = Literal["same", "added", "dropped", "changed"]


class Difference(NamedTuple):
    """One thing in which two matched nodes differ, with its value in each version.

    `what` is `hash`, `parameter`, `command`, `input`, `code`, `commit`, `environment` or
    `package`; `name` says which parameter, input, package, ...; None stands for a thing that a
    version does not have.
    """

    what: str
    name: str
    a: Any
    b: Any

    def to_json(self) -> dict[str, Any]:
        """As docs/formats.md has it."""
        return self._asdict()


Compare = Callable[[Node, Node], Sequence[Difference]]
"""In what a node of the first version differs from the one that it is matched with."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A node of the first version and the node of the second that means the same."""

    a: Node | None
    b: Node | None
    differences: tuple[Difference, ...] = ()

    @property
    def node(self) -> Node:
        """The newer one, if there are two."""
        found = self.b or self.a
        assert found is not None  # noqa: S101 - one of the two is there
        return found

    @property
    def change(self) -> Change:
        """What became of the node."""
        if self.a is None:
            return "added"
        if self.b is None:
            return "dropped"
        return "changed" if self.differences else "same"


@dataclass(frozen=True, slots=True)
class Overlay:
    """Pairs, those of the second version first, in its order; edges between keys of `Pair.node`."""

    pairs: tuple[Pair, ...]
    edges: tuple[Edge, ...]

    def subgraph(self, root: str, *, complete: bool = True) -> Subgraph:
        """As a subgraph whose nodes have the properties `change` and, if changed, `changes`."""
        return Subgraph(
            root=root, complete=complete, nodes=tuple(map(_told, self.pairs)), edges=self.edges
        )


def overlay(a: Subgraph, b: Subgraph, compare: Compare) -> Overlay:
    """Lay the second version over the first.

    Args:
        a: The first.
        b: The second.
        compare: See `Compare`; not asked of a node that is in both versions.
    """
    pairs = _paired(a, b, compare)
    key_of = {pair.a.key: pair.node.key for pair in pairs if pair.a}
    changed = {pair.node.key for pair in pairs if pair.change == "changed"}
    before = {(key_of[e.source], key_of[e.target], e.type) for e in a.edges}
    after = {(e.source, e.target, e.type) for e in b.edges}
    edges = []
    for edge in sorted(before | after):
        source, target, kind = edge
        carried = target if kind == "WROTE" else source
        change: Change = "changed" if carried in changed else "same"
        if edge not in before:
            change = "added"
        elif edge not in after:
            change = "dropped"
        edges.append(Edge(source, target, kind, change))
    return Overlay(pairs, tuple(edges))


def meanings(graph: Subgraph) -> dict[str, Hashable]:
    """What each node means, by its key: equal for nodes of two versions that can be matched."""
    nodes = {node.key: node for node in graph.nodes}
    writer: dict[str, str] = {}
    wrote: dict[str, set[str]] = defaultdict(set)
    for edge in graph.edges:
        if edge.type == "WROTE" and edge.source in nodes and edge.target in nodes:
            writer[edge.target] = nodes[edge.source].name
            wrote[edge.source].add(nodes[edge.target].name)
    found: dict[str, Hashable] = {}
    for key, node in nodes.items():
        if node.kind == "step":
            # a subgraph may hold only some of what a step wrote
            outputs = node.properties.get("outputs") or wrote[key]
            found[key] = ("step", node.name, tuple(sorted(outputs)))
        else:
            found[key] = (node.kind, node.name, writer.get(key), node.properties.get("workspace"))
    return found


def _paired(a: Subgraph, b: Subgraph, compare: Compare) -> tuple[Pair, ...]:
    first = {node.key: node for node in a.nodes}
    waiting: dict[Hashable, list[Node]] = defaultdict(list)
    in_both = first.keys() & {node.key for node in b.nodes}
    meant = meanings(a)
    for node in a.nodes:
        if node.key not in in_both:
            waiting[meant[node.key]].append(node)
    meant = meanings(b)
    pairs: list[Pair] = []
    for node in reversed(b.nodes):
        if node.key in in_both:
            pairs.append(Pair(first[node.key], node))
        elif others := waiting[meant[node.key]]:
            other = others.pop()
            pairs.append(Pair(other, node, tuple(compare(other, node))))
        else:
            pairs.append(Pair(None, node))
    matched = {pair.a.key for pair in pairs if pair.a}
    return (*reversed(pairs), *(Pair(node, None) for node in a.nodes if node.key not in matched))


def _told(pair: Pair) -> Node:
    node = pair.node
    told: dict[str, Any] = {"change": pair.change}
    if pair.differences:
        told["changes"] = [d.to_json() for d in pair.differences]
    return Node(
        key=node.key, kind=node.kind, name=node.name, properties={**node.properties, **told}
    )
