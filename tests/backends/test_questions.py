"""What is asked of steps, refs and snapshots, in every view that is asked."""

from __future__ import annotations

from typing import Any

import pytest

from dws_graph.backends.views import StepFilter
from dws_graph.errors import ApiParamError
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import A, B, digest, ref


def test_a_step_comes_back_in_full(folded: Folded, recorder: Recorders):
    a = recorder()
    env = a.environment()
    step = a.step(
        "train", ["raw", "clean"], ["model"], code=["code"], environment=env, metrics={"a": [1]}
    )
    with folded(a) as view:
        info = view.step(step.id)
        assert view.step("none") is None

    assert info is not None
    for field in ("id", "name", "start_time", "parameters", "metrics", "command_line", "commit"):
        assert getattr(info, field) == getattr(step, field)
    assert (info.status, info.instance, info.environment) == ("completed", A, env)
    assert info.run_from == ["code", None]
    assert [str(c.ref) for c in info.inputs] == ["clean", "raw"]
    assert info.code == step.code
    assert info.outputs == step.outputs


def test_steps_are_listed_newest_first_and_chosen_by_what_they_are(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    one = a.step("prepare", ["raw"], ["clean"])
    two = a.step("train", ["clean"], ["model"])
    three = a.step("train", ["clean"], ["model"], error="killed")
    mine = [three.id, two.id, one.id]
    with folded(a) as view:

        def ids(**how) -> list[str]:
            return [s.id for s in view.steps(**how)]

        everywhere = ids()
        assert [key for key in everywhere if key in mine] == mine
        assert len(ids(limit=1)) == 1  # others record meanwhile
        assert set(ids(name="prepare")) >= {one.id}
        assert ids(workspace=a.workspace) == mine
        assert ids(workspace=a.workspace, limit=2) == mine[:2]
        assert ids(workspace=a.workspace, name="train", status="completed") == [two.id]
        assert ids(workspace=a.workspace, ref=ref("clean"), limit=1) == [three.id]
        assert ids(workspace=a.workspace, ref=ref("model")) == [two.id]
        assert ids(workspace=a.workspace, since=two.start_time) == [three.id, two.id]
        assert ids(workspace=B) == []
        with pytest.raises(ApiParamError):
            view.steps(ref=ref("clean"))


def test_refs_and_their_versions(folded: Folded, recorder: Recorders):
    a = recorder()
    one = a.step("prepare", ["raw"], ["clean:/b"])
    two = a.step("prepare", ["raw"], ["clean:/b", "clean:/a"])
    with folded(a) as view:
        assert [str(r) for r in view.refs(a.workspace)] == ["clean:/a", "clean:/b", "raw"]
        assert [str(r) for r in view.refs(a.workspace, "clean")] == ["clean:/a", "clean:/b"]
        versions = view.certificates_of(a.workspace, ref("clean:/b"))

    assert [c.id for c in versions] == [two.outputs[0].id, one.outputs[0].id]
    assert [c.status for c in versions] == ["pending", "not kept"]


def test_certificates_come_back_as_the_facts_had_them(folded: Folded, recorder: Recorders):
    a, b = recorder(), recorder(B)
    step = a.step("train", ["raw:/x"], ["model"])
    a.snapshot()
    b.set_current(a.current.values())
    bare = a.current[ref("model")].id
    with folded(b) as view:
        assert view.certificates([bare]) == {}  # only named
    with folded(a) as view:
        found = view.certificates([bare, step.id, "none", a.current[ref("raw:/x")].id])

    assert found == {c.id: c for c in a.current.values()}


def test_producers_are_the_steps_that_wrote(folded: Folded, recorder: Recorders):
    a = recorder()
    made = a.step("prepare", ["raw"], ["clean"])
    a.step("train", ["clean"], ["model"], error="killed")
    clean, raw = made.outputs[0].id, made.inputs[0].id
    with folded(a) as view:
        assert view.producers([clean, raw, "none"]) == {clean: made.id}
        assert view.retracted_producers([clean]) == {}


def test_a_retracted_step_is_no_part_of_lineage(folded: Folded, recorder: Recorders):
    a = recorder()
    made = a.step("prepare", ["raw"], ["clean"])
    a.step("train", ["clean"], ["model"])
    a.retract(made.id, "wrong data")
    clean = made.outputs[0].id
    with folded(a) as view:
        assert view.producers([clean]) == {}
        assert view.retracted_producers([clean]) == {clean: made.id}
        assert [str(row.certificate.ref) for row in view.walk([clean])] == ["clean"]
        assert [n.name for n in view.downstream([made.inputs[0].id]).nodes] == ["raw"]
        [node] = view.upstream([clean]).nodes
        info = view.step(made.id)
        told = view.retraction(a.workspace, made.id)
        assert view.retraction(a.workspace, "none") is None

    assert node.properties["retracted"]
    assert not node.properties["produced"]
    assert info is not None
    assert info.retracted
    assert (info.inputs, info.outputs) == (made.inputs, made.outputs)
    assert told is not None
    assert (told.step, told.reason, told.instance) == (made.id, "wrong data", A)


def test_a_step_known_by_its_retraction_alone_is_none(folded: Folded, recorder: Recorders):
    a = recorder()
    a.retract("0198c0de-0000-7000-8000-" + a.workspace[-12:])
    with folded(a) as view:
        assert view.step(a.lines[0].fact.body["step"]) is None
        assert view.steps(a.workspace) == []
        assert view.step_keys(a.workspace, "0198c0de", 10) == []


PARAMETERS: list[dict[str, Any]] = [
    {"x": 1, "on": True, "text": "1"},
    {"x": 1.0, "on": 1, "text": 1},
    {"x": None, "on": False, "text": "NaN"},
    {"x": [1, 2, {"deep": 1}], "on": {"a": 1}, "text": ""},
    {"x": [1, 2.0, {"deep": 1.0}], "on": {"a": True}, "text": str(2**70)},
    {"y": 1, "text": 2**70},
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"x": 1}, [0, 1]),
        ({"x": 1.0}, [0, 1]),
        ({"x": "1"}, []),
        ({"x": None}, [2]),
        ({"x": [1, 2, {"deep": 1}]}, [3, 4]),
        ({"x": [2, 1, {"deep": 1}]}, []),
        ({"x": [1, 2]}, []),
        ({"on": True}, [0]),
        ({"on": 1}, [1]),
        ({"on": {"a": 1}}, [3]),
        ({"text": "1"}, [0]),
        ({"text": str(2**70)}, [4]),
        ({"text": 2**70}, [5]),
        ({"x": 1, "on": True}, [0]),
        ({"none": 1}, []),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_steps_are_chosen_by_parameters_as_json_has_them(
    folded: Folded, recorder: Recorders, asked: dict[str, Any], expected: list[int]
):
    a = recorder()
    recorded = [a.step("s", parameters=parameters).id for parameters in PARAMETERS]
    chosen = StepFilter(workspace=a.workspace, parameters=asked)
    with folded(a) as view:
        found = [s.id for s in view.chosen_steps(chosen)]
        few = [s.id for s in view.chosen_steps(chosen, 2)]
        count = view.count_steps(chosen)

    newest_first = [recorded[n] for n in reversed(expected)]
    assert found == newest_first
    assert few == newest_first[:2]
    assert count == len(expected)


def test_steps_are_counted_and_chosen_by_status(folded: Folded, recorder: Recorders):
    a = recorder()
    one, two, three = (a.step("s", [], ["x"], error=e) for e in (None, "killed", None))
    a.retract(one.id)
    by_status = {"completed": [three.id], "failed": [two.id], "retracted": [one.id]}
    with folded(a) as view:
        for status, expected in by_status.items():
            assert [s.id for s in view.steps(a.workspace, status=status)] == expected
            for chosen in (
                StepFilter(workspace=a.workspace, status=status),
                StepFilter(workspace=a.workspace, status=status, name="s"),
            ):
                assert view.count_steps(chosen) == 1
        touching = StepFilter(workspace=a.workspace, refs=(ref("x"),))
        assert view.count_steps(touching) == 2  # what failed wrote nothing
        assert view.count_steps(StepFilter(workspace=a.workspace, refs=())) == 0


def test_steps_are_found_by_the_first_letters_of_their_id(folded: Folded, recorder: Recorders):
    a = recorder()
    ids = sorted(a.step("s").id for _ in range(3))
    with folded(a) as view:
        assert view.step_keys(a.workspace, ids[0][:8], 10) == [
            key for key in ids if key.startswith(ids[0][:8])
        ]
        assert view.step_keys(a.workspace, "", 2) == ids[:2]
        assert view.step_keys(B, ids[0], 10) == []


def test_environments_are_known_by_what_they_hold(folded: Folded, recorder: Recorders):
    a = recorder()
    env = a.environment()
    a.step("s", environment="f" * 40)
    with folded(a) as view:
        found = view.environment(a.workspace, env)
        assert view.environment(a.workspace, "f" * 40) is None  # only named
        assert view.environment(a.workspace, "0" * 40) is None

    assert found is not None
    assert (found.hash, found.python, found.packages) == (env, "3.11.7", ("numpy==2.1",))


def test_snapshots_by_time(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("train", ["raw"], ["model"])
    one = a.snapshot("v1", accuracy=0.5, deep={"x": 1})
    two = a.snapshot()
    a.tag("only-named", digest("unknown here"))
    with folded(a) as view:
        first, second = view.snapshots(a.workspace)
        assert view.snapshot(a.workspace, two) == second
        assert view.snapshot(a.workspace, digest("unknown here")) is None

    assert (first.hash, first.number, first.tags) == (one, 1, ("v1",))
    assert first.metrics == {"accuracy": 0.5, "deep": {"x": 1}}
    assert first.hostname == "laptop"


def test_a_text_is_found_in_refs_snapshots_and_steps(folded: Folded, recorder: Recorders):
    a = recorder()
    a.created("my demo")
    one = a.step("Überprüfen", ["raw:/January.csv"], ["january"])
    two = a.step("überprüfen again", ["raw:/January.csv"], ["other"])
    taken = a.snapshot("January-final")
    a.tag("only-named-january", digest("unknown here"))

    def found(text: str, **how: Any) -> list[tuple[str, str]]:
        return [(hit.kind, hit.name) for hit in view.search(text, a.workspace, **how)]

    with folded(a) as view:
        assert found("JANUARY") == [
            ("resource", "january"),
            ("ref", "january"),
            ("ref", "raw:/January.csv"),
            ("snapshot", "January-final"),
        ]
        assert found("raw:/") == [("ref", "raw:/January.csv")]
        assert found("überprüfen") == [("step", two.name), ("step", one.name)]
        assert found("überprüfen", limit=1) == [("step", two.name)]
        assert found(taken[:10]) == [("snapshot", "January-final")]
        assert found("snapshot 1") == [("snapshot", "January-final")]
        assert found("' OR 1=1 // %_") == []
        assert view.search("january", B) == []
        [step] = view.search(two.name, a.workspace)
        anywhere = {hit.key for hit in view.search("überprüfen again")}
        assert view.workspace_names([a.workspace, B]) == {a.workspace: "my demo"}

    assert (step.key, step.workspace, step.time) == (two.id, a.workspace, two.start_time)
    assert two.id in anywhere or len(anywhere) == 50
