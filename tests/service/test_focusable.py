"""Buttons over the nodes that are near: named, in the order of the layers, where the nodes are."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.graphs import assert_scaled, in_window, keys_shown, newest, nodes_of, open_graph
from tests.service.processes import Served

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.sentence("focusable")]
MOST = 150


@pytest.fixture
def near(see: Callable[..., Seen], of_many: Served) -> Page:
    """The page of a few nodes."""
    last = newest(of_many, "made:/s13a")
    return open_graph(see(of_many), f"node={last}&direction=upstream&depth=2&detail=certificates")


def over(page: Page) -> list[str]:
    """The nodes that have a button, in the order of Tab."""
    found = page.evaluate("[...document.querySelectorAll('#over button')].map(b => b.dataset.node)")
    return list(found)


def test_each_node_in_view_has_a_button_with_its_kind_name_and_state(near: Page, of_many: Served):
    told = nodes_of(of_many, "upstream", newest(of_many, "made:/s13a"), 2)

    assert set(over(near)) == told.keys() == keys_shown(near)
    for key, node in told.items():
        name = near.locator(f'#over button[data-node="{key}"]').get_attribute("aria-label") or ""
        said = node["properties"]
        assert node["name"] in name
        assert node["kind"] != "step" or name.startswith("step ")
        assert said.get("role") != "source-data" or name.startswith("source data ")
        assert said.get("status") != "not kept" or "not kept" in name


def test_tab_goes_through_the_nodes_by_layers(near: Page):
    placed = near.evaluate("shown.nodes.map((n) => [n.id, n.x, n.y])")
    layers = sorted(placed, key=lambda node: (round(node[1]), node[2]))
    assert over(near) == [key for key, _, _ in layers]

    near.locator(".vis-network").focus()
    for key, _, _ in layers[:3]:
        near.keyboard.press("Tab")
        expect(near.locator(f'#over button[data-node="{key}"]')).to_be_focused()


def test_enter_is_a_click_and_arrows_lead_on(near: Page):
    edge = near.evaluate("shown.edges.map((e) => [e.from, e.to])")[0]
    start = near.locator(f'#over button[data-node="{edge[0]}"]')
    start.focus()
    near.keyboard.press("Enter")
    name = near.evaluate("(id) => shown.at.get(id).name", edge[0])
    expect(near.locator("#panel h2")).to_have_text(name)
    expect(start).to_have_attribute("aria-current", "true")
    expect(start).to_be_focused()

    near.keyboard.press("ArrowRight")
    chosen = near.locator('#over button[aria-current="true"]')
    # it may be out of sight by now: then it has no button
    left = near.locator(f'#over button[data-node="{edge[0]}"][aria-current="true"]')
    expect(left).to_have_count(0)
    expect(chosen).to_be_focused()
    followers = near.evaluate(
        "(id) => shown.edges.filter((e) => e.from === id).map((e) => e.to)", edge[0]
    )
    assert chosen.get_attribute("data-node") in followers

    near.keyboard.press("Escape")
    expect(near.locator("#panel")).to_be_hidden()
    expect(near.locator('#over button[aria-current="true"]')).to_have_count(0)


def test_buttons_lie_over_their_nodes_wherever_those_move(near: Page):
    key = over(near)[0]
    button = near.locator(f'#over button[data-node="{key}"]')

    def together() -> None:
        box = button.bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        assert middle == pytest.approx(in_window(near, key), abs=1)

    together()
    box = near.locator("#stage").bounding_box()
    assert box is not None
    near.mouse.move(box["x"] + 300, box["y"] + box["height"] - 20)
    near.mouse.down()
    near.mouse.move(box["x"] + 340, box["y"] + box["height"] - 60, steps=5)
    together()
    near.mouse.up()
    before = float(near.evaluate("network.getScale()"))
    near.mouse.wheel(0, -120)
    assert_scaled(near, before, nearer=True)
    together()


def test_a_mouse_clicks_a_button_and_drags_from_it(near: Page):
    key = over(near)[-1]
    button = near.locator(f'#over button[data-node="{key}"]')
    button.click()
    expect(near.locator("#panel h2")).to_have_text(
        near.evaluate("(id) => shown.at.get(id).name", key)
    )
    near.keyboard.press("Escape")
    expect(near.locator("#panel")).to_be_hidden()
    before, at = near.evaluate("network.getViewPosition().x"), in_window(near, key)
    near.mouse.move(*at)
    near.mouse.down()
    near.mouse.move(at[0] - 50, at[1], steps=4)
    near.mouse.up()

    assert near.evaluate("network.getViewPosition().x") > before
    expect(near.locator("#panel")).to_be_hidden()


def test_the_focus_stays_on_a_node_that_is_expanded(near: Page, of_many: Served):
    more = near.evaluate("Object.entries(data.more).find(([, [up]]) => up)[0]")
    button = near.locator(f'#over button[data-node="{more}"]')
    expect(button).to_have_attribute("aria-label", re.compile(r"\d+ more upstream not shown"))
    before = set(over(near))
    button.focus()

    near.keyboard.press("[")

    expect(near).to_have_url(re.compile(f"up={more}"))
    expect(button).to_be_focused()
    added = nodes_of(of_many, "upstream", more, 1).keys()
    assert keys_shown(near) == before | added > before


def test_where_too_many_are_in_view_the_table_is_named_in_their_place(
    see: Callable[..., Seen], of_many: Served
):
    code = newest(of_many, "code")
    page = open_graph(see(of_many), f"node={code}#group=none")
    page.locator("#fit").click()
    expect(page.locator("#reachable")).to_contain_text("use the table below")
    assert over(page) == []
    rows = page.locator("#twin tbody tr")
    expect(rows).to_have_count(len(keys_shown(page)))

    page.locator("#twin summary").click()
    page.locator("#twin tbody button").nth(7).click()  # which brings it near
    expect(page.locator("#reachable")).to_be_empty()

    assert 0 < len(over(page)) <= MOST
    assert page.evaluate("view.selected") in over(page)
