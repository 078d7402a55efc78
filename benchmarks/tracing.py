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

TIMES = f"""['{MARK}', 'first-contentful-paint'].map(
    (name) => performance.getEntriesByName(name)[0].startTime)"""


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
        times = page.evaluate(TIMES)
    finally:
        traced = browser.stop_tracing()
        context.close()
    return _measured(json.loads(traced)["traceEvents"], *times)


def _measured(events: list[dict[str, Any]], there: float, painted: float) -> Took:
    mark = next(e for e in events if e["name"] == MARK)
    begin = mark["ts"] - there * 1e3  # the page's clock starts with the navigation
    where = (mark["pid"], mark["tid"])
    mine = [e for e in events if (e["pid"], e["tid"]) == where and e["ts"] >= begin]
    tasks = [e for e in mine if e["name"].endswith("RunTask") and e.get("dur")]
    ends = [(e["ts"] + e["dur"] - begin) / 1e3 for e in tasks if e["dur"] >= LONG]
    usable = max([painted, there, *ends])
    busy = sum(e["dur"] for e in _outer(tasks) if e["ts"] < begin + usable * 1e3)
    return Took(painted, there, usable, busy / 1e3)


def _outer(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that lie in no other one."""
    found: list[dict[str, Any]] = []
    for task in sorted(tasks, key=lambda e: (e["ts"], -e["dur"])):
        if not found or task["ts"] >= found[-1]["ts"] + found[-1]["dur"]:
            found.append(task)
    return found
