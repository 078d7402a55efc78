"""The overlay against what a naive reader would demand of it."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from dws_graph.model.overlay import Difference, overlay
from dws_graph.model.subgraph import Edge, Node, Subgraph

KEYS = [f"k{i}" for i in range(7)]


@st.composite
def graphs(draw):
    """A small pipeline; keys come from a common pool, so that two graphs share some nodes."""
    keys = draw(st.permutations(KEYS))[: draw(st.integers(0, len(KEYS)))]
    nodes, edges, written = [], set(), set()
    for i, key in enumerate(keys):
        is_step = draw(st.booleans())
        name = draw(st.sampled_from("st" if is_step else "xy"))
        kind = "step" if is_step else "certificate"
        nodes.append(Node(key=key, kind=kind, name=name, properties={"n": draw(st.integers(0, 1))}))
        for other in nodes[:i]:
            if other.kind == "step" and not is_step and key not in written and draw(st.booleans()):
                written.add(key)
                edges.add(Edge(other.key, key, "WROTE"))
            elif other.kind == "certificate" and is_step and draw(st.booleans()):
                edges.add(Edge(other.key, key, "READ_BY"))
    return Subgraph(root="", complete=True, nodes=tuple(nodes), edges=tuple(sorted(edges)))


def compare(a, b):
    same = a.properties["n"] == b.properties["n"]
    return [] if same else [Difference("hash", "", a.properties["n"], b.properties["n"])]


def meaning(graph, node):
    if node.kind == "step":
        wrote = [e.target for e in graph.edges if (e.source, e.type) == (node.key, "WROTE")]
        return node.kind, node.name, sorted({n.name for n in graph.nodes if n.key in wrote})
    writers = [e.source for e in graph.edges if (e.target, e.type) == (node.key, "WROTE")]
    return node.kind, node.name, [n.name for n in graph.nodes if n.key in writers]


def expected_matches(a, b):
    """{key in a: key in b}, one meaning after another."""
    shared = {n.key for n in a.nodes} & {n.key for n in b.nodes}
    found = {key: key for key in shared}
    left = [[n for n in g.nodes if n.key not in shared] for g in (a, b)]
    for one in left[0]:
        means = meaning(a, one)
        before = [n.key for n in left[0] if meaning(a, n) == means]
        after = [n.key for n in left[1] if meaning(b, n) == means]
        from_the_end = len(before) - before.index(one.key)
        if from_the_end <= len(after):
            found[one.key] = after[-from_the_end]
    return found


@given(graphs(), graphs())
def test_nodes_are_matched_by_what_they_mean_and_each_once(a, b):
    laid = overlay(a, b, compare)

    assert {p.a.key: p.b.key for p in laid.pairs if p.a and p.b} == expected_matches(a, b)
    assert sorted(p.a.key for p in laid.pairs if p.a) == sorted(n.key for n in a.nodes)
    assert [p.b for p in laid.pairs if p.b] == list(b.nodes)
    for pair in laid.pairs:
        if pair.a and pair.b and pair.a.key != pair.b.key:
            assert pair.change == ("changed" if compare(pair.a, pair.b) else "same")


@given(graphs(), graphs())
def test_edges_are_those_of_either_version(a, b):
    laid = overlay(a, b, compare)
    into = expected_matches(a, b)

    def moved(edge):
        return into.get(edge.source, edge.source), into.get(edge.target, edge.target), edge.type

    before, after = set(map(moved, a.edges)), {(e.source, e.target, e.type) for e in b.edges}
    changes = {(e.source, e.target, e.type): e.change for e in laid.edges}

    assert changes.keys() == before | after
    assert {e for e, c in changes.items() if c == "added"} == after - before
    assert {e for e, c in changes.items() if c == "dropped"} == before - after
    changed = {p.node.key for p in laid.pairs if p.change == "changed"}
    for (source, target, kind), change in changes.items():
        if change in ("same", "changed"):
            carried = target if kind == "WROTE" else source
            assert (change == "changed") == (carried in changed)


@given(graphs())
def test_a_version_over_itself_is_the_same_throughout(graph):
    laid = overlay(graph, graph, compare).subgraph("root")

    assert {n.properties["change"] for n in laid.nodes} <= {"same"}
    assert {e.change for e in laid.edges} <= {"same"}
    assert [n.key for n in laid.nodes] == [n.key for n in graph.nodes]


@given(graphs(), graphs())
def test_the_other_way_round_what_was_added_is_dropped(a, b):
    there, back = overlay(a, b, compare), overlay(b, a, compare)

    def counted(laid):
        changes = sorted(p.change for p in laid.pairs)
        return {change: len(list(group)) for change, group in groupby(changes)}

    one, two = counted(there), counted(back)
    swapped = {"added": "dropped", "dropped": "added"}
    assert {swapped.get(change, change): n for change, n in one.items()} == two
