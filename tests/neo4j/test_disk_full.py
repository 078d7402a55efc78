"""A server whose disk is full: steps go on, and it is caught up with once there is room again."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from tests.api.labs import Lab, make_lab
from tests.neo4j import training
from tests.neo4j.conftest import done, run_dws
from tests.neo4j.local import LocalServer

pytestmark = [
    pytest.mark.needs("neo4j-jars"),
    pytest.mark.needs("tmpfs"),
    pytest.mark.turns("outage"),
]
STEPS = 40
SIZE = "size=48m"  # a new server's files take some 4 MB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system."""
    at = tmp_path / "disk"
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", SIZE, "dws-test", str(at)], check=True)
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.fixture
def server(disk: Path) -> Iterator[LocalServer]:
    """A server whose data, logs and all are there."""
    made = LocalServer(disk / "server")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: LocalServer) -> Lab:
    found = make_lab(tmp_path / "lab")
    monkeypatch.chdir(found.root)
    for name, value in server.address.environment().items():
        monkeypatch.setenv(name, value)
    api.graph_sync("neo4j")  # it has the schema
    return found


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def test_a_full_disk_of_the_server_loses_no_step(lab: Lab, disk: Path, server: LocalServer):
    filler = fill(disk)

    words = [str(lab.root), str(STEPS), "0", "nothing", "0"]
    run = subprocess.run(
        [sys.executable, training.__file__, *words], capture_output=True, text=True
    )

    assert run.returncode == 0, run.stderr
    said = [line for line in run.stderr.splitlines() if "Neo4j at" in line]
    assert len(said) == 1, run.stderr
    assert "Traceback" not in run.stderr
    steps = [n for n in api.dump("index")["nodes"] if n["labels"] == ["Step"]]
    assert len(steps) == STEPS
    done(run_dws(lab.root, "snapshot", "full"))
    assert "full" in done(run_dws(lab.root, "report", "history"))

    filler.unlink()
    server.stop()
    server.start()
    done(run_dws(lab.root, "graph", "sync"))  # one command more

    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []
    assert [n for n in api.dump("neo4j")["nodes"] if n["labels"] == ["Step"]] == steps
    assert api.doctor() == []
