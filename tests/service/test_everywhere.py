"""What holds on every page: it fits on a phone, and can be read by people who see little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.service.browsing import Seen
from tests.service.processes import Served
from tests.service.test_pages import addresses

pytestmark = pytest.mark.needs("chromium")
NORMAL, LARGE = 4.5, 3.0  # WCAG 2.2, 1.4.3: large is 24 px, or 18.66 px and bold
# The contrast of each text that is seen with what lies behind it.
CONTRAST = """() => {
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return text.startsWith("color(srgb") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(parse(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const note = (element, text, colour) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!seen || box.width <= 1 || box.height <= 1) return;
    const back = behind(element), front = over(parse(colour ?? style.color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({ text: text.trim().slice(0, 40), ratio: (a + 0.05) / (b + 0.05), large });
  };
  while (walk.nextNode()) {
    const { parentElement: element, textContent: text } = walk.currentNode;
    if (!text.trim() || ["SCRIPT", "OPTION", "TITLE"].includes(element.tagName)) continue;
    if (element.closest("[aria-hidden=true]")) continue; // a swatch, beside its words
    const svg = element.closest("svg");
    note(element, text, svg ? getComputedStyle(element).fill : null);
  }
  for (const input of document.querySelectorAll("input[placeholder], textarea[placeholder]")) {
    note(input, input.placeholder, getComputedStyle(input, "::placeholder").color);
  }
  for (const select of document.querySelectorAll("select")) note(select, select.value);
  return found;
}"""
# What is wider than the window, and targets that a finger does not hit (WCAG 2.2, 2.5.8: links in
# a sentence are free of that).
TOO_WIDE = """() => {
  const scrolls = (at) => {
    for (; at; at = at.parentElement) {
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  return [...document.querySelectorAll("main *, header *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .filter((e) => !scrolls(e) && !e.closest("svg"))
    .map((e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 30)}`);
}"""
TOO_SMALL = """() => {
  const targets = "button, select, textarea, summary, input:not([type=hidden]), a.button, nav a";
  const boxOf = (e) => ((e.type === "checkbox" && e.closest("label")) || e).getBoundingClientRect();
  return [...document.querySelectorAll(targets)]
    .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
    .filter((e) => !e.closest(".over")) // as large as a node is drawn: the table has them, too
    .filter((e) => boxOf(e).width < 24 || boxOf(e).height < 24)
    .map((e) => `${e.tagName} ${e.name ?? ""} ${e.textContent.trim().slice(0, 20)}`);
}"""


def pages(served: Served) -> dict[str, str]:
    with served.client() as client:
        return {
            name: path
            for name, path in addresses(client).items()
            if not name.startswith("step ") or name == "step 0"
        }


def settled(seen: Seen, name: str, path: str) -> None:
    seen.go(path)
    if name.startswith("graph"):
        seen.page.wait_for_selector("html[data-ready]", state="attached")
    seen.page.evaluate(
        "document.querySelectorAll('main details').forEach((d) => { d.open = true; })"
    )


@pytest.mark.sentence("contrast")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_enough(see: Callable[..., Seen], local: Served, scheme: str):
    seen = see(local, scheme)
    faint: dict[str, Any] = {}
    for name, path in pages(local).items():
        settled(seen, name, path)
        found = seen.page.evaluate(CONTRAST)
        assert len(found) > 5, name
        wrong = [one for one in found if one["ratio"] < (LARGE if one["large"] else NORMAL)]
        if wrong:
            faint[name] = wrong[:5]
    assert not faint, faint


def test_a_text_that_is_too_faint_is_noticed(see: Callable[..., Seen], local: Served):
    seen = see(local)
    seen.go("/steps")
    seen.page.evaluate("document.querySelector('h1').style.color = '#999'")

    assert min(one["ratio"] for one in seen.page.evaluate(CONTRAST)) < NORMAL


@pytest.mark.sentence("phone")
@pytest.mark.parametrize("which", ["local", "of_hostile"])
def test_every_page_fits_on_a_phone(
    see: Callable[..., Seen], which: str, request: pytest.FixtureRequest
):
    served: Served = request.getfixturevalue(which)
    seen = see(served)
    seen.page.set_viewport_size({"width": 390, "height": 844})
    wrong: dict[str, Any] = {}
    for name, path in pages(served).items():
        settled(seen, name, path)
        wide = seen.page.evaluate("document.documentElement.scrollWidth")
        found = [*seen.page.evaluate(TOO_WIDE), *seen.page.evaluate(TOO_SMALL)]
        if wide > 390 or found:
            wrong[name] = (wide, found[:6])
    assert not wrong, wrong


@pytest.mark.sentence("phone")
def test_a_table_scrolls_in_itself(see: Callable[..., Seen], local: Served):
    seen = see(local)
    seen.page.set_viewport_size({"width": 390, "height": 844})
    seen.go(pages(local)["workspace"])
    table = seen.page.locator(".scroll", has=seen.page.locator("#history"))
    inner, outer = table.evaluate("(e) => [e.scrollWidth, e.clientWidth]")
    table.evaluate("(e) => { e.scrollLeft = 9; }")

    assert inner > outer
    assert table.evaluate("(e) => e.scrollLeft") == 9
