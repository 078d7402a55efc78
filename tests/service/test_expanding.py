"""The graph, expanded step by step in place: by marks, keys, buttons, and an address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.graphs import in_window, keys_shown, newest, nodes_of, open_graph
from tests.service.processes import Served

LAST = "made:/s13a"
ALONE = "&detail=certificates"  # nothing is folded: what is shown is what the API tells


@pytest.fixture(scope="module")
def last(of_many: Served) -> str:
    """The newest version of what the pipeline's last stage writes."""
    return newest(of_many, LAST)


def drawing(served: Served, query: str) -> dict[str, Any]:
    """What the page of these parameters draws."""
    with served.client() as client:
        answer = client.get(f"/graph/drawing?{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def keys(drawn: dict[str, Any]) -> set[str]:
    return {node["id"] for node in drawn["nodes"]}


def farther(served: Served, key: str) -> str:
    """A node one step upstream of another that has more upstream, by the API alone."""
    near, far = nodes_of(served, "upstream", key, 1), nodes_of(served, "upstream", key, 2)
    beyond = {
        one: len(nodes_of(served, "upstream", one, 1).keys() & (far.keys() - near.keys()))
        for one in near
        if near[one]["kind"] == "certificate" and one != key
    }
    found = max(beyond, key=lambda one: beyond[one])
    assert beyond[found]
    return found


@pytest.mark.needs("chromium")
@pytest.mark.sentence("expand")
def test_a_plus_shows_one_step_more_where_it_is(
    see: Callable[..., Seen], of_many: Served, last: str
):
    page = open_graph(see(of_many), f"node={last}&direction=upstream&depth=1{ALONE}")
    near = nodes_of(of_many, "upstream", last, 1)
    assert keys_shown(page) == near.keys()
    node = farther(of_many, last)
    before = in_window(page, node)

    page.mouse.click(*mark(page, node, "up"))

    expect(page).to_have_url(re.compile(f"[?&]up={node}"))
    more = nodes_of(of_many, "upstream", node, 1)
    assert keys_shown(page) == near.keys() | more.keys()
    assert in_window(page, node) == pytest.approx(before, abs=1)
    expect(page.locator("#twin summary")).to_contain_text(f"{len(near.keys() | more.keys())} nodes")

    page.mouse.click(*mark(page, node, "up"))

    expect(page).not_to_have_url(re.compile("up="))
    assert keys_shown(page) == near.keys()
    assert in_window(page, node) == pytest.approx(before, abs=1)


def mark(page: Page, key: str, way: str) -> tuple[float, float]:
    """Where the mark of a node's side is in the window."""
    x, y = page.evaluate(
        """([key, way]) => {
            const mark = marksNow().find((one) => one.node.id === key && one.way === way);
            const at = network.canvasToDOM(mark);
            const box = frame.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        [key, way],
    )
    return float(x), float(y)


@pytest.mark.needs("chromium")
@pytest.mark.sentence("expand")
def test_back_closes_what_was_opened_and_a_link_opens_it(
    see: Callable[..., Seen], of_many: Served, last: str
):
    page = open_graph(see(of_many), f"node={last}&direction=upstream&depth=1{ALONE}")
    near = keys_shown(page)
    node = farther(of_many, last)
    page.mouse.click(*mark(page, node, "up"))
    expect(page).to_have_url(re.compile("up="))
    link, opened = page.url, keys_shown(page)

    page.go_back()
    expect(page.locator("#twin summary")).to_contain_text(f"{len(near)} nodes")
    assert keys_shown(page) == near

    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector("#over", state="attached")
    assert keys_shown(page) == opened


@pytest.mark.needs("chromium")
@pytest.mark.sentence("expand")
def test_keys_and_buttons_of_the_panel_go_on_step_by_step(
    see: Callable[..., Seen], of_many: Served, last: str
):
    page = open_graph(see(of_many), f"node={last}&direction=upstream&depth=1{ALONE}")
    page.mouse.click(*in_window(page, last))
    expect(page.locator("#panel")).to_be_visible()

    page.keyboard.press("[")
    expect(page).to_have_url(re.compile(f"up={last}(~|%7E)2"))
    assert keys_shown(page) == nodes_of(of_many, "upstream", last, 2).keys()

    page.get_by_role("button", name="1 step up").click()
    expect(page).to_have_url(re.compile(f"up={last}(~|%7E)3"))
    assert keys_shown(page) == nodes_of(of_many, "upstream", last, 3).keys()

    page.keyboard.press("{")
    expect(page).not_to_have_url(re.compile("up="))
    assert keys_shown(page) == nodes_of(of_many, "upstream", last, 1).keys()

    page.get_by_role("button", name="1 step down").click()
    expect(page).to_have_url(re.compile(f"down={last}"))
    below = nodes_of(of_many, "downstream", last, 1)
    assert keys_shown(page) == nodes_of(of_many, "upstream", last, 1).keys() | below.keys()
    page.get_by_role("button", name="Close downstream").click()
    expect(page).not_to_have_url(re.compile("down="))


@pytest.mark.needs("chromium")
@pytest.mark.sentence("expand")
def test_a_service_that_is_gone_is_said_and_the_picture_stays(
    see: Callable[..., Seen], of_many: Served, last: str
):
    seen = see(of_many)
    page = open_graph(seen, f"node={last}&direction=upstream&depth=1")
    before = keys_shown(page)
    page.mouse.click(*in_window(page, last))
    page.route("**/graph?**", lambda route: route.abort())

    page.keyboard.press("]")

    expect(page.locator("#trouble")).to_contain_text("could not be shown")
    assert keys_shown(page) == before
    assert "down=" not in page.url
    seen.complaints[:] = [said for said in seen.complaints if "ERR_FAILED" not in said]


@pytest.mark.sentence("expand")
def test_each_node_tells_how_many_of_its_neighbours_are_not_shown(of_many: Served, last: str):
    drawn = drawing(of_many, f"node={last}&direction=upstream&depth=1{ALONE}")
    shown = keys(drawn)
    with of_many.client() as client:
        for key in shown:
            given: dict[str, Any] = {"node": key, "depth": 1, "limit": 10_000}
            around = client.get("/api/v1/lineage/neighbourhood", params=given).json()
            hidden = [
                len({e[end] for e in around["edges"] if e[other] == key} - shown)
                for end, other in (("source", "target"), ("target", "source"))
            ]
            assert drawn["more"].get(key, [0, 0]) == hidden, key


def test_what_is_opened_from_an_opened_node_goes_with_it(of_many: Served, last: str):
    node = farther(of_many, last)
    beyond = farther(of_many, node)
    base = f"node={last}&direction=upstream&depth=1{ALONE}"
    assert beyond not in keys(drawing(of_many, base))

    both = drawing(of_many, f"{base}&up={beyond}&up={node}")
    alone = drawing(of_many, f"{base}&up={beyond}")

    wanted = [nodes_of(of_many, "upstream", key, 1).keys() for key in (last, node, beyond)]
    assert keys(both) == set().union(*wanted)
    assert {key for key, _, _ in both["opened"]} == {node, beyond}
    assert keys(alone) == wanted[0]
    assert alone["opened"] == []


def test_arrows_that_lead_past_what_was_asked_for_are_shown(of_many: Served):
    node = newest(of_many, "made:/s5a")
    drawn = drawing(of_many, f"node={node}{ALONE}")
    shown = keys(drawn)
    found = set()
    with of_many.client() as client:
        for way in ("upstream", "downstream"):
            for key in shown:
                given: dict[str, Any] = {"node": key, "depth": 1, "limit": 10_000}
                told = client.get(f"/api/v1/lineage/{way}", params=given).json()["edges"]
                found |= {(e["source"], e["target"]) for e in told}

    told = {(e["from"], e["to"]) for e in drawn["edges"]}
    assert told == {(a, b) for a, b in found if a in shown and b in shown}
    up, down = (nodes_of(of_many, way, node).keys() for way in ("upstream", "downstream"))
    assert any(a in up - {node} and b in down - {node} for a, b in told)


def test_more_than_500_nodes_of_a_step_are_left_out_and_counted(of_many: Served, last: str):
    code = newest(of_many, "code")
    whole = (
        nodes_of(of_many, "downstream", code, 1).keys()
        | nodes_of(of_many, "upstream", last, 1).keys()
    )
    query = f"node={last}&direction=upstream&depth=1&down={code}{ALONE}"
    drawn = drawing(of_many, query)

    left = len(whole - keys(drawn))
    assert left > 1_000
    with of_many.client(headers={"accept": "text/html"}) as client:
        assert (
            f"{left} nodes that are farther away are left out" in client.get(f"/graph?{query}").text
        )


@pytest.mark.parametrize("said", ["", "~", "x~0", "x~-1", "x~1e9", "x~123456", "~2", "y" * 300])
def test_what_is_no_opening_is_refused(local: Served, said: str):
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]["id"]
        refused = [
            client.get(path, params={"node": step, way: said})
            for path in ("/graph", "/graph/drawing", "/graph/picture.svg")
            for way in ("up", "down")
        ]

    assert [answer.status_code for answer in refused] == [400] * 6
    told = refused[0].json()
    assert "says no node to open" in told["detail"]
    assert told["hint"] == "Give up=ID~STEPS."


@pytest.mark.parametrize("when", ["at", "against"])
def test_nothing_is_opened_at_another_time(local: Served, when: str):
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]["id"]
        refused = client.get("/graph", params={"node": step, "up": step, when: "v1"})
        followed = client.get("/graph", params={"node": step, "up": step})

    assert refused.status_code == 400
    assert refused.json()["detail"] == "What is opened is of now."
    [moments] = re.findall(r'<datalist id="moments">(.*?)</datalist>', followed.text, re.DOTALL)
    assert "data-url" in moments
    assert "up=" not in moments


def test_so_many_openings_are_refused(local: Served):
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]["id"]
        found = client.get("/graph/drawing", params={"node": step, "up": ["x"] * 201})

    assert found.status_code == 422
    assert isinstance(found, httpx.Response)


@pytest.mark.sentence("svg")
def test_the_svg_has_what_was_opened(local: Served):
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]["id"]
        base = {"node": step, "direction": "upstream", "depth": 1}
        [source] = [
            node["key"]
            for node in nodes_of(local, "upstream", step, 1).values()
            if node["properties"].get("role") == "source-data"
        ]
        made = nodes_of(local, "downstream", source, 1)
        names = {node["name"] for node in made.values() if node["kind"] == "step"}
        without = client.get("/graph/picture.svg", params=base).text
        opened = client.get("/graph/picture.svg", params={**base, "down": source}).text

    assert len(names) > 1
    assert all(f">{name}<" in opened for name in names)
    assert not all(f">{name}<" in without for name in names)
