"""A service on Neo4j answers as one on the index does: every route and page, on the demo."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.neo4j.local import Address
from tests.service.processes import Served, dws, serving
from tests.service.test_pages import HTML, addresses, first

pytestmark = [pytest.mark.slow, pytest.mark.needs("neo4j")]

ELSEWHERE = {  # what tells of the service, or needs one with a workspace of its own
    "/api/v1/events",
    "/api/v1/health",
    "/api/v1/metrics",
    "/api/v1/ready",
    "/api/v1/runs/{run}",
}
FEW = 3  # rows of a page, so that there are several pages
QUERIES = (
    "MATCH (s:Step) RETURN s.name AS name, s.status AS status ORDER BY name, s.start_time",
    "MATCH (s:Step)-[:WROTE]->(c:Certificate) RETURN s.name AS name, count(c) AS n ORDER BY name",
)


@pytest.fixture(scope="module")
def root(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, served twice at a time."""
    made = tmp_path_factory.mktemp("both") / "demo"
    shutil.copytree(demo_root, made, symlinks=True)
    return made


@contextmanager
def on_neo4j(root: Path, folder: Path, address: Address) -> Iterator[Served]:
    """A service that has the graph of this server."""
    synced = dws(root, "graph", "rebuild", "--view", "neo4j", **address.environment())
    assert synced.returncode == 0, synced.stderr
    with pytest.MonkeyPatch.context() as patch:
        for name, value in address.environment().items():
            patch.setenv(name, value)
        with serving(root, folder) as served:
            yield served


@pytest.fixture
def both(root: Path, tmp_path: Path, empty_neo4j_address: Address) -> Iterator[list[httpx.Client]]:
    """A client of each."""
    assert "DWS_GRAPH_URL" not in os.environ
    with (
        serving(root, tmp_path / "index") as index,
        on_neo4j(root, tmp_path / "neo4j", empty_neo4j_address) as graph,
        index.client() as of_index,
        graph.client() as of_graph,
    ):
        assert of_index.get("/api/v1/health").json()["view"] == "index"
        assert of_graph.get("/api/v1/health").json()["view"] == "neo4j"
        yield [of_index, of_graph]


def samples(client: httpx.Client) -> dict[str, list[str]]:
    """What may stand for each parameter that a route needs, by its name."""
    workspace = first(client, "/workspaces")["id"]
    shots = client.get(f"/api/v1/workspaces/{workspace}/snapshots").json()["items"]
    steps = client.get("/api/v1/steps").json()["items"]
    certificates = [c["id"] for c in client.get(f"/api/v1/steps/{steps[0]['id']}").json()["inputs"]]
    instances = client.get(f"/api/v1/workspaces/{workspace}/instances").json()["items"]
    refs = client.get(f"/api/v1/workspaces/{workspace}/refs").json()["items"]
    return {
        "workspace": [workspace],
        "step": [row["id"] for row in steps],
        "hash": [row["hash"] for row in shots],
        "certificate": certificates,
        "instance": [one["id"] for one in instances],
        "ref": [ref["name"] for ref in refs],
        "node": [steps[0]["id"], certificates[0]],
        "other": [shots[-1]["hash"]],
        "to": [steps[0]["id"]],
        "direction": ["upstream", "downstream", "neighbourhood"],
        "at": [row["hash"] for row in shots[:2]],
        "against": [shots[-1]["hash"]],
        "q": ["a", "result", steps[0]["name"], shots[0]["hash"][:6], "nothing that is there"],
    }


def questions(client: httpx.Client) -> dict[str, list[tuple[str, dict[str, str]]]]:
    """{route: [(path, query)]} of all that the document tells of."""
    known = samples(client)
    document = client.get("/api/v1/openapi.json").json()
    found: dict[str, list[tuple[str, dict[str, str]]]] = {}
    for path, methods in document["paths"].items():
        if "get" in methods and path not in ELSEWHERE:
            found[path] = list(_filled(path, methods["get"].get("parameters", []), known))
    return found


def _filled(
    path: str, parameters: list[dict[str, Any]], known: dict[str, list[str]]
) -> Iterator[tuple[str, dict[str, str]]]:
    needed = [p["name"] for p in parameters if p["required"]]
    optional = {p["name"] for p in parameters if not p["required"]}
    ways: list[dict[str, str]] = [{}]
    if {"node", "ref", "workspace"} <= optional:  # a node, or a ref of a workspace
        named = [{"workspace": known["workspace"][0], "ref": ref} for ref in known["ref"][:4]]
        ways = [*({"node": node} for node in known["node"]), *named]
    for name in needed:
        assert name in known, f"{path} needs a {name}: say in `samples` what it may be"
        ways = [{**way, name: value} for way in ways for value in known[name]]
    for way in ways:
        query = {k: v for k, v in way.items() if f"{{{k}}}" not in path}
        if "cursor" in optional:
            query["limit"] = str(FEW)
        yield path.format(**way), query


def answer(client: httpx.Client, path: str, query: dict[str, str]) -> Any:
    """What is answered: of lists, all their pages."""
    items: list[Any] = []
    asked = dict(query)
    while True:
        told = client.get(path, params=asked)
        body = told.json() if "json" in told.headers["content-type"] else told.text
        if told.status_code != 200 or not isinstance(body, dict) or not body.get("next"):
            return told.status_code, [*items, *_rows(body)]
        items += _rows(body)
        asked["cursor"] = body["next"]


def _rows(body: Any) -> list[Any]:
    return body["items"] if isinstance(body, dict) and "items" in body else [_sorted(body)]


def _sorted(body: Any) -> Any:
    """A piece of the graph is a set of nodes and one of edges."""
    if isinstance(body, dict) and {"nodes", "edges"} <= body.keys():
        sets = {name: sorted(body[name], key=repr) for name in ("nodes", "edges")}
        return {**body, **sets}
    return body


def test_every_route_answers_the_same_from_the_index_and_from_neo4j(both: list[httpx.Client]):
    asked = questions(both[0])
    answered = 0
    for route, ways in asked.items():
        assert ways, route
        for path, query in ways:
            index, graph = (answer(client, path, query) for client in both)
            assert index == graph, f"{path}?{urlencode(query)}"
            answered += index[0] == 200

    assert answered > 2 * len(asked)


def test_every_page_shows_the_same_from_the_index_and_from_neo4j(both: list[httpx.Client]):
    for name, path in addresses(both[0]).items():
        if name == "cypher":  # says what is asked: the embedded view, or Neo4j
            continue
        index, graph = (client.get(path, headers=HTML) for client in both)
        assert index.status_code == graph.status_code == 200, name
        assert index.text == graph.text, name


@pytest.mark.parametrize("query", QUERIES)
def test_cypher_gives_the_same_rows_from_the_embedded_view_and_from_neo4j(
    both: list[httpx.Client], query: str
):
    index, graph = (client.post("/api/v1/cypher", json={"cypher": query}) for client in both)

    assert index.status_code == graph.status_code == 200
    assert index.json()["rows"]
    assert index.json()["rows"] == graph.json()["rows"]
