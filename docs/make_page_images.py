"""Takes pictures of the service's pages, light and dark: `make page-images`.

A workspace of six experiments is made anew and served. Needs Chromium; pictures have 8 bits a
pixel, and are small enough to be part of each clone.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from docs.make_images import IMAGES, Lab

LARGEST = 60_000  # bytes
WIDTH, HEIGHT = 1040, 680
HEIGHTS = {"workspace": 1060}  # down to its table
TRIES = (
    ("baseline", 0.01, 0.871, 0.412),
    ("smaller-rate", 0.003, 0.902, 0.334),
    ("larger-rate", 0.1, 0.643, 0.97),
    ("more-layers", 0.003, 0.915, 0.297),
    ("dropout", 0.003, 0.911, 0.281),
    ("final", 0.002, 0.924, 0.262),
)
QUERY = (
    "MATCH p = (d:Certificate)-[:READ_BY]->(s:Step {name: 'fit'})-[:WROTE]->(m) RETURN p LIMIT 3"
)


def make_experiments(root: Path) -> None:
    """Six snapshots of three steps, each with another accuracy and loss."""
    lab = Lab(root, "clean", "fit", "report")
    lab.write("raw/flights.csv", "day,delay\n1,9\n")
    for tag, rate, accuracy, loss in TRIES:
        lab.run("clean", ["raw/flights.csv"], "data/clean", least=20)
        lab.run("fit", ["data/clean"], "data/model", rate=rate, optimizer="adam")
        lab.report(["data/model"], {"accuracy": accuracy, "loss": loss}, quantile=0.9)
        lab.snapshot(tag)
    lab.write("raw/flights.csv", "day,delay\n1,8\n")


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """The address of a service of that workspace."""
    command = [sys.executable, "-m", "dws_graph", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            line = process.stdout.readline() if process.stdout else ""
            yield line.partition(" at ")[2].split()[0].rstrip("/")
        finally:
            process.terminate()


def addresses(url: str) -> dict[str, str]:
    """What is shown of each page, by the name of its picture."""
    api = f"{url}/api/v1"
    workspace = httpx.get(f"{api}/workspaces").json()["items"][0]["id"]
    home = f"/workspaces/{workspace}"
    hashes = [s["hash"] for s in httpx.get(f"{api}{home}/snapshots").json()["items"]]
    step = httpx.get(f"{api}/steps?name=fit").json()["items"][0]["id"]
    return {
        "overview": "/",
        "workspace": f"{home}?colours=heat&metric=accuracy",
        "compare": f"{home}/compare?{urlencode([('s', one) for one in hashes[:3]])}",
        "result": f"/result?{urlencode({'workspace': workspace, 'ref': 'results'})}",
        "step": f"/steps/{step}",
        "search": "/search?q=rate",
        "graph": f"/graph?node={step}",
        "cypher": f"/cypher?{urlencode({'query': QUERY})}",
    }


def settle(page: Page, name: str) -> None:
    """Wait until the page shows all that it is to show."""
    if name == "graph":
        page.wait_for_selector("html[data-ready]", state="attached")
        page.wait_for_timeout(300)
    if name == "cypher":
        page.get_by_role("button", name="Ask").click()
        page.wait_for_selector("#drawn", state="visible")
    page.mouse.move(0, 0)


def take(browser: Browser, url: str, name: str, path: str, scheme: str) -> Path:
    """Take a picture of a page."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHTS.get(name, HEIGHT)},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(url + path)
    settle(page, name)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.close()
    file = IMAGES / f"page-{name}-{scheme}.png"
    picture.quantize(128, dither=Image.Dither.NONE).save(file, optimize=True)
    return file


def main() -> None:
    """Take all of them, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of pages; all where none is named")
    wanted = parser.parse_args().names
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        root = Path(scratch) / "flights"
        make_experiments(root)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        with serving(root) as url:
            for name, path in addresses(url).items():
                for scheme in ("light", "dark"):
                    if not wanted or name in wanted:
                        file = take(browser, url, name, path, scheme)
                        if file.stat().st_size > LARGEST:
                            sys.exit(f"{file} has {file.stat().st_size:,} bytes")
        browser.close()


if __name__ == "__main__":
    main()
