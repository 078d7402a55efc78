"""Results that no step is known to have made are nobody's."""

import json
import subprocess

import pytest

from dws_graph import api
from dws_graph.errors import LineageNotFoundError
from dws_graph.lineage import LineageBuilder
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.snapshots import manifest_of
from dws_graph.workspace.taking import take_snapshot


@pytest.fixture
def ws(tmp_path):
    root = tmp_path / "ws"
    root.mkdir()
    made = initialize(root, create_resources=["code", "results", "source-data"])
    (root / "source-data" / "a.csv").write_text("1\n")
    (root / "code" / "t.py").write_text("pass\n")
    run(made)
    take_snapshot(made, "T1", "")
    yield made
    made.close()


def run(ws, *, fail=False):
    builder = LineageBuilder().with_step_name("t").with_parameters({"a": 1})
    builder.with_input_path(str(ws.root / "source-data")).with_code_path(str(ws.root / "code"))
    builder.with_workspace_directory(str(ws.root)).as_results_step(str(ws.root / "results"))
    with builder.eval() as lineage:
        if fail:
            (ws.root / "results" / "half.txt").write_text("half")
            raise ValueError("boom")
        lineage.write_results({"accuracy": 0.5})


def steps_of(ws, snapshot):
    graph = api.upstream("results", snapshot=snapshot, workspace_uri_or_path=str(ws.root))
    return [n.name for n in graph.nodes if n.kind == "step"]


def hash_of(ws, snapshot):
    graph = api.upstream("results", snapshot=snapshot, workspace_uri_or_path=str(ws.root))
    return next(n.properties["hash"] for n in graph.nodes if n.key == graph.root)


def tree_in_git(ws, name, snapshot):
    """The tree of the results as the content commit of the snapshot holds it."""
    commit = {
        line.split(maxsplit=1)[1]: line.split()[0]
        for line in subprocess.run(
            ["git", "log", "--format=%H %s"], cwd=ws.root, capture_output=True, text=True
        ).stdout.splitlines()
    }[f"Content of snapshot {snapshot}"]
    return subprocess.run(
        ["git", "rev-parse", f"{commit}:{name}"], cwd=ws.root, capture_output=True, text=True
    ).stdout.strip()


def rows(ws, snapshot):
    return api.report_lineage(snapshot, workspace_uri_or_path=str(ws.root))


def write_by_hand(ws):
    path = ws.root / "results" / "results.json"
    path.write_text(json.dumps({"metrics": {"accuracy": 0.99}}))


def test_results_written_by_hand_after_a_snapshot_have_no_step(ws):
    write_by_hand(ws)
    take_snapshot(ws, "H1", "")

    assert steps_of(ws, "H1") == []
    assert hash_of(ws, "H1") == tree_in_git(ws, "results", "H1")
    assert steps_of(ws, "T1") == ["t"]


def test_results_edited_by_hand_before_the_snapshot_have_no_step(ws):
    run(ws)
    write_by_hand(ws)
    take_snapshot(ws, "H2", "")

    assert steps_of(ws, "H2") == []
    assert hash_of(ws, "H2") == tree_in_git(ws, "results", "H2")


def test_what_a_failed_step_left_in_results_has_no_step(ws):
    with pytest.raises(ValueError, match="boom"):
        run(ws, fail=True)
    take_snapshot(ws, "S2", "")

    assert steps_of(ws, "S2") == []
    assert hash_of(ws, "S2") == tree_in_git(ws, "results", "S2")


def test_a_snapshot_without_results_of_its_own_has_none_to_show(ws):
    (ws.root / "code" / "t.py").write_text("changed\n")
    take_snapshot(ws, "N", "")

    with pytest.raises(LineageNotFoundError, match="snapshot N took nothing of results") as e:
        steps_of(ws, "N")
    assert e.value.hint == "The newest before it that did: --snapshot T1."


def test_a_snapshot_before_any_results_has_none_to_show(tmp_path):
    (tmp_path / "ws").mkdir()
    made = initialize(tmp_path / "ws", create_resources=["code", "results"])
    (made.root / "code" / "t.py").write_text("pass\n")
    take_snapshot(made, "E", "")

    with pytest.raises(LineageNotFoundError, match="snapshot E took nothing of results") as e:
        steps_of(made, "E")
    made.close()

    assert e.value.hint == "What it holds: dws show E."


def test_a_second_snapshot_of_the_same_state_takes_nothing_from_the_first(ws):
    before = rows(ws, "T1")
    assert any(row["type"] == "Step" for row in before)

    again = take_snapshot(ws, "T1-again", "")

    assert not again.is_new
    assert rows(ws, "T1") == before
    assert steps_of(ws, "T1") == ["t"]
    manifest = {entry["name"]: entry["hash"] for entry in manifest_of(ws, again.hash)}
    assert hash_of(ws, "T1") == manifest["results"]
