"""`dws log`, `undo`, `delete-snapshot`, `remove`, `rename`, as typed."""

from __future__ import annotations


def test_a_deleted_snapshot_is_gone_with_its_results_until_it_is_undone(dws, workspace, train):
    train(1)
    dws("snapshot", "V1")
    [results] = (workspace / "results/snapshots").iterdir()

    said = dws("delete-snapshot", "V1")

    assert said.out == "Deleted snapshot V1.\n"
    assert dws.json("report", "history") == []
    assert not results.exists()
    assert (workspace / "results").is_dir()
    names = {n["name"] for n in dws.json("lineage", "upstream", "intermediate-data")["nodes"]}
    assert "clean" in names
    assert "there is no snapshot 'V1'" in dws.refused("delete-snapshot", "V1")

    assert dws("undo").out.startswith("Undone: Deleted snapshot V1")
    assert [row["tags"] for row in dws.json("report", "history")] == [["V1"]]
    assert results.is_dir()


def test_results_of_a_deleted_snapshot_stay_when_asked(dws, workspace, train):
    train(1)
    dws("snapshot", "V1")
    [results] = (workspace / "results/snapshots").iterdir()

    dws("delete-snapshot", "--no-include-resources", "V1")

    assert results.is_dir()
    assert dws.json("report", "history") == []


def test_a_renamed_resource_is_found_under_its_new_name_and_restored(dws, workspace, train):
    train(1)
    dws("snapshot", "V1")
    dws("rename", "intermediate-data", "tables")

    nodes = dws.json("lineage", "upstream", "tables")["nodes"]
    assert "clean" in {n["name"] for n in nodes}
    assert "intermediate-data" not in {n["properties"].get("resource") for n in nodes}
    shown = dws.json("show", "V1")
    assert {"tables", "results"} <= {r["name"] for r in shown["resources"]}

    numbers = workspace / "intermediate-data/clean/numbers.txt"
    numbers.write_text("edited")
    dws("restore", "--only", "tables", "V1")
    assert numbers.read_text() == "1 2 3 "
    assert "was the name of" in dws.refused(
        "add", "git", "--role", "code", "--name", "intermediate-data", "other"
    )


def test_a_removed_resource_keeps_its_files_and_its_snapshots(dws, workspace, train):
    train(1)
    dws("snapshot", "V1")

    dws("remove", "intermediate-data")

    assert (workspace / "intermediate-data/clean/numbers.txt").is_file()
    assert "intermediate-data" in {r["name"] for r in dws.json("show", "V1")["resources"]}
    assert "no longer in the workspace" in dws("restore", "V1").err
    assert "cannot be restored" in dws.refused("restore", "--strict", "V1")
    assert "there is no resource 'intermediate-data'" in dws.refused("remove", "intermediate-data")


def test_the_log_tells_what_was_done_and_what_was_undone(dws, workspace, train):
    train(1)
    dws("snapshot", "V1")
    dws("config", "results.dir_template", "snapshots/{TAG}")
    planned = dws("undo", "--dry-run").out
    assert planned.splitlines()[0] == "Undo: Set parameter results.dir_template"
    dws("undo")

    rows = dws.json("log")

    assert [(r["what"], r["undone"]) for r in rows[:3]] == [
        ("undo", False),
        ("config", True),
        ("snapshot", False),
    ]
    assert rows[-1]["what"] == "init" or rows[-1]["what"] == "add"
    assert len(dws.json("log", "--limit", "2")) == 2
    assert "undone since" in dws("log").out


def test_what_cannot_be_undone_says_why(dws, workspace, train):
    dws("snapshot", "V0")
    train(1)

    assert "was recorded since the snapshot" in dws.refused("undo")
