"""How long a page takes until it can be used, by Chromium's own trace.

From the navigation to the last of these: what was asked for is there, and has been painted; and the
last task on the page's main thread that took 50 ms or more has ended, since no click is answered
before. After it was painted, a second is waited for such tasks. A page's other threads, and the
server, count as far as the page waits for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from playwright.sync_api import Browser

LONG = 50_000  # microseconds: what people begin to notice
REST = 1_000.0  # milliseconds without news
CATEGORIES = ["blink.user_timing", "devtools.timeline", "loading", "toplevel"]
PATIENCE = 300_000.0  # milliseconds
MARK = "dws-there"
WATCH = """
const look = () => {
  if (!document.body || !(%s)) { requestAnimationFrame(look); return; }
  requestAnimationFrame(() => requestAnimationFrame(() => {
    performance.mark("%s");
    document.documentElement.classList.add("%s");
  }));
};
if (window === top) requestAnimationFrame(look);
"""


class Took(NamedTuple):
    """Milliseconds from the navigation.

    Attributes:
        painted: Until anything was.
        there: Until what was asked for was painted.
        usable: Until no long task held the page any more.
        busy: That the main thread worked until then.
    """

    painted: float
    there: float
    usable: float
    busy: float


def load(browser: Browser, url: str, there: str, stored: Mapping[str, str] | None = None) -> Took:
    """Loads a page in a browser that knows nothing of it, and looks at the trace.

    Args:
        browser: A Chromium.
        url: Of the page.
        there: JavaScript that is true when what was asked for is in the document.
        stored: What the page's scripts find in their local storage.

    Raises:
        TimeoutError: It is not there within `PATIENCE`.
    """
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    context.add_init_script(WATCH % (there, MARK, MARK))
    for name, value in (stored or {}).items():
        context.add_init_script(f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)})")
    host = url.split("/")[2]
    page = context.new_page()
    page.route(lambda asked: f"//{host}/" not in asked, lambda route: route.abort())
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.goto(url, wait_until="commit")
    try:
        page.wait_for_selector(f"html.{MARK}", state="attached", timeout=PATIENCE)
        page.wait_for_timeout(REST)
    finally:
        traced = browser.stop_tracing()
        context.close()
    return _measured(json.loads(traced)["traceEvents"], url)


def _measured(events: list[dict[str, Any]], url: str) -> Took:
    begun = [e for e in events if e["name"] == "navigationStart" and _leads_to(e, url)][-1]
    begin, where = begun["ts"], (begun["pid"], begun["tid"])
    mine = [e for e in events if (e["pid"], e["tid"]) == where and e["ts"] >= begin]
    first = min(e["ts"] for e in mine if e["name"] == "firstContentfulPaint")
    there = min(e["ts"] for e in mine if e["name"] == MARK)
    tasks = [e for e in mine if e["name"].endswith("RunTask") and e.get("dur")]
    ends = [e["ts"] + e["dur"] for e in tasks if e["dur"] >= LONG]
    usable = max([first, there, *ends])
    busy = sum(e["dur"] for e in _outer(tasks) if e["ts"] < usable)
    return Took(*((at - begin) / 1e3 for at in (first, there, usable)), busy / 1e3)


def _leads_to(event: dict[str, Any], url: str) -> bool:
    data = event["args"].get("data", {})
    return bool(data.get("isLoadingMainFrame")) and data.get("documentLoaderURL") == url


def _outer(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that lie in no other one."""
    found: list[dict[str, Any]] = []
    for task in sorted(tasks, key=lambda e: (e["ts"], -e["dur"])):
        if not found or task["ts"] >= found[-1]["ts"] + found[-1]["dur"]:
            found.append(task)
    return found
