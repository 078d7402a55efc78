"""`dws lineage stale`, `verify` and `path`, as they are typed."""

from __future__ import annotations

import pytest


def test_nothing_is_stale_until_something_is_edited(dws, workspace, train):
    train(1)
    assert dws("lineage", "stale", "--exit-code").lines == [
        "Nothing is stale: all outputs follow from what is on disk."
    ]

    (workspace / "source-data" / "raw.txt").write_text("4 5 6\n")

    found = dws.json("lineage", "stale")
    assert [row["step"] for row in found] == ["clean", "fit"]
    assert found[0]["reasons"] == [{"ref": "source-data", "reason": "input changed"}]
    assert found[1]["reasons"] == [{"ref": "intermediate-data:/clean", "reason": "upstream stale"}]
    assert found[1]["outputs"] == ["results"]
    ran = dws.run("lineage", "stale", "--exit-code")
    assert ran.status == 1
    assert ran.lines[0] == "To run again, in this order"
    assert any(line.split()[:3] == ["1", "clean", "intermediate-data:/clean"] for line in ran.lines)


def test_what_to_do_about_an_output_that_was_moved_elsewhere_is_said(dws, workspace, train):
    train(1)
    clean = workspace / "intermediate-data" / "clean"
    clean.rename(workspace / "elsewhere")
    told = "until its step runs again, or is taken out of lineage: dws steps retract."

    assert told in dws("lineage", "stale").err
    dws("steps", "retract", "clean")
    assert "clean" not in [row["step"] for row in dws.json("lineage", "stale")]
    (workspace / "source-data" / "raw.txt").write_text("4 5 6\n")
    assert told not in dws("lineage", "stale").err


def test_stale_takes_paths_and_refuses_what_it_does_not_know(dws, workspace, train):
    train(1)
    (workspace / "source-data" / "raw.txt").write_text("4 5 6\n")
    assert [r["step"] for r in dws.json("lineage", "stale", "./intermediate-data")] == ["clean"]
    assert "nowhere" in dws.refused("lineage", "stale", "nowhere")


def test_what_is_stale_is_marked_in_tables_and_pictures(
    dws, workspace, two_snapshots, train, monkeypatch
):
    train(3)
    fresh = dws.json("lineage", "upstream", "results")
    (workspace / "source-data" / "raw.txt").write_text("7 8 9\n")

    monkeypatch.setenv("COLUMNS", "200")
    lines = dws("lineage", "upstream", "results").lines
    assert "Stale because" in lines[1]
    because = {tuple(line.split()[:2]): line for line in lines[3:] if "upstream stale" in line}
    assert set(because) == {("step", "fit"), ("result", "results")}
    assert all("upstream stale: intermediate-data:/clean" in line for line in because.values())
    assert sum("input changed: source-data" in line for line in lines) == 2  # clean, its output
    assert dws.json("lineage", "upstream", "results") == fresh
    for way in (
        ("upstream", "results"),
        ("downstream", "source-data"),
        ("path", "source-data", "results"),
        ("graph", "-"),
    ):
        for form in ("dot", "mermaid", "html"):
            drawn = dws("lineage", *way, "--format", form).out
            assert "input changed" in drawn, (way, form)


def test_a_snapshot_is_not_judged_by_what_is_on_disk(dws, workspace, two_snapshots, train):
    train(3)
    (workspace / "source-data" / "raw.txt").write_text("7 8 9\n")

    for way in (("upstream", "results"), ("downstream", "source-data"), ("graph", "-")):
        drawn = dws("lineage", *way, "--format", "dot", "--snapshot", "v2").out
        assert "input changed" not in drawn
        assert "upstream stale" not in drawn


@pytest.mark.needs("dot")
def test_svg_and_png_mark_what_is_stale(dws, workspace, train):
    train(1)
    before = dws("lineage", "graph", "--format", "svg", "-").out
    dws("lineage", "graph", "before.png")
    (workspace / "source-data" / "raw.txt").write_text("7 8 9\n")
    dws("lineage", "graph", "after.png")

    after = dws("lineage", "graph", "--format", "svg", "-").out
    assert "input changed" in after
    assert "input changed" not in before
    assert (workspace / "after.png").read_bytes() != (workspace / "before.png").read_bytes()


def test_verify_ends_with_1_when_content_is_not_what_it_was(dws, workspace, two_snapshots):
    assert dws("lineage", "verify").lines[-1].endswith("same; the journal is sound.")
    assert dws.json("lineage", "verify", "--snapshot", "v1")["ok"] is True

    (workspace / "source-data" / "raw.txt").write_text("edited\n")

    ran = dws.run("lineage", "verify")
    assert ran.status == 1
    assert any(line.split()[:2] == ["source-data", "changed"] for line in ran.lines)


def test_strict_fails_where_content_is_not_kept(dws, workspace, train, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a").write_text("1")
    dws("add", "local-files", "--role", "source-data", "--compute-hash", str(outside))
    dws("snapshot", "v1")
    (outside / "a").write_text("2")

    ran = dws("lineage", "verify", "--snapshot", "v1")
    assert any(line.split()[:3] == ["outside", "not", "kept"] for line in ran.lines)
    assert dws.run("lineage", "verify", "--snapshot", "v1", "--strict").status == 1


def test_path_shows_what_lies_between(dws, workspace, train):
    train(1)
    graph = dws.json("lineage", "path", "source-data", "intermediate-data")
    assert {n["name"] for n in graph["nodes"]} == {
        "source-data",
        "clean",
        "intermediate-data:/clean",
    }
    assert {e["type"] for e in graph["edges"]} == {"READ_BY", "WROTE"}
    said = dws.refused("lineage", "path", "results", "source-data")
    assert "dws lineage path source-data results" in said
