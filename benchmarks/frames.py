"""How many frames a second the service's graph shows while it is moved, in a real Chromium.

`frames.py URL` opens a page of the graph of a running `dws serve`, and for each of two views (all
of it, and as near as names are read) drags it to and fro and zooms by the wheel, three seconds
each. The frames are counted by `requestAnimationFrame`. Printed: what was drawn, how many buttons
lay over it, and for each way of moving the frames a second and the longest pause between two.

Exits with status 1 where anything is below 50 frames a second.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from itertools import pairwise

from playwright.sync_api import Page, sync_playwright

SECONDS = 3.0
LEAST = 50
ARGUMENTS = ("--no-sandbox", "--disable-gpu")
COUNT = """() => {
    window.frameTimes = [];
    const look = (now) => {
        frameTimes.push(now);
        window.looking = requestAnimationFrame(look);
    };
    window.looking = requestAnimationFrame(look);
}"""
COUNTED = "() => { cancelAnimationFrame(looking); return frameTimes; }"
NEAR = """() => {
    const { x, y } = shown.nodes[Math.floor(shown.nodes.length / 2)];
    network.moveTo({ position: { x, y }, scale: 1 });
}"""
ABOUT = """() => [shown.nodes.length, shown.edges.length, network.getScale(),
    document.querySelectorAll("#over button").length]"""


def drag(page: Page, x: float, y: float) -> None:
    """To and fro, a pixel or ten at a time, until the time is over."""
    page.mouse.move(x, y)
    page.mouse.down()
    end, at, step = time.monotonic() + SECONDS, 0, 9
    while time.monotonic() < end:
        at += step
        if abs(at) > 250:
            step = -step
        page.mouse.move(x + at, y + at / 3)
    page.mouse.up()


def turn(page: Page, x: float, y: float) -> None:
    """The wheel, nearer and farther by turns, until the time is over."""
    page.mouse.move(x, y)
    end, turned = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        page.mouse.wheel(0, -40 if turned // 12 % 2 == 0 else 40)
        turned += 1
        page.wait_for_timeout(8)


def measured(page: Page, name: str, move: Callable[[Page, float, float], None]) -> float:
    """Frames a second while something moves; printed."""
    box = page.locator("#stage").bounding_box()
    assert box is not None
    page.wait_for_timeout(500)
    page.evaluate(COUNT)
    move(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    times = page.evaluate(COUNTED)
    gaps = [after - before for before, after in pairwise(times)]
    frames = 1000 * len(gaps) / sum(gaps)
    print(f"  {name:12}{frames:6.1f} frames/s, longest pause {max(gaps):5.0f} ms")
    return frames


def main() -> int:
    """Opens the page, and moves it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of a page of the graph")
    url = parser.parse_args().url
    slowest = float("inf")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(url, timeout=300_000)
        page.wait_for_selector("html[data-ready]", state="attached", timeout=300_000)
        page.evaluate("showView('none')")
        for view in ("all of it", "near"):
            if view == "near":
                page.evaluate(NEAR)
                page.wait_for_timeout(500)
            nodes, edges, scale, buttons = page.evaluate(ABOUT)
            print(
                f"{view}: {nodes:,} nodes, {edges:,} arrows, scale {scale:.3f}, {buttons} buttons"
            )
            for name, move in (("drag", drag), ("wheel", turn)):
                slowest = min(slowest, measured(page, name, move))
        browser.close()
    return 0 if slowest >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
