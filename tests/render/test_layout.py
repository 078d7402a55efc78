from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import layout as bench
from dws_graph.render.crossings import crossings, ordered
from dws_graph.render.heights import pooled
from dws_graph.render.layers import acyclic, layered
from dws_graph.render.layout import Layout, layered_layout
from dws_graph.render.picture import picture_of
from tests.render import samples

SIZE = (100.0, 36.0)


@st.composite
def graphs(draw, *, cycles: bool):
    count = draw(st.integers(0, 24))
    sizes = {
        i: (draw(st.sampled_from([88.0, 120.0, 190.0])), draw(st.sampled_from([30.0, 36.0])))
        for i in range(count)
    }
    if count < 2:
        return sizes, []
    node = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=50))
    if not cycles:
        pairs = [(min(p), max(p)) for p in pairs if p[0] != p[1]]
    return sizes, pairs


def overlaps(layout: Layout[int], sizes) -> list[tuple[int, int]]:
    def apart(a: int, b: int) -> bool:
        (ax, ay), (bx, by) = layout.positions[a], layout.positions[b]
        (aw, ah), (bw, bh) = sizes[a], sizes[b]
        return abs(ax - bx) >= (aw + bw) / 2 or abs(ay - by) >= (ah + bh) / 2

    keys = list(sizes)
    return [(a, b) for i, a in enumerate(keys) for b in keys[:i] if not apart(a, b)]


@given(graphs(cycles=True))
@settings(max_examples=150)
def test_nodes_never_overlap_and_lie_in_the_picture(graph):
    sizes, edges = graph

    layout = layered_layout(sizes, edges)

    assert list(layout.positions) == list(sizes)
    assert overlaps(layout, sizes) == []
    for key, (x, y) in layout.positions.items():
        w, h = sizes[key]
        assert w / 2 <= x + 0.02
        assert x + w / 2 <= layout.width + 0.02
        assert h / 2 <= y + 0.02
        assert y + h / 2 <= layout.height + 0.02


@given(graphs(cycles=False))
@settings(max_examples=150)
def test_edges_of_an_acyclic_graph_run_from_left_to_right(graph):
    sizes, edges = graph

    layout = layered_layout(sizes, edges)

    for (source, target), route in zip(edges, layout.routes, strict=True):
        (sx, sy), (tx, ty) = layout.positions[source], layout.positions[target]
        assert route[0] == pytest.approx((sx + sizes[source][0] / 2, sy), abs=0.02)
        assert route[-1] == pytest.approx((tx - sizes[target][0] / 2, ty), abs=0.02)
        assert all(a[0] <= b[0] for a, b in pairwise(route))


@given(graphs(cycles=True))
@settings(max_examples=100)
def test_no_edge_passes_under_a_node(graph):
    sizes, edges = graph

    layout = layered_layout(sizes, edges)

    for (source, target), route in zip(edges, layout.routes, strict=True):
        legs = list(pairwise(route))
        assert len(legs) % 2 == (1 if route else 0)
        for i, ((x1, y1), (x2, y2)) in enumerate(legs):
            if i % 2 == 0:
                assert y1 == y2
            low, high = sorted((x1, x2))
            for key, (x, y) in layout.positions.items():
                w, h = sizes[key]
                beside = high <= x - w / 2 + 0.02 or low >= x + w / 2 - 0.02
                level_apart = i % 2 == 0 and abs(y - y1) >= h / 2
                own = key in (source, target) and i in (0, len(legs) - 1)
                other_column = i % 2 == 1 and (max(y1, y2) < y - h / 2 or min(y1, y2) > y + h / 2)
                assert beside or level_apart or own or other_column


@given(graphs(cycles=True))
@settings(max_examples=50)
def test_the_same_graph_gives_the_same_layout(graph):
    sizes, edges = graph

    assert layered_layout(sizes, edges) == layered_layout(dict(sizes), list(edges))


@given(graphs(cycles=True))
@settings(max_examples=100)
def test_turning_arrows_round_leaves_no_cycle(graph):
    sizes, edges = graph
    distinct = list(dict.fromkeys(e for e in edges if e[0] != e[1]))

    forward = acyclic(len(sizes), distinct)

    made = layered(len(sizes), list(dict.fromkeys(forward)))
    assert all(made.layer[a] < made.layer[b] for a, b in forward)
    assert all(made.layer[b] == made.layer[a] + 1 for p in made.paths for a, b in pairwise(p))


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.1, 10)), max_size=30))
def test_pooling_keeps_order_and_what_was_in_order(pairs):
    wishes, weights = [p[0] for p in pairs], [p[1] for p in pairs]

    values = pooled(wishes, weights)

    assert values == sorted(values)
    assert pooled(sorted(wishes), weights) == sorted(wishes)


def test_a_cross_is_undone():
    made = layered(4, [(0, 3), (1, 2)])

    assert crossings(made, [[0, 1], [2, 3]]) == 1
    assert crossings(made, ordered(made)) == 0


@pytest.mark.needs("dot")
def test_pipelines_cross_little_more_than_graphviz_lets_them():
    ours, dot = [], []
    for seed in (1, 2, 3, 4):
        picture = picture_of(samples.pipelines(13, seed=seed))
        number = {node.key: i for i, node in enumerate(picture.nodes)}
        edges = dict.fromkeys((number[e.source], number[e.target]) for e in picture.edges)
        graph = bench.Graph([n.width for n in picture.nodes], list(edges))
        theirs = bench.by_dot(graph, 20)
        assert theirs is not None
        ours.append(bench.count_crossings(bench.ours(graph).lines))
        dot.append(bench.count_crossings(theirs.lines))

    assert sum(c.drawn for c in dot) > 50
    assert sum(c.drawn for c in ours) < 1.25 * sum(c.drawn for c in dot)
    assert sum(c.per_edge for c in ours) < 1.5 * sum(c.per_edge for c in dot)


def test_crossings_are_counted_as_they_are_seen():
    shared, other = [(0.0, 0.0), (10.0, 10.0), (20.0, 10.0)], [(0.0, 10.0), (10.0, 0.0)]

    assert bench.count_crossings([shared, other]) == (1, 1)
    assert bench.count_crossings([shared, shared[::-1], other]) == (1, 2)
    assert bench.count_crossings([shared, [(10.0, 10.0), (10.0, 0.0)]]) == (0, 0)
    assert bench.count_crossings([]) == (0, 0)


def test_nothing_and_one_node():
    assert layered_layout({}, []) == Layout({}, [], 0.0, 0.0)
    assert layered_layout({"a": SIZE}, [("a", "a")]).routes == [[]]


def test_an_edge_to_a_node_that_is_not_there_has_no_route():
    assert layered_layout({"a": SIZE}, [("a", "b"), ("b", "a")]).routes == [[], []]


def test_a_cycle_is_drawn_with_one_edge_from_right_to_left():
    layout = layered_layout(dict.fromkeys("abc", SIZE), [("a", "b"), ("b", "c"), ("c", "a")])

    assert [route[0][0] < route[-1][0] for route in layout.routes] == [True, True, False]


def test_unconnected_nodes_are_packed_and_not_put_in_one_column():
    layout = layered_layout(dict.fromkeys(range(300), SIZE), [])

    assert 1 < layout.width / layout.height < 3


def test_a_long_chain_is_one_straight_line():
    count = 2000

    layout = layered_layout(
        dict.fromkeys(range(count), SIZE), [(i, i + 1) for i in range(count - 1)]
    )

    assert layout.height == SIZE[1]
    assert len({y for _, y in layout.positions.values()}) == 1


def test_a_step_that_reads_all_of_a_long_chain_gets_one_line_for_it():
    count = 400
    edges = [(i, i + 1) for i in range(count)] + [(i, count) for i in range(count - 1)]

    layout = layered_layout(dict.fromkeys(range(count + 1), SIZE), edges)

    assert layout.height < 150


@pytest.mark.slow
def test_two_thousand_tangled_nodes_are_all_placed_beside_one_another():
    edges = [(i * 7919 % i, i) for i in range(1, 2000)]
    edges += [(i * 104729 % i, i) for i in range(1, 1750)]

    layout = layered_layout(dict.fromkeys(range(2000), SIZE), edges)

    assert len(set(layout.positions.values())) == 2000
