"""The pages in a real Chromium: an empty console, no other host, and what is done works.

Each row of the tables is an interaction, and the sentence of the issue that asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.pipelines import keys
from tests.service.processes import Served
from tests.service.test_pages import addresses

pytestmark = pytest.mark.needs("chromium")


@pytest.mark.sentence("every_page")
@pytest.mark.parametrize("which", ["local", "of_hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_shown_without_a_complaint(
    see: Callable[..., Seen], which: str, scheme: str, request: pytest.FixtureRequest
):
    served: Served = request.getfixturevalue(which)
    seen = see(served, scheme)
    with served.client() as client:
        found = addresses(client)
    for name, path in found.items():
        seen.go(path)
        if name.startswith("graph"):
            seen.page.wait_for_selector("#stage canvas")
        assert seen.page.evaluate("window.pwned === undefined"), name
        page, text = seen.page.evaluate(
            "(() => { const s = getComputedStyle(document.body);"
            "return [s.backgroundColor, s.color]; })()"
        )
        assert (
            brightness(page) < brightness(text)
            if scheme == "dark"
            else (brightness(page) > brightness(text))
        ), name


def brightness(colour: str) -> int:
    return sum(int(n) for n in re.findall(r"\d+", colour)[:3])


@pytest.mark.sentence("log_in")
def test_who_logs_in_sees_what_was_asked_for_and_logs_out(see: Callable[..., Seen], shared: Served):
    """For the pages a session cookie, and CSRF protection."""
    seen = see(shared)
    page = seen.page
    seen.go("/steps?status=completed")
    expect(page).to_have_title("Log in")
    page.get_by_label("Token").fill(shared.tokens["read"])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Steps")).to_be_visible()
    assert page.url.endswith("/steps?status=completed")
    seen.go("/cypher")
    page.locator("#query").fill("MATCH (s:Step) RETURN s.name AS n ORDER BY n LIMIT 1")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Log in")


@pytest.mark.sentence("cypher_page")
def test_the_cypher_page_shows_rows_and_what_is_wrong(see: Callable[..., Seen], local: Served):
    """A Cypher page with the cookbook, table and graph results."""
    seen = see(local)
    query = "MATCH (s:Step) RETURN s.name AS name ORDER BY name"
    with local.client() as client:
        rows = client.post("/api/v1/cypher", json={"cypher": query}).json()["rows"]
    seen.go("/cypher")
    seen.page.locator("#query").fill(query)
    seen.page.get_by_role("button", name="Ask").click()
    expect(seen.page.locator("#answer tbody td")).to_have_text([name for (name,) in rows])
    seen.page.locator("summary").first.click()
    seen.page.get_by_role("button", name="Take it").first.click()
    expect(seen.page.locator("#query")).to_have_value(re.compile("MATCH"))


@pytest.mark.sentence("cypher_page")
def test_what_is_wrong_with_a_query_is_told_in_sentences(see: Callable[..., Seen], local: Served):
    seen = see(local)
    seen.go("/cypher")
    seen.page.locator("#query").fill("CREATE (s:Step) RETURN s")
    seen.page.get_by_role("button", name="Ask").click()

    expect(seen.page.locator("#said")).to_have_text(
        "the query would change the graph, and queries may only read. The graph follows from the "
        "journal: record steps and take snapshots instead."
    )
    assert all("400" in one for one in seen.complaints)  # Chromium tells of any refusal
    seen.complaints.clear()


@pytest.mark.sentence("light_and_dark")
def test_the_theme_is_chosen_and_kept(see: Callable[..., Seen], local: Served):
    """Light and dark."""
    seen = see(local)
    seen.go("/")
    seen.page.get_by_role("button", name="Dark").click()
    seen.go("/steps")

    expect(seen.page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.fixture
def graph(see: Callable[..., Seen], local: Served) -> Seen:
    """The page of the graph around the demo's last step."""
    with local.client() as client:
        step = client.get("/api/v1/steps").json()["items"][0]
    seen = see(local)
    seen.go(f"/graph?node={step['id']}")
    seen.page.wait_for_selector("html[data-ready]", state="attached")
    return seen


def place(page: Page, name: str) -> tuple[float, float]:
    """Where a node is in the window."""
    x, y = page.evaluate(
        """(name) => {
            const node = shown.nodes.find((n) => n.name === name);
            const at = network.canvasToDOM({ x: node.x, y: node.y });
            const box = stage.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        name,
    )
    return float(x), float(y)


def name_of_step(graph: Seen) -> str:
    found = graph.page.evaluate("shown.nodes.find((n) => n.role === 'step').name")
    assert isinstance(found, str)
    return found


@pytest.mark.sentence("click")
def test_a_click_on_a_node_shows_its_details(graph: Seen):
    """Click for details; the same in the address."""
    name = name_of_step(graph)
    graph.page.mouse.click(*place(graph.page, name))

    expect(graph.page.locator("#panel")).to_contain_text(name)
    expect(graph.page).to_have_url(re.compile("#.*at="))


@pytest.mark.sentence("deep_link")
def test_a_deep_link_opens_the_same(graph: Seen):
    """Deep link to any state."""
    name = name_of_step(graph)
    graph.page.mouse.click(*place(graph.page, name))
    expect(graph.page).to_have_url(re.compile("#.*at="))
    link = graph.page.url
    graph.go("/")
    graph.page.goto(link)

    expect(graph.page.locator("#panel")).to_contain_text(name)


@pytest.mark.sentence("deep_link")
def test_a_deep_link_shows_all_that_a_click_shows(see: Callable[..., Seen], of_pipeline: Served):
    with of_pipeline.client() as client:
        known = keys(client)
    seen = see(of_pipeline)
    panel = seen.page.locator("#panel")
    seen.go(f"/graph?node={known['source-data']}")
    seen.page.wait_for_selector("html[data-ready]", state="attached")
    seen.page.mouse.click(*place(seen.page, "fit"))
    expect(panel.get_by_role("link", name="Begin here")).to_be_visible()
    clicked = panel.inner_text()
    expect(seen.page).to_have_url(re.compile("#.*at="))
    link = seen.page.url
    seen.go("/")
    seen.page.goto(link)

    expect(panel.get_by_role("link", name="Slice to here")).to_be_visible()
    expect(panel.get_by_role("link", name="Begin here")).to_be_visible()
    assert panel.inner_text() == clicked


@pytest.mark.sentence("click")
def test_the_panel_of_a_node_leads_to_its_page_by_mouse_and_keys(
    see: Callable[..., Seen], of_pipeline: Served
):
    with of_pipeline.client() as client:
        known = keys(client)
    seen = see(of_pipeline)
    page = seen.page
    for name, path in (("fit", "/steps/"), ("source-data", "/certificates/")):
        address = f"/graph?node={known['source-data']}#at={known[name]}"
        seen.go(address)
        page.get_by_role("link", name="Open its page").click()
        page.wait_for_url(f"**{path}{known[name]}")
        expect(page.get_by_role("heading", level=1)).to_have_text(name)

        seen.go(address)
        link = page.get_by_role("link", name="Open its page")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{path}{known[name]}")

        seen.go(address)
        expect(link).to_be_visible()
        page.locator(".vis-network").focus()
        page.keyboard.press("o")
        page.wait_for_url(f"**{path}{known[name]}")


@pytest.mark.sentence("search_in_graph")
def test_a_search_in_the_graph_finds_nodes(graph: Seen):
    """Search over names, hashes, parameters."""
    graph.page.locator("#search").fill(name_of_step(graph)[:5])

    expect(graph.page.locator("#hits")).to_contain_text(re.compile(r"\d"))


@pytest.mark.sentence("zoom_and_pan")
def test_zoom_by_buttons(graph: Seen):
    """Zoom and pan."""
    before = graph.page.evaluate("network.getScale()")
    graph.page.locator("#nearer").click()
    nearer = graph.page.evaluate("network.getScale()")

    assert nearer > before


@pytest.mark.sentence("keyboard")
def test_the_graph_is_walked_by_keys(graph: Seen):
    """Keyboard use; a text twin."""
    graph.page.locator("#twin summary").focus()
    graph.page.keyboard.press("Enter")
    button = graph.page.locator("#twin button[data-node]").first
    expect(button).to_be_visible()
    name = button.inner_text()
    button.focus()
    graph.page.keyboard.press("Enter")

    expect(graph.page.locator("#panel")).to_contain_text(name[:40])


@pytest.mark.sentence("png")
def test_a_picture_is_saved(graph: Seen):
    """PNG/SVG export."""
    with graph.page.expect_download() as png:
        graph.page.locator("#png").click()
    with graph.page.expect_download() as svg:
        graph.page.get_by_role("link", name="SVG").click()

    assert png.value.path().read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in svg.value.path().read_bytes()
