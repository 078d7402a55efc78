from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text

from dws_graph.render.tables import lineage_tree, table
from tests.render import samples


def printed(renderable, width: int = 120) -> str:
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(renderable)
    return file.getvalue()


def test_a_subgraph_as_a_table():
    lines = printed(lineage_tree(samples.digits())).splitlines()

    assert lines[1].split() == ["Kind", "Name", "Hash", "or", "time", "When", "Parameters"]
    assert lines[3].split() == ["source", "data", "digits-data", "6baa9455"]
    assert "step" in lines[5]
    assert "accuracy 0.689" in lines[5]
    assert "gamma=0.01, C=1.0, kernel=rbf," in lines[5]
    assert "2026-11-04 09:03:30 UTC" in lines[5]
    assert "shuffle=no" in lines[6]
    assert "results *" in lines[7]
    assert "* asked for." in lines[-1]


def test_states_are_words():
    text = printed(lineage_tree(samples.forecast()))

    for words in ("failed · 132.5 s", "205738d1, stale  ", "not kept", "pending", "Incomplete:"):
        assert words in text


def test_why_something_is_stale_has_a_column_of_its_own():
    graph = samples.digits()
    marks = {graph.root: ["upstream stale: digits", "output changed outside a step: results"]}

    lines = printed(lineage_tree(graph, marks), 200).splitlines()

    assert "Stale because" in lines[1]
    stale = [line for line in lines if "stale" in line.lower()][1:]
    assert len(stale) == 1
    assert "upstream stale: digits; output changed outside a step: results" in stale[0]


def test_columns_that_would_be_empty_are_left_out():
    text = printed(lineage_tree(samples.empty()))

    assert "When" not in text
    assert "Parameters" not in text


def test_markup_in_a_name_has_no_meaning_and_long_cells_are_folded():
    text = printed(
        table(["Name"], [["[red]x[/red] " + "y" * 60], [Text("z")]], title="[b]T[/b]"), 40
    )

    assert "[red]x[/red]" in text
    assert "[b]T[/b]" in text
    assert text.replace("\n", "").replace(" ", "").count("y") == 60


def test_control_characters_reach_no_terminal():
    text = printed(lineage_tree(samples.hostile()))

    assert not set(text) & {"\x00", "\x1b", "\u202e", "\udce9"}
