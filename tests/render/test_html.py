from __future__ import annotations

import base64
import hashlib
import html
import re
import subprocess
import sys

import pytest

from dws_graph.render.groups import TIMES
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
        page.evaluate("shown.width / 2"), abs=1
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

    panel.get_by_role("button", name=re.compile("^splits ")).click()
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


OVERLAPS = """() => {
    const over = [];
    const boxes = shown.nodes.filter((n) => !n.members.length || !open.has(n.id));
    const apart = (a, b) => Math.abs(a.x - b.x) >= (a.w + b.w) / 2 - 0.1
        || Math.abs(a.y - b.y) >= (a.h + b.h) / 2 - 0.1;
    boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
        if (!apart(a, b)) over.push([a.name, b.name]);
    }));
    for (const f of shown.frames) {
        for (const n of boxes) {
            if (shown.inside.get(n.id) !== f.id && !apart(f, n)) over.push([f.id, n.name]);
        }
    }
    return over;
}"""
LOOSE_ENDS = """() => shown.edges.filter((e) => e.legs.length).filter((e) => {
    const box = (id) => shown.frames.find((f) => f.id === id) ?? shown.at.get(id);
    const [from, to] = [box(e.from), box(e.to)];
    const [x1, y1] = shown.legs[e.legs[0]], [, , x2, y2] = shown.legs[e.legs[e.legs.length - 1]];
    const touches = (n, x, y) => Math.abs(Math.abs(x - n.x) - n.w / 2) < 1 && Math.abs(y - n.y) < 1;
    return !touches(from, x1, y1) || !touches(to, x2, y2);
}).length"""


@pytest.mark.needs("chromium")
def test_hundreds_of_runs_open_as_one_node_a_step_and_a_click_opens_it(open_page):
    opened = open_page(to_html(samples.fan(300), title="t"))
    page = opened.page

    assert page.evaluate("shown.nodes.length") == 5
    opened.click(f"score {TIMES}300")

    panel = page.get_by_role("complementary", name="Details")
    assert panel.get_by_role("heading", level=2).inner_text() == f"score {TIMES}300"
    assert "0 … 299 (300 values)" in panel.inner_text()
    assert "and 260 more" in panel.inner_text()
    assert page.evaluate("shown.nodes.filter((n) => n.name === 'score').length") == 300
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(LOOSE_ENDS) == 0
    panel.get_by_role("button", name="Close group").click()
    assert page.evaluate("shown.nodes.length") == 5
    assert page.evaluate(LOOSE_ENDS) == 0


@pytest.mark.needs("chromium")
@pytest.mark.parametrize("view", ["steps", "resources"])
def test_many_open_groups_cover_nothing(open_page, view):
    page = open_page(to_html(samples.pipelines(), title="t", group=view)).page

    page.evaluate("setOpen(shown.nodes.filter((n) => n.members.length).map((n) => n.id), null)")

    assert page.evaluate("shown.frames.length") > 5
    assert page.evaluate("new Set(shown.nodes.map((n) => n.id)).size") > page.evaluate(
        "nodes.length"
    )
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(LOOSE_ENDS) == 0


@pytest.mark.needs("chromium")
def test_a_hit_in_a_group_opens_it_and_lights_the_way_of_that_one(open_page):
    page = open_page(to_html(samples.fan(300), title="t")).page

    page.get_by_role("searchbox").fill("seed 217")
    assert page.get_by_role("status").inner_text() == "1 of 603"
    page.keyboard.press("Enter")

    assert "seed\n217" in page.locator("#panel").inner_text()
    lit = set(page.evaluate("[...view.lit].map((id) => shown.at.get(id)?.name).filter(Boolean)"))
    assert lit == {
        "holdout",
        "score",
        f"score {TIMES}300",
        f"scores {TIMES}300",
        "report",
        "summary",
    }
    assert page.evaluate("[view.up.size, view.down.size]") == [1, 3]
    assert page.locator("#panel .reach").all_inner_texts() == ["1 upstream", "3 downstream"]


@pytest.mark.needs("chromium")
def test_a_name_in_the_table_is_shown_in_its_group(open_page):
    page = open_page(to_html(samples.fan(300), title="t")).page

    page.locator("#twin summary").click()
    page.get_by_role("button", name="scores:/123.json").click()

    assert page.locator("#panel h2").inner_text() == "scores:/123.json"
    assert page.evaluate("shown.at.has(view.selected)")


@pytest.mark.needs("chromium")
def test_groups_are_chosen_and_the_legend_names_only_what_is_shown(open_page):
    page = open_page(to_html(samples.forecast(), title="t")).page
    legend = page.locator("#legend li:visible")

    assert "several in one" not in legend.all_inner_texts()
    page.get_by_role("combobox", name="Group").select_option("by resource")

    assert page.evaluate("shown.nodes.map((n) => n.name)").count(f"features {TIMES}3") == 1
    assert "several in one" in legend.all_inner_texts()
    assert "not kept" not in legend.all_inner_texts()
    page.get_by_role("combobox", name="Group").select_option("nothing")
    assert page.evaluate("shown.nodes.length") == 27


@pytest.mark.needs("chromium")
def test_depth_counts_steps(open_page):
    opened = open_page(to_html(samples.forecast(), title="t"))
    page = opened.page
    lit = "[...view.lit].map((id) => byId.get(id).name)"

    opened.click("split")
    far = set(page.evaluate(lit))
    page.get_by_role("combobox", name="Depth").select_option("1")
    near = set(page.evaluate(lit))

    assert {"publish", "scores"} <= far
    assert near == {
        *("sales:/2026", "weather", "prepare", "staging:/clean", "staging:/holdout"),
        *("features", "features-weekly", "features:/daily", "features:/weekly"),
        *("split", "splits", "train", "models:/small.onnx", "models:/large.onnx"),
    }


@pytest.mark.needs("chromium")
def test_enter_opens_a_group_and_arrows_walk_in_it(open_page):
    page = open_page(to_html(samples.fan(90), title="t")).page
    name = "shown.at.get(view.selected)?.name"

    page.locator(".vis-network").focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert page.evaluate(name) == f"score {TIMES}90"
    page.keyboard.press("Enter")
    assert page.evaluate("shown.frames.length") == 1
    page.keyboard.press("ArrowDown")
    first = page.evaluate("view.selected")
    page.keyboard.press("ArrowRight")

    assert page.evaluate(name) == "score"
    assert page.evaluate("view.selected") != first
    page.keyboard.press("ArrowUp")
    assert page.evaluate(name) == f"score {TIMES}90"
    page.keyboard.press("Enter")
    assert page.evaluate("shown.frames.length") == 0


@pytest.mark.needs("chromium")
def test_marks_are_told_with_their_reason(open_page):
    subgraph = samples.one_run()
    (train,) = (n.key for n in subgraph.nodes if n.name == "train")
    opened = open_page(to_html(subgraph, title="t", marks={train: ["code changed"]}))

    opened.click("train")

    panel = opened.page.locator("#panel")
    assert panel.locator(".kind").first.inner_text() == "step · stale"
    assert "stale because\ncode changed" in panel.inner_text()
    assert opened.page.locator("#legend li", has_text="stale").is_visible()


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
    assert page.get_by_text("Incomplete: something in it").is_visible()


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
    fitted = open_page(to_html(samples.pipelines(), title="t", group="none")).page
    chained = open_page(to_html(samples.chain(400), title="t")).page

    assert fitted.evaluate("network.getScale() * shown.width < stage.clientWidth")
    assert chained.evaluate("network.getScale()") == pytest.approx(0.6)
    assert chained.evaluate("network.getViewPosition().x / shown.width") > 0.99
