from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

from dws_graph.errors import NotSupportedError
from dws_graph.render.dot import to_dot, to_png, to_svg
from dws_graph.render.drawing import drawing_of
from dws_graph.render.svg import draw_svg
from tests.render import samples

SVG = "{http://www.w3.org/2000/svg}"
ALL = {
    "digits": samples.digits(),
    "forecast": samples.forecast(),
    "hostile": samples.hostile(),
    "empty": samples.empty(),
}


def texts(svg: str) -> list[str]:
    return ["".join(t.itertext()) for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_text_is_always_the_same_and_leads_from_left_to_right():
    text = to_dot(samples.digits(), title="Lineage")

    assert text == to_dot(samples.digits(), title="Lineage")
    assert "rankdir=LR" in text
    assert text.count(" -> ") == 4
    assert "digits-data" in text
    assert to_dot(samples.digits(), title="Lineage", detail="certificates").count(" -> ") == 6


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("detail", ["steps", "certificates"])
def test_dot_reads_the_text_without_a_word(name, detail):
    text = to_dot(ALL[name], title='a "title" <b> & \\N', detail=detail)

    done = subprocess.run(["dot", "-Tcanon"], input=text.encode(), capture_output=True, check=True)

    assert done.stderr == b""


@pytest.mark.needs("dot")
def test_the_svg_holds_names_and_legend():
    shown = texts(to_svg(samples.forecast(), title="Lineage of reports"))

    for text in ("Lineage of reports", "staging:/clean", "not kept", "failed · 132.5 s", "pending"):
        assert text in shown


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", ALL)
def test_svg_and_png_are_what_they_say(name):
    svg = to_svg(ALL[name], title=samples.HOSTILE[0])
    png = to_png(ALL[name], title=samples.HOSTILE[3])

    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert not list(root.iter(f"{SVG}script"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.needs("dot")
def test_graphviz_replaces_nothing_in_a_name():
    shown = texts(to_svg(samples.hostile(), title="t", detail="certificates"))

    assert any(r"\N \\ " in text for text in shown)


def test_without_dot_the_svg_is_drawn_by_us_and_the_png_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    svg = to_svg(samples.digits(), title="Lineage of results")
    with pytest.raises(NotSupportedError) as caught:
        to_png(samples.digits(), title="t")

    assert svg == draw_svg(drawing_of(samples.digits()), title="Lineage of results")
    assert "apt-get install graphviz" in caught.value.hint


def test_a_dot_that_takes_too_long_is_stopped(monkeypatch, tmp_path):
    slow = tmp_path / "dot"
    slow.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("dws_graph.render.dot.TIME_LIMIT", 0.2)

    with pytest.raises(NotSupportedError, match="did not finish"):
        to_png(samples.digits(), title="t")
    assert "<svg" in to_svg(samples.digits(), title="t")


def test_a_dot_that_fails_is_quoted(monkeypatch, tmp_path):
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho 'no plugin' >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NotSupportedError, match="no plugin"):
        to_png(samples.digits(), title="t")


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("detail", ["steps", "certificates"])
def test_our_own_svg_stands_alone(name, detail):
    svg = draw_svg(drawing_of(ALL[name], detail=detail), title=samples.HOSTILE[1])

    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        *("svg", "title", "rect", "g", "path", "text", "circle"),
    }
    assert not re.findall(r"href|url\(", " ".join(" ".join(e.attrib.values()) for e in root.iter()))


def test_our_own_svg_says_what_is_missing_and_shows_the_legend():
    shown = texts(draw_svg(drawing_of(samples.forecast()), title="Lineage"))

    assert "Incomplete: something in it is not kept or unknown." in shown
    assert {"source data", "step", "stale", "failed", "not kept", "in snapshot"} <= set(shown)
    assert "code" not in shown


@pytest.mark.needs("chromium")
def test_our_own_svg_is_drawn_without_overlap(browser):
    page = browser.new_page()
    page.set_content(draw_svg(drawing_of(samples.forecast()), title="Lineage"))

    boxes = page.evaluate(
        """[...document.querySelectorAll("svg > g > g")].map((g) => {
            const [box, ...texts] = g.querySelectorAll("path, text");
            const r = (e) => e.getBoundingClientRect();
            const outer = r(g);
            return [...g.querySelectorAll("text")].every(
                (t) => r(t).left >= outer.left && r(t).right <= outer.right + 4);
        })"""
    )
    page.close()

    assert len(boxes) == 27
    assert all(boxes)
