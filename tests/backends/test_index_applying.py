"""Facts into the index: exactly once, in any order of segments, whatever happens to the file."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dws_graph.backends.index import Index, IndexDamagedError, discard_index, open_index
from dws_graph.backends.views import Applied, Dump, DumpNode, View, diff_dumps, to_lines
from dws_graph.errors import JournalError, ViewError
from dws_graph.model.facts import Line, line_hash
from dws_graph.model.folding import snapshot_id
from tests.backends.histories import (
    WORKSPACE,
    A,
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


def test_each_order_and_batching_of_two_journals_gives_one_graph():
    a, b = two_instances()
    ways = fold_ways(a.lines, b.lines)
    expected = dump_of(ways.pop("first then second"))

    for name, batches in ways.items():
        assert diff_dumps(expected, dump_of(batches)) == [], name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_random_journals_fold_to_one_graph(seed: int):
    a, b = random_history(seed)
    ways = fold_ways(a.lines, b.lines, seed)
    expected = dump_of(ways.pop("first then second"))

    for name, batches in ways.items():
        assert diff_dumps(expected, dump_of(batches)) == [], name


def test_a_dump_is_canonical():
    a, b = two_instances()

    dump = dump_of([a.lines, b.lines])

    assert to_lines(dump) == sorted(to_lines(dump), key=to_lines(dump).index)
    labels = {tuple(n["labels"]) for n in dump["nodes"]}
    assert {("Certificate", "HashCertificate"), ("Step",), ("Tag",), ("Workspace",)} <= labels
    for n in dump["nodes"]:
        assert None not in n["properties"].values()
        assert list(n["properties"]) == sorted(n["properties"])
    keys = {n["properties"]["id"] for n in dump["nodes"]}
    assert all(e["source"] in keys and e["target"] in keys for e in dump["edges"])


def test_differences_of_dumps_are_named():
    a, _ = two_instances()
    whole, part = dump_of([a.lines]), dump_of([a.lines[:-3]])

    found = diff_dumps(whole, part)

    assert any(line.startswith("node only in the first") for line in found)
    assert any(line.startswith("edge only in the first") for line in found)
    assert len(diff_dumps(whole, part, limit=2)) == 3


def test_a_late_completion_wins_over_the_abort():
    a = Recorder()
    start = a.start("train", ["model"])
    a.step("train", ["raw"], ["model"], start=start, error="gone")
    a.step("train", ["raw"], ["model"], start=start)

    for batches in ([a.lines], [[line] for line in a.lines]):
        step = node(dump_of(batches), start.step)["properties"]
        assert step["status"] == "completed"
        assert "error" not in step


def test_of_two_instances_the_later_fact_replaces_the_whole_map():
    a, b = Recorder(), Recorder(B)
    snap = a.snapshot(contents={"raw": "x"}, only_here=1.0)
    body = {**a.lines[-1].fact.body, "metrics": {"other": 2}, "message": "pulled"}
    b.append("SnapshotTaken", body)

    props = node(dump_of([b.lines, a.lines]), snapshot_id(WORKSPACE, snap))["properties"]

    assert props["message"] == "pulled"
    assert props["metric_other"] == 2
    assert "metric_only_here" not in props


def test_tags_of_a_snapshot_follow_its_tag_nodes():
    a = Recorder()
    one, two = a.snapshot("v1"), a.snapshot("v2")
    a.tag("best", one)
    a.tag("v2", one)
    a.tag("v1", None)

    for batches in ([a.lines], [[line] for line in a.lines]):
        dump = dump_of(batches)
        assert node(dump, snapshot_id(WORKSPACE, one))["properties"]["tags"] == ["best", "v2"]
        assert node(dump, snapshot_id(WORKSPACE, two))["properties"]["tags"] == []


def test_a_snapshot_keeps_outputs_and_merges_inputs():
    a = Recorder()
    step = a.step("train", ["raw"], ["model"], code=["raw"])
    a.snapshot()

    dump = dump_of([a.lines])

    output = node(dump, step.outputs[0].id)
    assert output["labels"] == ["Certificate", "HashCertificate"]
    assert {"hash", "version", "kind", "instance"} <= output["properties"].keys()
    assert not [n for n in dump["nodes"] if n["properties"]["id"] == step.inputs[0].id]
    readers = {(e["type"], e["source"]) for e in dump["edges"] if e["target"] == step.id}
    assert {kind for kind, _ in readers} == {"READ_BY", "CODE_OF"}
    assert {source for _, source in readers} == {a.current[step.inputs[0].ref].id}


def test_a_retraction_takes_a_step_out_of_use_whichever_comes_first():
    a, b = Recorder(), Recorder(B)
    made = a.step("prepare", ["raw"], ["clean"], code=["code"])
    a.step("train", ["clean"], ["model"])
    a.snapshot()  # merges what was only read
    b.retract(made.id, "a mistake")

    for batches in ([a.lines, b.lines], [b.lines, a.lines], [b.lines, *([x] for x in a.lines)]):
        dump = dump_of(batches)
        around = {e["type"] for e in dump["edges"] if made.id in (e["source"], e["target"])}
        assert around == {
            *("RETRACTED_READ_BY", "RETRACTED_CODE_OF", "RETRACTED_WROTE", "RETRACTS")
        }
        assert len([e for e in dump["edges"] if e["type"] == "READ_BY"]) == 1
        assert node(dump, made.id)["properties"]["retracted"] is True
        (said,) = [n["properties"] for n in dump["nodes"] if n["labels"] == ["Retraction"]]
        assert (said["step"], said["reason"], said["instance"]) == (made.id, "a mistake", B)


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


def test_facts_are_applied_once_and_the_last_one_is_known():
    a, b = two_instances()
    with Index(None) as index:
        view: View = index
        seen: list[int] = []

        assert view.apply(a.lines[:5]) == 5
        assert view.apply([*a.lines, *b.lines], progress=seen.append) == len(a.lines + b.lines) - 5
        assert view.apply([*a.lines, *b.lines]) == 0

        last = a.lines[-1]
        assert view.applied()[WORKSPACE, A] == Applied(last.fact.seq, last.hash, last.offset)
        assert set(view.applied()) == {(WORKSPACE, A), (WORKSPACE, B)}
        assert seen == [len(a.lines) + len(b.lines)]


def test_many_facts_are_applied_in_several_transactions():
    a = Recorder()
    for n in range(2_300):
        a.tag(f"t{n % 7}", f"{n:040x}")
    seen: list[int] = []
    with Index(None) as index:
        assert index.apply(a.lines, progress=seen.append) == 2_300
        assert index.counts()["Tag"] == 7
    assert seen == [1_000, 1_000, 300]


def test_a_missing_fact_is_named_and_those_before_it_are_applied():
    a, _ = two_instances()
    with Index(None) as index:
        with pytest.raises(JournalError, match=rf"{A}.*fact 7 follows fact 5"):
            index.apply([*a.lines[:5], *a.lines[6:]])

        assert index.applied()[WORKSPACE, A].seq == 5
        assert index.apply(a.lines) == len(a.lines) - 5


def test_a_fact_that_does_not_follow_the_line_before_is_refused():
    a, _ = two_instances()
    changed = a.lines[5]._replace(fact=replace(a.lines[5].fact, prev=line_hash("forged")))
    with Index(None) as index:
        with pytest.raises(JournalError, match="fact 6 does not name fact 5"):
            index.apply([*a.lines[:5], changed])
        assert index.applied()[WORKSPACE, A].seq == 5


def test_another_line_under_the_last_number_is_refused():
    a, b = two_instances()
    with Index(None) as index:
        index.apply([*a.lines[:5], *b.lines])
        with pytest.raises(JournalError, match="fact 5 is another line"):
            index.apply([a.lines[4]._replace(hash=line_hash("forged"))])


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


def test_connections_that_apply_at_once_apply_each_fact_once(tmp_path: Path):
    a, b = two_instances()
    lines = [*a.lines, *b.lines]
    counts: list[int] = []

    def work() -> None:
        with Index(tmp_path / "index.db") as index:
            for at in range(1, len(lines) + 1):
                counts.append(index.apply(lines[:at]))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(counts) == len(lines)
    with Index(tmp_path / "index.db") as index:
        assert diff_dumps(index.dump(), dump_of([lines])) == []


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


def test_property_values_come_back_as_they_were():
    a = Recorder()
    values = {"f": 1.0, "i": 2**63 - 1, "wide": 2**63, "s": "é\U0001f4c8\x00", "b": True, "e": ""}
    step = a.step("train", [], ["model"], parameters={**values, "l": [1, "a"]})

    props = node(dump_of([a.lines]), step.id)["properties"]

    assert {k: props[f"param_{k}"] for k in values} == {**values, "wide": str(2**63)}
    assert isinstance(props["param_f"], float)
    assert props["param_b"] is True
    assert json.loads(props["parameters"])["l"] == [1, "a"]
