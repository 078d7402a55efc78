"""What a failed step left is told to be that, until something whole is in its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.lineage import LineageBuilder
from tests.cli.conftest import Dws

CLEAN = "intermediate-data:/clean"
CLEAN_PY = """\
from pathlib import Path
out = Path("intermediate-data/clean")
out.mkdir(exist_ok=True)
rows = Path("source-data/raw.txt").read_text().split()
(out / "rows.txt").write_text(rows[0])
if Path("broken").exists():
    raise SystemExit(3)
(out / "rows.txt").write_text("\\n".join(rows))
"""
TRAIN_PY = """\
from pathlib import Path
rows = Path("intermediate-data/clean/rows.txt").read_text()
Path("results/model.txt").write_text(str(len(rows)))
"""

SCRIPT = """\
import logging, sys
from dws_graph.lineage import LineageBuilder
if "configured" in sys.argv:
    logging.basicConfig(format="taken: %(message)s")
train = LineageBuilder().with_step_name("train").with_parameters({})
with train.with_input_path("intermediate-data/clean").with_code_path("code").eval():
    pass
"""


@pytest.fixture
def clean(workspace: Path, dws: Dws) -> Callable[..., None]:
    """Run the step `clean`; when it is broken, its output is half written."""
    (workspace / "code" / "clean.py").write_text(CLEAN_PY)
    (workspace / "code" / "train.py").write_text(TRAIN_PY)

    def run(*, broken: bool = False) -> None:
        if broken:
            (workspace / "broken").touch()
        words = ("run", "-i", "source-data", "-o", CLEAN, "--", sys.executable, "code/clean.py")
        assert dws.run(*words).status == (3 if broken else 0)
        (workspace / "broken").unlink(missing_ok=True)

    return run


@pytest.fixture
def train(dws: Dws) -> Callable[[], str]:
    """Run the step `train`, on what `clean` left; what it said on stderr."""

    def run() -> str:
        words = ("run", "-i", CLEAN, "-o", "results", "--", sys.executable, "code/train.py")
        return dws(*words).err

    return run


def stale(dws: Dws) -> dict[str, dict[str, str]]:
    rows = dws.json("lineage", "stale")
    return {row["step"]: {r["ref"]: r["reason"] for r in row["reasons"]} for row in rows}


def test_the_failed_step_is_stale_until_it_has_run_to_its_end(dws, clean, train):
    clean()
    train()
    dws("snapshot", "v1")
    clean(broken=True)
    assert stale(dws)["clean"] == {CLEAN: "step failed"}
    assert list(stale(dws)) == ["clean", "train"]

    said = train()

    assert "which was left by step 'clean', which failed at" in said
    assert stale(dws) == {"clean": {CLEAN: "step failed"}, "train": {CLEAN: "upstream stale"}}
    [row] = [row for row in dws.json("lineage", "stale") if row["step"] == "clean"]
    assert row["failed"].endswith("(exit status 3)")

    clean()
    train()
    assert stale(dws) == {}


@pytest.mark.parametrize("hashed", [False, True], ids=["pending", "after a snapshot"])
def test_what_was_made_from_it_says_so_everywhere(dws, workspace, clean, train, hashed):
    clean()
    train()
    dws("snapshot", "v1")
    clean(broken=True)
    train()
    if hashed:
        dws("snapshot", "v2")
        assert stale(dws)["clean"] == {CLEAN: "step failed"}

    graph = dws.json("lineage", "upstream", "results")
    [node] = [n for n in graph["nodes"] if n["name"] == CLEAN]
    assert node["properties"]["left_by"] == "clean"
    assert graph["complete"] is False
    table = dws("lineage", "upstream", "results").lines
    [line] = [line for line in table if CLEAN in line and "failed step clean" in line]
    assert line.startswith("intermediate")

    [cause] = dws.json("lineage", "explain", "results", "--since", "v1")["since"]["causes"]
    assert (cause["subject"], cause["left_by"]) == (CLEAN, "clean")
    told = " ".join(dws("lineage", "explain", "results", "--since", "v1").out.split())
    assert f"{CLEAN} was left by step clean, which failed: clean/rows.txt changed." in told
    assert f"{CLEAN} was left by the step clean, which failed at" in told
    assert "outside any step" not in told
    assert "no step did" not in told

    [row] = [r for r in dws.json("report", "lineage") if r["ref"] == CLEAN]
    assert "left by step 'clean', which failed at" in row["details"]
    assert any("left by step 'clean'" in note for note in dws.json("diff", "v1")["notes"])
    [read] = dws.json("steps", "show", "train")["inputs"]
    assert (read["producer"]["name"], read["producer"]["failed"]) == ("clean", True)


def test_what_nobody_read_since_is_refused_with_the_line_that_makes_it(dws, workspace, clean):
    clean(broken=True)

    said = dws.refused("lineage", "upstream", CLEAN)

    assert f"what {CLEAN} holds is not known: it was left by step 'clean', which failed" in said
    line = said.splitlines()[1].removeprefix("Run it again: ")
    assert line.startswith(f"dws run --step-name clean -i source-data -o {CLEAN}")


def test_content_known_before_is_whole(dws, workspace, clean, train):
    clean()
    train()
    dws("snapshot", "v1")
    clean(broken=True)
    subprocess.run(["git", "checkout", "-q", "intermediate-data"], check=True)
    assert stale(dws) == {}

    clean(broken=True)
    dws("restore", "--only", "intermediate-data", "v1")
    assert stale(dws) == {}

    clean(broken=True)
    train()
    dws("snapshot", "v2")  # names the half-written content: it is not known to be good by that
    (workspace / "intermediate-data" / "clean" / "rows.txt").write_text("by hand")
    assert stale(dws)["clean"] == {CLEAN: "step failed"}
    subprocess.run(["git", "checkout", "-q", "intermediate-data"], check=True)
    assert stale(dws)["clean"] == {CLEAN: "step failed"}


def test_a_failed_step_that_is_retracted_does_not_count(dws, workspace, clean, train):
    clean(broken=True)
    train()
    dws("steps", "retract", "clean", "--reason", "what is there is good")

    assert stale(dws) == {}


def test_an_exception_in_a_script_leaves_its_results_half_written(dws, workspace, train):
    def fit(text: str) -> None:
        builder = LineageBuilder().with_step_name("fit").with_parameters({})
        builder = builder.with_no_inputs().with_code_path("code").as_results_step("results")
        with builder.eval():
            (workspace / "results" / "model.txt").write_text(text)
            if text == "half":
                raise RuntimeError("broken")

    fit("whole")
    dws("snapshot", "v1")
    with pytest.raises(RuntimeError):
        fit("half")
    assert stale(dws) == {"fit": {"results": "step failed"}}
    assert "left by step 'fit'" in dws.refused("lineage", "upstream", "results")

    (workspace / "results" / "model.txt").unlink()  # then those of v1 are meant
    assert stale(dws) == {}
    dws("lineage", "upstream", "results")


def test_that_it_is_a_warning_is_said_once_by_the_command_and_in_scripts(
    dws, workspace, clean, train
):
    clean()
    clean(broken=True)
    told = f"step 'train' reads '{CLEAN}', which was left by step 'clean', which failed"

    def said(*words: str) -> list[str]:
        command = [sys.executable, "-c", SCRIPT, *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line for line in ran.stderr.splitlines() if told in line]

    [command] = [line for line in train().splitlines() if told in line]
    [script] = said()
    [configured] = said("configured")  # whoever takes the log says what it is in his own way
    assert command.startswith(f"Warning: {told}")
    assert command.endswith("run 'clean' again")
    assert script == command
    assert configured == command.replace("Warning: ", "taken: ")
