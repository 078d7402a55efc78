"""Random histories of two clones, folded into Neo4j by four writers at once."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.index import Index
from dws_graph.backends.views import diff_dumps
from dws_graph.model.facts import Line
from tests.backends.conftest import graph_address
from tests.backends.histories import WORKSPACE, random_history
from tests.backends.reachable import check_reach
from tests.neo4j.local import Address


def write(address: Address, lines: Sequence[Line]) -> int:
    """What one process does: it folds what the graph lacks, some at a time."""
    applied = 0
    with contextlib.closing(Neo4jGraph(graph_address(address), WORKSPACE, chunk=20)) as graph:
        for upto in range(25, len(lines) + 25, 25):
            applied += graph.apply(lines[:upto])
    return applied


@pytest.mark.parametrize("seed", [1, 2])
def test_four_writers_of_two_clones_fold_what_one_index_holds(neo4j_address: Address, seed: int):
    a, b = random_history(seed, events=120)
    with contextlib.closing(Neo4jGraph(graph_address(neo4j_address), WORKSPACE)) as graph:
        graph.drop()
        with ThreadPoolExecutor(4) as pool:
            work = [pool.submit(write, neo4j_address, r.lines) for r in (a, b, a, b)]
            applied = [one.result() for one in work]

        with Index(None) as index:
            index.apply([*a.lines, *b.lines])
            expected = index.dump()
        assert sum(applied) == len(a.lines) + len(b.lines)
        assert diff_dumps(graph.dump(), expected) == []

        check_reach(GraphQuestions(graph.connection.reading), expected, every=5)
        graph.drop()
