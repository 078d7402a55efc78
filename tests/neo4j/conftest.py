"""Workspaces that have a Neo4j."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.api.labs import Lab, make_lab
from tests.neo4j.local import Address

Dws = Callable[..., "subprocess.CompletedProcess[str]"]


def run_dws(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on a workspace, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dws_graph", "--workspace-dir", str(root), *words],
        capture_output=True,
        text=True,
    )


def done(run: subprocess.CompletedProcess[str]) -> str:
    """What a command that succeeded printed."""
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address) -> Lab:
    """A workspace in which nothing is recorded yet, whose graph is the run's server."""
    found = make_lab(tmp_path / "lab")
    monkeypatch.chdir(found.root)
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    return found
