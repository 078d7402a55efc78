from __future__ import annotations

import json
import os


def test_only_what_differs_is_shown(dws, workspace, two_snapshots):
    ran = dws("diff", "v1", "v2")

    assert ran.lines[0] == "From v1 to v2:"
    headings = [line for line in ran.lines if " " not in line and line.isalpha()]
    assert headings == ["Resources", "Steps", "Parameters", "Metrics"]
    words = [line.split() for line in ran.lines]
    assert ["intermediate-data", "changed", "~", "clean/numbers.txt"] in words
    assert ["clean", "changed", "parameters"] in [w[:3] for w in words]
    assert ["clean", "factor", "1", "2"] in words
    assert ["accuracy", "0.922346", "0.932346", "+0.01"] in words
    assert not any("source-data" in line for line in ran.lines)


def test_that_nothing_differs_is_said(dws, workspace, two_snapshots):
    assert dws("diff", "v1", "v1").out == "No differences between v1 and v1.\n"
    assert dws("diff", "latest").out == "No differences between v2 and now.\n"


def test_a_snapshot_is_compared_with_what_is_on_disk(dws, workspace, two_snapshots):
    (workspace / "code" / "clean.py").write_text("print('cleaner')\n")
    (workspace / "code" / "new [red]name.py").write_text("")

    ran = dws("diff", "v2")

    assert ran.lines[0] == "From v2 to now:"
    assert "+ new [red]name.py" in ran.out
    assert "~ clean.py" in ran.out


def test_many_files_are_counted(dws, workspace, two_snapshots):
    for i in range(50):
        (workspace / "code" / f"{i:02}.py").write_text("")

    ran = dws("diff", "v2")

    assert "... and 31 more" in ran.out
    added = {r["name"]: r["files"]["added"] for r in dws.json("diff", "v2")["resources"]}
    assert len(added["code"]) == 50


def test_json_has_the_keys_of_the_contract(dws, workspace, two_snapshots):
    found = dws.json("diff", "v1", "v2")

    assert found.keys() >= {"resources", "parameters", "metrics", "steps", "environment"}
    assert found["steps"].keys() == {"added", "removed", "changed"}
    assert {r["change"] for r in found["resources"]} == {"same", "changed"}
    assert found["parameters"][0] == {"step": "clean", "name": "factor", "a": 1, "b": 2}
    assert found["metrics"][0].keys() == {"name", "a", "b"}


def test_both_versions_are_drawn_over_one_another(dws, workspace, two_snapshots):
    for file, beginning in {
        "diff.html": b"<!doctype html>",
        "diff.dot": b"digraph",
        "diff.json": b"{",
        "diff.mmd": b"flowchart",
    }.items():
        ran = dws("diff", "v1", "v2", "--graph", file)

        assert (workspace / file).read_bytes().lower().startswith(beginning), file
        assert (ran.out, ran.err) == ("", f"Wrote {file}.\n")
    page = (workspace / "diff.html").read_text()
    assert "Lineage: v1 → v2" in page
    graph = json.loads(dws("diff", "v1", "v2", "--graph", "-", "--format", "json").out)
    assert {n["properties"]["change"] for n in graph["nodes"]} == {"same", "changed"}


def test_a_picture_can_be_of_one_ref(dws, workspace, two_snapshots):
    args = ("--graph", "-", "--format", "json", "--ref", "intermediate-data:/clean")

    graph = json.loads(dws("diff", "v1", "v2", *args).out)

    assert {n["name"] for n in graph["nodes"] if n["kind"] == "step"} == {"clean"}


def test_options_that_do_not_fit_are_refused(dws, workspace, two_snapshots):
    refused = dws.refused
    assert "--ref is for --graph" in refused("diff", "v1", "v2", "--ref", "results", status=2)
    assert "html is for --graph" in refused("diff", "v1", "--format", "html", status=2)
    assert ".doc is no format" in refused("diff", "v1", "--graph", "x.doc", status=2)
    assert "there is no snapshot 'v9'" in refused("diff", "v1", "v9")


def test_the_story_is_told_in_each_format(dws, workspace, two_snapshots):
    beginnings = {
        "text": "How results in snapshot v2 came about\n",
        "markdown": "# How results in snapshot v2 came about\n",
        "html": "<!DOCTYPE html>\n",
        "json": "{",
    }
    for fmt, beginning in beginnings.items():
        args = ("lineage", "explain", "results", "--snapshot", "v2", "--since", "v1")
        printed = dws(*args, "--format", fmt).out
        dws(*args, "--format", fmt, "-o", "story")

        assert printed.startswith(beginning)
        assert "factor" in printed
        assert (workspace / "story").read_text() == printed


def test_the_reason_is_the_first_thing_told(dws, workspace, two_snapshots):
    ran = dws("lineage", "explain", "results", "--snapshot", "v2", "--since", "v1")

    assert ran.lines[1:4] == [
        "Why it differs from v1",
        "Because of this:",
        "1. The parameter factor of step clean went from 1 to 2. That is 2 steps back; it reached",
    ]


def test_since_a_snapshot_without_results_the_story_is_told_without_causes(dws, workspace, train):
    dws("snapshot", "v0")
    train(1)
    dws("snapshot", "v1")

    ran = dws("lineage", "explain", "results", "--since", "v0")

    assert ran.lines[1:3] == [
        "Why it differs from v0",
        "v0 had no results there; what follows is how results came about.",
    ]
    assert ran.lines[3] == "What it is"


def test_files_edited_since_are_warned_of(dws, workspace, train):
    train(1)
    (workspace / "results" / "model.txt").write_text("edited")

    ran = dws("lineage", "explain", "results")

    assert ran.err.startswith("Warning: ")
    assert "results was changed after step fit wrote it." in ran.out


def test_command_lines_are_shown_and_what_was_not_kept_is_marked(dws, workspace):
    def run(name: str, *more: str) -> None:
        told = ["--step-name", name, "-o", f"intermediate-data/{name}", "--code", "code"]
        out = f"intermediate-data/{name}"
        dws("run", *told, *more, "--", "sh", "-c", f"echo {name} > {out}", *more)

    run("a", "-p", "grid=[1, 2]")
    dws("snapshot", "v1")
    os.utime(workspace / "code" / "clean.py")
    run("a", "-p", "grid=[1, 3]", "-p", "state=pending")
    os.utime(workspace / "code" / "clean.py")  # what a ran was not kept
    run("b")

    ran = dws("diff", "v1")

    [changed] = [line for line in ran.lines if line.split()[:2] == ["a", "changed"]]
    assert changed.split("changed")[1].strip() == "parameters, command, code (not kept)"
    assert "Command lines" in ran.lines
    [command] = dws.json("diff", "v1")["commands"]
    assert command["step"] == "a"
    assert command["b"].endswith("'grid=[1, 3]' -p state=pending")
