"""What a search finds, in every view that is asked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest

from dws_graph.backends import matching
from dws_graph.backends.matching import of_step
from dws_graph.backends.views import Hit, HitKind, Questions
from dws_graph.model.values import dump_line
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import Recorder, digest
from tests.backends.test_pages import HOSTILE, all_of


def steps(view: Questions, text: str, workspace: str | None, **how: Any) -> list[tuple[str, str]]:
    found = view.search(text, workspace, kind="step", **how)
    return [(hit.name, hit.matched) for hit in found]


PARAMETERS = {
    "alpha": 0.1,
    "Model": "Ridge",
    "deep": {"layers": [1, 2], "on": True},
    'quo"te': "a\\b",
    "grid": ["x", "y z"],
}
FOUND_BY = {
    "alpha": "alpha=0.1",
    "ALPHA = 0.1": "alpha=0.1",
    "alpha=0.10": None,
    "ridge": "Model=Ridge",
    "model=ridge": "Model=Ridge",
    "deep.layers": "deep.layers=[1,2]",
    "deep.on=true": "deep.on=true",
    "deep.on=false": None,
    'quo"te=a\\b': 'quo"te=a\\b',
    "y z": 'grid=["x","y z"]',
    "alpha=ridge": None,
}


def test_a_step_is_found_by_its_parameters(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("fit", ["raw"], ["model"], parameters=PARAMETERS)
    a.step("other", ["raw"], ["else"], parameters={"beta": 1})

    with folded(a) as view:
        found = {text: steps(view, text, a.workspace) for text in FOUND_BY}

    assert found == {text: [("fit", pair)] if pair else [] for text, pair in FOUND_BY.items()}


def test_a_step_is_found_by_its_description(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("fit", ["raw"], ["model"], description="Günther's second try")
    a.step("second", ["raw"], ["else"])

    with folded(a) as view:
        assert steps(view, "GÜNTHER", a.workspace) == [("fit", "Günther's second try")]
        assert steps(view, "second", a.workspace) == [
            ("second", ""),
            ("fit", "Günther's second try"),
        ]


def test_candidates_are_asked_for_until_there_are_enough_hits(
    folded: Folded, recorder: Recorders, monkeypatch: pytest.MonkeyPatch
):
    for engine in ("index", "graph"):
        monkeypatch.setattr(f"dws_graph.backends.{engine}.searching.LOOKED_AT", 2)
    a = recorder()
    for n in range(7):
        a.step(f"s{n}", ["raw"], ["model"], parameters={"batch": n % 3})

    with folded(a) as view:
        assert [name for name, _ in steps(view, "batch=0", a.workspace)] == ["s6", "s3", "s0"]
        assert [name for name, _ in steps(view, "batch=0", a.workspace, limit=2)] == ["s6", "s3"]
        assert [n for n, _ in of_pages(view, "step", "batch=0", a.workspace)] == ["s6", "s3", "s0"]


def of_pages(
    view: Questions, kind: HitKind, text: str, workspace: str | None
) -> list[tuple[str, str]]:
    def ask(limit: int, after: Any) -> list[Hit]:
        return view.search(text, workspace, limit, kind=kind, after=after)

    return [(hit.name, hit.matched) for hit in all_of(ask, 1)]


def test_versions_are_found_by_the_first_digits_of_their_hashes(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    own = str(uuid.uuid4())
    a.step("fit", ["raw"], ["model:/part", "model:/b"])
    a.snapshot("v1", contents={"raw": f"raw {own}", "model": f"model {own}"})
    raw, whole = digest(f"raw {own}"), digest(f"model {own}")
    part = digest(f"model {own} part")

    with folded(a) as view:
        for length in (10, 40):
            [hit] = view.search(raw[:length].upper(), a.workspace, kind="certificate")
            assert (hit.name, hit.matched, hit.workspace) == ("raw", raw, a.workspace)
            assert view.certificates([hit.key])[hit.key].hash == raw
        assert of_pages(view, "certificate", part[:8], a.workspace) == [("model:/part", part)]
        both = of_pages(view, "certificate", whole[:8], None)
        assert sorted(both) == [("model:/b", whole), ("model:/part", whole)]
        assert view.search(raw[:3], a.workspace, kind="certificate") == []
        assert view.search(raw, str(uuid.uuid4())) == []


def test_workspaces_and_resources_are_found_by_name(folded: Folded, recorder: Recorders):
    a, name = recorder(), f"Flights {uuid.uuid4()}"
    b = Recorder(str(uuid.uuid4()), str(uuid.uuid4()))
    a.created(name)
    a.resource("Airports", "source-data", "git")
    b.step("fit", ["Airports"], ["model"])

    with folded(a, b) as view:
        [hit] = view.search(name.lower(), kind="workspace")
        assert (hit.key, hit.name, hit.workspace) == (a.workspace, name, a.workspace)
        [by_id] = view.search(a.workspace, kind="workspace")
        assert (by_id.name, by_id.matched) == (name, a.workspace)
        [nameless] = view.search(b.workspace[:13], kind="workspace")
        assert (nameless.name, nameless.matched) == (b.workspace, "")
        mine = view.search("airport", a.workspace, kind="resource")
        assert [(hit.name, hit.workspace) for hit in mine] == [("Airports", a.workspace)]
        everywhere = [hit.workspace for hit in view.search("airports", kind="resource", limit=100)]
        assert {a.workspace, b.workspace} <= set(everywhere)
        assert len(of_pages(view, "resource", "airports", None)) == len(everywhere)


def test_a_snapshot_says_what_of_it_was_found(folded: Folded, recorder: Recorders):
    a = recorder()
    a.step("fit", ["raw"], ["model"])
    taken = a.snapshot("final-1")

    with folded(a) as view:
        found = [
            view.search(text, a.workspace, kind="snapshot")[0].matched
            for text in ("FINAL", "snapshot 1", taken[:6])
        ]

    assert found == ["", "snapshot 1", taken]


@pytest.mark.parametrize("text", [*HOSTILE, "=", ".", "a=", "%", "_", "*"])
def test_any_text_may_be_searched(folded: Folded, recorder: Recorders, text: str):
    a = recorder()
    a.step("fit", ["raw"], ["model"], parameters={text: text, "x": f"y{text}"})

    with folded(a) as view:
        assert [name for name, _ in steps(view, text, a.workspace)] == ["fit"]


@pytest.mark.parametrize(
    "parameters",
    [PARAMETERS, {"a.b": {"c=d": "e.f=g"}}, {"x": "tab\there", "n": None}, {"ü": "\U0001f600=1"}],
)
def test_the_needles_are_in_all_that_is_found(parameters: Mapping[str, Any]):
    kept = dump_line(parameters).lower()
    for pair in matching._pairs(parameters):
        for begin in range(len(pair)):
            for end in range(begin + 1, len(pair) + 1):
                text = pair[begin:end].lower()
                assert of_step(text, "", None, parameters) is not None
                if "[" not in pair:
                    assert all(one in kept for one in matching.needles(text)), text
