"""The graph is layered; it is moved and zoomed by mouse, wheel, fingers, keys and buttons."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.service.browsing import Seen
from tests.service.graphs import assert_scaled, newest, open_graph
from tests.service.processes import Served

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.sentence("zoom_and_pan")]
PLACE = "(([x, y]) => { const b = frame.getBoundingClientRect();"
PLACE += " return network.toCanvas(x - b.left, y - b.top); })"


@pytest.fixture
def graph(see: Callable[..., Seen], of_many: Served) -> Page:
    last = newest(of_many, "made:/s13a")
    return open_graph(see(of_many), f"node={last}&direction=upstream")


def middle(page: Page) -> tuple[int, int]:
    """Of the picture, in whole pixels: as a mouse's events have it."""
    box = page.locator("#stage").bounding_box()
    assert box is not None
    return round(box["x"] + box["width"] / 2), round(box["y"] + box["height"] / 2)


def scale(page: Page) -> float:
    return float(page.evaluate("network.getScale()"))


def test_arrows_lead_from_left_to_right(graph: Page):
    ends = graph.evaluate("shown.edges.map((e) => [shown.at.get(e.from).x, shown.at.get(e.to).x])")

    assert len(ends) > 20
    assert all(start < end for start, end in ends)


def test_a_drag_takes_the_picture_along(graph: Page):
    x, y = middle(graph)
    held = graph.evaluate(PLACE, [x, y])
    graph.mouse.move(x, y)
    graph.mouse.down()
    graph.mouse.move(x + 120, y - 45, steps=6)
    graph.mouse.up()

    assert graph.evaluate(PLACE, [x + 120, y - 45]) == pytest.approx(held, abs=1)


def test_the_wheel_zooms_about_the_pointer(graph: Page):
    x, y = middle(graph)
    graph.mouse.move(x + 100, y + 30)
    held, before = graph.evaluate(PLACE, [x + 100, y + 30]), scale(graph)
    graph.mouse.wheel(0, -200)
    assert_scaled(graph, before, nearer=True)
    assert graph.evaluate(PLACE, [x + 100, y + 30]) == pytest.approx(held, abs=1)

    near = scale(graph)
    graph.mouse.wheel(0, 200)
    assert_scaled(graph, near, nearer=False)


def test_buttons_and_keys_zoom_and_fit(graph: Page):
    graph.locator("#fit").click()
    whole = scale(graph)
    graph.locator("#nearer").click()
    assert scale(graph) > whole
    graph.locator("#farther").click()
    assert scale(graph) == pytest.approx(whole)
    graph.locator(".vis-network").focus()
    graph.keyboard.press("+")
    assert scale(graph) > whole
    graph.keyboard.press("-")
    assert scale(graph) == pytest.approx(whole)
    graph.keyboard.press("+")
    graph.keyboard.press("0")
    assert scale(graph) == pytest.approx(whole)
    expect(graph.locator("#panel")).to_be_hidden()


def test_what_is_seen_of_the_lines_is_a_piece_of_the_whole(graph: Page):
    """Only the part of a line that is in view is painted, and it lies where it would lie."""
    inked, different = graph.evaluate(
        """() => {
            const up = new Set(shown.edges);
            const plain = { ...view, scale: 1, lit: null, up, down: new Set() };
            const painted = (width, height, left, top) => {
                const canvas = document.createElement("canvas");
                [canvas.width, canvas.height] = [width, height];
                const ctx = canvas.getContext("2d", { willReadFrequently: true });
                ctx.translate(-left, -top);
                painter.paintEdges(ctx, plain);
                return ctx;
            };
            const whole = painted(Math.ceil(shown.width), Math.ceil(shown.height), 0, 0);
            let inked = 0, different = 0;
            for (let left = 0; left + 90 < shown.width; left += 90) {
                const top = (left * 7) % Math.max(1, Math.floor(shown.height) - 60);
                const piece = painted(90, 60, left, top).getImageData(0, 0, 90, 60).data;
                const wanted = whole.getImageData(left, top, 90, 60).data;
                for (let i = 3; i < wanted.length; i += 4) {
                    inked += wanted[i] > 0;
                    different += Math.abs(wanted[i] - piece[i]) > 48;
                }
            }
            return [inked, different];
        }"""
    )

    assert inked > 2_000
    assert different < inked / 200
