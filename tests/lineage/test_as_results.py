from __future__ import annotations

import json
from pathlib import Path

import pytest

from dws_graph.errors import ConfigurationError, LineageConflictError, LineageError
from dws_graph.lineage import Lineage, LineageBuilder, ResourceRef, ResultsLineage
from dws_graph.model.facts import StepStart
from dws_graph.workspace import find_and_load_workspace
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.reading import living

RESULTS = ResourceRef("results")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    initialize(
        tmp_path, "lab", hostname="test", create_resources=["code", "results"], batch=True
    ).close()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(name: str = "train") -> Lineage:
    return LineageBuilder().with_step_name(name).with_parameters({}).with_no_inputs().eval()


def running(lab: Path) -> list[StepStart]:
    with find_and_load_workspace(True, False, str(lab)) as ws:
        return living(ws)[0]


def writer(lab: Path, ref: ResourceRef) -> str | None:
    """The id of the step that wrote what is current there."""
    with find_and_load_workspace(True, False, str(lab)) as ws:
        ids = {e.ref: e.certificate.id for e in ws.index.entries(ws.id, ws.instance, ref.name)}
        return ws.index.producers(list(ids.values())).get(ids.get(ref, ""))


def test_a_step_goes_on_as_one_that_makes_results(lab: Path) -> None:
    lineage = begin()
    lineage.add_param("gamma", 0.1)

    with lineage.as_results(RESULTS) as results_lineage:
        results_lineage.write_results({"accuracy": 0.9})

    found = json.loads((lab / "results" / "results.json").read_text())
    assert (found["step"], found["parameters"]) == ("train", {"gamma": 0.1})
    assert results_lineage.key == lineage.key == writer(lab, RESULTS)
    assert running(lab) == []


def test_the_object_that_went_on_ends_the_step_alone(
    lab: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with begin() as lineage:
        results_lineage = lineage.as_results(RESULTS)

    assert [s.outputs for s in running(lab)] == [(RESULTS,)]
    with pytest.raises(LineageError, match="made a results step already") as refused:
        lineage.add_param("gamma", 0.1)
    assert "as_results()" in str(refused.value.hint)
    lineage.abort()
    assert "abort() does nothing" in caplog.text
    results_lineage.complete()
    assert writer(lab, RESULTS) == lineage.key


def test_a_step_that_cannot_have_these_results_goes_on_without(lab: Path) -> None:
    with begin("tune").as_results(ResourceRef("results", "tuned")):
        pass
    with begin() as lineage:
        with pytest.raises(LineageConflictError, match="'results' overlaps with 'results:/tuned'"):
            lineage.as_results(RESULTS)
        with pytest.raises(ConfigurationError, match="elsewhere"):
            lineage.as_results(ResourceRef("elsewhere"))
        lineage.add_output_ref(ResourceRef("results", "trained"))

    assert writer(lab, ResourceRef("results", "trained")) == lineage.key


def test_a_results_step_is_not_made_one_again(lab: Path) -> None:
    with begin().as_results(RESULTS) as results_lineage:
        assert isinstance(results_lineage, ResultsLineage)
        with pytest.raises(LineageError, match="has the results directory 'results' already"):
            results_lineage.as_results(ResourceRef("code", "more"))
