from __future__ import annotations

import csv
import io
import json

import pytest

from dws_graph.lineage import LineageBuilder


def names(graph, kind):
    return {node["name"] for node in graph["nodes"] if node["kind"] == kind}


def test_upstream_of_a_snapshot_has_all_steps(dws, workspace, two_snapshots):
    graph = dws.json("lineage", "upstream", "results", "--snapshot", "v1")

    assert names(graph, "step") == {"clean", "fit"}
    assert graph["complete"] is True
    assert graph["root"] in {node["key"] for node in graph["nodes"]}
    assert {edge["type"] for edge in graph["edges"]} == {"READ_BY", "CODE_OF", "WROTE"}


def test_depth_bounds_the_steps(dws, workspace, train):
    train(1)

    assert names(dws.json("lineage", "upstream", "results", "--depth", "1"), "step") == {"fit"}
    assert names(dws.json("lineage", "downstream", "source-data", "--depth", "1"), "step") == {
        "clean"
    }


def test_downstream_of_a_path_on_disk_has_what_it_went_into(dws, workspace, train):
    train(1)

    graph = dws.json("lineage", "downstream", "./source-data/raw.txt")

    assert names(graph, "step") == {"clean", "fit"}


def test_a_table_says_what_it_shows(dws, workspace, train):
    train(1)

    ran = dws("lineage", "upstream", "results")

    assert ran.lines[0] == "What results was made from"
    assert any(line.split()[:2] == ["step", "clean"] and "factor=1" in line for line in ran.lines)


def test_files_edited_since_are_warned_of(dws, workspace, train):
    train(1)
    (workspace / "results" / "model.txt").write_text("edited")

    ran = dws("lineage", "upstream", "results")

    assert ran.err.startswith("Warning: ")


def test_upstream_is_printed_or_written_in_other_formats(dws, workspace, train):
    train(1)
    beginnings = {"dot": "digraph", "mermaid": "flowchart", "html": "<!doctype html>"}
    for fmt, beginning in beginnings.items():
        printed = dws("lineage", "upstream", "results", "--format", fmt).out
        written = dws("lineage", "upstream", "results", "--format", fmt, "-o", "file")

        assert printed.lower().startswith(beginning)
        assert (workspace / "file").read_text() == printed
        assert (written.out, written.err) == ("", "Wrote file.\n")


def test_a_table_can_be_written_too(dws, workspace, train):
    train(1)
    dws("lineage", "upstream", "results", "-o", "table.txt")

    assert (workspace / "table.txt").read_text().startswith("What results was made from\n")


def test_a_ref_that_means_nothing_is_refused(dws, workspace):
    for ref, message in {
        "nonsense": "there is no resource 'nonsense'",
        "/": "lies in no resource",
        "code:/../..": "leads out of its resource",
        "results": "no lineage of results is known",
    }.items():
        assert message in dws.refused("lineage", "upstream", ref)


def test_a_picture_has_the_format_of_its_suffix(dws, workspace, train):
    train(1)
    for file, beginning in {
        "graph.html": b"<!doctype html>",
        "graph.dot": b"digraph",
        "graph.json": b"{",
        "graph.mermaid": b"flowchart",
        "graph.mmd": b"flowchart",
        "graph": b"<!doctype html>",
        "graph.SVG": b"<?xml",
    }.items():
        ran = dws("lineage", "graph", file)

        assert (workspace / file).read_bytes().lower().startswith(beginning), file
        assert (ran.out, ran.err.splitlines()[-1]) == ("", f"Wrote {file}.")


@pytest.mark.needs("dot")
def test_a_picture_can_be_a_png(dws, workspace, train):
    train(1)
    dws("lineage", "graph", "graph.png")

    assert (workspace / "graph.png").read_bytes().startswith(b"\x89PNG")


def test_the_format_named_wins_over_the_suffix(dws, workspace, two_snapshots):
    dws("lineage", "graph", "--snapshot", "v1", "--format", "json", "graph.html")

    assert names(json.loads((workspace / "graph.html").read_text()), "step") == {"clean", "fit"}


def test_a_picture_may_go_to_standard_output(dws, workspace, train):
    train(1)

    assert dws("lineage", "graph", "--format", "dot", "-").out.startswith("digraph")


def test_a_picture_has_the_detail_and_the_groups_asked_for(dws, workspace, train):
    train(1)
    mermaid = ("lineage", "graph", "--format", "mermaid", "-")
    steps = dws(*mermaid).out
    certificates = dws(*mermaid, "--detail", "certificates").out
    grouped = dws(*mermaid, "--group", "resources").out

    assert '["intermediate-data:/clean"]' in steps
    assert steps.count(" --- ") == 1  # from the step that wrote it to its name
    assert '"code' not in steps
    assert certificates.count(" --- ") == 0
    assert '"code' in certificates
    assert '"clean' in steps
    assert '"clean' not in grouped
    assert '"intermediate-data<br/>1 version, 1 step"' in grouped


def test_the_figure_has_the_size_asked_for(dws, workspace, train):
    train(1)
    dws("lineage", "graph", "--width", "640", "--height", "480", "graph.html")

    assert "640px" in (workspace / "graph.html").read_text()


def test_a_query_answers_with_a_table_json_or_csv(dws, workspace, two_snapshots):
    query = "MATCH (s:Step) RETURN DISTINCT s.name AS name ORDER BY name"

    assert dws("lineage", "query", query).lines[-3:] == ["clean", "fit", "2 rows"]
    assert dws.json("lineage", "query", query) == {
        "columns": ["name"],
        "rows": [["clean"], ["fit"]],
        "truncated": False,
    }
    rows = list(csv.reader(io.StringIO(dws("lineage", "query", query, "--format", "csv").out)))
    assert rows == [["name"], ["clean"], ["fit"]]


def test_a_query_takes_parameters_and_a_file(dws, workspace, two_snapshots):
    (workspace / "q.cypher").write_text(
        "MATCH (s:Step) WHERE s.name = $name AND s.param_factor = $factor RETURN s.name AS name"
    )

    found = dws.json(
        *("lineage", "query", "--file", "q.cypher", "--param", "name=clean", "--param", "factor=2")
    )

    assert found["rows"] == [["clean"]]


def test_a_query_says_when_there_are_more_rows(dws, workspace, two_snapshots):
    ran = dws("lineage", "query", "--limit", "1", "MATCH (s:Step) RETURN s.name")

    assert ran.lines[-1] == "1 row"
    assert ran.err == "Note: there are more rows than --limit 1 lets through.\n"


def test_a_query_that_writes_or_means_nothing_is_refused(dws, workspace):
    for query in ("CREATE (n:X) RETURN n", "MATCH (n) DELETE n", "nonsense"):
        assert dws.refused("lineage", "query", query).startswith("Error: ")


def test_views_are_shown_synced_and_rebuilt(dws, workspace, train):
    train(1)

    before = {view["view"]: view for view in dws.json("graph", "status")}
    synced = dws("graph", "sync", "--view", "cypher")
    after = {view["view"]: view for view in dws.json("graph", "status")}

    facts = before["index"]["applied"]
    assert before["cypher"]["waiting"] == facts
    assert synced.out == f"cypher: applied {facts} facts.\n"
    assert (after["cypher"]["waiting"], after["cypher"]["applied"]) == (0, facts)
    assert dws("graph", "rebuild").lines == [
        f"index: folded {facts} facts.",
        f"cypher: folded {facts} facts.",
    ]
    assert dws("graph", "status").lines[0].split() == [
        "View",
        "Applied",
        "Waiting",
        "Size",
        "Where",
    ]


@pytest.mark.parametrize("question", ["upstream", "downstream"])
def test_a_path_that_nothing_knows_of_is_an_error_that_names_it(
    dws, workspace, two_snapshots, question
):
    no_such = "is neither on disk nor in what was recorded"
    for path in ("source-data:/no-such.txt", "./source-data/no-such.txt"):
        for more in ((), ("--snapshot", "v1")):
            err = dws.refused("lineage", question, path, *more)
            assert err.startswith(f"Error: source-data:/no-such.txt {no_such}\n")
    for more in ((), ("--snapshot", "v1")):
        assert no_such in dws.refused("lineage", question, "results:/no-such.txt", *more)
        dws("lineage", question, "source-data:/raw.txt", *more)


def test_a_path_that_is_gone_is_known_to_the_snapshots_that_held_it(
    dws, workspace, two_snapshots, tmp_path
):
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "old.csv").write_text("1\n")
    dws("add", "local-files", "--role", "s", str(raw))
    read = LineageBuilder().with_step_name("read").with_parameters({}).with_input_path(str(raw))
    read.eval().complete()
    dws("snapshot", "v3")
    (raw / "old.csv").unlink()
    (workspace / "code" / "clean.py").unlink()

    for path in ("raw:/old.csv", "code:/clean.py"):
        assert path in dws.refused("lineage", "upstream", path)
        dws("lineage", "upstream", path, "--snapshot", "v3")
        assert "read" in dws("lineage", "downstream", "raw:/old.csv").out
    assert "fit" in dws("lineage", "upstream", "results:/model.txt", "--snapshot", "v1").out
    assert "fit" in dws("lineage", "upstream", "results:/model.txt").out


def test_the_doctor_finds_nothing_in_a_sound_workspace(dws, workspace, two_snapshots):
    assert dws("doctor").out == "All is well.\n"
    assert dws.json("doctor") == []


def test_the_doctor_ends_with_1_and_says_how_to_mend(dws, workspace, two_snapshots):
    (manifest, *_) = sorted((workspace / ".dataworkspace" / "snapshots").iterdir())
    manifest.unlink()

    ran = dws.run("doctor")

    assert ran.status == 1
    assert "has no manifest" in ran.lines[0]
    assert "git checkout HEAD -- .dataworkspace/snapshots/" in ran.lines[1]
    assert ran.lines[-1] == "1 error, no notes."


def test_the_doctor_looks_at_a_workspace_that_cannot_be_opened(dws, workspace):
    (workspace / ".dataworkspace" / "config.json").write_text("{")

    ran = dws.run("doctor", "--format", "json")

    assert ran.status == 1
    assert "config.json: line 1 is not JSON" in json.loads(ran.out)[0]["what"]


def test_a_path_that_a_snapshot_moved_is_found_and_a_mistyped_one_is_said_not_to_exist(
    dws, workspace, two_snapshots
):
    assert not (workspace / "results" / "results.json").exists()
    assert "in snapshot v2" in dws("lineage", "explain", "results/results.json").out
    dws("lineage", "upstream", "results/results.json")

    err = dws.refused("lineage", "explain", "results/resluts.json")
    assert "results:/resluts.json is neither on disk nor in what was recorded" in err
    err = dws.refused("lineage", "upstream", "resluts/results.json")
    assert err.startswith("Error: there is no path 'resluts/results.json', ")


def test_upstream_of_results_that_were_made_by_hand_is_that_of_no_older_ones(
    dws, workspace, two_snapshots
):
    (workspace / "results" / "hand.txt").write_text("by hand")
    dws("snapshot", "v3")

    ran = dws("lineage", "upstream", "results")

    assert ran.lines[0] == "What results in v3 was made from"
    assert ran.err.startswith("Warning: snapshot v3 moved results into its folder")
    assert "step" not in ran.out
    assert (
        dws("lineage", "upstream", "results:/model.txt")
        .lines[0]
        .startswith("What results:/model.txt in v2 ")
    )


@pytest.mark.parametrize("name", ["local_params.json", "resource_local_params.json"])
def test_git_is_not_named_for_a_damaged_file_that_it_ignores(dws, workspace, name):
    (workspace / ".dataworkspace" / name).write_text("{")

    for args in (("report", "status"), ("steps",)):
        err = dws.refused(*args)
        assert name in err
        assert "It is not in git" in err
    ran = dws.run("doctor")
    assert ran.status == 1
    assert "git checkout" not in ran.out


def test_a_workspace_without_its_repository_is_told_what_is_gone(dws, workspace):
    (workspace / ".git").rename(workspace / "away")

    err = dws.refused("report", "history")

    assert f"Error: {workspace} is no git repository any more: " in err
    assert "fatal" not in err


def test_names_that_the_graph_has_not_are_told_beside_the_answer(dws, workspace, two_snapshots):
    ran = dws("lineage", "query", "--format", "json", "MATCH (s:Stpe) RETURN s.nmae")
    assert json.loads(ran.out)["rows"] == []
    assert ran.err.splitlines()[-1] == (
        "Note: nothing in the graph has the label 'Stpe' (is it Step?), or the property 'nmae' "
        "(is it name?)"
    )
    assert "Note" not in dws("lineage", "query", "MATCH (s:Step) RETURN s.name").err


@pytest.mark.parametrize(
    "question", [("upstream", "results"), ("downstream", "code"), ("path", "code", "results")]
)
def test_an_answer_is_drawn_in_the_format_of_its_files_name(
    dws, workspace, two_snapshots, question
):
    begins = {"svg": "<", "mmd": "flowchart", "html": "<!doctype html>", "json": "{"}
    for suffix, beginning in begins.items():
        dws("lineage", *question, "-o", f"answer.{suffix}")
        text = (workspace / f"answer.{suffix}").read_text().lstrip()
        assert text.lower().startswith(beginning)
    dws("lineage", *question, "-o", "answer.txt")
    assert "results" in (workspace / "answer.txt").read_text()
    dws("lineage", *question, "--format", "json", "-o", "really.svg")
    assert json.loads((workspace / "really.svg").read_text())["nodes"]


@pytest.mark.needs("dot")
def test_an_answer_can_be_a_png(dws, workspace, two_snapshots):
    dws("lineage", "upstream", "results", "-o", "answer.png")
    assert (workspace / "answer.png").read_bytes().startswith(b"\x89PNG")
