"""Two pieces of a graph laid over one another, by what the views tell: no file is looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dws_graph.api.differences import differing, of_commands, told
from dws_graph.backends.ordering import in_order
from dws_graph.backends.views import Questions
from dws_graph.model.certificates import Certificate
from dws_graph.model.overlay import Difference, overlay
from dws_graph.model.subgraph import Node, Subgraph

READ = {"READ_BY": "input", "CODE_OF": "code"}
Read = Mapping[str, Mapping[tuple[str, str], Certificate]]
"""By step, and by what it was to the step and its ref: the version that it read."""


def laid_over(q: Questions, a: Subgraph, b: Subgraph) -> Subgraph:
    """The second over the first, each node and arrow saying what became of it.

    A node of both is told once, as it is in the second. Of two runs of a step it is told in what
    they differ, not in what came out of them.
    """
    a, b = _with_outputs(q, a, b), _with_outputs(q, b, a)
    keys = {n.key for n in (*a.nodes, *b.nodes) if n.kind == "certificate"}
    known = q.certificates(sorted(keys))
    laid = overlay(a, b, _Comparison(known, _read(a, known), _read(b, known)))
    same = {pair.a.key: pair.node.key for pair in laid.pairs if pair.a}
    found = laid.subgraph(b.root or same.get(a.root, ""), complete=a.complete and b.complete)
    return replace(found, nodes=tuple(in_order(found.nodes, found.edges)))


@dataclass(frozen=True, slots=True)
class _Comparison:
    """In what a node of the first differs from the one of the second that means the same."""

    known: Mapping[str, Certificate]
    before: Read
    after: Read

    def __call__(self, a: Node, b: Node) -> list[Difference]:
        """See `model.overlay.Compare`."""
        if b.kind == "step":
            return self._of_steps(a, b)
        one, two = self.known.get(a.key), self.known.get(b.key)
        if one is None or two is None or one.same_version(two):
            return []
        return [Difference("hash", "", *told(one, two))]

    def _of_steps(self, a: Node, b: Node) -> list[Difference]:
        one, two = a.properties, b.properties
        found = differing("parameter", one["parameters"], two["parameters"])
        found += of_commands(one["command_line"], two["command_line"], found)
        before, after = self.before.get(a.key, {}), self.after.get(b.key, {})
        for what, ref in dict.fromkeys([*before, *after]):
            was, now = before.get((what, ref)), after.get((what, ref))
            if was is None or now is None or not was.same_version(now):
                found.append(Difference(what, ref, *told(was, now)))
        return found


def _read(graph: Subgraph, known: Mapping[str, Certificate]) -> Read:
    found: dict[str, dict[tuple[str, str], Certificate]] = defaultdict(dict)
    for edge in graph.edges:
        if edge.type in READ and edge.source in known:
            certificate = known[edge.source]
            found[edge.target][READ[edge.type], str(certificate.ref)] = certificate
    return found


def _with_outputs(q: Questions, graph: Subgraph, other: Subgraph) -> Subgraph:
    """The same, steps that the other lacks saying all that they wrote: by that they are known."""
    shared = {node.key for node in other.nodes}

    def said(node: Node) -> Node:
        info = q.step(node.key) if node.kind == "step" and node.key not in shared else None
        if info is None:
            return node
        outputs = sorted(str(certificate.ref) for certificate in info.outputs)
        return replace(node, properties={**node.properties, "outputs": outputs})

    return replace(graph, nodes=tuple(map(said, graph.nodes)))


def counted(graph: Subgraph) -> dict[str, int]:
    """How many nodes are only in the second, only in the first, another in each, the same."""
    found = dict.fromkeys(("added", "dropped", "changed", "same"), 0)
    for node in graph.nodes:
        found[node.properties["change"]] += 1
    return found
