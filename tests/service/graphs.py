"""What a page of the graph shows, asked of the page itself, and the same of the API."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.service.browsing import Seen
from tests.service.processes import Served


def open_graph(seen: Seen, query: str) -> Page:
    """A page of the graph, once it can be used."""
    seen.go(f"/graph?{query}")
    seen.page.wait_for_selector("#over", state="attached", timeout=120_000)
    return seen.page


def in_window(page: Page, key: str, x: float = 0, y: float = 0) -> tuple[float, float]:
    """Where a node is in the window; `x` and `y` halves of its size from its middle."""
    found = page.evaluate(
        """([key, x, y]) => {
            const node = shown.at.get(key);
            const [right, down] = [x * node.w / 2, y * node.h / 2];
            const at = network.canvasToDOM({ x: node.x + right, y: node.y + down });
            const box = frame.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        [key, x, y],
    )
    return float(found[0]), float(found[1])


def keys_shown(page: Page) -> set[str]:
    """The nodes that the page has, grouped or not."""
    return set(page.evaluate("nodes.map((n) => n.id)"))


def nodes_of(
    served: Served, way: str, key: str, depth: int | None = None, limit: int = 10_000
) -> dict[str, dict[str, Any]]:
    """The nodes that the API tells, by their keys."""
    given: dict[str, Any] = {"node": key, "limit": limit}
    if depth is not None:
        given["depth"] = depth
    with served.client() as client:
        answer = client.get(f"/api/v1/lineage/{way}", params=given)
    assert answer.status_code == 200, answer.text
    return {node["key"]: node for node in answer.json()["nodes"]}


def newest(served: Served, ref: str) -> str:
    """The newest version of a ref of the workspace that is served."""
    with served.client() as client:
        [workspace] = client.get("/api/v1/workspaces").json()["items"]
        path = f"/api/v1/workspaces/{workspace['id']}/certificates"
        found = client.get(path, params={"ref": ref, "limit": 1}).json()["items"]
    return str(found[0]["id"])


def assert_scaled(page: Page, before: float, *, nearer: bool) -> None:
    """The wheel's event comes a moment after it was sent."""
    changed = page.evaluate(
        """([before, nearer]) => new Promise((done) => {
            const look = () => {
                const now = network.getScale();
                if (nearer ? now > before : now < before) done(true);
                else requestAnimationFrame(look);
            };
            look();
        })""",
        [before, nearer],
    )
    assert changed
