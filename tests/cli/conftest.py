"""`dws(...)`, run in this process, in a folder of its own; and workspaces to run it in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dws_graph.cli.running import run
from dws_graph.lineage import LineageBuilder, ResultsLineage
from tests.fixtures.prepared import put


@dataclass(frozen=True)
class Ran:
    """What a command line ended with, and printed."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What stdout says, without empty lines and the spaces around."""
        return [line.strip() for line in self.out.splitlines() if line.strip()]


class Dws:
    """Runs command lines; a failure that was not expected fails the test."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *args: str) -> Ran:
        self._capsys.readouterr()
        status = run(args, "dws")
        printed = self._capsys.readouterr()
        return Ran(status, printed.out, printed.err)

    def __call__(self, *args: str) -> Ran:
        ran = self.run(*args)
        assert ran.status == 0, ran.err
        return ran

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--format", "json").out)

    def refused(self, *args: str, status: int = 1) -> str:
        """Stderr of a command that must end so, with nothing on stdout and no traceback."""
        ran = self.run(*args)
        assert ran.status == status, ran
        assert ran.out == ""
        assert "Traceback" not in ran.err
        return ran.err


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    made = tmp_path / "lab"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


@pytest.fixture
def dws(folder: Path, capsys: pytest.CaptureFixture[str]) -> Dws:
    """Run dws in `folder`."""
    return Dws(capsys)


@pytest.fixture
def workspace(folder: Path, dws: Dws, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a resource of each role, and some content in two."""

    def make(place: Path) -> None:
        dws("init", "--create-resources", "all")
        (place / "source-data" / "raw.txt").write_text("1 2 3\n")
        (place / "code" / "clean.py").write_text("print('clean')\n")

    put(tmp_path_factory.getbasetemp() / "made-workspace", folder, make)
    return folder


@pytest.fixture
def train(workspace: Path) -> Callable[[int], None]:
    """Record two steps, from source data to results."""

    def record(factor: int) -> None:
        clean = LineageBuilder().with_step_name("clean").with_parameters({"factor": factor})
        with clean.with_input_path("source-data").with_code_path("code").eval() as step:
            step.add_output_path("intermediate-data/clean")
            output = workspace / "intermediate-data" / "clean"
            output.mkdir(exist_ok=True)
            (output / "numbers.txt").write_text("1 2 3 " * factor)
        fit = LineageBuilder().with_step_name("fit").with_parameters({"kernel": "rbf", "C": 1.0})
        fit = fit.with_input_path("intermediate-data/clean").with_code_path("code")
        with fit.as_results_step("results", "try it").eval() as results:
            assert isinstance(results, ResultsLineage)
            (workspace / "results" / "model.txt").write_text("model " * factor)
            metrics = {"accuracy": 0.9123456 + factor / 100, "loss": 0.00012345, "by": {"a": 1}}
            results.write_results(metrics)

    return record


@pytest.fixture
def two_snapshots(dws: Dws, train: Callable[[int], None]) -> None:
    """`v1`, made with factor 1, and `v2`, with factor 2."""
    for factor in (1, 2):
        train(factor)
        dws("snapshot", "-m", f"factor {factor}", f"v{factor}")
