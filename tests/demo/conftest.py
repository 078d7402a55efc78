"""The demo, run once for all workers, as a user runs it."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock


@dataclass(frozen=True)
class Demo:
    root: Path
    printed: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    shared = tmp_path_factory.getbasetemp().parent
    root, log = shared / "demo", shared / "demo.txt"
    with FileLock(str(shared / "demo.lock")):
        if not log.exists():
            run = subprocess.run(
                [sys.executable, "-m", "dws_graph", "demo", str(root)],
                capture_output=True,
                text=True,
                cwd=shared,
            )
            assert run.returncode == 0, run.stdout + run.stderr
            log.write_text(run.stdout)
    return Demo(root, log.read_text())


@pytest.fixture(params=["cypher", "neo4j"])
def view(request, demo, monkeypatch):
    """Each view that is asked in Cypher, by its name; with the demo in it, and nothing else."""
    if request.param == "neo4j":
        address = request.getfixturevalue("empty_neo4j_address")
        for name, value in address.environment().items():
            monkeypatch.setenv(name, value)
    return request.param
