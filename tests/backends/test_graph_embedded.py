"""The embedded Cypher view holds what the index holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, View, diff_dumps
from dws_graph.errors import JournalError
from dws_graph.model.facts import Line, line_hash
from tests.backends.histories import WORKSPACE, A, fold_ways, random_history, two_instances


def index_dump(lines: list[Line]) -> Dump:
    with Index(None) as index:
        index.apply(lines)
        return index.dump()


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_it_equals_the_index_in_each_order_of_segments(tmp_path: Path, seed: int | None):
    a, b = two_instances() if seed is None else random_history(seed, 20)
    expected = index_dump([*a.lines, *b.lines])
    ways = fold_ways(a.lines, b.lines, seed or 0)
    chosen = ["second then first", "mixed segments", "by threes, mixed, each twice"]
    if seed is None:
        chosen.append("fact by fact, mixed")

    for name in chosen:
        view: View = EmbeddedGraph(tmp_path / f"{name}.kgl")
        for batch in ways[name]:
            view.apply(batch)
        assert diff_dumps(expected, view.dump()) == [], name


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


def test_a_gap_and_a_changed_line_are_reported(tmp_path: Path):
    a, _ = two_instances()
    graph = EmbeddedGraph(tmp_path / "cypher.kgl")
    changed = a.lines[5]._replace(fact=replace(a.lines[5].fact, prev=line_hash("forged")))

    with pytest.raises(JournalError, match="fact 7 follows fact 5"):
        graph.apply([*a.lines[:5], a.lines[6]])
    with pytest.raises(JournalError, match="does not name fact 5"):
        graph.apply([changed])
    with pytest.raises(JournalError, match="is another line"):
        graph.apply([a.lines[4]._replace(hash=line_hash("forged"))])

    assert graph.applied()[WORKSPACE, A].seq == 5
    assert diff_dumps(index_dump(a.lines[:5]), graph.dump()) == []


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
