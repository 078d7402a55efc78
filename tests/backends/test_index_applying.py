"""Facts into the index: exactly once, in any order of segments, whatever happens to the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dws_graph.backends.index import Index, IndexDamagedError, discard_index, open_index
from dws_graph.backends.views import Dump, DumpNode, diff_dumps
from dws_graph.errors import ViewError
from dws_graph.model.facts import Line
from tests.backends.histories import (
    WORKSPACE,
    B,
    Recorder,
    fold_ways,
    random_history,
    two_instances,
)


def dump_of(batches: list[list[Line]]) -> Dump:
    with Index(None) as index:
        for batch in batches:
            index.apply(batch)
        return index.dump()


def node(dump: Dump, key: str) -> DumpNode:
    (found,) = [n for n in dump["nodes"] if n["properties"]["id"] == key]
    return found


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_random_journals_fold_to_one_graph(seed: int):
    a, b = random_history(seed)
    ways = fold_ways(a.lines, b.lines, seed)
    expected = dump_of(ways.pop("first then second"))

    for name, batches in ways.items():
        assert diff_dumps(expected, dump_of(batches)) == [], name


def test_of_two_retractions_the_later_one_says_why():
    a, b = Recorder(), Recorder(B)
    made = a.step("prepare", ["raw"], ["clean"])
    a.retract(made.id, "first")
    b.retract(made.id, "second")

    for batches in ([a.lines, b.lines], [b.lines, a.lines], [[*b.lines, *a.lines]]):
        with Index(None) as index:
            for batch in batches:
                index.apply(batch)
            found = index.retraction(WORKSPACE, made.id)
        assert found is not None
        assert (found.reason, found.instance) == ("second", B)


def test_what_is_known_of_a_step_by_its_retraction_alone_is_no_step():
    a, b = Recorder(), Recorder(B)
    made = a.step("prepare", ["raw"], ["clean"])
    b.retract(made.id)

    with Index(None) as index:
        index.apply(b.lines)
        assert index.step(made.id) is None
        assert index.steps() == []
        index.apply(a.lines)
        (found,) = index.steps(WORKSPACE, status="retracted")
        assert (found.id, found.status, found.retracted) == (made.id, "completed", True)
        assert index.steps(WORKSPACE, status="completed") == []


def test_a_failure_leaves_nothing_half_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    a, _ = two_instances()
    with Index(tmp_path / "index.db") as index:
        index.apply(a.lines[:4])
        before = index.dump()

        def broken(*_: object) -> None:
            raise OSError("no")

        with monkeypatch.context() as patch:
            patch.setattr("dws_graph.backends.index.view.note", broken)
            with pytest.raises(OSError, match="no"):
                index.apply(a.lines)

        assert index.dump() == before
        assert index.apply(a.lines) == len(a.lines) - 4


@pytest.mark.parametrize("damage", ["garbage", "half", "header", "empty wal"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: str):
    a, _ = two_instances()
    path = tmp_path / "index.db"
    with Index(path) as index:
        index.apply(a.lines)
    raw = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"garbage " * 1000)
    elif damage == "half":
        path.write_bytes(raw[: len(raw) // 2])
    elif damage == "header":
        path.write_bytes(b"\0" * 64 + raw[64:])
    else:
        (tmp_path / "index.db-wal").write_bytes(b"left over")

    index, anew = open_index(path)

    with index:
        assert anew == (damage != "empty wal")
        assert index.apply(a.lines) == (len(a.lines) if anew else 0)
        assert diff_dumps(index.dump(), dump_of([a.lines])) == []


def test_damage_that_shows_later_is_said_so(tmp_path: Path):
    a, _ = two_instances()
    path = tmp_path / "index.db"
    with Index(path) as index:
        index.apply(a.lines)
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\x5a" * (len(raw) - 4096)
    path.write_bytes(raw)

    with pytest.raises(IndexDamagedError, match="damaged"), Index(path) as index:
        index.dump()

    discard_index(path)
    with Index(path) as index:
        assert index.apply(a.lines) == len(a.lines)


def test_a_file_of_another_schema_is_begun_anew(tmp_path: Path):
    path = tmp_path / "index.db"
    Index(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=999")
    connection.close()

    with pytest.raises(IndexDamagedError, match="schema version 999"):
        Index(path)
    index, anew = open_index(path)
    index.close()
    assert anew
    assert open_index(path)[1] is False


def test_a_folder_that_is_not_there_is_no_damage(tmp_path: Path):
    with pytest.raises(ViewError) as e:
        open_index(tmp_path / "none" / "index.db")
    assert not isinstance(e.value, IndexDamagedError)


def test_the_cost_of_a_fact_does_not_grow_with_the_history():
    def instructions(steps: int) -> int:
        a = Recorder()
        for _ in range(steps):
            a.step("train", ["raw"], ["model"])
        with Index(None) as index:
            index.apply(a.lines)
            before = len(a.lines)
            a.step("train", ["raw"], ["model"])
            ticks = [0]

            def tick() -> int:
                ticks[0] += 1
                return 0

            index._store.connection.set_progress_handler(tick, 1)
            index.apply(a.lines[before:])
            return ticks[0]

    assert instructions(400) <= instructions(20) * 1.2
