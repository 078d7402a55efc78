"""2,000 nodes and more: shown without a complaint, told honestly, and put together by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.graphs import in_window, keys_shown, newest, nodes_of, open_graph
from tests.service.processes import Served
from tests.service.test_pages import addresses

pytestmark = pytest.mark.needs("chromium")
MOST = 2_000
PATIENCE = 120_000  # ms: a slow machine is no failure


@pytest.fixture(scope="module")
def code(of_many: Served) -> str:
    """What all steps run."""
    return newest(of_many, "code")


@pytest.fixture(scope="module")
def told(of_many: Served, code: str) -> dict[str, dict[str, Any]]:
    """All that the API knows to be made by it."""
    return nodes_of(of_many, "downstream", code)


@pytest.mark.sentence("every_page")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_many_nodes_is_shown_without_a_complaint(
    see: Callable[..., Seen], of_many: Served, scheme: str
):
    seen = see(of_many, scheme)
    with of_many.client() as client:
        found = addresses(client)
    for name, path in found.items():
        seen.page.goto(of_many.url + path, timeout=PATIENCE)
        if name.startswith("graph"):
            seen.page.wait_for_selector("#stage canvas", timeout=PATIENCE)


@pytest.mark.sentence("many_nodes")
def test_what_is_left_out_is_counted_and_can_be_shown(
    see: Callable[..., Seen], of_many: Served, code: str, told: dict[str, dict[str, Any]]
):
    assert len(told) > MOST
    page = open_graph(see(of_many), f"node={code}")
    assert len(keys_shown(page)) == MOST
    assert keys_shown(page) < told.keys()
    expect(page.locator("#left")).to_contain_text(f"{len(told) - MOST} nodes that are farther")
    expect(page.locator("#twin summary")).to_contain_text(f"{MOST} nodes")

    page.get_by_role("link", name="Show more").click(timeout=PATIENCE)
    page.wait_for_selector("#over", state="attached", timeout=PATIENCE)

    assert keys_shown(page) == told.keys()
    expect(page.locator("#left")).to_be_empty()


@pytest.mark.sentence("many_nodes")
def test_a_node_far_away_is_found_and_shown(see: Callable[..., Seen], of_many: Served, code: str):
    page = open_graph(see(of_many), f"node={code}")
    page.locator("#search").fill("report")
    expect(page.locator("#hits")).to_have_text(f"1 of {MOST}")
    page.locator("#search").press("Enter")

    expect(page.locator("#panel h2")).to_have_text("report")
    assert 0 <= in_window(page, page.evaluate("view.selected"))[0] <= 1300


@pytest.mark.sentence("collapse")
def test_steps_of_one_name_are_put_together(
    see: Callable[..., Seen], of_many: Served, code: str, told: dict[str, dict[str, Any]]
):
    page = open_graph(see(of_many), f"node={code}&limit=10000")
    expect(page.locator("#group")).to_have_value("steps")  # so many open so
    assert drawn(page, "step") == Counter(n["name"] for n in told.values() if n["kind"] == "step")

    count = page.evaluate("shown.nodes.length")
    group = page.evaluate("shown.nodes.find((n) => n.name.startsWith('stage 7 ')).id")
    button = page.locator(f'#over button[data-node="{group}"]')
    expect(button).to_have_attribute("aria-expanded", "false")
    button.focus()
    page.keyboard.press("Enter")

    expect(button).to_have_attribute("aria-expanded", "true")
    members = page.evaluate("(id) => shown.at.get(id).members", group)
    assert page.evaluate("shown.nodes.length") == count + len(members)
    assert {told[key]["name"] for key in members} == {"stage 7"}


@pytest.mark.sentence("collapse")
def test_versions_of_one_resource_are_put_together(
    see: Callable[..., Seen], of_many: Served, code: str, told: dict[str, dict[str, Any]]
):
    page = open_graph(see(of_many), f"node={code}&limit=10000&detail=certificates")
    page.locator("#group").select_option("resources")

    expect(page).to_have_url(re.compile("group=resources"))
    wanted = Counter(
        n["properties"]["resource"]
        for n in told.values()
        if n["kind"] == "certificate" and n["key"] != code
    )
    groups = page.evaluate(
        "shown.nodes.map((n) => [n.name, n.members]).filter(([, m]) => m.length)"
    )
    assert {name for name, _ in groups} == {
        f"{name} \N{MULTIPLICATION SIGN}{versions}" if versions > 1 else name
        for name, versions in wanted.items()
    }
    members = [key for _, found in groups for key in found]
    assert len(members) == len(set(members))
    assert set(members) == told.keys() - {code}


def drawn(page: Page, role: str) -> Counter[str]:
    """How many of each name are drawn, in groups or alone."""
    found = page.evaluate(
        "(role) => shown.nodes.filter((n) => n.role === role)"
        ".map((n) => [n.name.replace(/ \u00d7\\d+$/, ''), Math.max(1, n.members.length)])",
        role,
    )
    counts: Counter[str] = Counter()
    for name, count in found:
        counts[name] += count
    return counts
