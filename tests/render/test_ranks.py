from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from dws_graph.render.layers import components
from dws_graph.render.ranks import shortest_ranks


@st.composite
def connected(draw, most: int):
    """A connected acyclic graph: how many nodes, and its arrows, in no order."""
    count = draw(st.integers(1, most))
    tree = [(draw(st.integers(0, v - 1)), v) for v in range(1, count)]
    node = st.integers(0, count - 1)
    more = [(min(p), max(p)) for p in draw(st.lists(st.tuples(node, node), max_size=2 * count))]
    name = draw(st.permutations(range(count)))
    arrows = dict.fromkeys((name[a], name[b]) for a, b in [*tree, *more] if a != b)
    return count, draw(st.permutations(list(arrows)))


def length(rank, arrows) -> int:
    return sum(rank[b] - rank[a] for a, b in arrows)


@given(connected(5))
@settings(max_examples=150)
def test_no_other_ranks_make_the_arrows_shorter(graph):
    count, arrows = graph

    rank = shortest_ranks(count, arrows)

    others = (r for r in product(range(count), repeat=count) if all(r[a] < r[b] for a, b in arrows))
    assert length(rank, arrows) == min(length(r, arrows) for r in others)


@given(connected(40))
@settings(max_examples=100)
def test_every_arrow_leads_to_a_higher_rank(graph):
    count, arrows = graph

    rank = shortest_ranks(count, arrows)

    assert min(rank) == 0
    assert all(rank[a] < rank[b] for a, b in arrows)
    assert len(components(count, [(a, b) for a, b in arrows if rank[b] - rank[a] == 1])) == 1


def test_a_node_stands_beside_the_more_of_its_neighbours():
    # 0 -> 1 -> 2 -> 3, and 4 is read by three that stand in column 3.
    arrows = [(0, 1), (1, 2), (2, 3), (2, 5), (2, 6), (4, 3), (4, 5), (4, 6)]

    assert shortest_ranks(7, arrows) == [0, 1, 2, 3, 2, 3, 3]
