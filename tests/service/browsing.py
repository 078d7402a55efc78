"""Pages of a service in a real Chromium, and all that a good page does not do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.render.conftest import ARGUMENTS
from tests.service.processes import Served


@dataclass
class Seen:
    """A page of a service, and all that a good page does not do."""

    page: Page
    served: Served
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.served.url + path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        yield launched
        launched.close()


@pytest.fixture
def see(browser: Browser) -> Iterator[Callable[..., Seen]]:
    """Look at a service; the test fails when a page complained, or asked another host."""
    seen: list[Seen] = []

    def look(served: Served, scheme: str = "light") -> Seen:
        page = browser.new_page(
            viewport={"width": 1300, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            accept_downloads=True,
        )
        made = Seen(page, served)
        seen.append(made)
        complain = made.complaints.append
        page.on("console", lambda message: complain(f"console: {message.text}"))
        page.on("pageerror", lambda error: complain(f"error: {error}"))
        page.on("dialog", lambda dialog: complain(f"dialog: {dialog.message}"))
        ours = (f"{served.url}/", "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(ours) else complain(r.url))
        return made

    yield look
    for one in seen:
        one.page.close()
        assert one.complaints == [], one.complaints
