from __future__ import annotations

import shutil
import subprocess

import pytest

from dws_graph.errors import AmbiguousSnapshotError
from tests.cli.terminals import without_root


def git(*args: str) -> str:
    return subprocess.run(["git", *args], capture_output=True, text=True, check=True).stdout


def test_a_snapshot_is_taken_and_named(dws, workspace):
    ran = dws("snapshot", "-m", "the first", "v1")

    (row,) = dws.json("report", "history")
    assert ran.out == f"Took snapshot {row['hash'][:7]} (v1), number 1.\n"
    assert (row["tags"], row["message"], row["number"]) == (["v1"], "the first", 1)
    assert git("status", "--porcelain") == ""


def test_results_move_to_a_folder_of_the_snapshot(dws, workspace, two_snapshots):
    (first, second) = sorted((workspace / "results" / "snapshots").iterdir())

    assert first.name.endswith("-v1")
    assert {f.name for f in second.iterdir()} == {"model.txt", "results.json", "lineage.json"}
    assert not (workspace / "results" / "results.json").exists()


def test_when_nothing_changed_the_tag_goes_to_the_snapshot_there_is(dws, workspace):
    dws("snapshot", "v1")

    ran = dws("snapshot", "same")

    assert ran.out.startswith("Nothing changed since snapshot ")
    (row,) = dws.json("report", "history")
    assert row["tags"] == ["v1", "same"]


def test_a_snapshot_needs_no_tag(dws, workspace):
    dws("snapshot")

    assert dws.json("show", "latest")["tags"] == []


def test_a_tag_in_use_is_refused_before_anything_moves(dws, workspace, train):
    dws("snapshot", "v1")
    train(1)

    err = dws.refused("snapshot", "v1")

    assert "the tag 'v1' is in use" in err
    assert "dws tag --delete v1" in err
    assert (workspace / "results" / "results.json").exists()


def test_an_odd_tag_is_refused(dws, workspace):
    for tag in ("a b", "", "../up", ".x", "x.lock", "a..b", "größe", "x" * 101):
        assert "cannot be a tag" in dws.refused("snapshot", tag)
    for tag in ("latest", "0" * 40):
        assert "it means a snapshot already" in dws.refused("snapshot", tag)


def test_a_resource_whose_folder_is_gone_is_named(dws, workspace, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    dws("add", "local-files", "--role", "s", str(data))
    data.rmdir()

    assert f"the folder of resource 'data', {data}, does not exist" in dws.refused("snapshot", "v1")


def test_in_the_middle_of_a_merge_nothing_is_taken(dws, workspace):
    (workspace / ".git" / "MERGE_HEAD").write_text(git("rev-parse", "HEAD"))

    err = dws.refused("snapshot", "v1")

    assert "in the middle of a merge" in err
    assert "git merge --continue or --abort" in err


def test_on_a_detached_head_nothing_is_taken(dws, workspace):
    git("checkout", "-q", "--detach")

    assert "git switch" in dws.refused("snapshot", "v1")


def test_without_a_name_in_git_nothing_is_taken(dws, workspace, monkeypatch, tmp_path, train):
    train(1)
    config = tmp_path / "nobody"
    config.write_text("[user]\n    useConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))

    assert "git config --global user.email" in dws.refused("snapshot", "v1")
    assert (workspace / "results" / "results.json").exists()


def test_a_tag_is_given_and_taken_away(dws, workspace):
    dws("snapshot", "v1")

    assert dws("tag", "latest", "best").out.endswith(" is tagged v1, best.\n")
    assert dws.json("show", "best")["tags"] == ["v1", "best"]
    dws("tag", "--delete", "v1")
    assert dws.json("show", "best")["tags"] == ["best"]
    assert "no snapshot has the tag 'v1'" in dws.refused("tag", "--delete", "v1")


def test_a_tag_in_use_is_not_given_twice(dws, workspace):
    dws("snapshot", "v1")

    assert "the tag 'v1' is in use" in dws.refused("tag", "latest", "v1")


def test_a_snapshot_is_found_by_the_beginning_of_its_hash(dws, workspace):
    dws("snapshot", "v1")
    full = dws.json("show", "v1")["hash"]

    assert dws.json("show", full[:6])["hash"] == full
    assert dws.json("show", full.upper())["hash"] == full


def test_an_unknown_snapshot_is_refused_with_those_there_are(dws, workspace):
    commands = [("show",), ("restore",), ("report", "lineage", "--snapshot")]
    for args in commands:
        assert "Take one: dws snapshot TAG." in dws.refused(*args, "v1")
    dws("snapshot", "v1")

    for args in commands:
        err = dws.refused(*args, "v2")
        assert err == "Error: there is no snapshot 'v2'\nThere are: v1.\n"


def test_of_many_snapshots_an_error_says_how_many_there_are(dws, workspace):
    for number in range(1, 10):
        (workspace / "source-data" / "raw.txt").write_text(f"{number}\n")
        dws("snapshot", f"v{number}")
    newest = ", ".join(f"v{number}" for number in range(9, 1, -1))

    assert dws.refused("show", "w1").splitlines()[1] == (
        f"There are 9, the newest {newest}; all: dws report history."
    )
    digits = dws.json("show", "v1")["hash"][:5]
    assert "Give a tag, or 6 or more digits of a hash. " in dws.refused("show", digits)


def test_the_number_told_is_the_one_that_the_history_shows(dws, workspace, tmp_path):
    dws("snapshot", "v1")
    shutil.copytree(workspace, tmp_path / "copy", symlinks=True)
    (tmp_path / "copy" / "code" / "more.py").write_text("")

    ran = dws("--workspace-dir", str(tmp_path / "copy"), "snapshot", "v2")

    assert ran.out.endswith("(v2), number 2.\n")
    (newest, _) = dws.json("--workspace-dir", str(tmp_path / "copy"), "report", "history")
    assert (newest["tags"], newest["number"]) == (["v2"], 2)


def test_digits_that_fit_several_snapshots_are_refused_with_their_names(dws, workspace):
    dws("snapshot", "v1")
    folder = workspace / ".dataworkspace" / "snapshot_metadata"
    (file,) = folder.iterdir()
    first = file.name.removesuffix("_md.json")
    other = first[:-1] + ("0" if first[-1] != "0" else "1")
    text = file.read_text().replace(first, other).replace("v1", "v2")
    (folder / f"{other}_md.json").write_text(text)

    err = dws.refused("show", first[:10])

    assert f"'{first[:10]}' fits 2 snapshots: " in err
    assert "v1" in err
    assert "v2" in err


def test_show_tells_everything_about_a_snapshot(dws, workspace, two_snapshots):
    ran = dws("show", "v1")

    found = dws.json("show", "v1")
    assert ran.lines[0] == f"Snapshot {found['hash']}"
    for text in ("factor 1", "git-subdirectory", "accuracy", "0.922", "kernel=rbf", "snapshots/"):
        assert text in ran.out
    assert [s["name"] for s in found["steps"]] == ["clean", "fit"]
    assert {r["name"]: r["restorable"] for r in found["resources"]} == {
        "source-data": True,
        "intermediate-data": True,
        "code": True,
        "results": False,
    }


def test_show_says_when_there_is_no_results_directory(dws, workspace, train):
    dws("snapshot", "empty")
    train(1)
    dws("snapshot", "v1")

    assert "(no such directory here: " in dws("show", "empty").out
    assert dws.json("show", "empty")["results_here"] is False
    assert "no such directory" not in dws("show", "v1").out
    assert dws.json("show", "v1")["results_here"] is True
    shutil.rmtree(workspace / "results" / "snapshots")
    assert "(no such directory here: " in dws("show", "v1").out


def test_restore_shows_its_plan_and_brings_files_back(dws, workspace, two_snapshots):
    numbers = workspace / "intermediate-data" / "clean" / "numbers.txt"
    assert numbers.read_text() == "1 2 3 1 2 3 "

    ran = dws("restore", "v1")

    assert ran.out == "Restored 3 resources to snapshot v1.\n"
    assert "  restore  intermediate-data\n" in ran.err
    assert "  leave    results (results are never restored)\n" in ran.err
    assert numbers.read_text() == "1 2 3 "


def test_restore_keeps_what_was_not_committed(dws, workspace, two_snapshots):
    (workspace / "code" / "clean.py").write_text("print('edited')\n")

    dws("restore", "v1")

    assert (workspace / "code" / "clean.py").read_text() == "print('clean')\n"
    assert "edited" in git("log", "-p", "--all", "--", "code/clean.py")


def test_restore_takes_or_leaves_what_is_named(dws, workspace, two_snapshots):
    numbers = workspace / "intermediate-data" / "clean" / "numbers.txt"

    dws("restore", "--leave", "intermediate-data,code", "v1")
    assert numbers.read_text() == "1 2 3 1 2 3 "
    assert dws("restore", "--only", "intermediate-data", "v1").out.startswith(
        "Restored 1 resource "
    )
    assert numbers.read_text() == "1 2 3 "


def test_restore_refuses_what_cannot_be_restored(dws, workspace, two_snapshots, tmp_path):
    assert "never restored" in dws.refused("restore", "--only", "results", "v1")
    assert "there is no resource 'x'" in dws.refused("restore", "--leave", "x", "v1")
    (tmp_path / "late").mkdir()
    dws("add", "local-files", "--role", "s", str(tmp_path / "late"))

    err = dws.refused("restore", "--strict", "v1")

    assert "resource 'late' cannot be restored: added since the snapshot" in err
    assert "late (added since the snapshot)" in dws("restore", "v1").err


def test_restore_warns_of_local_files_that_cannot_come_back(dws, workspace, tmp_path):
    raw = tmp_path / "raw"
    (raw / "deep").mkdir(parents=True)
    for name in ("a.csv", "deep/b.csv", "same.csv"):
        (raw / name).write_text("1\n")
    dws("add", "local-files", "--role", "s", "--compute-hash", str(raw))
    dws("snapshot", "v1")
    (workspace / "code" / "clean.py").write_text("print('v2')\n")
    dws("snapshot", "v2")
    assert "Warning" not in dws("restore", "v1").err

    (raw / "a.csv").write_text("2\n")
    (raw / "deep" / "b.csv").unlink()
    (raw / "new\nline").write_text("3\n")
    warned = dws("restore", "v2").err

    assert (
        "Warning: raw is not as in snapshot v2 and cannot come back, for a local-files resource "
        'keeps no content: a.csv, deep/b.csv, "new\\nline"\n'
    ) in warned
    assert "same.csv" not in warned
    assert "Warning" not in dws("restore", "--leave", "raw", "v1").err
    assert "Warning" not in dws("restore", "--only", "code", "v1").err


def test_restore_warns_of_local_files_that_are_gone_or_known_by_size(dws, workspace, tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    for n in range(7):
        (raw / f"{n}.csv").write_text("1\n")
    dws("add", "local-files", "--role", "s", str(raw))
    dws("snapshot", "v1")
    for n in range(7):
        (raw / f"{n}.csv").write_text("longer\n")

    assert "no content: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more\n" in dws("restore", "v1").err
    shutil.rmtree(raw)
    assert "Warning: raw cannot be compared with snapshot v1: the folder of resource 'raw', " in (
        dws("restore", "v1").err
    )


def test_restore_names_a_folder_that_is_gone(dws, workspace, two_snapshots):
    shutil.rmtree(workspace / "code")

    ran = dws.run("restore", "v1")

    assert ran.status in (0, 1)
    assert "Traceback" not in ran.err
    if ran.status == 1:
        assert "'code'" in ran.err


@pytest.mark.needs("setpriv")
def test_where_nothing_can_be_written_questions_are_answered_and_changes_refused(
    dws, workspace, two_snapshots
):
    subprocess.run(["chmod", "-R", "a-w", workspace], check=True)
    try:
        history = without_root("report", "history", cwd=workspace)
        lineage = without_root("lineage", "upstream", "results", "--snapshot", "v1", cwd=workspace)
        snapshot = without_root("snapshot", "v3", cwd=workspace)
    finally:
        subprocess.run(["chmod", "-R", "u+w", workspace], check=True)

    assert "2 snapshots total" in history.stdout
    assert "clean" in lineage.stdout
    assert snapshot.returncode == 1
    assert f"{workspace}/.dataworkspace cannot be written" in snapshot.stderr


def test_a_list_of_snapshots_that_is_cut_says_so():
    error = AmbiguousSnapshotError("abc123", [f"v{n}" for n in range(1, 11)])
    assert error.message == (
        "'abc123' fits 10 snapshots: v1, v2, v3, v4, v5, v6, v7, v8 and 2 more"
    )
