"""The lines that get a result again record it again."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Dws

FIT = """\
import json, sys
from pathlib import Path
top = Path(__file__).parent.parent
numbers = (top / "source-data" / "raw.txt").read_text().split()
(top / "results" / "svm").mkdir(parents=True, exist_ok=True)
(top / "results" / "svm" / "model.txt").write_text(sys.argv[1] + str(numbers))
Path("m.json").write_text(json.dumps({"score": len(numbers)}))
"""
PARAMETERS = ["-p", "gamma=0.1", "-p", 'kind="5"', "-p", "title=it's", "-p", 'grid={"a": [1]}']


@pytest.fixture
def recorded(workspace: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the step `fit`, run from the folder of the code."""
    (workspace / "code" / "fit.py").write_text(FIT)
    monkeypatch.chdir(workspace / "code")
    told = ["--step-name", "fit it", "-i", "source-data", *PARAMETERS, "--metrics", "m.json"]
    told += ["--results", "../results/svm"]
    dws("run", *told, "--", sys.executable, "fit.py", "a b")
    return workspace


def sh(lines: list[str]) -> None:
    ours = f'dws() {{ {shlex.quote(sys.executable)} -m dws_graph --batch "$@"; }}'
    script = "\n".join(["set -e", ours, *lines])
    done = subprocess.run(["sh", "-c", script], cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("asked", ["explain", "steps show"])
def test_a_step_of_dws_run_is_recorded_again_with_all_that_it_was_told(dws, recorded, asked):
    before = dws.json("steps", "show", "fit it")
    if asked == "explain":
        lines = dws.json("lineage", "explain", "results")["commands"]
    else:
        lines = [before["command"]]

    sh(lines)

    after = dws.json("steps", "show", "fit it")
    assert after["key"] != before["key"]
    for kind in ("parameters", "metrics", "command_line", "run_from", "command"):
        assert after[kind] == before[kind], kind
    for kind in ("inputs", "outputs", "code"):
        assert [c["ref"] for c in after[kind]] == [c["ref"] for c in before[kind]]


def test_a_script_that_records_itself_is_run_as_it_was(dws, workspace):
    script = workspace / "code" / "own.py"
    script.write_text(
        "from dws_graph.lineage import LineageBuilder\n"
        "builder = LineageBuilder().as_script_step().with_parameters({}).with_no_inputs()\n"
        "with builder.eval() as step:\n"
        "    open('intermediate-data/x', 'w').write('x')\n"
        "    step.add_output_path('intermediate-data/x')\n"
    )
    subprocess.run([sys.executable, "code/own.py"], check=True)

    lines = dws.json("lineage", "explain", "intermediate-data:/x")["commands"]
    sh(lines)

    assert not any("dws run" in line for line in lines)
    assert [row["name"] for row in dws.json("steps")] == ["own", "own"]
