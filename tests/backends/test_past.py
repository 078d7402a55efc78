"""The graph as it was at a moment, in every view that is asked.

What it must have been is told by another way: the facts up to that moment alone, folded anew.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence

import pytest

from dws_graph.backends.index import Index
from dws_graph.backends.overviews import Moment
from dws_graph.backends.views import Dump, Questions
from dws_graph.model import facts as f
from dws_graph.model.facts import Line
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import random_history, ref


def moment_of(view: Questions, workspace: str, snapshot: str) -> Moment:
    found = view.snapshot(workspace, snapshot)
    assert found is not None
    return Moment(found.recorded, found.timestamp)


def names(view: Questions, starts: Collection[str], moment: Moment, *, up: bool = True) -> list[str]:
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
