from __future__ import annotations

import base64
import hashlib
import html
import re
import subprocess
import sys

import pytest

from dws_graph.render.html import to_html
from tests.render import samples

NAMES = "nodes.map((n) => n.name)"


def test_the_page_names_nothing_on_the_network():
    page = to_html(samples.digits(), title="Lineage of results")
    without_vis = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)

    assert not re.findall(r"(?:src|href)=\"(?!data:,)", without_vis)
    assert "https://" not in without_vis
    assert "default-src 'none'" in page


def test_the_policy_lets_the_two_scripts_run_and_no_other():
    page = to_html(samples.hostile(), title="</script><script>alert(1)</script>")
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.DOTALL)
    policy = html.unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', page)[0])

    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]

    assert len(scripts) == 2
    assert f"script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}';" in policy


def test_the_same_subgraph_gives_the_same_page():
    assert to_html(samples.forecast(), title="t") == to_html(samples.forecast(), title="t")


def test_sizes_are_in_the_page():
    page = to_html(samples.digits(), title="t", width=780, height=380)

    assert "--width: 780px; --height: 380px;" in page


def test_importing_it_loads_neither_pyvis_nor_graphviz():
    code = (
        "import sys, dws_graph.render.html, dws_graph.render.dot, dws_graph.render.mermaid\n"
        "print(sorted({'pyvis', 'graphviz', 'jinja2', 'networkx', 'rich'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_drawn_in_the_colours_of_the_page(open_page, scheme):
    opened = open_page(to_html(samples.one_run(), title="Lineage of results"), scheme=scheme)
    page = opened.page
    page.wait_for_timeout(100)

    x, y = opened.place("train")
    colour = page.evaluate(
        """([x, y]) => {
            const canvas = stage.querySelector("canvas"), box = canvas.getBoundingClientRect();
            const k = canvas.width / box.width;
            const [left, top] = [(x - box.left) * k, (y - box.top) * k];
            const { data } = canvas.getContext("2d").getImageData(left, top, 1, 1);
            const hex = (v) => v.toString(16).padStart(2, "0");
            return "#" + [...data.slice(0, 3)].map(hex).join("");
        }""",
        [x - 40, y],
    )

    assert colour == {"light": "#24364f", "dark": "#b4c6e0"}[scheme]
    assert page.get_by_role("heading", level=1).inner_text() == "Lineage of results"
    assert page.title() == "Lineage of results"
    assert page.locator("#legend li").all_inner_texts() == [
        "source data",
        "result",
        "step",
        "asked for",
    ]


@pytest.mark.needs("chromium")
def test_a_small_picture_is_centred_and_not_blown_up(open_page):
    page = open_page(to_html(samples.one_run(), title="t")).page

    assert page.evaluate("network.getScale()") <= 1.3
    assert page.evaluate("network.getViewPosition().x") == pytest.approx(
        page.evaluate("extent.width / 2"), abs=1
    )


@pytest.mark.needs("chromium")
def test_a_click_shows_details_and_lights_what_is_up_and_down(open_page):
    opened = open_page(to_html(samples.forecast(), title="t"))
    page = opened.page

    opened.click("split")

    panel = page.get_by_role("complementary", name="Details")
    assert panel.get_by_role("heading", level=2).inner_text() == "split"
    assert "seed\n42" in panel.inner_text()
    assert "python code/split.py" in panel.inner_text()
    lit = set(page.evaluate("[...view.lit].map((id) => byId.get(id).name)"))
    assert {"sales:/2026", "features:/weekly", "split", "scores", "publish"} <= lit
    assert "features:/embeddings.npy" not in lit
    assert page.evaluate("[view.up.size, view.down.size].every((n) => n > 3)")

    panel.get_by_role("button", name="splits", exact=True).click()
    assert panel.get_by_role("heading", level=2).inner_text() == "splits"
    assert "input changed" in panel.inner_text()

    panel.get_by_role("button", name="Close details").click()
    assert panel.is_hidden()
    assert page.evaluate("view.lit") is None


@pytest.mark.needs("chromium")
def test_the_panel_does_not_lie_over_a_picture_that_has_room_beside_it(open_page):
    opened = open_page(to_html(samples.digits(), title="t"))

    opened.click("digits-data")

    box = opened.page.locator("#panel").bounding_box()
    assert opened.place("results")[0] < box["x"]


@pytest.mark.needs("chromium")
def test_hovering_tells_parameters_and_metrics(open_page):
    opened = open_page(to_html(samples.digits(), title="t"))

    opened.page.mouse.move(*opened.place("train"))

    tip = opened.page.get_by_role("tooltip")
    tip.wait_for(state="visible")
    assert "gamma\n0.01" in tip.inner_text()
    assert "accuracy\n0.6894" in tip.inner_text()
    opened.page.mouse.move(5, 5)
    tip.wait_for(state="hidden")


@pytest.mark.needs("chromium")
def test_searching_counts_and_enter_goes_to_the_next(open_page):
    page = open_page(to_html(samples.forecast(), title="t")).page

    page.get_by_role("searchbox").fill("train")
    assert page.get_by_role("status").inner_text() == "2 of 27"
    page.keyboard.press("Enter")
    assert page.locator("#panel h2").inner_text() == "train"
    first = page.evaluate("view.selected")
    page.keyboard.press("Enter")
    assert page.evaluate("view.selected") != first
    assert page.get_by_role("status").inner_text() == "2 of 2"
    page.keyboard.press("Escape")
    assert page.evaluate("view.lit") is None
    page.get_by_role("searchbox").fill("nothing like it")
    assert page.get_by_role("status").inner_text() == "0 of 27"


@pytest.mark.needs("chromium")
def test_keys_walk_along_the_edges(open_page):
    page = open_page(to_html(samples.digits(), title="t")).page
    name = "byId.get(view.selected)?.name"

    page.locator(".vis-network").focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(name) == "results"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(name) == "train"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(name) == "train"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(name) == "digits-data"
    page.keyboard.press("Escape")
    assert page.evaluate("view.selected") is None
    before = page.evaluate("network.getScale()")
    page.keyboard.press("+")
    assert page.evaluate("network.getScale()") > before


@pytest.mark.needs("chromium")
def test_the_theme_can_be_turned_over(open_page):
    page = open_page(to_html(samples.digits(), title="t")).page
    background = "getComputedStyle(document.body).backgroundColor"
    theme = page.get_by_role("button", name="Dark")

    assert page.evaluate(background) == "rgb(251, 251, 253)"
    theme.click()
    assert page.evaluate(background) == "rgb(18, 22, 29)"
    assert page.evaluate("view.tone('step')") == "#b4c6e0"
    theme.click()
    assert page.evaluate(background) == "rgb(251, 251, 253)"


@pytest.mark.needs("chromium")
def test_the_figure_can_fill_the_window(open_page):
    page = open_page(to_html(samples.digits(), title="t")).page

    assert page.locator("#figure").bounding_box()["width"] == 1024
    page.get_by_role("button", name="Fill window").click()
    box = page.locator("#figure").bounding_box()
    assert box["height"] == 900
    assert box["width"] >= 1380


@pytest.mark.needs("chromium")
def test_the_table_says_it_all_in_words(open_page):
    page = open_page(to_html(samples.forecast(), title="t")).page

    page.get_by_text("27 nodes as a table").click()

    rows = page.locator("tbody tr")
    assert rows.count() == 27
    row = rows.filter(has_text="publish")
    assert row.locator("td").nth(3).inner_text() == "failed"
    assert "models:/large.onnx" in row.inner_text()
    row.get_by_role("button").click()
    assert page.locator("#panel h2").inner_text() == "publish"
    assert page.get_by_text("Incomplete: something upstream").is_visible()


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("title", samples.HOSTILE)
def test_hostile_names_are_only_text(open_page, title):
    opened = open_page(to_html(samples.hostile(), title=title, detail="certificates"))
    page = opened.page

    assert page.evaluate(NAMES).count(samples.HOSTILE[0]) == 4
    for name in page.evaluate(f"[...new Set({NAMES})]"):
        opened.page.evaluate("select(null)")
        opened.page.mouse.move(*opened.place(name))
        opened.click(name)
        assert page.locator("#panel h2").inner_text() != ""
    page.get_by_role("searchbox").fill("<img")
    page.locator("#twin summary").click()

    assert page.evaluate("window.pwned") is None
    assert page.locator("#twin img, #panel img, #tip img, h1 *, #panel script").count() == 0


@pytest.mark.needs("chromium")
def test_nothing_recorded_is_said(open_page):
    page = open_page(to_html(samples.empty(), title="t")).page

    assert page.get_by_text("Nothing has been recorded here yet.").is_visible()


@pytest.mark.needs("chromium")
def test_hundreds_of_nodes_fit_and_a_long_chain_opens_where_it_was_asked_for(open_page):
    fitted = open_page(to_html(samples.pipelines(), title="t")).page
    chained = open_page(to_html(samples.chain(400), title="t")).page

    assert fitted.evaluate("network.getScale() * extent.width < stage.clientWidth")
    assert chained.evaluate("network.getScale()") == pytest.approx(0.6)
    assert chained.evaluate("network.getViewPosition().x / extent.width") > 0.99
