"""What the embedded Cypher view alone promises to those who ask it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dws_graph.backends.graph.embedded import EmbeddedGraph
from tests.backends.histories import two_instances


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedGraph:
    found = EmbeddedGraph(tmp_path_factory.mktemp("graph") / "cypher.kgl")
    a, b = two_instances()
    found.apply([*a.lines, *b.lines])
    return found


def test_the_views_own_records_are_not_seen(graph: EmbeddedGraph):
    assert graph.read_only("MATCH (a:Applied) RETURN a").rows == ()
    counted = graph.read_only("MATCH (n) RETURN count(n) AS n").rows[0][0]
    assert counted == len(graph.dump()["nodes"])


def test_without_any_fact_there_is_nothing_to_find(tmp_path: Path):
    empty = EmbeddedGraph(tmp_path / "cypher.kgl")
    assert empty.read_only("MATCH (n) RETURN n").rows == ()
    assert not (tmp_path / "cypher.kgl").exists()
