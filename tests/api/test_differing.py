"""What differs between snapshots, and between one and what is on disk."""

from __future__ import annotations

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.errors import LineageNotFoundError, SnapshotNotFoundError
from dws_graph.workspace.opening import open_workspace


def changes(report: api.DiffReport) -> dict[str, str]:
    return {r["name"]: r["change"] for r in report["resources"]}


def files(report: api.DiffReport, name: str) -> object:
    return next(r["files"] for r in report["resources"] if r["name"] == name)


def git(*args: str) -> None:
    subprocess.run(["git", *args], check=True, capture_output=True)


@pytest.fixture
def outside(taken, tmp_path: Path):
    """The same with a git repository and a plain folder outside, in snapshot V2."""
    repository, folder = tmp_path / "repository", tmp_path / "folder"
    git("init", "-q", str(repository))
    (repository / "a.txt").write_text("a\n")
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "one.csv").write_text("1\n")
    (folder / "two.csv").write_text("2\n")
    git("-C", str(repository), "add", ".")
    git("-C", str(repository), "commit", "-qm", "first")
    with closing(open_workspace(taken.root, batch=True)) as ws:
        ws.add_resource("repository", "git", "source-data", str(repository))
        ws.add_resource("folder", "file", "source-data", str(folder), True)
    taken.snapshot("V2")
    return repository, folder


def test_a_snapshot_does_not_differ_from_itself(taken):
    report = api.diff("V1", "V1")

    assert set(changes(report).values()) == {"same"}
    assert report["steps"] == {"added": [], "removed": [], "changed": []}
    assert not any(report[key] for key in ("parameters", "metrics", "environment", "notes"))


def test_nothing_differs_right_after_a_snapshot(taken):
    report = api.diff("latest")

    assert set(changes(report).values()) == {"same"}
    assert report["steps"] == {"added": [], "removed": [], "changed": []}
    assert report["metrics"] == []
    assert report["b"] == {"label": "now", "snapshot": None}


def test_files_parameters_metrics_and_steps_that_differ_are_listed(taken):
    taken.clean(2)
    taken.train(0.75, by={"a": {"b": 1}})
    taken.write("code/new.py", "new\n")
    taken.snapshot("V2")

    report = api.diff("V1", "V2")

    assert files(report, "code") == {"added": ["new.py"], "changed": [], "removed": []}
    assert files(report, "intermediate-data")["changed"] == ["clean/data.csv"]
    assert files(report, "results")["changed"] == ["model.txt", "results.json"]
    assert changes(report)["source-data"] == "same"
    assert report["parameters"] == [{"step": "clean", "name": "factor", "a": 1, "b": 2}]
    assert report["metrics"] == [
        {"name": "accuracy", "a": 0.5, "b": 0.75},
        {"name": "by.a.b", "a": None, "b": 1},
    ]
    assert report["steps"]["changed"] == ["clean", "train"]
    what = {s["step"]: s["what"] for s in report["changed_steps"]}
    assert "parameters" in what["clean"]
    assert "inputs" in what["train"]


def test_steps_that_came_and_went_are_named(taken):
    taken.read_all()
    taken.clean(1)
    with taken._step("extra", {}).with_input_path("source-data").eval() as step:
        taken.write("intermediate-data/extra/x", "x")
        step.add_output_path("intermediate-data/extra")
    taken.train()
    taken.snapshot("V2")

    assert api.diff("V1", "V2")["steps"]["added"] == ["extra"]
    assert api.diff("V2", "V1")["steps"]["removed"] == ["extra"]


def test_what_is_on_disk_now_is_compared_without_a_second_snapshot(taken):
    taken.write("source-data/raw.csv", "edited\n")
    taken.write("source-data/more.csv", "more\n")
    (taken.root / "code" / "clean.py").unlink()
    taken.train(0.6)

    report = api.diff("V1")

    assert files(report, "source-data") == {
        "added": ["more.csv"],
        "changed": ["raw.csv"],
        "removed": [],
    }
    assert files(report, "code")["removed"] == ["clean.py"]
    assert files(report, "results")["changed"] == ["model.txt", "results.json"]
    assert report["metrics"] == [{"name": "accuracy", "a": 0.5, "b": 0.6}]
    assert any("source-data was edited" in note for note in report["notes"])


def test_a_step_that_ran_again_on_the_same_is_no_change(taken):
    taken.clean(1)
    taken.train(0.5)

    assert api.diff("V1")["steps"]["changed"] == []


def test_resources_of_all_types_are_looked_into(taken, outside):
    repository, folder = outside
    (repository / "a.txt").rename(repository / "b.txt")
    (folder / "deep" / "one.csv").write_text("one\n")
    (folder / "two.csv").unlink()
    now = api.diff("V2")
    taken.snapshot("V3")
    then = api.diff("V2", "V3")

    for report in (now, then):
        assert files(report, "repository") == {
            "added": ["b.txt"],
            "changed": [],
            "removed": ["a.txt"],
        }
        assert files(report, "folder") == {
            "added": [],
            "changed": ["deep/one.csv"],
            "removed": ["two.csv"],
        }
    assert changes(api.diff("V1", "V2"))["folder"] == "added"
    assert changes(api.diff("V2", "V1"))["folder"] == "removed"


def test_content_that_is_not_here_is_said_to_be_unknown(taken, outside):
    repository, _ = outside
    (repository / "a.txt").write_text("other\n")
    taken.snapshot("V3")
    repository.rename(repository.with_name("gone"))

    report = api.diff("V2", "V3")

    row = next(r for r in report["resources"] if r["name"] == "repository")
    assert (row["change"], row["files"]) == ("changed", None)
    assert "not on this machine" in row["note"]
    now = next(r for r in api.diff("V2")["resources"] if r["name"] == "repository")
    assert (now["change"], now["files"]) == ("unknown", None)


def test_the_lineage_file_of_the_product_is_no_content(lab):
    with open_workspace(lab.root, batch=True) as ws:
        lab.write("shared/x.csv", "x\n")
        ws.add_resource("shared", "git-subdirectory", "intermediate-data", "shared", True)
    for tag in ("V1", "V2"):
        lab.write("shared/lineage.json", f'"as of {tag}"')
        lab.clean()
        lab.train()
        lab.snapshot(tag)

    report = api.diff("V1", "V2")

    assert changes(report)["shared"] == "same"
    assert list(lab.root.glob("results/snapshots/*/lineage.json"))
    assert files(report, "results") == {"added": [], "changed": ["results.json"], "removed": []}


def test_the_overlay_says_of_each_node_and_edge_what_became_of_it(taken):
    taken.clean(2)
    taken.train(0.75)
    taken.snapshot("V2")

    graph = api.lineage_diff("V1", "V2", "results")
    told = {n.name: n.properties["change"] for n in graph.nodes}

    assert told["clean"] == told["train"] == told["results"] == "changed"
    assert told["source-data"] == told["code"] == "same"
    clean = next(n for n in graph.nodes if n.name == "clean")
    assert clean.properties["changes"] == [
        {"what": "parameter", "name": "factor", "a": 1, "b": 2},
    ]
    assert {e.change for e in graph.edges} == {"same", "changed"}
    assert all("change" in edge for edge in graph.to_json()["edges"])
    assert graph.root in {n.key for n in graph.nodes}


def test_the_overlay_can_be_of_one_ref_alone(taken):
    taken.clean(2)

    graph = api.lineage_diff("V1", ref="intermediate-data")

    assert {n.name for n in graph.nodes if n.kind == "step"} == {"clean"}


def test_of_a_ref_that_one_side_lacks_all_is_added(taken):
    with taken._step("extra", {}).with_input_path("source-data").eval() as step:
        taken.write("intermediate-data/extra/x", "x")
        step.add_output_path("intermediate-data/extra")
    ref = "intermediate-data:/extra"

    graph = api.lineage_diff("V1", None, ref)

    assert {n.properties["change"] for n in graph.nodes} == {"added"}
    with pytest.raises(LineageNotFoundError):
        api.lineage_diff("V1", "V1", ref)


def test_a_snapshot_that_is_not_there_is_refused(taken):
    with pytest.raises(SnapshotNotFoundError):
        api.diff("V1", "V9")


def test_what_is_left_of_moved_results_is_no_node_of_the_difference(taken):
    taken.write("code/more.py", "n = 1\n")
    taken.snapshot("V2")  # the results of V1, which were moved, are meant still

    graph = api.lineage_diff("V1", "V2")

    results = [n for n in graph.subgraph.nodes if n.properties.get("resource") == "results"]
    assert [n.properties["change"] for n in results] == ["same"]


def test_a_snapshot_that_found_no_results_differs_in_none(taken):
    taken.write("code/other.py", "other\n")
    taken.snapshot("V2")

    for report in (api.diff("V2"), api.diff("V1", "V2"), api.diff("V1")):
        assert report["steps"] == {"added": [], "removed": [], "changed": []}
        assert changes(report)["results"] == "same"
        assert report["metrics"] == []
    graph = api.lineage_diff("V1", "V2")
    assert {n.properties["change"] for n in graph.nodes if n.kind == "step"} == {"same"}


def test_results_made_by_hand_are_those_of_their_snapshot(taken):
    taken.write("results/model.txt", "by hand\n")
    taken.snapshot("V2")

    now = api.diff("V2")
    assert now["steps"] == {"added": [], "removed": [], "changed": []}
    assert changes(now)["results"] == "same"
    assert files(api.diff("V1"), "results")["changed"] == ["model.txt"]
    assert api.diff("V1")["steps"]["removed"] == ["train"]


def test_touched_is_not_edited(taken, caplog):
    for path in ("code/clean.py", "source-data/raw.csv", "intermediate-data/clean/data.csv"):
        os.utime(taken.root / path)

    assert not any("edited" in note for note in api.diff("V1")["notes"])
    assert api.upstream("intermediate-data:/clean").warnings == []
    taken.train()
    assert "before that was changed" not in caplog.text

    taken.write("code/clean.py", "edited\n")
    assert any("code was edited" in note for note in api.diff("V1")["notes"])
