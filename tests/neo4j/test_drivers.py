"""The graph for people's own code: the official driver, and py2neo where it is installed."""

from __future__ import annotations

import contextlib
import gc
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dws_graph import api
from dws_graph.errors import ConfigurationError, ViewUnavailableError
from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.workspace import Workspace
from tests.neo4j.local import Address, free_port

NAME_OF_STEP = "MATCH (s:Step) WHERE s.workspace = $workspace RETURN s.name AS name"


@pytest.fixture
def ws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.chdir(tmp_path)
    made = initialize(tmp_path, f"demo {uuid.uuid4()}")
    with contextlib.closing(made):
        yield made


@pytest.fixture
def joined(ws: Workspace, neo4j_address: Address, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one step, in the graph."""
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    (ws.root / "out").mkdir()
    ws.add_resource("out", "git", "intermediate-data", str(ws.root / "out"))
    builder = LineageBuilder().with_workspace_directory(str(ws.root)).with_step_name("look")
    with builder.with_parameters({}).with_no_inputs().eval() as lineage:
        lineage.add_output_ref(ResourceRef("out"))
    api.graph_sync("neo4j", workspace_uri_or_path=str(ws.root))  # by the way it may be later
    return ws


def by_driver(ws: Workspace) -> list[str]:
    with ws.neo4j_driver() as driver:
        records, _, _ = driver.execute_query(NAME_OF_STEP, workspace=ws.id)
    return [record["name"] for record in records]


def by_py2neo(ws: Workspace) -> list[str]:
    graph = ws.py2neo_graph()
    try:
        return [row["name"] for row in graph.run(NAME_OF_STEP, workspace=ws.id).data()]
    finally:
        graph.service.connector.close()


WAYS: list[Callable[[Workspace], Any]] = [by_driver, by_py2neo]
# py2neo leaves a socket open when it is refused
LEAKY = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.mark.parametrize("ask", WAYS)
def test_it_is_connected_as_the_workspace_is(joined: Workspace, ask: Callable[[Workspace], Any]):
    assert ask(joined) == ["look"]


@pytest.mark.parametrize("ask", WAYS)
def test_without_a_neo4j_it_is_refused(ws: Workspace, ask: Callable[[Workspace], Any]):
    with pytest.raises(ConfigurationError, match="no Neo4j is configured") as caught:
        ask(ws)

    assert "dws config graph.url" in str(caught.value.hint)


@LEAKY
@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize("wrong", ["password", "server"])
def test_what_is_wrong_is_said_without_the_password(
    ws: Workspace,
    neo4j_address: Address,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Workspace], Any],
    wrong: str,
):
    given = {**neo4j_address.environment(), "DWS_GRAPH_PASSWORD": "wrong-password-1"}
    if wrong == "server":
        given["DWS_GRAPH_URL"] = f"bolt://127.0.0.1:{free_port()}"
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ViewUnavailableError) as caught:
        ask(ws)

    assert given["DWS_GRAPH_URL"] in str(caught.value)
    assert caught.value.hint
    assert "wrong-password-1" not in f"{caught.value} {caught.value.hint}"
    del caught
    gc.collect()  # here, and not in the middle of another test


def test_py2neo_that_is_not_installed_is_named(joined: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "py2neo", None)

    with pytest.raises(ConfigurationError, match="py2neo is not installed") as caught:
        joined.py2neo_graph()

    assert "dws-graph[py2neo]" in str(caught.value.hint)
