"""Upstream, downstream, graphs, tables and queries of a recorded pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.errors import ConfigurationError, LineageNotFoundError, QueryError
from tests.api.labs import Lab, names


def test_upstream_of_results_holds_every_step_and_source(trained: Lab):
    graph = api.upstream("results")

    assert names(graph, "step") == ["clean", "train"]
    assert names(graph, "certificate") == [
        "code",
        "intermediate-data:/clean",
        "results",
        "source-data",
    ]
    assert graph.complete
    assert graph.root == graph.nodes[-1].key


def test_depth_counts_steps(trained: Lab):
    assert names(api.upstream("results", depth=1), "step") == ["train"]
    assert names(api.downstream("source-data", depth=1), "step") == ["clean"]


def test_downstream_is_of_any_version_and_with_a_snapshot_of_the_one_in_it(taken: Lab):
    taken.write("source-data/raw.csv", "more\n")
    taken.clean(2)

    assert names(api.downstream("source-data"), "step") == ["clean", "clean", "train"]
    assert names(api.downstream("source-data", snapshot="V1"), "step") == ["clean", "train"]


def test_a_part_with_a_writer_belongs_to_the_whole_that_was_read_before(lab: Lab):
    """Whoever reads `intermediate-data` now reads what `clean` wrote into it."""
    lab.write("intermediate-data/notes.txt", "notes\n")
    lab.read_all()
    lab.clean()

    assert names(api.upstream("intermediate-data"), "step") == ["clean"]
    assert names(api.downstream("intermediate-data"), "step") == ["read"]


def test_upstream_in_a_snapshot_is_as_it_was(taken: Lab):
    before = api.upstream("results", snapshot="V1").to_json()
    taken.clean(2)
    taken.train(0.7)

    assert api.upstream("results", snapshot="V1").to_json() == before


def test_what_is_stale_is_marked_also_of_results_that_a_snapshot_moved(taken: Lab):
    assert api.upstream("results").marks == {}
    taken.write("source-data/raw.csv", "more\n")

    graph = api.upstream("results")
    marked = {node.name: graph.marks[node.key] for node in graph.nodes if node.key in graph.marks}
    assert marked == {
        "clean": ["input changed: source-data"],
        "intermediate-data:/clean": ["input changed: source-data"],
        "train": ["upstream stale: intermediate-data:/clean"],
        "results": ["upstream stale: intermediate-data:/clean"],
    }
    assert api.lineage_graph().marks == graph.marks
    assert api.downstream("source-data").marks == graph.marks
    assert api.lineage_path("source-data", "results").marks == graph.marks


def test_a_snapshot_has_no_marks_however_it_is_named(taken: Lab):
    taken.write("source-data/raw.csv", "more\n")
    [kept] = (taken.root / "results" / "snapshots").iterdir()

    assert api.upstream("results", snapshot="V1").marks == {}
    assert api.upstream(str(kept)).marks == {}
    assert api.downstream(str(kept)).marks == {}
    assert api.downstream("source-data", snapshot="V1").marks == {}


def test_an_answer_prints_itself_in_a_line(trained: Lab):
    found = api.upstream("results")

    assert f"<Subgraph of {found.root}: {len(found.nodes)} nodes, " in repr(found.subgraph)
    assert len(repr(found)) < 300


def test_a_graph_is_json_and_networkx(trained: Lab):
    graph = api.upstream("results")

    found = graph.to_networkx()

    assert list(found.nodes) == [n["key"] for n in graph.to_json()["nodes"]]
    assert found.number_of_edges() == len(graph.to_json()["edges"])
    assert found.graph["root"] == graph.root
    assert json.loads(json.dumps(graph.to_json())) == graph.to_json()


def test_the_graph_is_of_the_first_results_resource(taken: Lab):
    graph = api.lineage_graph()

    assert graph.title == "Lineage of results in V1"
    assert names(graph, "step") == ["clean", "train"]
    assert "V1" in graph.warnings[0]
    assert api.lineage_graph("code").title == "Lineage of code"


def test_nothing_recorded_is_an_error_with_a_hint(lab: Lab):
    with pytest.raises(LineageNotFoundError) as e:
        api.lineage_graph()

    assert e.value.hint


def test_a_lineage_page_is_written(taken: Lab, tmp_path: Path):
    page = tmp_path / "graph.html"

    api.make_lineage_graph(str(page), tag_or_hash="V1")

    assert "Lineage of results in V1" in page.read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_named(taken: Lab, tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nowhere/graph\.html cannot be written"):
        api.make_lineage_graph(str(tmp_path / "nowhere/graph.html"))


def test_the_table_has_a_row_a_ref_in_the_order_of_the_resources(trained: Lab):
    rows = list(api.make_lineage_table())

    assert [row[:2] for row in rows] == [
        ("source-data", "Source Data"),
        ("intermediate-data:/clean", "Step"),
        ("code", "Code"),
        ("results", "Step"),
    ]
    assert [row[3] for row in rows] == [
        None,
        ["source-data (current)"],
        None,
        ["intermediate-data:/clean (current)"],
    ]
    assert rows[0][2] == "Placeholder:version=1"
    assert rows[3][2].startswith("train at ")
    assert "T" not in rows[3][2].removeprefix("train at ")


def test_a_table_of_a_snapshot_is_of_what_was_current_then(taken: Lab):
    before = list(api.make_lineage_table(tag_or_hash="V1"))
    taken.clean(2)

    assert list(api.make_lineage_table(tag_or_hash="V1")) == before
    assert [row[0] for row in before][-1] == "results"
    assert [row[0] for row in api.make_lineage_table()][-1] == "code"


def test_an_input_that_is_not_current_shows_its_hash(taken: Lab):
    taken.train(0.6)
    old = next(r["hash"] for r in api.report_lineage() if r["step"] == "clean")
    taken.clean(2)

    row = next(r for r in api.make_lineage_table() if r[0] == "results")
    as_json = next(r for r in api.report_lineage() if r["ref"] == "results")

    assert old is not None
    assert row[3] == [f"intermediate-data:/clean (Hash:{old[:8]})"]
    assert as_json["inputs"] == [
        {"ref": "intermediate-data:/clean", "hash": old, "status": "hashed", "current": False}
    ]


def test_lineage_as_json_has_the_promised_keys(trained: Lab):
    row = api.report_lineage()[1]

    assert list(row) == ["ref", "type", "details", "step", "hash", "status", "inputs"]
    assert (row["step"], row["hash"], row["status"]) == ("clean", None, "pending")


def test_a_query_sees_what_was_recorded_a_moment_ago(trained: Lab):
    text = "MATCH (s:Step) WHERE s.name = $name RETURN s.metric_accuracy AS accuracy"
    assert api.query(text, {"name": "train"}).to_json() == {
        "columns": ["accuracy"],
        "rows": [[0.5]],
        "truncated": False,
    }
    trained.train(0.6)

    answer = api.query(text, {"name": "train"}, limit=1)

    assert (len(answer.rows), answer.truncated) == (1, True)
    assert list(api.query(text, {"name": "train"}).to_pandas()["accuracy"]) == [0.5, 0.6]


def test_a_workspace_that_cannot_be_written_is_queried_in_a_temporary_view(trained: Lab):
    with trained.open() as ws:
        ws.writable = False

        answer = api.query_in(ws, "MATCH (s:Step) RETURN count(s)")

    assert answer.rows == ((2,),)
    assert not (trained.root / ".dataworkspace/graph/cypher.kgl").exists()


def test_a_query_that_writes_is_refused(trained: Lab):
    with pytest.raises(QueryError):
        api.query("CREATE (n:Step) RETURN n")
