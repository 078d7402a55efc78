"""Many readers at once, and a writer: no error, no step lost. `benchmarks/readers.py` is longer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.dependencies.models import Dependant

from benchmarks.load import Connection, Tally, run
from benchmarks.pipelines import grow, make_workspace
from benchmarks.readers import is_whole, laps, listening, requests_of, sync
from dws_graph.api.service.access import READ, needs
from tests.neo4j.local import Address
from tests.service.processes import serving
from tests.service.routes import routes

READERS, SECONDS = 20, 3.0

pytestmark = pytest.mark.slow


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a history."""
    ws = make_workspace(tmp_path)
    grow(ws, 100, 3)
    ws.close()
    return ws.root


def under_load(root: Path, folder: Path) -> tuple[Tally, dict[str, str]]:
    """What readers and a writer get from a service that ends in the middle of nothing."""
    with serving(root, folder, "--host", "0.0.0.0", "--data", str(root)) as served:
        with served.client("read") as client:
            requests = requests_of(client, root)
        with listening(served):
            tally, acknowledged = asyncio.run(
                run(
                    lambda scope: Connection(served.url, served.tokens[scope]),
                    laps(requests, READERS),
                    SECONDS,
                )
            )
        served.stop()
        assert served.said.read_text() == ""
    assert tally.answers > len(tally.seconds) > 2
    return tally, acknowledged


def test_readers_and_a_writer_on_the_index_get_no_error_and_lose_no_step(
    root: Path, tmp_path: Path
):
    tally, acknowledged = under_load(root, tmp_path / "served")

    assert tally.errors == {}
    assert acknowledged
    assert is_whole(root, acknowledged, None) == []


@pytest.mark.needs("neo4j")
def test_readers_and_a_writer_on_neo4j_get_no_error_and_lose_no_step(
    root: Path, tmp_path: Path, neo4j_address: Address, monkeypatch: pytest.MonkeyPatch
):
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    sync(root, neo4j_address)
    tally, acknowledged = under_load(root, tmp_path / "served")

    assert tally.errors == {}
    assert acknowledged
    assert is_whole(root, acknowledged, neo4j_address) == []


def test_nothing_that_is_asked_of_a_request_costs_a_thread():
    """What is not async, the framework runs in a thread of its own: two changes of threads each."""
    called = {one for route in routes() for one in _called(route.dependant)} | {needs(READ)}
    plain = [one for one in called if not inspect.iscoroutinefunction(one)]

    assert len(called) > 30
    assert plain == []


def _called(dependant: Dependant) -> Iterator[object]:
    if dependant.call is not None:
        yield dependant.call
    for one in dependant.dependencies:
        yield from _called(one)
