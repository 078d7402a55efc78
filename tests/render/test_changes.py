"""What two versions of the lineage differ in can be seen, and without colours too."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from dws_graph.model.subgraph import Edge, Node, NodeKind, Subgraph
from dws_graph.render.details import short_changes
from dws_graph.render.dot import to_dot, to_svg
from dws_graph.render.drawing import drawing_of, laid_out
from dws_graph.render.groups import TIMES, grouped
from dws_graph.render.html import to_html
from dws_graph.render.look import TONES, of_all
from dws_graph.render.marks import Entry, legend_of
from dws_graph.render.mermaid import to_mermaid
from dws_graph.render.picture import picture_for, picture_of
from dws_graph.render.svg import draw_svg

MINUS, DELTA = "\N{MINUS SIGN}", "\N{GREEK CAPITAL LETTER DELTA}"
CHANGES = [
    {"what": "parameter", "name": "gamma", "a": 0.1, "b": 0.2},
    {"what": "hash", "name": "", "a": "a" * 40, "b": "b" * 40},
]


def overlaid() -> Subgraph:
    def step(key: str, change: str, **more: object) -> Node:
        properties = {"change": change, "status": "completed", **more}
        return Node(key=key, kind="step", name=f"step {key}", properties=properties)

    data = Node(key="data", kind="certificate", name="data", properties={"change": "same"})
    changed = step("changed", "changed", changes=CHANGES)
    return Subgraph(
        root="",
        complete=True,
        nodes=(data, step("same", "same"), step("new", "added"), step("old", "dropped"), changed),
        edges=(
            Edge("data", "same", "READ_BY", "same"),
            Edge("data", "new", "READ_BY", "added"),
            Edge("data", "old", "READ_BY", "dropped"),
            Edge("data", "changed", "READ_BY", "same"),
        ),
    )


def lines_of(dot: str) -> dict[str, str]:
    return {
        name: line
        for line in dot.splitlines()
        for name in ("same", "new", "old", "changed")
        if f"<b>step {name}</b>" in line
    }


def test_each_change_has_a_sign_and_a_line_of_its_own_in_dot():
    lines = lines_of(to_dot(overlaid(), title="t"))

    assert "penwidth=3.0" in lines["new"]
    assert "<b>+</b>" in lines["new"]
    assert "dashed" in lines["old"]
    assert f"<b>{MINUS}</b>" in lines["old"]
    assert "penwidth=2.4" in lines["changed"]
    assert f"<b>{DELTA}</b>" in lines["changed"]
    assert not any(sign in lines["same"] for sign in ("dashed", "<b>+</b>", f"<b>{DELTA}</b>"))


def test_edges_that_one_version_lacks_are_drawn_as_such():
    dot = to_dot(overlaid(), title="t")
    strokes = [edge.stroke for edge in picture_of(overlaid()).edges]

    assert strokes == ["flow", "added", "dropped", "flow"]
    assert sum("penwidth=2.4];" in line for line in dot.splitlines() if "->" in line) == 1
    assert sum("style=dashed" in line for line in dot.splitlines() if "->" in line) == 1


def test_the_legend_shows_steps_as_they_are_drawn():
    """Filled where any step is; hollow, as all of them are, where each has changed."""

    def steps_entry(subgraph: Subgraph) -> Entry:
        return next(e for e in legend_of(picture_of(subgraph)) if e.words == "step")

    def swatches(subgraph: Subgraph) -> tuple[str, str]:
        text = to_dot(subgraph, title="t")
        return text, draw_svg(drawing_of(subgraph), title="t")

    some = overlaid()
    changed = tuple(node for node in some.nodes if node.key != "same")
    edges = tuple(edge for edge in some.edges if edge.target != "same")
    every = replace(some, nodes=changed, edges=edges)

    assert not steps_entry(some).hollow
    assert steps_entry(every).hollow
    filled = TONES["step-fill"].light
    assert all(filled in drawn for drawn in swatches(some))
    assert not any(f'"{filled}"' in drawn for drawn in map(_without_outlines, swatches(every)))


def _without_outlines(drawn: str) -> str:
    """Fills alone: the line of a step has the same colour."""
    return re.sub(r' (?:stroke|color)="[^"]*"', "", drawn)


def test_the_legend_names_the_changes_and_the_details_tell_them():
    picture = picture_of(overlaid())
    node = next(n for n in picture.nodes if n.key == "changed")

    assert picture.states() == ["added", "dropped", "changed"]
    assert picture.strokes() == ["added", "dropped"]
    assert [d.value for d in node.details if d.name == "what changed"] == [
        "parameter gamma: 0.1 → 0.2",
        "hash: aaaaaaaa → bbbbbbbb",
    ]


def test_our_own_svg_and_mermaid_show_the_signs():
    svg = draw_svg(drawing_of(overlaid()), title="t")
    mermaid = to_mermaid(overlaid())

    for sign in ("+", MINUS, DELTA):
        assert f">{sign}</text>" in svg
    assert 'stroke-dasharray="6 3"' in svg
    assert "step new +" in mermaid
    assert f"step old {MINUS}" in mermaid
    assert "==>" in mermaid


@pytest.mark.needs("dot")
def test_dot_draws_it_without_a_word():
    assert "only in the second" in to_svg(overlaid(), title="t")


@pytest.mark.needs("chromium")
@pytest.mark.slow
def test_the_page_draws_it_and_says_it_in_words(open_page):
    page = open_page(to_html(overlaid(), title="t")).page
    page.wait_for_timeout(100)

    legend = page.locator("#legend li").all_inner_texts()
    assert [entry.splitlines()[-1] for entry in legend][-5:] == [
        "added",
        "dropped",
        "changed",
        "only in the second",
        "only in the first",
    ]
    assert page.locator("#twin tbody tr").count() == 5
    page.locator("#twin summary").click()
    states = page.locator("#twin tbody td:nth-child(4)").all_inner_texts()
    assert sorted(filter(None, states)) == [
        "added",
        "changed: parameter gamma: 0.1 → 0.2; hash: aaaaaaaa → bbbbbbbb",
        "dropped",
    ]


def piped() -> Subgraph:
    """old and new runs of one step; data between two steps that is another now; code that is."""

    def node(key: str, kind: NodeKind, name: str, change: str, **more: object) -> Node:
        return Node(key=key, kind=kind, name=name, properties={"change": change, **more})

    code = [{"what": "hash", "name": "", "a": "a" * 40, "b": "b" * 40}]
    return Subgraph(
        root="",
        complete=True,
        nodes=(
            node("raw", "certificate", "raw", "same", role="source-data"),
            node("code", "certificate", "code", "changed", role="code", changes=code),
            *(node(f"new{i}", "step", "clean", "added") for i in range(2)),
            node("old", "step", "clean", "dropped"),
            node("mid", "certificate", "mid", "added", produced=True),
            node("gone", "certificate", "gone", "same", retracted=True, resource="mid"),
            node("fit", "step", "fit", "changed", changes=CHANGES[:1]),
        ),
        edges=(
            *(Edge("raw", f"new{i}", "READ_BY", "added") for i in range(2)),
            Edge("raw", "old", "READ_BY", "dropped"),
            Edge("code", "fit", "CODE_OF", "changed"),
            Edge("gone", "fit", "READ_BY", "same"),
            Edge("new0", "mid", "WROTE", "added"),
            Edge("mid", "fit", "READ_BY", "added"),
        ),
    )


def test_what_is_folded_into_a_line_or_a_step_keeps_its_change():
    picture = picture_for(piped(), "steps")
    nodes = {node.key: node for node in picture.nodes}
    strokes = {(e.source, e.target): e.stroke for e in picture.edges}

    assert nodes["mid"].shape == "between"
    assert nodes["mid"].states == ("added",)
    assert strokes["new0", "mid"] == strokes["mid", "fit"] == "added"
    assert "code" not in nodes
    assert [f.value for f in nodes["fit"].details if f.group == "code"] == [
        "hash: aaaaaaaa → bbbbbbbb"
    ]
    assert nodes["gone"].states == ("retracted",)


def test_a_group_counts_the_changes_of_its_members_and_is_drawn_as_none_of_them():
    picture = grouped(picture_for(piped(), "steps"), "steps")
    group = next(node for node in picture.nodes if node.members and node.role == "step")
    strokes = [e.stroke for e in picture.edges if e.target == group.key]

    assert group.second == "2 added, 1 dropped"
    assert of_all(group.states) == ("several",)
    assert strokes == ["flow"]  # of some of its edges it is true that they are new
    svg = draw_svg(laid_out(picture), title="t")
    assert f">clean {TIMES}3</text>" in svg
    for sign in ("+", MINUS, "?"):
        assert f">{sign}</text>" in svg


def test_a_group_of_new_edges_only_is_drawn_as_new():
    graph = piped()
    kept = replace(graph, nodes=tuple(n for n in graph.nodes if n.key != "old"))
    picture = grouped(picture_for(kept, "steps"), "steps")

    assert {e.stroke for e in picture.edges if e.source == "raw"} == {"added"}


@pytest.mark.needs("chromium")
@pytest.mark.slow
def test_the_page_marks_what_lies_between_and_what_is_in_groups(open_page):
    page = open_page(to_html(piped(), title="t", group="steps")).page
    page.wait_for_timeout(100)

    facts, lit = page.evaluate(
        """() => {
            select(shown.nodes.find((n) => n.members.length && n.role === "step").id);
            const names = [...document.querySelectorAll("#panel-body dt")];
            const facts = names.map((name) => [name.textContent, name.nextSibling.textContent]);
            return [Object.fromEntries(facts), view.down.size];
        }"""
    )
    assert (facts["added"], facts["dropped"]) == ("2", "1")
    assert lit == 2  # the way through the data between


def test_a_changed_node_says_in_its_second_line_from_what_to_what():
    nodes = {node.key: node for node in picture_of(overlaid()).nodes}
    several = [
        {"what": "parameter", "name": "C", "a": 1, "b": 2},
        {"what": "input", "name": "raw", "a": "x", "b": "y"},
        {"what": "input", "name": "more", "a": "x", "b": "y"},
        {"what": "code", "name": "code", "a": None, "b": "y"},
    ]

    assert nodes["changed"].second.startswith("gamma 0.1 →")
    assert short_changes(several) == "C 1 → 2, input, code"


def test_mermaid_draws_no_outline_around_data_between_steps():
    text = to_mermaid(piped())
    line = next(line for line in text.splitlines() if "mid +" in line)
    key = line.split("[")[0].strip()

    assert f"{key} ==>" in text
    assert not [c for c in text.splitlines() if c.endswith(" added") and key in c]
