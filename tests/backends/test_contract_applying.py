"""The contract of views: facts in, exactly once, in any order of segments, into one graph.

The same tests for index, embedded Cypher and Neo4j; what each answers equals what the index holds.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from dws_graph.backends.index import Index
from dws_graph.backends.views import Applied, Dump, DumpNode, View, diff_dumps, to_lines
from dws_graph.errors import JournalError
from dws_graph.model.facts import Line, line_hash
from dws_graph.model.folding import snapshot_id
from tests.backends.conftest import Views
from tests.backends.histories import (
    WORKSPACE,
    A,
    B,
    Recorder,
    fold_ways,
    random_history,
    two_instances,
)


def dump_of(views: Views, batches: list[list[Line]]) -> Dump:
    view = views.new()
    for batch in batches:
        view.apply(batch)
    return view.dump()


def index_dump(lines: list[Line]) -> Dump:
    with Index(None) as index:
        index.apply(lines)
        return index.dump()


def node(dump: Dump, key: str) -> DumpNode:
    (found,) = [n for n in dump["nodes"] if n["properties"]["id"] == key]
    return found


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_each_order_and_batching_of_two_journals_gives_one_graph(views: Views, seed: int | None):
    a, b = two_instances() if seed is None else random_history(seed, 20)
    ways = fold_ways(a.lines, b.lines, seed or 0)
    expected = index_dump([*a.lines, *b.lines])
    chosen = ["second then first", "mixed segments", "by threes, mixed, each twice"]
    if seed is None:
        chosen.append("fact by fact, mixed")

    for name in chosen:
        assert diff_dumps(expected, dump_of(views, ways[name])) == [], name


def test_a_dump_is_canonical(views: Views):
    a, b = two_instances()

    dump = dump_of(views, [a.lines, b.lines])

    assert to_lines(dump) == sorted(to_lines(dump), key=to_lines(dump).index)
    labels = {tuple(n["labels"]) for n in dump["nodes"]}
    assert {("Certificate", "HashCertificate"), ("Step",), ("Tag",), ("Workspace",)} <= labels
    for n in dump["nodes"]:
        assert None not in n["properties"].values()
        assert list(n["properties"]) == sorted(n["properties"])
    keys = {n["properties"]["id"] for n in dump["nodes"]}
    assert all(e["source"] in keys and e["target"] in keys for e in dump["edges"])


def test_differences_of_dumps_are_named(views: Views):
    a, _ = two_instances()
    whole, part = dump_of(views, [a.lines]), dump_of(views, [a.lines[:-3]])

    found = diff_dumps(whole, part)

    assert any(line.startswith("node only in the first") for line in found)
    assert any(line.startswith("edge only in the first") for line in found)
    assert len(diff_dumps(whole, part, limit=2)) == 3


def test_a_late_completion_wins_over_the_abort(views: Views):
    a = Recorder()
    start = a.start("train", ["model"])
    a.step("train", ["raw"], ["model"], start=start, error="gone")
    a.step("train", ["raw"], ["model"], start=start)

    for batches in ([a.lines], [[line] for line in a.lines]):
        step = node(dump_of(views, batches), start.step)["properties"]
        assert step["status"] == "completed"
        assert "error" not in step


def test_of_two_instances_the_later_fact_replaces_the_whole_map(views: Views):
    a, b = Recorder(), Recorder(B)
    snap = a.snapshot(contents={"raw": "x"}, only_here=1.0)
    body = {**a.lines[-1].fact.body, "metrics": {"other": 2}, "message": "pulled"}
    b.append("SnapshotTaken", body)

    props = node(dump_of(views, [b.lines, a.lines]), snapshot_id(WORKSPACE, snap))["properties"]

    assert props["message"] == "pulled"
    assert props["metric_other"] == 2
    assert "metric_only_here" not in props


def test_tags_of_a_snapshot_follow_its_tag_nodes(views: Views):
    a = Recorder()
    one, two = a.snapshot("v1"), a.snapshot("v2")
    a.tag("best", one)
    a.tag("v2", one)
    a.tag("v1", None)

    for batches in ([a.lines], [[line] for line in a.lines]):
        dump = dump_of(views, batches)
        assert node(dump, snapshot_id(WORKSPACE, one))["properties"]["tags"] == ["best", "v2"]
        assert node(dump, snapshot_id(WORKSPACE, two))["properties"]["tags"] == []


def test_a_snapshot_keeps_outputs_and_merges_inputs(views: Views):
    a = Recorder()
    step = a.step("train", ["raw"], ["model"], code=["raw"])
    a.snapshot()

    dump = dump_of(views, [a.lines])

    output = node(dump, step.outputs[0].id)
    assert output["labels"] == ["Certificate", "HashCertificate"]
    assert {"hash", "version", "kind", "instance"} <= output["properties"].keys()
    assert not [n for n in dump["nodes"] if n["properties"]["id"] == step.inputs[0].id]
    readers = {(e["type"], e["source"]) for e in dump["edges"] if e["target"] == step.id}
    assert {kind for kind, _ in readers} == {"READ_BY", "CODE_OF"}
    assert {source for _, source in readers} == {a.current[step.inputs[0].ref].id}


def test_a_retraction_takes_a_step_out_of_use_whichever_comes_first(views: Views):
    a, b = Recorder(), Recorder(B)
    made = a.step("prepare", ["raw"], ["clean"], code=["code"])
    a.step("train", ["clean"], ["model"])
    a.snapshot()  # merges what was only read
    b.retract(made.id, "a mistake")

    for batches in ([a.lines, b.lines], [b.lines, a.lines], [b.lines, *([x] for x in a.lines)]):
        dump = dump_of(views, batches)
        around = {e["type"] for e in dump["edges"] if made.id in (e["source"], e["target"])}
        assert around == {
            *("RETRACTED_READ_BY", "RETRACTED_CODE_OF", "RETRACTED_WROTE", "RETRACTS")
        }
        assert len([e for e in dump["edges"] if e["type"] == "READ_BY"]) == 1
        assert node(dump, made.id)["properties"]["retracted"] is True
        (said,) = [n["properties"] for n in dump["nodes"] if n["labels"] == ["Retraction"]]
        assert (said["step"], said["reason"], said["instance"]) == (made.id, "a mistake", B)


def test_facts_are_applied_once_and_the_last_one_is_known(views: Views):
    a, b = two_instances()
    view = views.new()
    seen: list[int] = []

    assert view.apply(a.lines[:5]) == 5
    assert view.apply([*a.lines, *b.lines], progress=seen.append) == len(a.lines + b.lines) - 5
    assert view.apply([*a.lines, *b.lines]) == 0

    last = a.lines[-1]
    assert view.applied()[WORKSPACE, A] == Applied(last.fact.seq, last.hash, last.offset)
    assert set(view.applied()) == {(WORKSPACE, A), (WORKSPACE, B)}
    assert seen == [len(a.lines) + len(b.lines)]


def test_many_facts_are_applied_in_several_transactions(views: Views):
    a = Recorder()
    for n in range(5_300):
        a.tag(f"t{n % 7}", f"{n:040x}")
    seen: list[int] = []
    view = views.new()
    assert view.apply(a.lines, progress=seen.append) == 5_300
    assert len([n for n in view.dump()["nodes"] if n["labels"] == ["Tag"]]) == 7
    assert len(seen) > 1
    assert sum(seen) == 5_300


def test_a_missing_fact_is_named_and_those_before_it_are_applied(views: Views):
    a, _ = two_instances()
    view = views.new()
    with pytest.raises(JournalError, match=rf"{A}.*fact 7 follows fact 5"):
        view.apply([*a.lines[:5], *a.lines[6:]])

    assert view.applied()[WORKSPACE, A].seq == 5
    assert view.apply(a.lines) == len(a.lines) - 5


def test_a_fact_that_does_not_follow_the_line_before_is_refused(views: Views):
    a, _ = two_instances()
    changed = a.lines[5]._replace(fact=replace(a.lines[5].fact, prev=line_hash("forged")))
    view = views.new()
    with pytest.raises(JournalError, match="fact 6 does not name fact 5"):
        view.apply([*a.lines[:5], changed])
    assert view.applied()[WORKSPACE, A].seq == 5


def test_another_line_under_the_last_number_is_refused(views: Views):
    a, b = two_instances()
    view = views.new()
    view.apply([*a.lines[:5], *b.lines])
    with pytest.raises(JournalError, match="fact 5 is another line"):
        view.apply([a.lines[4]._replace(hash=line_hash("forged"))])


def test_connections_that_apply_at_once_apply_each_fact_once(views: Views):
    a, b = two_instances()
    lines = [*a.lines, *b.lines]
    counts: list[int] = []
    view = views.new()

    def work(mine: View) -> None:
        for at in range(1, len(lines), 8):
            counts.append(mine.apply(lines[:at]))
        counts.append(mine.apply(lines))

    workers = [threading.Thread(target=work, args=[views.again(view)]) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(counts) == len(lines)
    assert diff_dumps(index_dump(lines), view.dump()) == []


def test_property_values_come_back_as_they_were(views: Views):
    a = Recorder()
    values = {"f": 1.0, "i": 2**63 - 1, "wide": 2**63, "s": "é\U0001f4c8\x00", "b": True, "e": ""}
    step = a.step("train", [], ["model"], parameters={**values, "l": [1, "a"]})

    props = node(dump_of(views, [a.lines]), step.id)["properties"]

    assert {k: props[f"param_{k}"] for k in values} == {**values, "wide": str(2**63)}
    assert isinstance(props["param_f"], float)
    assert props["param_b"] is True
    assert json.loads(props["parameters"])["l"] == [1, "a"]
