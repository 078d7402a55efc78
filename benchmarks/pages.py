"""Each page of the service until it can be used, and its graphs beside those of Kedro-Viz.

    python -m benchmarks.pages [--rounds 5] [--no-kedro]

What is measured, and by what: see `tracing.py`. The pages are of a workspace with 2,000 steps and
20 snapshots (see `pipelines.py`). The graphs have 250 and 1,000 tasks in layers, which each make
one piece of data; in Kedro-Viz each is a pipeline of as many nodes and arrows (see `kedro.py`), and
its warning of large pipelines is put aside. Both servers run before the clock starts. Each round is
a browser that has nothing kept; the first time is told apart, since a server may keep what it has
made. Prints the median of the others, in milliseconds.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import httpx
from playwright.sync_api import Browser, TimeoutError, sync_playwright

from benchmarks import kedro
from benchmarks.pipelines import LAST, grow, make_workspace
from benchmarks.tracing import PATIENCE, load
from dws_graph.lineage.outside import Told, complete_run
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.own import own_workspace
from tests.service.processes import serving

SIZES = ((25, 10), (50, 20))  # layers, and tasks of each
COMPLETE = "document.readyState === 'complete'"
DRAWN = "document.documentElement.dataset.ready"
NODES = "document.querySelectorAll('.pipeline-node').length >= {}"
LARGE = {"KedroViz": '{"flags": {"sizewarning": false}}'}


def tasks(layers: int, width: int) -> dict[str, list[str]]:
    """What each task reads, of what those before it make; all leads to the last."""
    chance = random.Random(3)
    found: dict[str, list[str]] = {}
    for layer in range(layers):
        before = [f"d{layer - 1}_{n}" for n in range(width)]
        for n in range(width - (layer == layers - 1)):
            reads = [before[n], chance.choice(before)] if layer else []
            found[f"d{layer}_{n}"] = list(dict.fromkeys(reads))
    ends = {name for name in found} - {name for reads in found.values() for name in reads}
    return {**found, "report": sorted(ends)}


def record(root: Path, made: Mapping[str, Sequence[str]]) -> str:
    """The same as steps, in a workspace; its id."""
    own_workspace(root)
    with open_workspace(root, batch=True) as ws:
        for name, reads in made.items():
            inputs = tuple((ResourceRef("data", read), None) for read in reads)
            outputs = ((ResourceRef("data", name), None),)
            complete_run(ws, name, Told(name=f"make_{name}", inputs=inputs, outputs=outputs))
        return ws.id


def pages_of(client: httpx.Client) -> dict[str, str]:
    """Every page, about things that are there."""

    def first(path: str) -> dict:
        found: dict = client.get(f"/api/v1/{path}").raise_for_status().json()["items"][0]
        return found

    ws, step = first("workspaces")["id"], first("steps")["id"]
    taken = client.get(f"/api/v1/workspaces/{ws}/snapshots").json()["items"]
    certificate = first(f"workspaces/{ws}/certificates?ref={quote(LAST)}")["id"]
    a, b = taken[1]["hash"], taken[0]["hash"]
    return {
        "workspaces": "/",
        "a workspace": f"/workspaces/{ws}",
        "snapshots side by side": f"/workspaces/{ws}/compare?s={a}&s={b}",
        "a snapshot": f"/workspaces/{ws}/snapshots/{b}",
        "steps": "/steps",
        "a step": f"/steps/{step}",
        "a version": f"/certificates/{certificate}",
        "search": "/search?q=stage",
        "Cypher": "/cypher",
        "graph around a result": f"/graph?workspace={ws}&ref={quote(LAST)}",
    }


def measure(browser: Browser, what: str, rounds: int, url: str, there: str, **more: object) -> None:
    """One page, some times; prints what it took."""
    try:
        first, *others = [load(browser, url, there, **more) for _ in range(rounds)]  # type: ignore[arg-type]
    except TimeoutError:
        print(f"{what:28} not within {PATIENCE / 1e3:.0f} s", flush=True)
        return
    shown = "".join(f"{statistics.median(column):9.0f}" for column in zip(*others, strict=True))
    print(f"{what:28}{first.usable:9.0f}{shown}", flush=True)


def of_pages(browser: Browser, folder: Path, rounds: int) -> None:
    """All pages of a workspace."""
    ws = make_workspace(folder)
    grow(ws, 2_000, 20)
    ws.close()
    with serving(ws.root, folder / "served") as served:
        with served.client() as client:
            found = pages_of(client)
        for what, path in found.items():
            there = DRAWN if path.startswith("/graph") else COMPLETE
            measure(browser, what, rounds, served.url + path, there)


def of_graphs(
    browser: Browser, folder: Path, rounds: int, size: tuple[int, int], version: str | None
) -> None:
    """A graph of so many layers and tasks of each, and the peer's."""
    made = tasks(*size)
    own = record(folder / "layers", made)
    arrows = len(made) + sum(map(len, made.values()))
    print(f"{2 * len(made):,} nodes, {arrows:,} arrows:")
    with serving(folder / "layers", folder / "graph") as served:
        url = f"{served.url}/graph?workspace={own}&ref={quote('data:/report')}&detail=certificates"
        measure(browser, "  ours", rounds, url, DRAWN)
    if version is not None:
        root = kedro.make_project(folder, made)
        with kedro.viewing(root, folder / "kedro.txt") as url:
            there = NODES.format(2 * len(made))
            measure(browser, f"  Kedro-Viz {version}", rounds, f"{url}/", there, stored=LARGE)


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6, help="the first of them is told apart")
    parser.add_argument("--no-kedro", action="store_true", help="leave the peer out")
    args = parser.parse_args()
    version = None if args.no_kedro else kedro.install()
    with tempfile.TemporaryDirectory(prefix="dws-pages-") as name, sync_playwright() as playwright:
        folder = Path(name)
        (folder / "gitconfig").write_text("[user]\n    name = B\n    email = b@example.com\n")
        os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        print(f"load before: {os.getloadavg()[0]:.1f}")
        print(f"{'':28}{'first':>9}{'painted':>9}{'there':>9}{'usable':>9}{'busy':>9}  ms")
        of_pages(browser, folder, args.rounds)
        for number, size in enumerate(SIZES):
            (folder / str(number)).mkdir()
            of_graphs(browser, folder / str(number), args.rounds, size, version)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
