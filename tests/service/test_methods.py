"""Methods and bodies that nobody expects: refused in words, and nothing hangs or changes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.service.processes import PATIENCE, SCOPES, Served, serving

pytestmark = pytest.mark.slow
ODD = ("TRACE", "CONNECT", "PROPFIND", "DELETE", "PATCH", "OPTIONS", "M" * 100)
EVENTS = "/api/v1/events"
LISTENERS = 100  # so many may listen at a time
PAGES = ("/", "/steps", "/search", "/cypher", "/login", "/graph", "/graph/drawing")
JSON = {"content-type": "application/json"}
EMPTY: tuple[dict, ...] = (
    {},
    {"content": b""},
    {"content": b"", "headers": JSON},
    {"content": b"\x00", "headers": JSON},
    {"content": b"null", "headers": JSON},
    {"content": b"[]", "headers": JSON},
    {"content": b"{}", "headers": {"content-type": "text/plain"}},
    {"content": b"a=1", "headers": {"content-type": "application/x-www-form-urlencoded"}},
    {"content": b"\xff\xfe{}", "headers": JSON},
)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a workspace of its own, in which programs may record."""
    folder = tmp_path_factory.mktemp("records")
    data = str(folder / "data")
    with serving(folder, folder / "served", "--host", "0.0.0.0", "--data", data) as served:
        yield served


@pytest.fixture
def client(records: Served) -> Iterator[httpx.Client]:
    with records.client("admin") as made:
        yield made


def paths(client: httpx.Client) -> dict[str, set[str]]:
    """{path: its methods} of all routes, each parameter as something."""
    document = client.get("/api/v1/openapi.json").json()["paths"]
    named = {"{workspace}": "0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e", "{direction}": "upstream"}
    found: dict[str, set[str]] = {}
    for path, methods in document.items():
        for name, value in named.items():
            path = path.replace(name, value)
        path = path.replace("{", "").replace("}", "")
        found.setdefault(path, set()).update(method.upper() for method in methods)
    return found


def test_a_method_that_a_route_does_not_know_is_refused_in_words(client: httpx.Client):
    known = {**paths(client), **{page: {"GET", "POST"} for page in PAGES}}
    for path, methods in known.items():
        for method in {*ODD, "PUT", "POST"} - methods - {"CONNECT"}:
            if path.startswith("/api/v1/runs"):  # a run may be called anything, also `a/complete`
                continue
            answer = client.request(method, path)
            assert answer.status_code == 405, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


@pytest.mark.parametrize("method", [one for one in ODD if one != "CONNECT"])
def test_a_method_that_a_run_does_not_know_changes_nothing(client: httpx.Client, method: str):
    answer = client.request(method, "/api/v1/runs/odd")

    assert answer.status_code == 405
    assert client.get("/api/v1/runs/odd").status_code == 404


@pytest.mark.parametrize("body", EMPTY)
def test_a_route_without_the_body_that_it_needs_says_so(client: httpx.Client, body: dict):
    for method, path in (
        ("PUT", "/api/v1/runs/empty"),
        ("POST", "/api/v1/runs/empty/complete"),
        ("POST", "/api/v1/runs/empty/fail"),
        ("POST", "/api/v1/cypher"),
    ):
        answer = client.request(method, path, **body)
        assert answer.status_code in (400, 415, 422), (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]

    assert client.get("/api/v1/runs/empty").status_code == 404
    assert client.get("/api/v1/steps").json()["items"] == []


def test_a_body_where_none_is_expected_changes_nothing(client: httpx.Client):
    for path, methods in paths(client).items():
        if "GET" in methods and path != EVENTS:
            bare = client.get(path)
            given = client.request("GET", path, content=b'{"a": 1}', headers=JSON)
            assert given.status_code == bare.status_code, path
            assert path.endswith("metrics") or given.content == bare.content, path


def test_the_head_of_a_route_is_that_of_its_answer(client: httpx.Client):
    for path, methods in paths(client).items():
        if "GET" in methods and path != EVENTS:
            head, whole = client.head(path), client.get(path)
            assert head.status_code == whole.status_code, path
            assert head.content == b"", path
            assert head.headers["content-type"] == whole.headers["content-type"], path


def test_the_head_of_the_events_ends_and_takes_nobodys_place(client: httpx.Client):
    for _ in range(LISTENERS + 1):
        head = client.head(EVENTS)
        assert head.status_code == 200
        assert head.headers["content-type"].startswith("text/event-stream")

    with client.stream("GET", EVENTS) as stream:
        assert stream.status_code == 200
        assert next(stream.iter_lines()) == "retry: 5000"


def test_who_goes_away_gives_his_place_to_another(records: Served):
    many = httpx.Limits(max_connections=None)
    with records.client("read", limits=many) as client:
        for _ in range(2):
            with contextlib.ExitStack() as listening:
                kept = [listen(client, listening) for _ in range(LISTENERS)]
                refused = client.get(EVENTS)
                others = client.get("/api/v1/steps")

            assert len(kept) == LISTENERS
            assert (refused.status_code, others.status_code) == (503, 200)
            assert refused.json()["detail"] == "Too many listen already."


def listen(client: httpx.Client, stack: contextlib.ExitStack) -> Iterator[str]:
    """The lines of a stream of events, as soon as there is a place: who lets go of them is gone."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        lines = stack.enter_context(client.stream("GET", EVENTS)).iter_lines()
        if next(lines) == "retry: 5000":
            return lines
    raise AssertionError("nobody who went away gave his place to another")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_events_are_only_asked_for(records: Served, scope: str, method: str):
    with records.client(scope) as client:
        answer = client.request(method, EVENTS, content=b"data: forged\n\n")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_events_need_a_token_whatever_else_is_sent(records: Served):
    with records.client() as client:
        for headers in (
            {"accept": "text/event-stream"},
            {"last-event-id": "1\r\n"},
            {"authorization": "Bearer"},
            {"authorization": "Bearer \x7f"},
            {"cookie": "dws-8790=1"},
        ):
            try:
                answer = client.get(EVENTS, headers=headers)
            except httpx.LocalProtocolError:  # the client knows better than to send it
                continue
            assert answer.status_code in (401, 429)
