"""A real Chromium that reports whatever goes wrong on a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Opened:
    """A page opened from disk, and all that a good page does not do."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def click(self, name: str) -> None:
        """Click a node on the canvas, by its whole name."""
        self.page.mouse.click(*self.place(name))

    def place(self, name: str) -> tuple[float, float]:
        """Where a node is in the window."""
        x, y = self.page.evaluate(
            """(name) => {
                const node = shown.nodes.find((n) => n.name === name);
                const at = network.canvasToDOM({ x: node.x, y: node.y });
                const box = stage.getBoundingClientRect();
                return [at.x + box.left, at.y + box.top];
            }""",
            name,
        )
        return float(x), float(y)


@pytest.fixture(scope="module")  # its event loop would be in the way of other rooms' tests
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Write a page to disk and open it; the test fails when the page complained of anything."""
    opened: list[Opened] = []

    def open_(html: str, *, scheme: str = "light") -> Opened:
        file = tmp_path / f"page{len(opened)}.html"
        file.write_text(html, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": 1400, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        made = Opened(page)
        opened.append(made)
        complain = made.complaints.append
        page.on("console", lambda message: complain(f"console: {message.text}"))
        page.on("pageerror", lambda error: complain(f"error: {error}"))
        page.on("dialog", lambda dialog: complain(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda r: None if r.url.startswith(("file:", "data:")) else complain(r.url),
        )
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        return made

    yield open_
    for made in opened:
        assert made.complaints == []
        made.page.close()
