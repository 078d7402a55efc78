"""Draws docs/images from real workspaces: `make images`.

Three are made anew: the demo; a forecast for 33 shops, whose graph has about 500 nodes; and a
pipeline whose two snapshots differ. Needs Chromium and Graphviz's `dot`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dws_graph import api
from dws_graph.cli.demo import run_demo
from dws_graph.lineage import LineageBuilder
from dws_graph.render.dot import to_png
from dws_graph.render.html import to_html
from dws_graph.workspace.initializing import initialize

IMAGES = Path(__file__).with_name("images")
LARGEST = 300_000  # bytes: they are part of each clone
SHOPS = """aarhus antwerp athens bari basel bergen berlin bilbao bologna bremen cork dresden faro
gdansk geneva ghent graz leeds lille lyon malaga malmo milan nantes nice odense oslo palma porto
riga seville turin utrecht"""
DIGITS = "sklearn-digits-dataset"


class Lab:
    """A workspace in which steps are recorded; a path is that of a resource, and below it."""

    def __init__(self, root: Path, *steps: str) -> None:
        root.mkdir(parents=True)
        self.root = root
        ws = initialize(root, hostname="lab", create_resources=("code", "results"), batch=True)
        for name, role in (("raw", "source-data"), ("data", "intermediate-data")):
            (root / name).mkdir()
            ws.add_resource(name, "git", role, str(root / name))
        ws.close()
        for name in steps:
            self.write(f"code/{name}.py", f"# {name}\n")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, name: str, inputs: list[str], output: str, **parameters: object) -> None:
        """Record a step that makes `output` from `inputs`."""
        with self.step(name, inputs, parameters).eval() as step:
            made = "".join((self.root / path).read_text() for path in inputs)
            self.write(output, f"{name} {parameters} {zlib.crc32(made.encode())}")
            step.add_output_path(str(self.root / output))

    def fail(self, name: str, inputs: list[str], **parameters: object) -> None:
        """Record a step that fails."""
        self.step(name, inputs, parameters).eval().abort("loss is not finite")

    def report(self, inputs: list[str], metrics: dict[str, object], **parameters: object) -> None:
        """Record a step that writes results."""
        builder = self.step("report", inputs, parameters)
        with builder.as_results_step(str(self.root / "results")).eval() as step:
            step.write_results(metrics)  # type: ignore[attr-defined]

    def step(self, name: str, inputs: list[str], parameters: dict[str, object]) -> LineageBuilder:
        """A step, with a script of its own."""
        builder = LineageBuilder().with_workspace_directory(str(self.root)).with_step_name(name)
        builder.with_parameters(parameters).with_code_path(str(self.root / f"code/{name}.py"))
        return builder.with_input_paths([str(self.root / path) for path in inputs])

    def snapshot(self, tag: str) -> None:
        """Take one."""
        api.take_snapshot(str(self.root), tag)


def make_forecast(root: Path) -> None:
    """For each shop prepare, features, two models, each evaluated, a choice; then a report.

    Three trainings fail; the sales of two shops are edited after all.
    """
    lab = Lab(root, "prepare", "features", "train", "evaluate", "choose", "report")
    lab.write("raw/weather.csv", "day,celsius\n1,9\n")
    for shop in SHOPS.split():
        sales, made = f"raw/sales/{shop}.csv", f"data/{shop}"
        lab.write(sales, f"day,sold\n1,{shop}\n")
        lab.run("prepare", [sales, "raw/weather.csv"], f"{made}/prepared")
        lab.run("features", [f"{made}/prepared"], f"{made}/features", window=7)
        for model, rate in (("gbm", 0.1), ("linear", 0.03)):
            if f"{shop} {model}" in ("ghent gbm", "nice linear", "riga gbm"):
                lab.fail("train", [f"{made}/features"], model=model, rate=1.0)
            lab.run("train", [f"{made}/features"], f"{made}/{model}", model=model, rate=rate)
            lab.run("evaluate", [f"{made}/{model}"], f"{made}/{model}-scores")
        lab.run("choose", [f"{made}/gbm-scores", f"{made}/linear-scores"], f"{made}/choice")
    lab.report([f"data/{shop}/choice" for shop in SHOPS.split()], {"wape": 0.118}, quantile=0.9)
    lab.snapshot("autumn")
    for shop in ("bergen", "malmo"):
        lab.write(f"raw/sales/{shop}.csv", "day,sold\n1,0\n")


def make_history(root: Path) -> None:
    """Five steps in two snapshots: one with another parameter, one in the place of another."""
    lab = Lab(root, "load", "clean", "scale", "normalise", "fit", "report")
    lab.write("raw/sales.csv", "day,sold\n1,9\n")
    for tag, least, third, c in (("monday", 20, "scale", 1), ("friday", 15, "normalise", 2)):
        lab.run("load", ["raw/sales.csv"], "data/loaded")
        lab.run("clean", ["data/loaded"], "data/clean", least=least)
        lab.run(third, ["data/clean"], f"data/{third}d")
        lab.run("fit", [f"data/{third}d", "data/clean"], "data/model", C=c, kernel="rbf")
        lab.report(["data/model"], {"accuracy": 0.93 + c / 100})
        lab.snapshot(tag)


class Camera:
    """Opens pages and takes pictures of them."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self.browser = browser
        self.folder = folder

    @contextmanager
    def page(
        self, graph: api.LineageGraph, size: tuple[int, int], scheme: str = "light", **how: object
    ) -> Iterator[Page]:
        """A graph's page, so that its figure fills a window of this size."""
        file = self.folder / "page.html"
        html = to_html(graph.subgraph, title=graph.title, marks=graph.marks, **how)  # type: ignore[arg-type]
        file.write_text(html, encoding="utf-8")
        page = self.browser.new_page(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.click("#wide")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        yield page
        page.close()

    def take(self, page: Page, name: str) -> None:
        """Keep what the page shows."""
        page.wait_for_timeout(300)
        page.screenshot(path=IMAGES / f"{name}.png")


def click(page: Page, name: str) -> None:
    """Click the first node of this name."""
    x, y = page.evaluate(
        """(name) => {
            const node = shown.nodes.find((n) => n.name === name);
            const at = network.canvasToDOM(node), box = stage.getBoundingClientRect();
            return [at.x + box.left, at.y + box.top];
        }""",
        name,
    )
    page.mouse.click(x, y)
    page.mouse.move(0, 0)


def demo(camera: Camera, root: Path) -> None:
    """The two experiments of the demo: as a page, and by dot."""
    graph = api.downstream(DIGITS, workspace_uri_or_path=str(root))
    with camera.page(graph, (1000, 440)) as page:
        camera.take(page, "demo-graph")
    graph = api.lineage_graph(snapshot="LR-1", workspace_uri_or_path=str(root))
    (IMAGES / "demo-dot.png").write_bytes(to_png(graph.subgraph, title=graph.title))


def forecast(camera: Camera, root: Path) -> None:
    """500 nodes: as they open, with a group open, and all of them with one in focus."""
    graph = api.upstream("results", workspace_uri_or_path=str(root))
    size = (1400, 800)
    with camera.page(graph, (1400, 300)) as page:
        camera.take(page, "forecast-groups")
    with camera.page(graph, size) as page:
        page.fill("#search", "prepare changed")
        page.press("#search", "Enter")
        camera.take(page, "forecast-search")
    graph = api.downstream("raw:/weather.csv", workspace_uri_or_path=str(root))
    with camera.page(graph, size, "dark", group="none") as page:
        camera.take(page, "forecast-all")
        page.fill("#search", "nice linear")
        page.press("#search", "Enter")
        camera.take(page, "forecast-focus")


def history(camera: Camera, root: Path) -> None:
    """What differs between two snapshots, on a light and a dark page."""
    graph = api.lineage_diff("monday", "friday", "results", workspace_uri_or_path=str(root))
    for scheme in ("light", "dark"):
        with camera.page(graph, (1200, 520), scheme) as page:
            if scheme == "dark":
                click(page, "clean")
            camera.take(page, f"diff-{scheme}")


SUBJECTS: dict[str, tuple[Callable[[Path], None], Callable[[Camera, Path], None]]] = {
    "demo": (run_demo, demo),
    "forecast": (make_forecast, forecast),
    "history": (make_history, history),
}


def main() -> None:
    """Make what is missing in the folder, and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="where the workspaces are made, or are already")
    parser.add_argument("subjects", nargs="*", help=", ".join(SUBJECTS))
    options = parser.parse_args()
    os.environ.pop("DWS_WORKSPACE_DIR", None)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = options.keep or Path(scratch)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name in options.subjects or SUBJECTS:
            make, draw = SUBJECTS[name]
            if not (folder / name).exists():
                make(folder / name)
            draw(Camera(browser, Path(scratch)), folder / name)
        browser.close()
    for image in IMAGES.glob("*.png"):
        if image.stat().st_size > LARGEST:
            sys.exit(f"{image} has {image.stat().st_size:,} bytes: more than {LARGEST:,}")


if __name__ == "__main__":
    main()
