from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.terminals import without_root


def git(*args: str) -> str:
    return subprocess.run(["git", *args], capture_output=True, text=True, check=True).stdout


def test_init_makes_a_workspace_named_after_its_folder(dws, folder):
    ran = dws("init")

    assert ran.out == f"Made workspace lab in {folder}.\n"
    assert ran.err.startswith("Next, add data and code: ")
    assert dws.json("report", "status")["name"] == "lab"
    assert git("status", "--porcelain") == ""


def test_init_takes_a_name_and_a_hostname(dws, folder):
    dws("init", "experiment", "--hostname", "laptop")

    assert dws.json("report", "status")["name"] == "experiment"
    assert dws.json("config", "hostname")[0]["value"] == "laptop"


@pytest.mark.parametrize(
    ("given", "roles"),
    [
        ("all", ["source-data", "intermediate-data", "code", "results"]),
        ("code,results", ["code", "results"]),
        ("c, r ,c", ["code", "results"]),
    ],
)
def test_init_makes_a_folder_for_each_role(dws, folder, given, roles):
    dws("init", "--create-resources", given)

    resources = dws.json("report", "status")["resources"]
    assert [(r["name"], r["role"]) for r in resources] == [(role, role) for role in roles]
    assert all((folder / role).is_dir() for role in roles)


def test_init_puts_temporary_files_where_it_is_told(dws, folder, tmp_path):
    dws("init", "--scratch-directory", str(tmp_path / "tmp"))

    value = dws.json("config", "local_scratch_directory")[0]["value"]
    assert value == str(tmp_path / "tmp")


def test_init_keeps_the_files_and_history_of_a_repository(dws, folder):
    git("init", "-q")
    (folder / "kept.txt").write_text("kept")
    git("add", ".")
    git("commit", "-qm", "mine")
    (folder / "new.txt").write_text("not committed")

    dws("init")

    assert git("status", "--porcelain") == "?? new.txt\n"
    assert "mine" in git("log", "--format=%s")


def test_a_second_init_is_refused(dws, workspace):
    assert dws.refused("init") == (
        f"Error: {workspace} is a workspace already\nIts state: dws report status.\n"
    )


def test_an_odd_hostname_is_refused_and_nothing_is_left_behind(dws, folder):
    assert "cannot be a hostname" in dws.refused("init", "--hostname", "a b")
    assert list(folder.iterdir()) == []


def test_without_a_name_in_git_init_says_what_to_type(dws, folder, monkeypatch, tmp_path):
    config = tmp_path / "nobody"
    config.write_text("[user]\n    useConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))

    err = dws.refused("init")

    assert 'git config --global user.name "Your Name"' in err
    assert list(folder.iterdir()) == []


def test_a_file_where_a_role_wants_its_folder_is_named(dws, folder):
    (folder / "code").write_text("")

    assert "in the way" in dws.refused("init", "--create-resources", "all")
    assert not (folder / ".git").exists()


@pytest.mark.needs("setpriv")
def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.chmod(0o500)

    ran = without_root("init", cwd=folder)

    assert ran.returncode == 1
    assert ran.stderr == f"Error: {folder} cannot be written\nChange its permissions.\n"


def test_a_repository_in_the_middle_of_a_merge_is_left_alone(dws, folder):
    git("init", "-q")
    (folder / ".git" / "MERGE_HEAD").write_text("0" * 40 + "\n")

    assert "in the middle of a merge" in dws.refused("init")


def test_init_writes_what_1_6_reads(dws, folder):
    dws("init")

    config = json.loads((folder / ".dataworkspace" / "config.json").read_text())
    assert sorted(config) == ["dws-version", "global_params", "name"]
