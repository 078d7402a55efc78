"""What is told to be a cause did change; what changed is told; the code told is what ran."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dws_graph import api
from tests.api.labs import Lab


def causes(then: str, now: str | None = None) -> list[dict[str, Any]]:
    since = api.lineage_explain("results", then, snapshot=now).to_json()["since"]
    assert since is not None
    return since["causes"]


def text(then: str | None = None, now: str | None = None) -> str:
    return " ".join(api.lineage_explain("results", then, snapshot=now).to_text().split())


def run(lab: Lab, *arguments: str, **parameters: object) -> None:
    """A step of `dws run` that writes its arguments to results."""
    script = lab.write("code/forest.py", "import sys\nopen('results/m','w').write(str(sys.argv))\n")
    command = [sys.executable, str(script), *arguments]
    api.run_step(command, outputs=["results"], parameters=parameters, step_name="forest")


def test_a_changed_command_line_is_a_cause_and_a_difference(lab):
    run(lab, "5")
    lab.snapshot("V1")
    run(lab, "60")

    (cause,) = causes("V1")

    assert (cause["kind"], cause["steps"]) == ("command", ["forest"])
    assert cause["a"].endswith("forest.py 5")
    assert cause["b"].endswith("forest.py 60")
    assert "The command line of step forest went from" in text("V1")
    report = api.diff("V1")
    assert [c["step"] for c in report["commands"]] == ["forest"]
    assert report["changed_steps"][0]["what"] == ["command"]


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (["0.5"], ["1e-3"]),
        (["--rate=0.5"], ["--rate=0.001"]),
        (["--rate", "0.5"], ["--rate", "0.001"]),
    ],
)
def test_a_parameter_that_stands_on_the_command_line_is_told_once(lab, then, now):
    run(lab, *then, rate=0.5)
    lab.snapshot("V1")
    run(lab, *now, rate=0.001)

    assert [c["kind"] for c in causes("V1")] == ["parameter"]


@pytest.mark.parametrize(("then", "now"), [("pending", "not kept"), ([1, 2], [1, 3])])
def test_a_parameter_is_known_whatever_its_value(lab, then, now):
    run(lab, grid=then)
    lab.snapshot("V1")
    run(lab, grid=now)

    assert "The parameter grid of step forest went from" in text("V1")


def test_where_the_program_lies_is_no_cause(lab, tmp_path):
    run(lab, "5")
    lab.snapshot("V1")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / Path(sys.executable).name
    program.symlink_to(sys.executable)
    command = [str(program), str(lab.root / "code" / "forest.py"), "5"]
    api.run_step(command, outputs=["results"], step_name="forest")

    assert causes("V1") == []


def test_a_source_that_changed_is_told_of_what_came_out_the_same(taken):
    taken.write("source-data/raw.csv", "another\n")
    taken.clean()
    taken.train()

    (cause,) = causes("V1")

    assert (cause["kind"], cause["subject"], cause["distance"]) == ("data", "source-data", 2)
    told = text("V1")
    assert (
        "results came out the same, although this changed: 1. The data source-data changed" in told
    )
    assert "it reached" not in told


@pytest.mark.parametrize("same", [True, False])
def test_code_that_was_not_kept_is_not_said_to_have_changed(taken, same):
    os.utime(taken.root / "code" / "clean.py")
    taken.clean(1 if same else 2)
    os.utime(taken.root / "code" / "clean.py")  # what clean ran is not kept, though it is this
    taken.train(0.5)
    taken.snapshot("V2")

    found = [c for c in causes("V1", "V2") if c["kind"] == "code"]

    assert [(c["a"] is None, c["b"], c["commits"]) for c in found] == [(False, "not kept", None)]
    told = text("V1", "V2")
    assert "Whether code is another is not known: a version that clean ran was not kept." in told
    assert "code changed" not in told
    assert "code resource code changed" not in told
    (step,) = [s for s in api.diff("V1", "V2")["changed_steps"] if s["step"] == "clean"]
    assert "commit" not in step["what"]


def test_a_step_that_was_retracted_in_between_is_not_new(lab):
    def features(degree: int) -> None:
        builder = lab._step("train", {"degree": degree}, "features")
        builder = builder.with_input_path(str(lab.root / "intermediate-data" / "clean"))
        with builder.eval() as step:
            lab.write("intermediate-data/features/f.csv", f"{degree}\n")
            step.add_output_path(str(lab.root / "intermediate-data" / "features"))

    def train() -> None:
        builder = lab._step("train", {})
        builder = builder.with_input_path(str(lab.root / "intermediate-data" / "features"))
        with builder.as_results_step(str(lab.root / "results")).eval():
            made = (lab.root / "intermediate-data" / "features" / "f.csv").read_text()
            lab.write("results/model.txt", made)

    lab.clean()
    features(1)
    train()
    lab.snapshot("V1")
    api.retract_step("features", "wrong degree")
    features(2)
    train()
    lab.snapshot("V2")

    (cause,) = causes("V1", "V2")

    assert (cause["kind"], cause["subject"], cause["a"], cause["b"]) == (
        "parameter",
        "degree",
        1,
        2,
    )
    assert api.diff("V1", "V2")["steps"] == {
        "added": [],
        "removed": [],
        "changed": ["features", "train"],
    }
    assert [
        s["name"] for s in api.lineage_explain("results", snapshot="V1").to_json()["steps"]
    ] == ["train"]


# The code that ran


def commit_of(root: Path, name: str) -> str:
    done = subprocess.run(
        ["git", "log", "--format=%H", f"--grep=^{name}$"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[0]


def code(now: str | None = None) -> dict[str, Any]:
    found = api.lineage_explain("results", snapshot=now).to_json()["sources"]
    return next(source for source in found if source["kind"] == "code")


def test_code_that_was_edited_since_the_commit_is_said_to_be(taken):
    taken.write("code/clean.py", "# edited\n")
    taken.clean()
    taken.train()

    head = commit_of(taken.root, "Snapshot V1")
    assert (code()["commit"], code()["edited"]) == (head, True)
    assert f"(the repository at commit {head[:8]}, with edits since)" in text()
    shown = api.show_step("clean")
    assert (shown["commit"], shown["code_edited"]) == (head, True)


def test_code_that_a_snapshot_took_is_told_by_its_commit(taken):
    taken.write("code/clean.py", "# edited\n")
    taken.clean()
    taken.train()
    taken.snapshot("V2")

    held = commit_of(taken.root, "Content of snapshot V2")
    assert (code("V2")["commit"], code("V2")["edited"]) == (held, False)
    shown = api.show_step("clean")
    assert (shown["commit"], shown["code_edited"]) == (held, False)
    shown_code = subprocess.run(
        ["git", "show", f"{held}:code/clean.py"], capture_output=True, text=True, check=True
    )
    assert shown_code.stdout == "# edited\n"


def test_code_that_was_lost_says_that_nobody_can_tell(taken):
    taken.write("code/clean.py", "# edited\n")
    taken.clean()
    taken.write("code/clean.py", "# edited again\n")
    taken.train()
    taken.snapshot("V2")

    lost = [s for s in api.lineage_explain("results").to_json()["sources"] if s["edited"] is None]
    assert [s["read_by"] for s in lost if s["kind"] == "code"] == [["clean"]]
    assert "the repository was at commit" in text()
    assert api.show_step("clean")["code_edited"] is None
