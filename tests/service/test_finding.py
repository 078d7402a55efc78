"""Search, the page of a result, and answers as a picture, in a real Chromium beside the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.service.browsing import Seen
from tests.service.processes import Served
from tests.service.test_page_tables import asked

pytestmark = pytest.mark.needs("chromium")


def search(seen: Seen, text: str) -> None:
    seen.page.get_by_role("searchbox", name="Search names").fill(text)
    seen.page.keyboard.press("Enter")
    expect(seen.page).to_have_url(re.compile("/search"))


TITLES = {
    "workspace": "Workspaces",
    "resource": "Resources",
    "ref": "Data and code",
    "certificate": "Versions",
    "snapshot": "Snapshots",
    "step": "Steps",
}


@pytest.mark.sentence("search")
def test_a_search_shows_what_the_api_finds_by_kind_and_marks_it(
    see: Callable[..., Seen], local: Served
):
    step = asked(local, f"/steps/{asked(local, '/steps')['items'][0]['id']}")
    name, value = next((n, v) for n, v in step["parameters"].items() if isinstance(v, str) and v)
    hashed = next(c["hash"] for c in step["code"] if c["hash"])
    tag = asked(local, f"/workspaces/{step['workspace']}/snapshots")["items"][0]["tags"][0]
    seen = see(local)
    seen.go("/")
    for text in (step["name"], f"{name}={value}", value, hashed[:8], tag, tag.lower(), "quick"):
        hits = asked(local, "/search", q=text)["items"]
        assert hits, text
        search(seen, text)
        by_kind: dict[str, list[str]] = {}
        for hit in hits:
            by_kind.setdefault(TITLES[hit["kind"]], []).append(hit["name"])
        headings = seen.page.locator("main h2").all_inner_texts()
        assert headings == list(by_kind)
        for n, found in enumerate(by_kind.values()):
            expect(seen.page.locator("ul.hits").nth(n).locator("li > a:first-child")).to_have_text(
                found[:8]
            )
        for mark in seen.page.locator("mark").all_inner_texts():
            assert mark.lower() == text.lower()
        expect(seen.page.locator("mark").first).to_be_visible()


@pytest.mark.sentence("search")
def test_what_was_found_leads_to_its_page(see: Callable[..., Seen], local: Served):
    step = asked(local, f"/steps/{asked(local, '/steps')['items'][0]['id']}")
    code = next(c for c in step["code"] if c["hash"])
    seen = see(local)
    seen.go("/")
    search(seen, code["hash"])
    link = seen.page.locator("section, main").locator(f"a[href='/certificates/{code['id']}']")
    link.first.click()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(code["ref"]["name"])
    search(seen, step["name"])
    seen.page.locator(f"a[href='/steps/{step['id']}']").click()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(step["name"])


def test_more_of_a_kind_is_shown_by_pages(see: Callable[..., Seen], of_hostile: Served):
    seen = see(of_hostile)
    whole = [hit["key"] for hit in asked(of_hostile, "/search", q="a", kind="step")["items"]]
    one = asked(of_hostile, "/search", q="a", kind="step", limit=2)
    two = asked(of_hostile, "/search", q="a", kind="step", limit=2, cursor=one["next"])
    assert [hit["key"] for hit in one["items"] + two["items"]] == whole[:4]
    seen.go("/search?q=a&kind=step")
    expect(seen.page.locator("main h2")).to_have_text(["Steps"])
    expect(seen.page.locator("ul.hits li")).to_have_count(len(whole))
    with of_hostile.client() as client:
        refused = client.get("/api/v1/search", params={"q": "a", "cursor": one["next"]})
    assert refused.status_code == 400


def results(served: Served) -> tuple[str, list[dict[str, Any]]]:
    workspace = asked(served, "/workspaces")["items"][0]["id"]
    return workspace, asked(served, f"/workspaces/{workspace}/results")["items"]


@pytest.mark.sentence("result")
def test_a_result_shows_its_metrics_words_picture_and_history(
    see: Callable[..., Seen], local: Served
):
    workspace, found = results(local)
    newest, oldest = found[0], found[-1]
    seen = see(local)
    seen.go(f"/workspaces/{workspace}")
    seen.page.locator("#resources + .scroll").get_by_role("link", name="results").last.click()
    expect(seen.page).to_have_url(re.compile("/result"))
    main = seen.page.locator("main")
    expect(main.get_by_role("heading", level=1)).to_have_text(f"results in {newest['tags'][0]}")
    expect(main.locator("code").first).to_have_text(newest["certificate"]["hash"])
    value = main.locator("dt", has_text=re.compile("^accuracy$")).locator("+ dd")
    expect(value).to_have_text(f"{newest['metrics']['accuracy']:.6g}")

    with local.client() as client:
        graph = client.get(
            "/api/v1/lineage/upstream", params={"node": newest["certificate"]["id"]}
        ).json()
    story = main.locator("ol.story li")
    steps = [node["name"] for node in graph["nodes"] if node["kind"] == "step"]
    assert [text.split()[1] for text in story.all_inner_texts()] == steps
    for node in graph["nodes"]:
        if node["kind"] == "certificate":
            expect(main.get_by_text(node["name"]).first).to_be_attached()
    picture = main.locator(".picture img")
    assert picture.evaluate("async (i) => { await i.decode(); return i.naturalWidth; }") > 100

    rows = main.locator("#history + .scroll tbody tr")
    expect(rows.locator("td:first-child")).to_have_text([one["tags"][0] for one in found[1:]])
    hashes = [one["certificate"]["hash"][:12] for one in found[1:]]
    expect(rows.locator("td:nth-child(3)")).to_have_text(hashes)
    rows.last.locator("a").first.click()
    expect(main.get_by_role("heading", level=1)).to_have_text(f"results in {oldest['tags'][0]}")
    expect(main.locator("code").first).to_have_text(oldest["certificate"]["hash"])


@pytest.mark.sentence("result")
def test_a_snapshot_leads_to_its_results_and_those_into_the_graph(
    see: Callable[..., Seen], local: Served
):
    workspace, found = results(local)
    seen = see(local)
    seen.go(f"/workspaces/{workspace}/snapshots/{found[-1]['snapshot']}")
    seen.page.locator("a[href^='/result']").click()
    title = f"results in {found[-1]['tags'][0]}"
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(title)
    search(seen, "results")
    seen.page.get_by_role("link", name="as a result").first.click()
    newest = f"results in {found[0]['tags'][0]}"
    expect(seen.page.get_by_role("heading", level=1)).to_have_text(newest)
    seen.page.go_back()
    seen.page.go_back()
    seen.page.get_by_role("link", name="Show in the graph").click()
    seen.page.wait_for_selector("html[data-ready]", state="attached")
    expect(seen.page).to_have_url(re.compile(found[-1]["certificate"]["id"]))


WRONG = (
    ({"ref": "results"}, 422),
    ({"workspace": "x", "ref": "results"}, 422),
    ({"workspace": True, "ref": "nothing"}, 404),
    ({"workspace": True, "ref": "results", "snapshot": "0" * 40}, 404),
    ({"workspace": True, "ref": "a:b/\x00"}, 404),
    ({"workspace": True, "ref": "results", "cursor": "x"}, 400),
)


@pytest.mark.parametrize(("query", "status"), WRONG)
def test_a_result_that_is_none_is_told_as_such(local: Served, query: dict[str, Any], status: int):
    workspace, _ = results(local)
    given = {**query, **({"workspace": workspace} if query.get("workspace") is True else {})}
    with local.client() as client:
        answer = client.get(f"/result?{urlencode(given)}", headers={"accept": "text/html"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_a_diff_with_what_is_no_snapshot_is_none(local: Served):
    workspace, found = results(local)
    at = f"/api/v1/workspaces/{workspace}/snapshots"
    with local.client() as client:
        assert client.get(f"{at}/{found[0]['snapshot']}/diff/{'0' * 40}").status_code == 404
        same = client.get(f"{at}/{found[0]['snapshot']}/diff/{found[0]['snapshot']}").json()

    assert same["metrics"] == same["parameters"] == same["content"] == []
    assert same["steps"] == {"added": [], "removed": [], "changed": []}


@pytest.mark.sentence("cypher_graph")
def test_an_answer_with_nodes_is_drawn(see: Callable[..., Seen], local: Served):
    seen = see(local)
    page = seen.page

    def ask(query: str) -> None:
        page.locator("#query").fill(query)
        page.get_by_role("button", name="Ask").click()
        said = re.compile(r"^\d+ rows|the query")
        expect(page.locator("#said")).to_have_text(said, timeout=60_000)

    def drawn() -> str:
        expect(page.locator("#drawn")).to_be_visible()
        source = page.locator("#picture").get_attribute("src") or ""
        assert page.locator("#picture").evaluate("async (i) => { await i.decode(); return true; }")
        found = page.evaluate("decodeURIComponent(document.getElementById('picture').src)")
        assert source.startswith("data:image/svg+xml,")
        return str(found)

    steps = asked(local, "/steps")["items"]
    seen.go("/cypher")
    ask("MATCH (a:Certificate)-[r:READ_BY]->(s:Step) RETURN a, r, s")
    picture = drawn()
    assert all(step["name"] in picture for step in steps)
    assert picture.count("<path") > len(steps)  # and arrows
    link = page.locator("#answer a", has_text=steps[0]["name"]).first
    expect(link).to_have_attribute("href", f"/graph?node={steps[0]['id']}")

    ask("MATCH p = (a:Certificate)-[:READ_BY]->(s:Step)-[:WROTE]->(b) RETURN p LIMIT 1")
    assert any(step["name"] in drawn() for step in steps)

    ask("MATCH (s:Step) RETURN s.id AS id ORDER BY s.start_time DESC LIMIT 1")
    assert steps[0]["name"] in drawn()

    ask("MATCH (s:Step) RETURN count(s) AS steps")
    expect(page.locator("#drawn")).to_be_hidden()
    ask("MATCH (w:Workspace) RETURN w.id AS id")
    expect(page.locator("#answer tbody td")).to_have_count(1)
    expect(page.locator("#drawn")).to_be_hidden()


@pytest.mark.parametrize("keys", [[], ["x"] * 301, [1], ["x" * 201], "x"])
def test_a_picture_of_what_is_no_list_of_ids_is_refused(local: Served, keys: object):
    with local.client() as client:
        answer = client.post("/cypher/picture.svg", json={"keys": keys})

    assert answer.status_code == 422
