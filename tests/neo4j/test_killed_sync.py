"""A process that is killed while it folds into Neo4j, or drops from it: the next goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from tests.faults.operations import Act
from tests.faults.seeds import chosen
from tests.faults.server import Ran, Server
from tests.faults.trials import numbered
from tests.neo4j.local import Address
from tests.rules.lab import CLEAN, Lab

SYNC: Act = ["dws", "graph", "sync", "--view", "neo4j"]
DROP: Act = ["dws", "--batch", "graph", "drop", "--view", "neo4j"]
ALWAYS = ("neo4j: commit #1", "neo4j: drop #1")  # whatever the day's part of the suite


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address) -> Path:
    """A workspace that has recorded much before it gets a Neo4j."""
    lab = Lab(tmp_path)
    lab.step("prepare", ["raw"], [CLEAN])
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.snapshot("V1")
    for number in range(20):
        lab.step(f"again {number}", ["raw"], [CLEAN])
    lab.snapshot("V2")
    lab.close()
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    return lab.root


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[Server]:
    """Runs commands in processes that can be killed."""
    made = Server(tmp_path / "scratch")
    yield made
    made.close()


def done(ran: Ran) -> Ran:
    assert not ran.failed, ran.failed
    assert [result["status"] for result in ran.results] == [0] * len(ran.results), ran.results
    return ran


@pytest.mark.parametrize("act", [SYNC, DROP], ids=["sync", "drop"])
def test_killed_at_any_point_the_next_command_brings_the_graph_up_to_date(
    root: Path, server: Server, act: Act
):
    before = [DROP] if act is SYNC else [SYNC]
    for first in (SYNC, *before):  # the schema is made once
        done(server([first], root))
    names = numbered(done(server([act], root)).points)
    expected = api.dump("index", str(root))

    tried = []
    for number, name in enumerate(names, start=1):
        if not name.startswith(("neo4j: ", "graph: ")):
            continue
        if name in ALWAYS or chosen(f"{act[2]} of neo4j: {name}"):
            done(server(before, root))
            assert server([act], root, kill=number).killed, name
            done(server([SYNC], root))
            assert diff_dumps(api.dump("neo4j", str(root)), expected) == [], name
            tried.append(name)

    assert tried, names
    assert api.doctor(str(root)) == []
