"""A retracted step: shown, but no longer upstream or downstream of anything, in every copy."""

from __future__ import annotations

import json
import subprocess

import pytest

from dws_graph import api
from dws_graph.api.views import dump_in, graph_rebuild_in, graph_sync_in
from dws_graph.backends.views import diff_dumps
from dws_graph.errors import LineageConsistencyError, LineageNotFoundError
from tests.rules.lab import CLEAN, DATA, MODEL, Lab


@pytest.fixture
def pipeline(lab: Lab) -> dict[str, str]:
    """raw -> clean -> model -> results; the ids of the steps."""
    return {
        "clean": lab.step("clean", ["raw"], [CLEAN]),
        "fit": lab.step("fit", [CLEAN], [MODEL]),
        "score": lab.results_step([MODEL], {"accuracy": 0.5}, name="score"),
    }


def retract(lab: Lab, step: str, reason: str = "") -> api.RetractedStep:
    done = api.retract_step(step, reason, workspace_uri_or_path=str(lab.root))
    lab.ws.catch_up()
    return done


def downstream(lab: Lab, ref: str) -> set[str]:
    found = api.downstream(ref, workspace_uri_or_path=str(lab.root))
    return {n.name for n in found.nodes if n.kind == "step"}


def views_agree(lab: Lab) -> None:
    """The index, the Cypher view, and each of them folded anew hold one graph."""
    lab.ws.catch_up()
    graph_sync_in(lab.ws)
    index = dump_in(lab.ws, "index")
    assert diff_dumps(index, dump_in(lab.ws, "cypher")) == []
    graph_rebuild_in(lab.ws)
    assert diff_dumps(index, dump_in(lab.ws, "index")) == []
    assert diff_dumps(index, dump_in(lab.ws, "cypher")) == []


def test_a_step_in_the_middle_is_upstream_and_downstream_of_nothing(lab, pipeline):
    retract(lab, pipeline["fit"])

    assert lab.upstream("results").steps == {"score"}
    assert lab.upstream(CLEAN).steps == {"clean"}
    assert downstream(lab, "raw") == {"clean"}
    assert downstream(lab, MODEL) == {"score"}
    views_agree(lab)


def test_what_it_wrote_stays_current_and_is_said_to_be_of_a_retracted_step(lab, pipeline):
    before = lab.entry(MODEL)

    retract(lab, pipeline["fit"])

    after = lab.entry(MODEL)
    assert (after.certificate, after.fingerprint) == (before.certificate, before.fingerprint)
    assert before.output
    assert not after.output
    (model,) = [n for n in lab.upstream("results").certificates if n.name == MODEL]
    assert model.properties["retracted"] is True
    assert model.properties["produced"] is False
    rows = {r["ref"]: r for r in api.report_lineage(workspace_uri_or_path=str(lab.root))}
    assert rows[MODEL]["type"] == "Source Data"
    assert rows[MODEL]["details"].endswith(", written by a step that was retracted")
    assert "retracted" not in rows[CLEAN]["details"]


def test_an_output_of_a_retracted_step_stands_in_no_other_outputs_way(lab, pipeline):
    retract(lab, lab.step("mistake", ["raw"], [f"{DATA}:/whole"]))

    lab.step("part", ["raw"], [f"{DATA}:/whole/part"])

    assert lab.upstream(f"{DATA}:/whole/part").steps == {"part"}


def test_rule_2_1_does_not_go_through_a_retracted_step(lab, pipeline):
    lab.write("raw:/a.csv", "other\n")
    lab.step("clean", ["raw"], [CLEAN])
    with pytest.raises(LineageConsistencyError):
        lab.begin("report", [CLEAN, MODEL])

    retract(lab, pipeline["fit"])

    lab.step("report", [CLEAN, MODEL], [f"{DATA}:/report"])
    assert lab.upstream(f"{DATA}:/report").steps == {"report", "clean"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_snapshot_before_or_after_gives_the_same_lineage(lab, pipeline, when):
    if when == "after":
        retract(lab, pipeline["fit"])
    taken = lab.snapshot("v1").hash
    if when == "before":
        retract(lab, pipeline["fit"])

    assert lab.upstream("results", at=taken).steps == {"score"}
    assert lab.current(MODEL).hash is not None
    info = lab.ws.index.step(pipeline["fit"])
    assert [str(c.ref) for c in (*info.inputs, *info.code, *info.outputs)] == [CLEAN, "code", MODEL]
    assert all(c.hash for c in (*info.inputs, *info.code, *info.outputs))
    views_agree(lab)


def test_the_lineage_files_of_a_snapshot_hold_no_retracted_step(lab, pipeline):
    retract(lab, pipeline["fit"])
    taken = lab.snapshot("v1").hash

    path = lab.root / f".dataworkspace/snapshot_lineage/{taken}/results.json"
    lineages = json.loads(path.read_text())["lineages"]

    assert {item["step_name"] for item in lineages if item["type"] == "step"} == {"score"}


def test_twice_is_said_and_recorded_once(lab, pipeline):
    first = retract(lab, pipeline["fit"], "trained on the test set")
    again = retract(lab, pipeline["fit"], "another reason")

    assert first["new"]
    assert again == {**first, "new": False}
    assert [b["step"] for b in lab.facts("StepRetracted")] == [pipeline["fit"]]


def test_a_secret_in_the_reason_is_not_recorded(lab, pipeline):
    done = retract(lab, pipeline["fit"], "run with --password hunter2")

    assert "hunter2" not in done["reason"]
    assert b"hunter2" not in b"".join(lab.journal_lines())


def test_an_unknown_or_running_step_is_refused_with_what_to_do(lab, pipeline):
    with pytest.raises(LineageNotFoundError) as unknown:
        retract(lab, "nonsense")
    with lab.begin("slow", [], [f"{DATA}:/slow"]), pytest.raises(LineageNotFoundError) as running:
        retract(lab, "slow")

    assert "see dws steps" in unknown.value.hint
    assert running.value.message == "step 'slow' is still running"
    assert lab.facts("StepRetracted") == []


def test_another_copy_retracts_a_step_and_the_first_learns_of_it(lab, pipeline):
    lab.snapshot("v1")
    clone = lab.place / "clone"
    subprocess.run(["git", "clone", "-q", str(lab.root), str(clone)], check=True)
    other = Lab.at(clone)
    try:
        done = retract(other, pipeline["fit"], "seen elsewhere")
        api.take_snapshot(str(clone), "v2")
        subprocess.run(["git", "pull", "-q", str(clone)], cwd=lab.root, check=True)
        lab.reopen()

        shown = api.show_step(pipeline["fit"], str(lab.root))
        assert shown["status"] == "retracted"
        assert shown["retracted"]["reason"] == "seen elsewhere"
        assert shown["retracted"]["instance"] == done["instance"] == other.ws.instance
        assert shown["instance"] == lab.ws.instance
        assert lab.upstream(MODEL).steps == set()
        views_agree(lab)
    finally:
        other.close()
