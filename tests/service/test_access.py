"""Who may do what: every route, asked by nobody, and by tokens of each scope."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts

from dws_graph.api.service.access import needs
from dws_graph.api.service.app import make_app
from dws_graph.api.service.settings import Settings
from dws_graph.api.service.tokens import TokenStore
from tests.service.processes import SCOPES, Served

OPEN = {"/api/v1/health", "/api/v1/ready", "/login", "/logout", "/static/{version}/{name}"}
READING = {("POST", "/cypher/picture.svg"), ("POST", "/api/v1/cypher")}  # asks with a body
UUID = "0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e"
FILLED = {"direction": "upstream", "workspace": UUID}


@pytest.fixture(scope="module")
def app(demo_root: Path) -> FastAPI:
    return make_app(Settings(workspace=demo_root, host="0.0.0.0"))


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """The method and path of each route."""
    found = iter_route_contexts(app.routes)
    return [(method, str(r.path)) for r in found for method in sorted(r.methods or ())]


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: FILLED.get(found[1], "x"), path)


def test_every_route_but_the_open_ones_needs_a_token(app: FastAPI, shared: Served):
    found = routes_of(app)
    closed = [(method, path) for method, path in found if path not in OPEN]

    assert {path for _, path in found} >= OPEN
    assert len(closed) > 25
    with shared.client() as client:
        for method, path in closed:
            answer = client.request(method, filled(path))
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="dws"'
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == 401


def test_a_route_that_writes_is_refused_to_a_token_that_reads(app: FastAPI, shared: Served):
    with shared.client("read") as client:
        for method, path in routes_of(app):
            if method != "GET" and path not in OPEN and (method, path) not in READING:
                answer = client.request(method, filled(path))
                assert answer.status_code == 403, (method, path)
                assert "scope write" in answer.json()["detail"] or path.startswith("/api/v1/admin")


def test_scopes_are_ordered(demo_root: Path, tmp_path: Path):
    store = TokenStore(tmp_path / "tokens.json")
    tokens = {scope: store.create(scope).text for scope in SCOPES}
    app = make_app(Settings(workspace=demo_root, host="0.0.0.0", tokens=store.path))
    for scope in SCOPES:
        app.get(f"/needs/{scope}", dependencies=[Depends(needs(scope))])(lambda: None)

    async def asked(path: str, token: str) -> int:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost"
        ) as client:
            answer = await client.get(path, headers={"authorization": f"Bearer {token}"})
        return answer.status_code

    got = [
        [asyncio.run(asked(f"/needs/{wanted}", tokens[scope])) for wanted in SCOPES]
        for scope in SCOPES
    ]

    assert got == [[200, 403, 403], [200, 200, 403], [200, 200, 200]]


@pytest.mark.parametrize("path", ["/", "/steps", "/api/v1/steps", "/api/v1/health", "/login"])
def test_head_says_what_get_says_without_the_body(local: Served, path: str):
    with local.client() as client:
        got, told = client.get(path), client.head(path)

    assert told.status_code == got.status_code == 200
    assert told.content == b""
    assert told.headers["content-type"] == got.headers["content-type"]
    assert told.headers["content-security-policy"]


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_told_which_there_are(local: Served, method: str):
    with local.client() as client:
        answer = client.request(method, "/api/v1/steps")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert "access-control-allow-origin" not in answer.headers


def test_a_token_that_was_revoked_is_none_at_once(shared: Served, tmp_path: Path):
    file = shared.said.parent / "tokens.json"
    store = TokenStore(file)
    made = store.create("read")
    with shared.client(headers={"authorization": f"Bearer {made.text}"}) as client:
        assert client.get("/api/v1/steps").status_code == 200
        store.revoke(made.token.id)
        assert client.get("/api/v1/steps").status_code == 401


def test_no_token_is_ever_logged(shared: Served):
    with shared.client("admin") as client:
        assert client.get("/api/v1/steps").status_code == 200
        client.get("/api/v1/steps", params={"name": shared.tokens["admin"]})
        client.get("/api/v1/metrics")

    told = shared.said.read_text()
    assert not any(token in told for token in shared.tokens.values())
