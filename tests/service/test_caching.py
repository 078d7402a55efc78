"""What clients and proxies keep: a tag is that of what was sent, and opens nothing."""

from __future__ import annotations

import hashlib

import pytest
from starlette.requests import Request

from dws_graph.api.service.v1.common import unchanging
from tests.service.processes import SCOPES, Served
from tests.service.test_hostile import environment_of

NOISE = (
    {"x-forwarded-host": "evil.example"},
    {"x-forwarded-proto": "https", "x-forwarded-prefix": "/evil"},
    {"x-original-url": "/api/v1/steps", "x-rewrite-url": "/api/v1/steps"},
    {"x-http-method-override": "DELETE"},
    {"range": "bytes=0-0"},
    {"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"if-match": '"x"'},
    {"accept": "text/html"},
    {"accept-encoding": "x" * 1_000},
    {"cache-control": "only-if-cached", "pragma": "x"},
)


def asked(**headers: str) -> Request:
    given = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": given})


def test_a_tag_is_that_of_the_content():
    """Also of a later version of the service, which says more of the same thing."""
    before, after = unchanging(asked(), {"hash": "a"}), unchanging(asked(), {"hash": "a", "b": 1})
    again = unchanging(asked(if_none_match=before.headers["etag"]), {"hash": "a", "b": 1})

    assert before.headers["etag"] == f'"{hashlib.sha256(before.body).hexdigest()[:32]}"'
    assert before.headers["etag"] != after.headers["etag"]
    assert (again.status_code, again.body) == (200, after.body)


@pytest.mark.parametrize("noise", NOISE, ids=lambda noise: next(iter(noise)))
def test_headers_that_nobody_needs_change_nothing_of_what_is_kept(
    local: Served, noise: dict[str, str]
):
    with local.client() as client:
        url = environment_of(client)
        clean, answer = client.get(url), client.get(url, headers=noise)

    assert (answer.status_code, answer.content) == (200, clean.content)
    for name in ("etag", "cache-control", "vary", "content-type"):
        assert answer.headers[name] == clean.headers[name]


def test_who_knows_a_tag_is_told_nothing_without_a_token(shared: Served):
    with shared.client("read") as client:
        url = environment_of(client)
        tag = client.get(url).headers["etag"]
    with shared.client() as anyone:
        for known in (tag, "*", f"W/{tag}"):
            answer = anyone.get(url, headers={"if-none-match": known})
            assert (answer.status_code, answer.headers.get("etag")) == (401, None)
            assert answer.headers["cache-control"] == "no-store"


def test_what_one_may_keep_is_nobody_elses(shared: Served):
    with shared.client("read") as client:
        url = environment_of(client)
    for scope in SCOPES:
        with shared.client(scope) as client:
            answer = client.get(url)
            assert "private" in answer.headers["cache-control"]
            assert "public" not in answer.headers["cache-control"]
            assert answer.headers["vary"] == "Authorization, Cookie"


def test_the_head_of_what_is_kept_has_its_tag_and_no_body(local: Served):
    with local.client() as client:
        url = environment_of(client)
        whole, head = client.get(url), client.head(url)
        again = client.head(url, headers={"if-none-match": whole.headers["etag"]})

    assert (head.headers["etag"], head.content) == (whole.headers["etag"], b"")
    assert again.status_code == 304


def test_a_problem_is_never_kept(local: Served):
    with local.client() as client:
        url = environment_of(client)
        for path in (f"{url}x", f"{url}/..", f"{url}?hash=\u00ff", f"{url}%00"):
            answer = client.get(path)
            kept = answer.headers["cache-control"]
            assert kept == "no-store" if answer.status_code != 200 else "private" in kept


def test_only_what_never_changes_is_for_everybody(local: Served):
    with local.client() as client:
        page = client.get("/").text
        source = page.partition('href="/static/')[2].partition('"')[0]
        asset = client.get(f"/static/{source}")
        another = client.get(f"/static/{'0' * 12}/{source.partition('/')[2]}")

    assert "immutable" in asset.headers["cache-control"]
    assert (another.status_code, another.headers["cache-control"]) == (404, "no-store")
