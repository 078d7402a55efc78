"""What a filter means in a piece of the graph: the keys of the nodes that it selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dws_graph.model.selection import And, Around, Key, Not, Or, Selection, Term
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.model.values import parsed_time
from dws_graph.model.ways import away


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What filters ask of that nodes do not say.

    Attributes:
        stale: Why nodes are stale, by their keys.
        tagged: By the tag of a snapshot: the keys of what it contains, and its own.
        workspaces: The names of workspaces, by id.
    """

    stale: Mapping[str, Sequence[str]] = field(default_factory=dict)
    tagged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    workspaces: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN = Known()


def select(selection: Selection, found: Subgraph, known: Known = NOTHING_KNOWN) -> frozenset[str]:
    """The keys of the nodes of a piece that an expression selects."""
    return _Selecting(found, known).keys(selection)


class _Selecting:
    """Evaluates expressions over one piece, of which it finds the times once."""

    def __init__(self, found: Subgraph, known: Known) -> None:
        self._found = found
        self._known = known
        self._all = frozenset(node.key for node in found.nodes)
        self._times: dict[str, str] | None = None

    def keys(self, selection: Selection) -> frozenset[str]:
        if isinstance(selection, Term):
            return self._fitting(selection)
        if isinstance(selection, Not):
            return self._all - self.keys(selection.of)
        if isinstance(selection, And):
            return frozenset.intersection(*map(self.keys, selection.parts))
        if isinstance(selection, Or):
            return frozenset.union(*map(self.keys, selection.parts))
        return self._around(selection)

    def _around(self, around: Around) -> frozenset[str]:
        middle = self.keys(around.of)
        found = set(middle)
        for down, depth in ((False, around.up), (True, around.down)):
            if depth is not None:
                found.update(away(self._found.edges, middle, down=down, depth=depth))
        return frozenset(found)

    def _fitting(self, term: Term) -> frozenset[str]:
        if term.key in ("since", "before"):
            return self._timed(term)
        if term.key == "tag":
            return self._tagged(term)
        fits = _OF_NODE[term.key]
        return frozenset(n.key for n in self._found.nodes if fits(term, n, self._known))

    def _timed(self, term: Term) -> frozenset[str]:
        if self._times is None:
            self._times = times(self._found)
        moment = parsed_time(term.text)
        since = term.key == "since"
        return frozenset(key for key, time in self._times.items() if (time >= moment) == since)

    def _tagged(self, term: Term) -> frozenset[str]:
        held: set[str] = set()
        for tag, keys in self._known.tagged.items():
            if term.fits(tag):
                held |= keys
        wrote = (e.source for e in self._found.edges if e.type == "WROTE" and e.target in held)
        return self._all & held.union(wrote)


def times(found: Subgraph) -> dict[str, str]:
    """When nodes are from, as far as the piece tells: steps as they began, snapshots as taken.

    Data is as old as the step that wrote it; what none wrote, as the first step that read it.
    """
    known = {
        node.key: str(time)
        for node in found.nodes
        if (time := node.properties.get("start_time") or node.properties.get("timestamp"))
    }
    of_data = {e.target: known[e.source] for e in found.edges if _tells(e.type, e.source, known)}
    first: dict[str, str] = {}
    for edge in found.edges:
        if edge.type in ("READ_BY", "CODE_OF") and edge.target in known:
            time = known[edge.target]
            first[edge.source] = min(time, first.get(edge.source, time))
    return {**first, **of_data, **known}


def _tells(kind: str, step: str, known: Mapping[str, str]) -> bool:
    return kind == "WROTE" and step in known


def kind_of(node: Node) -> str:
    """What a node is for people: `step`, `data`, `code` or `snapshot`."""
    if node.kind != "certificate":
        return node.kind
    return "code" if node.properties.get("role") == "code" else "data"


def _kind(term: Term, node: Node, _known: Known) -> bool:
    return term.text == kind_of(node)


def _named(term: Term, node: Node, _known: Known) -> bool:
    return term.fits(node.name) or term.text == node.key


def _workspace(term: Term, node: Node, known: Known) -> bool:
    workspace = str(node.properties.get("workspace") or "")
    return term.fits(workspace) or term.fits(known.workspaces.get(workspace, ""))


def _status(term: Term, node: Node, _known: Known) -> bool:
    return node.properties.get("status") == term.text


def _is_stale(_term: Term, node: Node, known: Known) -> bool:
    return node.key in known.stale


def _reason(term: Term, node: Node, known: Known) -> bool:
    """A reason is `input changed: raw`, and may be named with its ref or without."""
    reasons = known.stale.get(node.key, ())
    return any(term.fits(said) or term.fits(said.partition(": ")[0]) for said in reasons)


def _property(name: str) -> Callable[[Term, Node, Known], bool]:
    return lambda term, node, _known: term.fits(str(node.properties.get(name) or ""))


_OF_NODE: Mapping[Key, Callable[[Term, Node, Known], bool]] = {
    "name": _named,
    "kind": _kind,
    "role": _property("role"),
    "resource": _property("resource"),
    "workspace": _workspace,
    "status": _status,
    "is": _is_stale,
    "stale": _reason,
}
