"""Workspaces that have a Neo4j."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump
from tests.api.labs import Lab, make_lab
from tests.neo4j.local import Address
from tests.rules import lab as rules
from tests.rules.lab import git

SOURCES = [f"source-data:/s{n}.txt" for n in range(3)]
MADE = [f"intermediate-data:/m{n}.txt" for n in range(6)]

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


@pytest.fixture
def clones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
) -> Iterator[tuple[rules.Lab, rules.Lab]]:
    """A workspace and a clone of it, all of whose data lies in the repository."""
    roles = ("code", "source-data", "intermediate-data")
    first = rules.Lab(tmp_path / "a", raw=False, roles=roles)
    (first.root / "raw").mkdir()
    (first.root / "raw" / "tag.txt").write_text("at first\n")
    first.ws.add_resource("raw", "git", "source-data", str(first.root / "raw"))
    for ref in (*SOURCES, *MADE):
        first.write(ref, f"{ref} at first\n")
    first.snapshot("start")
    (tmp_path / "b").mkdir()
    git("clone", "-q", str(first.root), "ws", cwd=tmp_path / "b")
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    second = rules.Lab.at(tmp_path / "b" / "ws")
    yield first, second
    api.graph_drop("neo4j", str(first.root))
    first.close()
    second.close()


def index_dump(clones: tuple[rules.Lab, rules.Lab]) -> Dump:
    """What one index holds of what both recorded."""
    with Index(None) as index:
        for clone in clones:
            index.apply(clone.reopen().journal.since({}))
        return index.dump()
