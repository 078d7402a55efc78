"""A server that goes away during a run of 200 steps: nothing waits for it, nothing is lost."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from tests.api.labs import Lab, make_lab
from tests.neo4j import training
from tests.neo4j.conftest import done, run_dws
from tests.neo4j.local import LocalServer

pytestmark = [pytest.mark.needs("neo4j-jars"), pytest.mark.turns("outage")]
STEPS = 200
LONGEST = 2.0  # seconds that the first step may wait for a server that is away


@dataclass
class Away:
    """A server of its own, which a test may take away, and bring back."""

    server: LocalServer

    def back(self) -> None:
        """Whatever happened to it."""
        if self.server.running:
            self.server.signal(signal.SIGCONT)
        else:
            self.server.start()
        self.server.wait_ready()


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    server = LocalServer(tmp_path_factory.mktemp("away") / "server")
    server.start()
    yield Away(server)
    server.stop()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away: Away) -> Lab:
    away.back()
    found = make_lab(tmp_path / "lab")
    monkeypatch.chdir(found.root)
    for name, value in away.server.address.environment().items():
        monkeypatch.setenv(name, value)
    api.graph_sync("neo4j")  # the server answers, and has the schema
    return found


def train(lab: Lab, at: int, event: str, pid: int) -> str:
    """The run; what it said."""
    words = [str(lab.root), str(STEPS), str(at), event, str(pid)]
    run = subprocess.run(
        [sys.executable, training.__file__, *words], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stderr


def check_waits(lab: Lab) -> None:
    """One step at most waited for the server, beyond what a busy machine makes others wait."""
    *others, noise, longest = sorted(gaps(lab))
    assert longest < noise + LONGEST
    assert others[len(others) * 9 // 10] < LONGEST


def gaps(lab: Lab) -> list[float]:
    """Seconds from each begin or end of a step to the next."""
    journal = (lab.root / ".dataworkspace/local/journal.jsonl").read_text()
    facts = [fact for fact in map(json.loads, journal.splitlines()) if "Step" in fact["kind"]]
    times = [datetime.fromisoformat(fact["time"].rstrip("Z")) for fact in facts]
    return [(b - a).total_seconds() for a, b in itertools.pairwise(times)]


MOMENTS = [("start", 0), ("middle", STEPS // 2), ("end", STEPS - 1)]
CASES = [
    pytest.param(event, at, id=f"{event}-{moment}")
    for event in ("SIGKILL", "SIGSTOP", "password")
    for moment, at in MOMENTS
]


@pytest.mark.parametrize(("event", "at"), CASES)
def test_a_run_goes_on_without_the_server_and_is_caught_up_with(
    lab: Lab, away: Away, event: str, at: int
):
    said = train(lab, at, event, away.server.pid)

    assert len([line for line in said.splitlines() if "Neo4j at" in line]) == 1, said
    check_waits(lab)
    done(run_dws(lab.root, "report", "history"))
    away.back()
    done(run_dws(lab.root, "graph", "sync"))  # one command more

    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []
    assert len([n for n in api.dump("neo4j")["nodes"] if n["labels"] == ["Step"]]) == STEPS
    assert api.doctor() == []


def test_a_server_that_may_only_be_read_is_caught_up_with_later(lab: Lab, away: Away):
    away.server.stop()
    away.server.start(["server.databases.read_only=neo4j"])
    try:
        said = train(lab, 0, "nothing", 0)
        assert re.search("may only be read now|does not answer", said)  # the latter when it is slow
        check_waits(lab)
    finally:
        away.server.stop()
        away.server.start()

    done(run_dws(lab.root, "graph", "sync"))

    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []
