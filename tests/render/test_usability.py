"""A picture of about 500 nodes in a real browser: found, focused, read and walked through."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dws_graph.model.subgraph import Subgraph
from dws_graph.render.html import to_html
from tests.render import samples

pytestmark = pytest.mark.needs("chromium")

SELECTED = "byId.get(view.selected)"
FOCUSED = "document.activeElement.id || document.activeElement.className"
PAINTED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
COLOUR = """(id) => {
    network.redraw();
    const canvas = stage.querySelector("canvas"), node = shown.at.get(id);
    const { x, y } = network.canvasToDOM({ x: node.x, y: node.y - node.h / 2 + 5 });
    const k = canvas.width / canvas.getBoundingClientRect().width;
    const copy = document.createElement("canvas").getContext("2d"); // reading the canvas warns
    copy.fillStyle = view.tone("page");
    copy.fillRect(0, 0, 1, 1);
    copy.drawImage(canvas, x * k, y * k, 1, 1, 0, 0, 1, 1);
    return [...copy.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}"""


@pytest.fixture(scope="module")
def graph() -> Subgraph:
    return samples.pipelines()


@pytest.fixture(scope="module")
def pages(graph: Subgraph) -> dict[str, str]:
    """As it opens, and each node on its own."""
    return {
        "opened": to_html(graph, title="Pipelines"),
        "none": to_html(graph, title="Pipelines", group="none"),
    }


@pytest.mark.parametrize("view", ["opened", "none"])
def test_names_hashes_and_parameters_are_found(open_page, graph, pages, view):
    page = open_page(pages[view]).page
    hits = page.get_by_role("status")
    search = page.get_by_role("searchbox")
    data = next(n for n in graph.nodes if n.name.startswith("train:/"))
    steps = [n.key for n in graph.nodes if n.properties.get("parameters", {}).get("run") == 17]

    for wanted in (data.properties["hash"], data.properties["hash"][:8]):
        search.fill(wanted)
        page.keyboard.press("Enter")
        assert page.evaluate(f"{SELECTED}.id") == data.key
    search.fill("source-3")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{SELECTED}.name") == "source-3"
    search.fill("run=17")
    assert hits.inner_text() == f"{len(steps)} of {page.evaluate('nodes.length')}"
    assert sorted(page.evaluate("[...found]")) == sorted(steps)
    search.fill("RUN=17 train")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{SELECTED}.name") == "train"
    assert "run\n17" in page.locator("#panel").inner_text()


def test_enter_walks_all_hits_and_brings_each_into_view(open_page, pages):
    page = open_page(pages["none"]).page

    page.get_by_role("searchbox").fill("failed")
    count = page.evaluate("found.size")
    assert count > 3
    seen = []
    for _ in range(count):
        page.keyboard.press("Enter")
        seen.append(page.evaluate("view.selected"))
        x, y, wide, high = page.evaluate(
            """() => {
                const at = network.canvasToDOM(shown.at.get(view.selected));
                const left = stage.clientWidth - $("panel").offsetWidth;
                return [at.x, at.y, left, stage.clientHeight];
            }"""
        )
        assert 0 < x < wide
        assert 0 < y < high
    assert len(set(seen)) == count
    page.keyboard.press("Enter")
    assert page.evaluate("view.selected") == seen[0]
    page.keyboard.press("Shift+Enter")
    assert page.evaluate("view.selected") == seen[-1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_click_fades_what_is_not_connected_and_another_brings_it_back(open_page, pages, scheme):
    opened = open_page(pages["none"], scheme=scheme)
    page = opened.page
    page.evaluate("network.moveTo({ scale: 0.5 })")
    page.evaluate(PAINTED)
    middle, other = page.evaluate(
        """() => {
            const at = (n) => network.canvasToDOM(n);
            const inside = (n) => at(n).x > 40 && at(n).x < stage.clientWidth - 360
                && at(n).y > 40 && at(n).y < stage.clientHeight - 40;
            const plain = (n) => n.role === "step" && !n.states.length && inside(n);
            const one = shown.nodes.find(plain);
            const near = new Set([...reach([one.id], incoming, "from").seen,
                ...reach([one.id], outgoing, "to").seen]);
            return [one.id, shown.nodes.find((n) => plain(n) && !near.has(n.id)).id];
        }"""
    )
    before = page.evaluate(COLOUR, other)
    x, y = page.evaluate(
        """(id) => {
            const at = network.canvasToDOM(shown.at.get(id)), box = stage.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        middle,
    )
    page.mouse.click(x, y)
    page.mouse.move(3, 3)
    page.evaluate(PAINTED)
    assert page.evaluate("view.selected") == middle
    assert page.evaluate(COLOUR, middle) == before  # as it was
    faded = page.evaluate(COLOUR, other)
    ground = {"light": (251, 251, 253), "dark": (18, 22, 29)}[scheme]
    assert sum(abs(a - b) for a, b in zip(faded, ground, strict=True)) < 0.3 * sum(
        abs(a - b) for a, b in zip(before, ground, strict=True)
    )

    page.get_by_role("button", name="Close details").click()
    page.evaluate(PAINTED)
    assert page.evaluate(COLOUR, other) == before


def test_the_chosen_theme_stays_whatever_is_done_and_when_reloaded(open_page, pages):
    opened = open_page(pages["opened"])
    page = opened.page
    background = "getComputedStyle(document.body).backgroundColor"

    page.get_by_role("button", name="Dark").click()
    page.get_by_role("combobox", name="Group").select_option("nothing")
    page.get_by_role("searchbox").fill("failed")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Fill window").click()
    assert page.evaluate(background) == "rgb(18, 22, 29)"
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate(background) == "rgb(18, 22, 29)"
    assert page.evaluate("view.tone('page')") == "#12161d"
    assert page.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Dark").click()
    page.reload()
    page.wait_for_selector("html[data-ready]", state="attached")
    assert page.evaluate(background) == "rgb(251, 251, 253)"


def test_everything_can_be_done_with_the_keyboard(open_page, pages):
    page = open_page(pages["opened"]).page
    order = []
    for _ in range(9):
        page.keyboard.press("Tab")
        order.append(page.evaluate(FOCUSED))
    assert order == [
        *("search", "group", "depth"),
        *("farther", "nearer", "fit", "wide", "theme"),
        "vis-network",
    ]

    page.keyboard.press("ArrowLeft")  # to what was asked for
    assert page.evaluate("shown.at.get(view.selected).states.includes('root')")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Tab")  # into the panel
    assert page.evaluate(FOCUSED) == "close"
    page.keyboard.press("Tab")
    name = page.evaluate("document.activeElement.textContent")
    assert name == "Open group"
    page.keyboard.press("Enter")
    assert page.evaluate("shown.frames.length") == 1
    assert page.evaluate(FOCUSED) == "panel"
    for _ in range(3):  # close, close group, the first of its members
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate(f"{SELECTED}.role") == "step"
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    assert page.evaluate(FOCUSED) == "vis-network"
    page.keyboard.press("0")
    assert page.evaluate("network.getScale() * shown.width <= stage.clientWidth")


def test_opening_a_group_moves_nothing_past_anything_and_keeps_its_place(open_page, pages):
    page = open_page(pages["opened"]).page
    positions = "Object.fromEntries(views[viewName].nodes.map((n) => [n.id, shown.at.get(n.id)]))"
    order = """(now) => Object.values(now).map((n) => n.id)"""
    before = page.evaluate(positions)
    largest = max(before.values(), key=lambda n: len(n["members"]))
    on_screen = "(id) => network.canvasToDOM(shown.at.get(id))"
    was = page.evaluate(on_screen, largest["id"])

    page.evaluate("(id) => setOpen([id], id)", largest["id"])
    assert page.evaluate(on_screen, largest["id"]) == pytest.approx(was, abs=1)
    after = page.evaluate(positions)
    assert page.evaluate(order, before) == page.evaluate(order, after)
    others = [key for key in before if key != largest["id"]]
    for axis in ("x", "y"):
        ranked = sorted(others, key=lambda key, axis=axis: before[key][axis])
        for one, two in pairwise(ranked):
            assert after[one][axis] <= after[two][axis] + 0.01

    page.evaluate("(id) => setOpen([], id)", largest["id"])
    closed = page.evaluate(positions)
    assert {k: (n["x"], n["y"]) for k, n in closed.items()} == {
        k: (n["x"], n["y"]) for k, n in before.items()
    }
