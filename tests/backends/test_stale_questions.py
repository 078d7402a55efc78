"""What is stale, given the refs that changed on disk, in every view that is asked."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from dws_graph.backends.index import Index
from dws_graph.backends.views import Questions
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import A, B, Recorder, random_history, ref

Told = list[tuple[str, list[str], list[tuple[str, str]]]]


def stale(view: Questions, of: Recorder, changed: Iterable[str] = ()) -> Told:
    """(step, its outputs, its reasons), in the order to run them."""
    found = view.stale(of.workspace, of.instance, [ref(name) for name in changed])
    return [
        (s.step.name, [str(out) for out in s.outputs], [(str(r), why) for r, why in s.reasons])
        for s in found
    ]


@pytest.fixture
def pipeline(recorder: Recorders) -> Recorder:
    """raw -> prepare -> clean -> train -> model."""
    a = recorder()
    a.step("prepare", ["raw"], ["clean"], code=["code:/prep.py"])
    a.step("train", ["clean"], ["model"], code=["code:/train.py"])
    return a


def test_nothing_is_stale_while_all_is_as_it_was_read(folded: Folded, pipeline: Recorder):
    pipeline.snapshot()
    with folded(pipeline) as view:
        assert stale(view, pipeline) == []
        assert stale(view, pipeline, ["other"]) == []


@pytest.mark.parametrize("changed", ["raw", "raw:/deep/a.csv"])
def test_a_changed_input_makes_all_that_follows_stale(
    folded: Folded, pipeline: Recorder, changed: str
):
    with folded(pipeline) as view:
        assert stale(view, pipeline, [changed]) == [
            ("prepare", ["clean"], [("raw", "input changed")]),
            ("train", ["model"], [("clean", "upstream stale")]),
        ]


def test_changed_code_and_outputs_are_told_apart(folded: Folded, pipeline: Recorder):
    with folded(pipeline) as view:
        assert stale(view, pipeline, ["code:/train.py"]) == [
            ("train", ["model"], [("code:/train.py", "code changed")])
        ]
        assert stale(view, pipeline, ["code"]) == [
            ("prepare", ["clean"], [("code:/prep.py", "code changed")]),
            (
                "train",
                ["model"],
                [("clean", "upstream stale"), ("code:/train.py", "code changed")],
            ),
        ]
        assert stale(view, pipeline, ["clean"]) == [
            ("prepare", ["clean"], [("clean", "output changed outside a step")]),
            ("train", ["model"], [("clean", "input changed")]),
        ]


def test_a_newer_version_of_an_input_makes_its_reader_stale(folded: Folded, pipeline: Recorder):
    pipeline.snapshot(contents={"clean": "first"})
    pipeline.step("prepare", ["raw"], ["clean"], code=["code:/prep.py"])
    with folded(pipeline) as view:
        assert stale(view, pipeline) == [("train", ["model"], [("clean", "input changed")])]


def test_an_equal_version_is_the_same_version(folded: Folded, pipeline: Recorder):
    pipeline.snapshot(contents={"clean": "first"})
    pipeline.step("prepare", ["raw"], ["clean"], code=["code:/prep.py"])
    pipeline.snapshot(contents={"clean": "first"})
    with folded(pipeline) as view:
        assert stale(view, pipeline) == []


def test_an_input_that_nobody_kept_is_told(folded: Folded, pipeline: Recorder):
    pipeline.step("prepare", ["raw"], ["clean"], code=["code:/prep.py"])
    with folded(pipeline) as view:
        assert stale(view, pipeline) == [("train", ["model"], [("clean", "input not kept")])]


def test_what_a_retracted_step_wrote_is_nobodys(folded: Folded, pipeline: Recorder):
    pipeline.retract(pipeline.steps[0].id)
    with folded(pipeline) as view:
        assert stale(view, pipeline, ["raw"]) == []
        assert stale(view, pipeline, ["clean"]) == [
            ("train", ["model"], [("clean", "input changed")])
        ]


def test_each_instance_has_its_own(folded: Folded, pipeline: Recorder, recorder: Recorders):
    b = recorder(B)
    pipeline.snapshot()
    b.set_current(pipeline.current.values())
    b.edit("raw")
    b.step("prepare", ["raw"], ["clean"], code=["code:/prep.py"])
    with folded(pipeline, b) as view:
        assert stale(view, pipeline) == []
        assert stale(view, b) == [("train", ["model"], [("clean", "input changed")])]
        assert stale(view, recorder(A[:-1] + "9")) == []


@pytest.mark.parametrize("seed", range(12))
def test_by_chance_it_is_what_the_index_says(folded_neo4j: Folded, recorder: Recorders, seed: int):
    pair = random_history(seed, workspace=recorder().workspace)
    with Index(None) as index, folded_neo4j(*pair) as view:
        for one in pair:
            index.apply(one.lines)
        for one in pair:
            for changed in ([], ["raw"], ["clean"], ["model", "clean:/b"]):
                assert stale(view, one, changed) == stale(index, one, changed)
