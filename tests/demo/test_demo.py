"""The quick start as a newcomer sees it."""

import re
import subprocess
import sys

from dws_graph.api import get_results, get_snapshot_history


def test_the_demo_ends_in_a_graph_and_two_snapshots_of_the_known_accuracies(demo):
    history = list(get_snapshot_history(str(demo.root)))

    assert [(s.tags, round(s.metrics["accuracy"], 3)) for s in history] == [
        (["SVC-1"], 0.969),
        (["LR-1"], 0.94),
    ]
    graph = demo.root / "lineage.html"
    assert str(graph) in demo.printed
    assert graph.read_text(encoding="utf-8").lower().startswith("<!doctype html>")


def test_every_figure_of_the_demo_comes_out_of_the_workspace(demo):
    results, _ = get_results(str(demo.root), "SVC-1")
    accuracy = results["metrics"]["accuracy"]

    assert f"{accuracy:.3f}" in demo.printed
    assert str(accuracy) in demo.printed  # as the Cypher query gives it


def test_the_demo_shows_each_command_before_its_output(demo):
    shown = re.findall(r"^\$ (dws \S+(?: \S+)?)", demo.printed, re.M)

    assert [c.split()[1] for c in shown] == [
        *("init", "add", "report", "report", "snapshot", "snapshot", "report"),
        *("report", "report", "lineage", "lineage", "--batch"),
    ]


def test_after_the_demo_the_code_is_that_of_the_first_snapshot(demo):
    assert sorted(p.name for p in (demo.root / "code").glob("*.py")) == ["digits_svc.py"]
    assert len(list((demo.root / "results" / "snapshots").iterdir())) == 2
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=demo.root, capture_output=True, text=True
    )
    assert [line for line in status.stdout.splitlines() if "lineage.html" not in line] == []


def test_the_demo_refuses_a_folder_that_has_something_in_it(demo):
    run = subprocess.run(
        [sys.executable, "-m", "dws_graph", "demo", str(demo.root)], capture_output=True, text=True
    )

    assert run.returncode == 1
    assert run.stderr.startswith(f"Error: {demo.root} has something in it already")
    assert run.stdout == ""
