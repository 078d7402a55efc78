"""Hostile requests: each is refused, or harmless, and the graph is what it was."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from dws_graph.api.service.settings import MOST_BYTES
from dws_graph.backends.views import to_lines
from dws_graph.workspace.opening import load_workspace
from tests.service.processes import PATIENCE, Served, serving
from tests.service.routes import Asked, got

UUID = "0b54d1b2-7a0a-4a39-9d3c-7a7d8a5b1f0e"
CYPHER = "/api/v1/cypher"
TRAVERSALS = (
    *(
        "../../../../etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "..\\..\\etc",
        "/etc/passwd",
        "....//etc",
    ),
    *(
        "%2e%2e/%2e%2e/.git/config",
        ".dataworkspace/config.json",
        "file:///etc/passwd",
        "\x00",
        "x\x00",
    ),
)
INJECTIONS = (
    *(
        "') DETACH DELETE n //",
        "' OR 1=1 --",
        '"}) MATCH (n) DETACH DELETE n //',
        "`",
        "$x",
        "%",
        "_",
    ),
    *(
        "\\",
        "'; DROP TABLE node; --",
        "*",
        "{{7*7}}",
        "\u202e",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ),
)
PLACES = (
    "/api/v1/certificates/{}",
    "/api/v1/export/upstream?node={}",
    "/api/v1/export/{}?node=x",
    f"/api/v1/lineage/downstream?workspace={UUID}&ref={{}}",
    "/api/v1/impact?node={}",
    "/api/v1/impact?node=x&filter={}",
    "/api/v1/impact?node=x&cursor={}",
    "/api/v1/lineage/neighbourhood?node={}",
    "/api/v1/lineage/upstream?node=x&filter={}",
    "/api/v1/slice?node=x&to={}",
    "/api/v1/lineage/{}?node=x",
    "/api/v1/search?q={}",
    "/api/v1/steps/{}",
    "/api/v1/steps?cursor={}",
    "/api/v1/steps?metric={}",
    "/api/v1/steps?name={}",
    "/api/v1/steps?parameter={}%3D1",
    "/api/v1/steps?parameter=a%3D{}",
    "/api/v1/steps?since={}",
    f"/api/v1/steps?workspace={UUID}&ref={{}}",
    f"/api/v1/workspaces/{UUID}/certificates?ref={{}}",
    f"/api/v1/workspaces/{UUID}/environments/{{}}",
    f"/api/v1/workspaces/{UUID}/instances/{{}}/current",
    f"/api/v1/workspaces/{UUID}/refs?resource={{}}",
    f"/api/v1/workspaces/{UUID}/snapshots/{{}}",
    f"/api/v1/workspaces/{UUID}/stale?instance={{}}",
    "/api/v1/workspaces/{}/refs",
    "/certificates/{}",
    "/cypher?query={}",
    "/graph/drawing?node={}",
    "/graph/picture.svg?node={}",
    "/graph?node={}",
    "/graph?node=x&to={}",
    "/graph?node=x&filter={0}&kind={0}&resource={0}&since={0}",
    "/impact?node={}",
    "/impact?node=x&filter={0}&until={0}",
    f"/graph?workspace={UUID}&ref={{}}",
    "/login?next={}",
    "/search?q={}",
    "/static/{}",
    "/static/x/{}",
    "/steps/{}",
    "/steps?name={}",
    "/workspaces/{}",
    f"/workspaces/{UUID}/snapshots/{{}}",
)
WRITES = (
    "CREATE (n:Step)",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) SET n.name = 'x'",
    "MATCH (n) REMOVE n.name",
    "MERGE (n:Step {id: 'x'})",
    "CALL { CREATE (n:X) } RETURN 1",
    "FOREACH (x IN [1] | CREATE (:X))",
    "RETURN 1; CREATE (n)",
    "EXPLAIN CREATE (n)",
    "PROFILE CREATE (n)",
    "CREATE INDEX FOR (n:Step) ON (n.x)",
    "DROP INDEX x",
    "MATCH (n) WITH n CALL { WITH n DELETE n } RETURN 1",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "lOaD\n CsV WITH HEADERS FROM 'http://localhost/' AS line RETURN line",
    "CALL apoc.load.json('http://localhost/') YIELD value RETURN value",
    "CALL dbms.listConfig() YIELD name RETURN name",
    "USE system SHOW DATABASES",
)
BODIES: tuple[tuple[bytes, int], ...] = (
    (b"", 422),
    (b"null", 422),
    (b"[]", 422),
    (b"{", 422),
    (b'{"cypher": 1}', 422),
    (b'{"cypher": "\xff"}', 400),
    (b'{"cypher": "\\ud800"}', 422),
    (b'{"cypher": "RETURN 1 AS a", "limit": -1}', 422),
    (b'{"cypher": "RETURN 1 AS a", "limit": 1e400}', 422),
    (b'{"cypher": "RETURN 1 AS a", "timeout": NaN}', 422),
    (b'{"cypher": "RETURN 1 AS a", "timeout": 1e9}', 422),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"a": ' + b"9" * 400 + b"}}", 400),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"a": ' + b"9" * 5_000 + b"}}", 400),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"a": "\\ud800"}}', 400),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"\\ud800": 1}}', 400),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"a": ' + b"[" * 60 + b"]" * 60 + b"}}", 422),
    (b'{"cypher": "RETURN $a AS a", "parameters": {"a": ' + b"[" * 500 + b"]" * 500 + b"}}", 422),
    (b'{"cypher": 1, "parameters": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    (b'{"cypher": "' + b"x" * 20_001 + b'"}', 422),
    (b'{"cypher": "RETURN ' + b"(" * 9_000 + b"1" + b")" * 9_000 + b'"}', 400),
)


def dump_of(root: Path) -> list[str]:
    with load_workspace(str(root), batch=True) as ws:
        return to_lines(ws.index.dump())


@pytest.fixture(autouse=True, scope="module")
def _unchanged(local: Served) -> Iterator[None]:
    """Whatever was asked of it, the graph is what it was, and no mistake was met."""
    before = dump_of(local.root)
    yield
    assert dump_of(local.root) == before
    assert "a request failed" not in local.said.read_text()


@pytest.fixture
def client(local: Served) -> Iterator[httpx.Client]:
    with local.client() as made:
        yield made


@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_text_in_any_place_is_only_a_text(client: httpx.Client, place: str):
    for text in (*TRAVERSALS, *INJECTIONS, "x" * 5_000):
        answer = client.get(place.format(quote(text, safe="")))
        assert answer.status_code in (200, 400, 404, 422), (text, answer.text)
        assert "root:" not in answer.text
        assert "[core]" not in answer.text
        assert text == answer.text or "location" not in answer.headers


@pytest.fixture(scope="module")
def known(local: Served) -> dict[str, str]:
    """Something that there is, by the name of the parameter that asks for it."""
    with local.client() as client:

        def first(path: str) -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/api/v1/{path}").json()["items"][0]
            return found

        workspace = first("workspaces")["id"]
        within = f"workspaces/{workspace}"
        ref = first(f"{within}/refs")["name"]
        certificate = first(f"{within}/certificates?ref={ref}")["id"]
        step, snapshot = first("steps"), first(f"{within}/snapshots")["hash"]
    return {
        **dict.fromkeys(("hash", "other", "snapshot", "against"), snapshot),
        **dict.fromkeys(("node", "certificate"), certificate),
        **dict.fromkeys(("step", "to"), step["id"]),
        **{"workspace": workspace, "ref": ref, "instance": step["instance"]},
        **{"direction": "upstream", "form": "svg", "moment": "0", "q": "a", "run": "x"},
        **{"version": "1", "name": "site.css"},
    }


@pytest.mark.parametrize("asked", list(got()), ids=lambda asked: asked.path)
def test_a_hostile_text_in_each_parameter_of_each_route_is_only_a_text(
    client: httpx.Client, known: dict[str, str], asked: Asked
):
    for name in (*asked.in_path, *asked.in_query):
        for text in (TRAVERSALS[0], "x\x00", INJECTIONS[0], INJECTIONS[1], "{{7*7}}", "x" * 5_000):
            filled = {**known, name: text}
            path = asked.path.format_map({k: quote(v, safe="") for k, v in filled.items()})
            mine = {*asked.required, name} - {*asked.in_path}
            answer = client.get(path, params={k: filled[k] for k in sorted(mine)})
            assert answer.status_code in (200, 303, 400, 401, 404, 422), (name, text, answer.text)
            assert (answer.status_code == 401) == ("/runs/" in asked.path)  # it needs a token
            assert "root:" not in answer.text
            if answer.status_code == 303:
                assert answer.headers["location"].startswith("/graph?")


@pytest.mark.parametrize("path", ["/../../etc/passwd", "/static/../app.py", "/static/x/../../../a"])
def test_a_path_that_goes_up_leads_nowhere(local: Served, path: str):
    status, _, body = said_to(local, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    assert status == 404
    assert b"import" not in body


@pytest.mark.parametrize("query", WRITES)
def test_a_query_that_does_more_than_read_is_refused(client: httpx.Client, query: str):
    answer = client.post(CYPHER, json={"cypher": query})

    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_query_that_would_take_all_memory_ends_alone(local: Served, client: httpx.Client):
    text = "RETURN size(reduce(x = 'aaaaaaaaaa', j IN range(1, 40) | x + x)) AS n"

    assert client.post(CYPHER, json={"cypher": text, "timeout": 5}).status_code == 400
    assert client.get("/api/v1/steps").status_code == 200
    assert local.process.poll() is None


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_parameter_of_a_query_is_a_value(client: httpx.Client, text: str):
    answer = client.post(CYPHER, json={"cypher": "RETURN $a AS a", "parameters": {"a": text}})

    assert answer.json()["rows"] == [[text]]


@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
def test_a_hostile_body_is_refused(client: httpx.Client, body: bytes, status: int):
    answer = client.post(CYPHER, content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused(client: httpx.Client):
    told = client.post(CYPHER, content=b"x" * (MOST_BYTES + 1))
    chunked = client.post(CYPHER, content=(b"x" * 65_536 for _ in range(MOST_BYTES // 65_536 + 1)))

    assert told.status_code == chunked.status_code == 413


@pytest.mark.parametrize("length", [b"-1", b"x", b"9" * 400, b"0x10", b"1, 2"])
def test_a_length_that_is_none_is_refused(local: Served, length: bytes):
    head = b"POST /api/v1/cypher HTTP/1.1\r\nHost: localhost\r\nContent-Length: "

    status, _, _ = said_to(local, head + length + b"\r\n\r\n{}")

    assert status in (400, 413)


SLOW = """
from pathlib import Path
from dws_graph.api.service.serving import serve
from dws_graph.api.service.settings import Settings
serve(
    Settings(workspace=Path.cwd(), port=0, body_seconds=0.2),
    lambda url: print(f"Serving it at {url}", flush=True),
)
"""


def test_a_body_that_does_not_arrive_is_not_waited_for(demo_root: Path, tmp_path: Path):
    head = b"POST /api/v1/cypher HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with serving(demo_root, tmp_path, program=SLOW) as served:
        status, headers, _ = said_to(served, head)

    assert status == 408
    assert headers["connection"] == "close"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.1.evil.example"),
        *(
            "localhost:80@evil.example",
            "",
            "[::1",
            "localhost, evil.example",
            "local%68ost",
            "\xff",
        ),
    ],
)
def test_a_host_that_is_not_ours_is_refused(local: Served, host: str):
    request = f"GET /api/v1/steps HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")

    assert said_to(local, request)[0] in (400, 421)


@pytest.mark.parametrize(
    "hosts", [[], ["localhost", "evil.example"], ["evil.example", "localhost"]]
)
def test_no_host_or_several_are_refused(local: Served, hosts: list[str]):
    lines = "".join(f"Host: {host}\r\n" for host in hosts)

    assert said_to(local, f"GET / HTTP/1.1\r\n{lines}\r\n".encode())[0] in (400, 421)


def test_forwarding_headers_change_nothing(local: Served):
    forged = {"x-forwarded-host": "evil.example", "x-forwarded-for": "10.9.8.7", "forwarded": "a"}
    with local.client(headers={**forged, "x-original-url": "/login"}) as client:
        answer = client.get("/steps")

    assert answer.status_code == 200
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "text", ["a\r\nset-cookie: x=1", "a\nlocation: //evil.example", "\r\n\r\n"]
)
def test_a_line_break_makes_no_header(client: httpx.Client, text: str):
    for place in (*PLACES, "/api/v1/{}"):
        answer = client.get(place.format(quote(text, safe="")))
        assert "set-cookie" not in answer.headers
        assert "location" not in answer.headers


# What was cached


def environment_of(client: httpx.Client) -> str:
    """Where something stands that never changes."""
    row = client.get("/api/v1/steps").json()["items"][0]
    step = client.get(f"/api/v1/steps/{row['id']}").json()
    return f"/api/v1/workspaces/{step['workspace']}/environments/{step['environment']}"


def test_what_is_addressed_by_hash_is_sent_once(client: httpx.Client):
    url = environment_of(client)
    first = client.get(url)
    tag = first.headers["etag"]

    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    assert first.headers["vary"] == "Authorization, Cookie"
    assert "private" in first.headers["cache-control"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = client.get(url, headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag


@pytest.mark.parametrize("tag", ['"x"', "", "**", '"*"', "x" * 5_000, ",,,", '"', "W/", "\u00ff"])
def test_a_tag_that_is_not_ours_poisons_nothing(client: httpx.Client, tag: str):
    url = environment_of(client)
    clean = client.get(url)

    answer = client.get(url, headers={b"if-none-match": tag.encode("latin-1")})

    assert answer.status_code == 200
    assert answer.content == clean.content
    assert answer.headers["etag"] == clean.headers["etag"]


def test_what_may_change_is_never_kept(client: httpx.Client):
    for path in ("/", "/steps", "/api/v1/steps", "/api/v1/nothing", "/login"):
        assert client.get(path).headers["cache-control"] == "no-store"


# Tokens


BAD_TOKENS = (
    *(
        "",
        "Bearer",
        "Basic eDp4",
        "bearer dws_x_y",
        "Bearer " + "x" * 20_000,
    ),
    *("Bearer dws_" + "A" * 8 + "_" + "B" * 43, "Bearer \xff\xfe", "Token x", "Bearer a b c"),
)


@pytest.fixture(scope="module")
def guarded(demo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service of which tests may lock themselves out."""
    with serving(demo_root, tmp_path_factory.mktemp("guarded"), "--host", "0.0.0.0") as served:
        yield served


def test_bad_tokens_are_refused_and_then_made_to_wait(guarded: Served):
    got, last = [], httpx.Response(0)
    with guarded.client() as client:
        for text in BAD_TOKENS:
            answer = client.get("/api/v1/steps", headers={b"authorization": text.encode("latin-1")})
            got.append(answer.status_code)
        for _ in range(30):  # a slow machine forgets some of them meanwhile
            last = client.get("/api/v1/steps", headers={"authorization": "Bearer x"})
            if last.status_code == 429:
                break
        form = client.post("/login", data={"token": "x"})
        duplicate = client.get(
            "/api/v1/steps",
            headers=[("authorization", f"Bearer {guarded.tokens['read']}")] * 2,
        )

    assert set(got) == {401}
    assert last.status_code == form.status_code == duplicate.status_code == 429
    for answer in (last, form):
        assert 0 < int(answer.headers["retry-after"]) <= 60
    assert last.json()["status"] == 429


def test_a_cookie_that_is_none_opens_nothing(shared: Served):
    with logged_in(shared) as client:
        ((name, _),) = client.cookies.items()
    for cookie in ("x", "A" * 43, "A" * 43 + "; dws=" + "B" * 43, "\xff", '"', "a" * 8_000, "=;=;"):
        with shared.client(headers={b"cookie": f"{name}={cookie}".encode("latin-1")}) as client:
            assert client.get("/api/v1/steps").status_code == 401


def test_two_tokens_at_once_are_none(shared: Served):
    good = ("authorization", f"Bearer {shared.tokens['read']}")
    with shared.client() as client:
        answer = client.get("/api/v1/steps", headers=[good, good])

    assert answer.status_code == 401


# Forms, and other sites


@contextmanager
def logged_in(served: Served) -> Iterator[httpx.Client]:
    with served.client() as client:
        _log_in(served, client)
        yield client


def _log_in(served: Served, client: httpx.Client) -> None:
    answer = client.post("/login", data={"token": served.tokens["read"], "next": "/steps"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/steps")
    for word in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in answer.headers["set-cookie"]


def csrf_of(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_a_session_asks_only_with_what_its_own_page_was_given(shared: Served):
    with logged_in(shared) as client:
        csrf, body = csrf_of(client), {"cypher": "RETURN 1 AS a"}
        for wrong in ("", "x", csrf[::-1], csrf + "A", "\xff"):
            raw = {b"x-csrf-token": wrong.encode("latin-1")}
            assert client.post(CYPHER, json=body, headers=raw).status_code == 403
        assert client.post(CYPHER, json=body).status_code == 403
        assert client.post(CYPHER, json=body, headers={"x-csrf-token": csrf}).status_code == 200
        with logged_in(shared) as other:
            sent = {"x-csrf-token": csrf}
            assert other.post(CYPHER, json=body, headers=sent).status_code == 403


def test_who_logs_out_is_out(shared: Served):
    with logged_in(shared) as client:
        ((name, cookie),) = client.cookies.items()
        assert client.post("/logout", data={"csrf": "x"}).status_code == 403
        assert client.post("/logout", data={"csrf": csrf_of(client)}).status_code == 303
        again = client.get("/api/v1/steps", headers={"cookie": f"{name}={cookie}"})

    assert again.status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_logs_nobody_in(shared: Served, headers: dict[str, str]):
    with shared.client(headers=headers) as client:
        answer = client.post("/login", data={"token": shared.tokens["read"]})

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "onward",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example", "\\\\evil.example", "evil"),
        *("/\t/evil.example", "javascript:alert(1)", "/\n/evil.example", "", " //evil.example"),
    ],
)
def test_a_log_in_leads_to_no_other_host(shared: Served, onward: str):
    with shared.client() as client:
        answer = client.post("/login", data={"token": shared.tokens["read"], "next": onward})
        page = client.get("/login", params={"next": onward})

    assert answer.headers["location"] == "/"
    assert 'name="next" value="/"' in page.text


def test_other_origins_read_nothing_unless_they_are_named(
    local: Served, demo_root: Path, tmp_path: Path
):
    asked = {"origin": "https://a.example", "access-control-request-method": "GET"}
    with local.client(headers=asked) as client:
        plain, before = client.get("/api/v1/steps"), client.options("/api/v1/steps")
    with (
        serving(demo_root, tmp_path, "--origin", "https://a.example") as served,
        served.client() as client,
    ):
        named = client.get("/api/v1/steps", headers=asked)
        other = client.get("/api/v1/steps", headers={"origin": "https://b.example"})

    for answer in (plain, before, other):
        assert "access-control-allow-origin" not in answer.headers
    assert named.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-credentials" not in named.headers


def said_to(served: Served, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The status, headers and body that a request gets which no library would send."""
    with socket.create_connection(("127.0.0.1", served.port), PATIENCE) as made:
        made.sendall(request)
        answer = http_answer(made)
    return answer


def http_answer(made: socket.socket) -> tuple[int, dict[str, str], bytes]:
    with made.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := stream.readline().strip()) and b":" in line:
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length: Any = headers.get("content-length", 0)
        return status, headers, stream.read(int(length))
