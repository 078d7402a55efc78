"""What changed is found, and named first, whatever it was; nothing is blamed in vain."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from dws_graph import api
from dws_graph.errors import LineageNotFoundError, SnapshotNotFoundError
from tests.api.five_steps import PARAMETERS, Pipeline, make_history


@pytest.fixture(scope="session")
def history(tmp_path_factory) -> Path:
    """The five steps in ten snapshots, made once for all workers; not to be changed."""
    shared = tmp_path_factory.getbasetemp().parent / "five-steps"
    with FileLock(f"{shared}.lock"):
        if not (shared / "done").exists():
            make_history(shared)
            (shared / "done").touch()
    return shared / "lab"


def explained(root: Path, then: str, now: str, ref: str = "results") -> api.Explanation:
    return api.lineage_explain(ref, then, snapshot=now, workspace_uri_or_path=str(root))


def causes(root: Path, then: str, now: str) -> list[dict]:
    since = explained(root, then, now).to_json()["since"]
    assert since is not None
    return since["causes"]


HIDDEN = {
    "data": ("base", "data", "source-data:/raw.csv", "load", 5),
    "code": ("data", "code", "code", "report", 1),
    "parameter": ("code", "parameter", "least", "clean", 4),
    "package": ("parameter", "environment", "", "report", 1),
}


@pytest.mark.parametrize("changed", HIDDEN)
def test_the_one_hidden_change_is_the_one_cause(history, changed):
    then, kind, subject, step, distance = HIDDEN[changed]

    (cause,) = causes(history, then, changed)

    assert (cause["kind"], cause["subject"]) == (kind, subject)
    assert (cause["steps"][0], cause["distance"]) == (step, distance)


def test_what_it_was_is_told_exactly(history):
    (data,) = causes(history, "base", "data")
    (code,) = causes(history, "data", "code")
    (parameter,) = causes(history, "code", "parameter")
    (package,) = causes(history, "parameter", "package")

    assert data["files"] == {"added": [], "changed": ["raw.csv"], "removed": []}
    assert data["through"] == [
        *(f"intermediate-data:/{name}" for name in ("load", "clean", "scale", "fit")),
        "results",
    ]
    assert code["files"] == {"added": [], "changed": ["clean.py"], "removed": []}
    assert len(set(code["commits"])) == 2
    assert (parameter["a"], parameter["b"]) == (20, 35)
    assert package["packages"] == [{"name": "tinydep", "a": "1.0", "b": "2.0"}]


def test_a_diff_shows_the_hidden_change_where_it_is(history):
    def differ(then: str, now: str) -> api.DiffReport:
        return api.diff(then, now, workspace_uri_or_path=str(history))

    def files(report: api.DiffReport, name: str) -> list[str]:
        [found] = [r["files"] for r in report["resources"] if r["name"] == name]
        assert found is not None
        return found["changed"]

    data, code = differ("base", "data"), differ("data", "code")
    parameter, package = differ("code", "parameter"), differ("parameter", "package")

    assert files(data, "source-data") == ["raw.csv"]
    assert files(code, "code") == ["clean.py"]
    assert parameter["parameters"] == [{"step": "clean", "name": "least", "a": 20, "b": 35}]
    assert package["environment"] == [
        {"kind": "package", "name": "tinydep", "a": "1.0", "b": "2.0"}
    ]
    for report in (data, code, parameter):
        assert report["environment"] == []
    for report in (data, code, package):
        assert report["parameters"] == []


def test_nothing_changed_is_said_although_results_hold_other_times(history):
    found = explained(history, "package", "nothing")

    assert found.to_json()["since"] == {
        "snapshot": "package",
        "same": True,
        "absent": False,
        "causes": [],
    }
    assert "Nothing: results is the same" in found.to_text()


def test_a_change_that_came_to_nothing_is_no_reason(history):
    found = explained(history, "nothing", "remark")

    assert found.to_json()["since"]["same"] is True
    assert "results came out the same, although this changed" in found.to_text()


def test_chance_is_unexplained_and_not_what_follows_from_it(history):
    (cause,) = causes(history, "noise", "chance")

    assert (cause["kind"], cause["steps"], cause["distance"]) == ("unexplained", ["fit"], 2)
    assert "unexplained" in explained(history, "noise", "chance").to_text()


def test_of_several_causes_all_are_named_and_no_consequence(history):
    found = [(c["kind"], c["steps"]) for c in causes(history, "chance", "several")]

    assert found == [("parameter", ["load"]), ("data", ["load"])]


def test_the_nearest_cause_comes_first(history):
    found = causes(history, "base", "several")

    distances = [c["distance"] for c in found]
    assert distances == sorted(distances)
    assert {c["kind"] for c in found} == {"code", "environment", "parameter", "data"}


def test_the_reason_is_told_before_everything_else(history):
    text = explained(history, "code", "parameter").to_text().splitlines()

    assert text[0] == "How results in snapshot parameter came about"
    assert text[2] == "Why it differs from code"
    assert text[4].startswith("   1. The parameter least of step clean went from 20 to 35.")


def test_the_story_names_data_code_steps_in_order_metrics_and_environment(history):
    found = api.lineage_explain("results", snapshot="data", workspace_uri_or_path=str(history))
    told, text = found.to_json(), found.to_text()

    assert [s["name"] for s in told["steps"]] == ["load", "clean", "scale", "fit", "report"]
    assert [(s["ref"], s["kind"]) for s in told["sources"]] == [
        ("source-data:/raw.csv", "data"),
        ("code", "code"),
    ]
    assert told["results"][0]["snapshots"] == ["data"]
    for words in ("is in snapshot data", "Its metrics: score 91", "with least=20", "Python 3"):
        assert words in text
    assert told["holds"] is None


def test_the_commands_get_the_same_result_again(history, tmp_path):
    told = api.lineage_explain("results", snapshot="data", workspace_uri_or_path=str(history))
    copy = tmp_path / "a folder's copy"
    subprocess.run(["git", "clone", "-q", str(history), str(copy)], check=True)
    again = api.lineage_explain("results", snapshot="data", workspace_uri_or_path=str(copy))

    assert told.to_json()["commands"][1:] == again.to_json()["commands"][1:]
    pipeline = Pipeline(tmp_path / "x")
    pipeline.install("1.0")
    (copy / "parameters.json").write_text(json.dumps(PARAMETERS))
    for folder in ("intermediate-data", "results"):
        (copy / folder).mkdir(exist_ok=True)
    ours = f'dws() {{ {shlex.quote(sys.executable)} -m dws_graph --batch "$@"; }}'
    script = "\n".join(["set -e", ours, *again.to_json()["commands"]])
    env = {**os.environ, "PYTHONPATH": str(pipeline.packages)}

    done = subprocess.run(["sh", "-c", script], env=env, cwd="/", capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (copy / "results" / "report.txt").read_text() == "score 91.0"


def test_what_is_edited_since_does_not_hold(taken):
    taken.clean(2)
    taken.train()
    assert api.lineage_explain("results").to_json()["holds"] is True

    taken.write("source-data/raw.csv", "another\n")

    found = api.lineage_explain("results")
    assert found.to_json()["holds"] is False
    assert "source-data is another than step clean read." in found.to_text()


def test_what_is_not_recorded_is_said(trained):
    found = api.lineage_explain("results")

    assert "# run clean by hand: its command line is not recorded" in found.to_text()
    assert "It is in no snapshot yet" in found.to_text()


def test_data_made_by_hand_where_a_step_had_made_them_are_the_cause(taken):
    taken.write("intermediate-data/clean/data.csv", "by hand\n")
    taken.train(0.9)
    taken.snapshot("V2")

    (cause,) = causes(taken.root, "V1", "V2")

    assert (cause["kind"], cause["made_by"]) == ("data", "clean")
    text = " ".join(explained(taken.root, "V1", "V2").to_text().split())
    assert "was changed outside any step (step clean had written it before)" in text


def test_a_version_that_was_not_kept_is_said(lab):
    lab.clean(1)
    lab.train(0.5)
    lab.write("intermediate-data/clean/data.csv", "lost\n")
    lab.train(0.6)
    lab.write("intermediate-data/clean/data.csv", "later\n")
    lab.snapshot("V1")

    text = api.lineage_explain("results", snapshot="V1").to_text()

    assert "intermediate-data:/clean was overwritten before a snapshot kept it." in text
    assert "a version that was not kept" in text


def test_hostile_names_are_only_text(lab):
    name = "</code><script>alert(1)</script> `x` $(touch pwned)"
    builder = lab._step("clean", {name: name}, name)
    with builder.with_input_path(str(lab.root / "source-data")).eval() as step:
        lab.write("intermediate-data/clean/data.csv", "x")
        step.add_output_path(str(lab.root / "intermediate-data/clean"))

    found = api.lineage_explain("intermediate-data")

    assert "<script" not in found.to_html()
    assert json.loads(json.dumps(found.to_json()))["steps"][0]["name"] == name


def test_what_is_not_there_is_refused(taken):
    with pytest.raises(SnapshotNotFoundError):
        api.lineage_explain("results", "V9")
    with pytest.raises(LineageNotFoundError):
        api.lineage_explain("intermediate-data:/other/none", snapshot="V1", since="V1")


def test_since_a_snapshot_without_results_it_is_said_that_there_were_none(lab):
    lab.clean()
    lab.snapshot("V0")
    lab.train()
    lab.snapshot("V1")

    found = api.lineage_explain("results", "V0")

    assert found.to_json()["since"] == {
        "snapshot": "V0",
        "same": False,
        "absent": True,
        "causes": [],
    }
    assert [s["name"] for s in found.to_json()["steps"]] == ["clean", "train"]
    text = " ".join(found.to_text().split())
    assert "V0 had no results there; what follows is how results came about." in text


def test_since_a_snapshot_that_found_no_new_results_those_before_it_are_meant(taken):
    taken.write("code/more.py", "# more\n")
    taken.snapshot("V2")
    assert api.lineage_explain("results", "V2").to_json()["since"]["causes"] == []
    taken.train(0.6)
    taken.snapshot("V3")

    since = api.lineage_explain("results", "V2").to_json()["since"]

    assert (since["snapshot"], since["same"], since["absent"]) == ("V2", False, False)
    assert [(c["kind"], c["subject"]) for c in since["causes"]] == [("code", "code")]


def test_results_made_by_hand_are_current_while_no_newer_ones_are_there(taken):
    taken.write("results/hand.txt", "by hand\n")
    taken.snapshot("V2")

    found = api.lineage_explain("results", "V1").to_json()

    assert found["holds"] is True
    assert found["steps"] == []
    assert found["since"]["causes"][0]["files"]["added"] == ["hand.txt"]


def test_what_a_retracted_step_wrote_is_said_to_be_so(taken):
    api.retract_step("clean", "it was wrong")

    found = api.lineage_explain("results", snapshot="V1")

    text = " ".join(found.to_text().split())
    assert "was written by the step clean, which was retracted: it was wrong." in text
    assert [s["name"] for s in found.to_json()["steps"]] == ["train"]


def test_data_that_no_step_wrote_are_their_own_cause(history):
    (cause,) = explained(history, "base", "data", "source-data:/raw.csv").to_json()["since"][
        "causes"
    ]

    assert (cause["kind"], cause["distance"], cause["subject"]) == (
        "data",
        0,
        "source-data:/raw.csv",
    )
