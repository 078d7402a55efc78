"""What `dws undo` and `dws diff` print is about what the user knows."""

from __future__ import annotations

from tests.cli.conftest import Dws


def test_undone_and_done_again_is_said_once(dws: Dws, workspace):
    dws("config", "results.dir_template", "snapshots/{TAG}")
    what = "Set parameter results.dir_template"

    said = [dws("--batch", "undo").out.strip() for _ in range(4)]

    assert said == [f"Undone: {what}", f"Done again: {what}"] * 2


def test_a_plan_to_undo_names_no_file_of_the_workspaces_own(dws: Dws, workspace, train):
    train(1)
    dws("snapshot", "v1")

    plan = dws("undo", "--dry-run").out

    assert ".dataworkspace" not in plan
    assert "in which the workspace keeps its state" in plan


def test_a_list_of_files_that_is_cut_says_how_to_see_all(dws: Dws, workspace):
    dws("snapshot", "v1")
    for i in range(60):
        (workspace / "source-data" / f"{i}.txt").write_text(str(i))
    dws("snapshot", "v2")

    assert "more (--format json)" in dws("diff", "v1", "v2").out
