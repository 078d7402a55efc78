"""The graph as it was at a moment, in every view that is asked.

What it must have been is told by another way: the facts up to that moment alone, folded anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence

import pytest

from dws_graph.api.laying_over import counted, laid_over
from dws_graph.api.past import held_at, marks_of, recorded_marks, stale_at, versions_at
from dws_graph.api.past import moment_of as moment_of_snapshot
from dws_graph.backends.index import Index
from dws_graph.backends.overviews import Moment
from dws_graph.backends.views import Dump, Questions, StaleStep
from dws_graph.model import facts as f
from dws_graph.model.facts import Fact, Line
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import A, B, Recorder, random_history, ref


def moment_of(view: Questions, workspace: str, snapshot: str) -> Moment:
    found = view.snapshot(workspace, snapshot)
    assert found is not None
    return moment_of_snapshot(found)


def names(
    view: Questions, starts: Collection[str], moment: Moment, *, up: bool = True
) -> list[str]:
    found = view.lineage_then(starts, moment, up=up)
    return [node.name for node in found.nodes]


def test_what_was_recorded_later_is_not_there(folded: Folded, recorder: Recorders):
    a = recorder()
    first = a.step("prepare", ["raw"], ["clean"])
    before = a.snapshot("v1")
    later = a.step("train", ["clean"], ["model"])
    after = a.snapshot("v2")
    [clean], [model] = first.outputs, later.outputs
    with folded(a) as view:
        then, since = (moment_of(view, a.workspace, snap) for snap in (before, after))
        assert names(view, [clean.id], then) == ["raw", "prepare", "clean"]
        assert names(view, [clean.id], since) == ["raw", "prepare", "clean", "train", "model"]
        assert names(view, [clean.id], since, up=False) == ["clean", "train", "model"]
        assert view.known_then([clean.id, model.id, later.id, "none"], then) == {clean.id}
        assert view.known_then([clean.id, model.id], since) == {clean.id, model.id}
        assert names(view, [model.id], then) == []


def test_what_was_retracted_later_is_still_there(folded: Folded, recorder: Recorders):
    a = recorder()
    bad = a.step("prepare", ["raw"], ["clean"])
    before = a.snapshot("v1")
    a.retract(bad.id, "the data was wrong")
    after = a.snapshot("v2")
    [clean] = bad.outputs
    with folded(a) as view:
        for snap, there in ((before, True), (after, False)):
            found = view.lineage_then([clean.id], moment_of(view, a.workspace, snap))
            told = next(n for n in found.nodes if n.key == clean.id).properties
            assert ([n.name for n in found.nodes if n.kind == "step"] == ["prepare"]) is there
            assert told["produced"] is there
            assert told.get("retracted", False) is not there


def test_a_ref_stands_for_the_versions_that_there_were(folded: Folded, recorder: Recorders):
    a = recorder()
    one = a.step("prepare", ["raw"], ["clean"])
    snap = a.snapshot()
    a.step("prepare", ["raw"], ["clean"])
    with folded(a) as view:
        moment = moment_of(view, a.workspace, snap)
        [clean] = [c for c in view.certificates_of(a.workspace, ref("clean"))][1:]
        found = view.lineage_then([clean.id], moment, up=False)
        assert [n.key for n in found.nodes] == [one.outputs[0].id]


def test_the_depth_counts_steps(folded: Folded, recorder: Recorders):
    a = recorder()
    for n in range(6):
        a.step(f"s{n}", [f"d{n}"], [f"d{n + 1}"])
    snap = a.snapshot()
    start = a.steps[3].outputs[0].id
    with folded(a) as view:
        moment = moment_of(view, a.workspace, snap)
        for depth in (1, 2, 5, None):
            up = view.upstream([start], root=start, depth=depth)
            assert view.lineage_then([start], moment, root=start, down=False, depth=depth) == up
            down = view.downstream([start], root=start, depth=depth)
            assert view.lineage_then([start], moment, root=start, up=False, depth=depth) == down


def test_what_was_stale_at_a_snapshot(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("prepare", ["raw"], ["clean"], code=["code"])
    a.step("train", ["clean"], ["model"])
    a.snapshot("v1")
    a.edit("raw")
    a.step("look", ["raw"])
    stale = a.snapshot("v2")
    a.step("prepare", ["raw"], ["clean"], code=["code"])
    half = a.snapshot("v3")
    a.step("train", ["clean"], ["model"])
    a.retract(a.steps[1].id)
    fresh = a.snapshot("v4")
    with folded(a) as view:

        def told(snap: str) -> dict[str, list[str]]:
            found = view.snapshot(a.workspace, snap)
            assert found is not None
            marks = marks_of(stale_at(view, found))
            return {one.name: marks[one.id] for one in a.steps if one.id in marks}

        upstream = ["upstream stale: clean"]
        assert told(stale) == {"prepare": ["input changed: raw"], "train": upstream}
        assert told(half) == {"train": ["input changed: clean"]}  # it was retracted later
        assert told(fresh) == {}


def test_what_is_stale_in_other_copies_says_where(folded: Folded, recorder: Recorders):
    a = recorder()
    a.created(hostname="laptop")
    one = a.step("prepare", ["raw"], ["clean"])
    a.snapshot()
    a.edit("raw")
    a.step("look", ["raw"])
    a.snapshot()
    with folded(a) as view:
        reasons = ["input changed: raw"]
        wrote = one.outputs[0].id
        assert recorded_marks(view, a.workspace) == {one.id: reasons, wrote: reasons}
    b = Recorder(B, a.workspace)
    b.set_current([], hostname="server")
    with folded(a, b) as view:
        reasons = ["input changed: raw (in the copy on laptop)"]
        assert recorded_marks(view, a.workspace) == {one.id: reasons, wrote: reasons}


def test_the_version_of_a_ref_at_a_snapshot(folded: Folded, recorder: Recorders):
    a = recorder()
    one = a.step("prepare", ["raw"], ["clean:/a"]).outputs[0].id
    first = a.snapshot()
    two = a.step("prepare", ["raw"], ["clean:/a"]).outputs[0].id
    a.clear("clean:/a")
    second = a.snapshot()
    with folded(a) as view:

        def versions(snap: str, name: str) -> list[str]:
            found = view.snapshot(a.workspace, snap)
            assert found is not None
            return versions_at(view, found, ref(name))

        assert versions(first, "clean:/a") == versions(first, "clean") == [one]
        assert versions(second, "clean:/a") == [two]  # none was current: the newest known
        assert versions(first, "model") == versions(first, "clean:/a/b") == []


def test_two_versions_are_laid_over_one_another(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("prepare", ["raw"], ["clean"], parameters={"k": 1})
    a.step("old", ["raw"], ["gone"])
    a.snapshot("v1", contents={"clean": "1"})
    a.step("prepare", ["raw"], ["clean"], parameters={"k": 2})
    a.clear("gone")
    a.step("new", ["clean"], ["model"])
    a.snapshot("v2", contents={"clean": "2", "raw": "raw"})
    with folded(a) as view:
        sides = []
        for snap in view.snapshots(a.workspace):
            keys = [c.id for c in held_at(view, snap)]
            sides.append(view.lineage_then(keys, moment_of_snapshot(snap), down=False))
        laid = laid_over(view, *sides)
        told = {(n.name, n.properties["change"]) for n in laid.nodes}
        assert told == {
            ("raw", "same"),
            ("prepare", "changed"),
            ("clean", "changed"),
            ("old", "dropped"),
            ("gone", "dropped"),
            ("new", "added"),
            ("model", "added"),
        }
        changes = next(n.properties["changes"] for n in laid.nodes if n.name == "prepare")
        assert changes == [{"what": "parameter", "name": "k", "a": 1, "b": 2}]
        assert counted(laid) == {"added": 2, "dropped": 2, "changed": 2, "same": 1}
        assert {n.properties["change"] for n in laid_over(view, sides[1], sides[1]).nodes} == {
            "same"
        }


@pytest.mark.parametrize("seed", range(6))
def test_a_moment_is_what_the_facts_up_to_it_make(folded: Folded, seed: int):
    """Of all that was ever recorded, compared with a fold of the facts until then."""
    a, b = random_history(seed, 40, str(uuid.uuid4()), retract_once=True)
    lines = [*a.lines, *b.lines]
    taken = [one.fact for one in lines if one.fact.kind == f.SNAPSHOT_TAKEN]
    assert taken
    became = {m["placeholder"]: m["certificate"] for fact in taken for m in fact.body["merge"]}
    everything = sorted(nodes_of(folded_anew(lines), {}))
    with folded(a, b) as view:
        for fact in taken:
            moment = Moment(fact.id, "")
            then = folded_anew([one for one in lines if one.fact.id <= fact.id])
            found = view.lineage_then(everything, moment)
            assert {(e.source, e.target, e.type) for e in found.edges} == arrows_of(then, became)
            assert {n.key for n in found.nodes} == nodes_of(then, became)
            assert view.known_then(everything, moment) == nodes_of(then, became)
            assert stale_then(view, fact) == stale_anew(lines, fact)


def stale_then(view: Questions, fact: Fact) -> list[str]:
    found = view.snapshot(fact.workspace, fact.body["hash"])
    assert found is not None
    return told_of(stale_at(view, found))


def told_of(found: Iterable[StaleStep]) -> list[str]:
    """Which steps, what of it is there, and what is the matter with which refs."""
    return [f"{one.step.id} {one.outputs} {[str(r) for r, _ in one.reasons]}" for one in found]


def stale_anew(lines: Iterable[Line], fact: Fact) -> list[str]:
    with Index(None) as index:
        for instance in (A, B):
            mine = (one for one in lines if one.fact.instance == instance)
            index.apply([one for one in mine if one.fact.id <= fact.id])
        return told_of(index.stale(fact.workspace, fact.instance))


def folded_anew(lines: Sequence[Line]) -> Dump:
    with Index(None) as index:
        index.apply(lines)
        return index.dump()


def nodes_of(dump: Dump, became: Mapping[str, str]) -> set[str]:
    """The steps and certificates that a fact describes, by the ids that they have in the end."""
    described = (n["properties"] for n in dump["nodes"] if {"Step", "Certificate"} & {*n["labels"]})
    return {
        became.get(props["id"], props["id"])
        for props in described
        if "name" in props or "resource" in props
    }


def arrows_of(dump: Dump, became: Mapping[str, str]) -> set[tuple[str, str, str]]:
    return {
        (became.get(e["source"], e["source"]), became.get(e["target"], e["target"]), e["type"])
        for e in dump["edges"]
        if e["type"] in ("READ_BY", "CODE_OF", "WROTE", "IMPORTED_AS")
    }
