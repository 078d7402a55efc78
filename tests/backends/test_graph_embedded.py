"""The embedded Cypher view holds what the index holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.model.facts import Line
from tests.backends.histories import two_instances


def index_dump(lines: list[Line]) -> Dump:
    with Index(None) as index:
        index.apply(lines)
        return index.dump()


def test_facts_are_applied_once_also_after_it_is_opened_again(tmp_path: Path):
    a, b = two_instances()
    path = tmp_path / "cypher.kgl"
    seen: list[int] = []

    assert EmbeddedGraph(path).applied() == {}
    assert EmbeddedGraph(path).apply([]) == 0
    assert not path.exists()
    assert EmbeddedGraph(path).apply(a.lines[:4], progress=seen.append) == 4
    assert EmbeddedGraph(path).apply([*a.lines, *b.lines]) == len(a.lines + b.lines) - 4
    assert EmbeddedGraph(path).apply([*a.lines, *b.lines]) == 0

    with Index(None) as index:
        index.apply([*a.lines, *b.lines])
        assert EmbeddedGraph(path).applied() == index.applied()
    assert seen == [4]
    assert EmbeddedGraph(path).size() > 0


@pytest.mark.parametrize("damage", ["garbage", "half", "empty", "left-over log"])
def test_a_damaged_file_counts_as_empty_and_is_begun_anew(tmp_path: Path, damage: str):
    a, _ = two_instances()
    path = tmp_path / "cypher.kgl"
    graph = EmbeddedGraph(path)
    graph.apply(a.lines)
    raw = path.read_bytes()
    if damage == "left-over log":
        path.unlink()
    else:
        path.write_bytes(
            {"garbage": b"garbage " * 99, "half": raw[: len(raw) // 2]}.get(damage, b"")
        )

    assert graph.applied() == {}
    assert graph.read_only("MATCH (n) RETURN n").rows == ()
    assert graph.apply(a.lines) == len(a.lines)
    assert diff_dumps(index_dump(a.lines), graph.dump()) == []


def test_removing_it_takes_all_its_files(tmp_path: Path):
    a, _ = two_instances()
    graph = EmbeddedGraph(tmp_path / "cypher.kgl")
    graph.apply(a.lines)

    graph.remove()

    assert [p.name for p in tmp_path.iterdir() if not p.name.endswith(".turn")] == []
    assert graph.dump() == {"nodes": [], "edges": []}
