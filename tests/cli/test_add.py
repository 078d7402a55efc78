from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def data(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    (made / "1.txt").write_text("one")
    return made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "digits"
    made.mkdir()
    (made / "data.csv").write_text("1,2\n")
    for args in (["init", "-q"], ["add", "."], ["commit", "-qm", "data"]):
        subprocess.run(["git", "-C", str(made), *args], check=True)
    return made


def resource(dws, name):
    return next(r for r in dws.json("report", "status")["resources"] if r["name"] == name)


def test_local_files_are_added_under_the_last_part_of_their_path(dws, workspace, data):
    ran = dws("add", "local-files", "--role", "source-data", "--compute-hash", str(data))

    assert ran.out == "Added resource images (file) with the role source-data.\n"
    assert resource(dws, "images")["params"]["compute_hash"] is True


def test_a_repository_is_added(dws, workspace, repository):
    dws("add", "git", "--role", "s", "--read-only", "--name", "raw", str(repository))

    added = resource(dws, "raw")
    assert (added["type"], added["role"]) == ("git", "source-data")
    assert (added["params"]["read_only"], added["params"]["branch"]) == (True, "main")


def test_a_folder_of_the_workspace_is_added_as_a_subdirectory(dws, workspace):
    (workspace / "features").mkdir()

    ran = dws("add", "git", "--role", "i", "features")

    assert (
        ran.out == "Added resource features (git-subdirectory) with the role intermediate-data.\n"
    )


def test_without_a_role_and_a_terminal_the_hint_names_the_option(dws, workspace, data):
    for args in ((), ("--batch",)):
        err = dws.refused(*args, "add", "local-files", str(data))
        assert "Give --role with one of: source-data, intermediate-data, code, results." in err


def test_a_name_that_is_taken_is_refused(dws, workspace, data):
    err = dws.refused("add", "local-files", "--role", "s", "--name", "Code", str(data))

    assert "there is a resource named 'Code' already ('code' differs by case alone)" in err
    assert "--name" in err


def test_an_odd_name_is_refused(dws, workspace, data):
    for name in ("a/b", "-x", "a:b", ""):
        assert "cannot name a resource" in dws.refused(
            "add", "local-files", "--role", "s", f"--name={name}", str(data)
        )


def test_a_path_that_does_not_exist_is_named(dws, workspace):
    assert "/lab/nothing does not exist" in dws.refused("add", "git", "--role", "c", "nothing")


def test_a_folder_outside_that_is_no_repository_can_be_added_as_local_files(dws, workspace, data):
    err = dws.refused("add", "git", "--role", "s", str(data))

    assert "is not the root of a git repository" in err
    assert "local-files" in err


def test_a_path_that_overlaps_is_refused(dws, workspace):
    (workspace / "code" / "inner").mkdir()

    for path, message in {
        "code": "is resource 'code' already",
        "code/inner": "lies inside the resource 'code'",
        ".": "holds the whole workspace",
        "..": "holds the whole workspace",
        ".dataworkspace": "keeps its own files",
    }.items():
        assert message in dws.refused("add", "local-files", "--role", "s", "--name", "x", path)
    assert len(dws.json("report", "status")["resources"]) == 4


def test_another_branch_than_the_one_checked_out_is_refused(dws, workspace, repository):
    err = dws.refused("add", "git", "--role", "s", "--branch", "other", str(repository))

    assert "is on branch 'main', not 'other'" in err


def test_a_detached_head_is_refused_with_what_to_type(dws, workspace, data):
    subprocess.run(["git", "checkout", "-q", "--detach"], check=True)

    err = dws.refused("add", "local-files", "--role", "s", str(data))

    assert "on no branch (detached HEAD)" in err
    assert "git switch" in err
