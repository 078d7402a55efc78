"""Pages follow what is recorded beside the service, as long as who looks may."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.service.browsing import Seen
from tests.service.processes import PATIENCE, Served, dws, make_tokens, serving


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which one step ran."""
    made = tmp_path_factory.mktemp("live") / "work"
    made.mkdir()
    assert dws(made, "init", "--create-resources", "source-data,intermediate-data").returncode == 0
    (made / "source-data" / "in.txt").write_text("1")
    record(made, "before")
    return made


@pytest.fixture(scope="module")
def watched(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(root, tmp_path_factory.mktemp("watched")) as served:
        yield served


@pytest.fixture(scope="module")
def guarded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(root, tmp_path_factory.mktemp("guarded"), "--host", "0.0.0.0") as served:
        yield served


def record(root: Path, name: str) -> None:
    """A step by `dws run`, as a person types it."""
    program = f"open('intermediate-data/{name}.txt', 'w').write('x')"
    command = ("-o", f"intermediate-data:/{name}.txt", "--", sys.executable, "-c", program)
    ran = dws(root, "run", "--step-name", name, "--no-trace", "-i", "source-data", *command)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.needs("chromium")
@pytest.mark.sentence("live")
def test_lists_on_a_page_follow_new_steps(see: Callable[..., Seen], watched: Served):
    seen = see(watched)
    with watched.client() as client:
        workspace = client.get("/api/v1/workspaces").json()["items"][0]
    for number, path in enumerate(("/steps", f"/workspaces/{workspace['id']}")):
        with seen.page.expect_response(re.compile("/events")):
            seen.go(path)
        record(watched.root, f"while-open-{number}")
        link = seen.page.locator("#steps a", has_text=f"while-open-{number}")
        expect(link).to_be_visible(timeout=60_000)
        expect(seen.page.locator("#news")).to_contain_text(f"New step: while-open-{number}")
        with watched.client() as client:
            newest = client.get("/api/v1/steps").json()["items"][0]
        expect(link).to_have_attribute("href", f"/steps/{newest['id']}")

    with seen.page.expect_response(re.compile("/events")):
        seen.go("/")
    record(watched.root, "while-open-last")
    with watched.client() as client:
        steps = client.get("/api/v1/workspaces").json()["items"][0]["steps"]
    cell = seen.page.locator("#workspaces tbody td.number").nth(1)
    expect(cell).to_have_text(str(steps), timeout=60_000)


@pytest.mark.needs("chromium")
@pytest.mark.sentence("live")
def test_a_page_without_lists_says_what_is_new_and_stays_as_it_is(
    see: Callable[..., Seen], watched: Served
):
    seen = see(watched)
    with seen.page.expect_response(re.compile("/events")):
        seen.go("/cypher")
    seen.page.locator("#query").fill("MATCH (n) RETURN 1")
    record(watched.root, "while-writing")

    expect(seen.page.locator("#news")).to_contain_text("while-writing", timeout=60_000)
    expect(seen.page.get_by_role("link", name="Load again")).to_be_visible()
    expect(seen.page.locator("#query")).to_have_value("MATCH (n) RETURN 1")


def test_a_stream_ends_when_its_token_is_revoked(guarded: Served):
    tokens = make_tokens(guarded.said.parent / "tokens.json", "read")
    headers = {"authorization": f"Bearer {tokens['read']}"}
    file = str(guarded.said.parent / "tokens.json")
    with guarded.client() as client, client.stream("GET", "/api/v1/events", headers=headers) as s:
        lines = s.iter_lines()
        assert next(lines) == "retry: 5000"
        ran = dws(guarded.root, "token", "revoke", tokens["read"], "--token-file", file)
        assert ran.returncode == 0, ran.stderr
        rest = list(lines)  # comes to an end

    assert not any("event:" in line for line in rest)
    with guarded.client() as client:
        assert client.get("/api/v1/events", headers=headers).status_code == 401


def test_a_stream_ends_when_its_session_does(guarded: Served):
    with guarded.client() as client:
        form = {"token": guarded.tokens["read"], "next": "/cypher"}
        assert client.post("/login", data=form).status_code == 303
        page = client.get("/cypher").text
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found
        with client.stream("GET", "/api/v1/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 5000"
            with httpx.Client(base_url=guarded.url, cookies=client.cookies, timeout=PATIENCE) as o:
                assert o.post("/logout", data={"csrf": found[1]}).status_code == 303
            assert not any("event:" in line for line in lines)
