"""A resource's folder that is elsewhere now, or is no folder: the hints lead on."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.rules.lab import git


@pytest.fixture
def data(dws: Dws, workspace: Path, tmp_path: Path) -> Path:
    """The folder of a resource `raw data`, outside of the workspace."""
    folder = tmp_path / "raw data"
    folder.mkdir()
    (folder / "a.txt").write_text("1\n")
    dws("add", "local-files", "--keep", "--role", "source-data", "--name", "raw", str(folder))
    dws("snapshot", "v1")
    return folder


def test_the_hint_of_a_folder_that_moved_is_a_command_that_works(dws, data, tmp_path):
    moved = data.rename(tmp_path / "moved")

    said = dws.refused("snapshot", "v2")

    assert f"{data}, does not exist" in said
    command = re.search(r"dws (config --resource raw local_path) FOLDER", said)
    assert command, said
    ran = dws(*shlex.split(command[1]), str(moved))
    assert ran.lines == [f"local_path of raw is {moved} now."]
    (moved / "a.txt").write_text("2\n")
    dws("snapshot", "v2")
    dws("--batch", "restore", "v1")
    assert (moved / "a.txt").read_text() == "1\n"


def test_doctor_gives_the_same_command(dws, data, tmp_path):
    data.rename(tmp_path / "moved")

    ran = dws.run("doctor")

    assert "dws config --resource raw local_path FOLDER" in ran.out


def test_where_it_is_now_is_of_this_copy_alone_and_is_undone(dws, data, workspace, tmp_path):
    moved = data.rename(tmp_path / "moved")
    file = workspace / ".dataworkspace" / "resource_local_params.json"
    before, head = file.read_text(), git("rev-parse", "HEAD", cwd=workspace)

    dws("config", "--resource", "raw", "local_path", str(moved))

    assert json.loads(file.read_text())["raw"] == {"local_path": str(moved)}
    assert git("rev-parse", "HEAD", cwd=workspace) == head
    dws("--batch", "undo")
    assert file.read_text() == before


def test_a_place_that_cannot_be_is_refused(dws, data, workspace, tmp_path):
    file = workspace / ".dataworkspace" / "resource_local_params.json"
    before = file.read_text()
    (tmp_path / "file").write_text("")
    for place, why in {
        str(tmp_path / "nowhere"): "does not exist",
        str(tmp_path / "file"): "is a file, not a folder",
        str(workspace / "code"): "is resource 'code' already",
        str(workspace / ".dataworkspace"): "keeps its own files",
        str(workspace): "holds the whole workspace",
    }.items():
        assert why in dws.refused("config", "--resource", "raw", "local_path", place)
    assert "cannot be unset" in dws.refused("config", "--resource", "raw", "--unset", "local_path")
    said = dws.refused("config", "--resource", "code", "local_path", str(data))
    assert "stays where it is" in said
    assert file.read_text() == before


def test_a_repository_that_moved_is_found_again(dws, workspace, tmp_path):
    folder = tmp_path / "lib"
    git("init", "-q", "lib", cwd=tmp_path)
    git("commit", "-q", "--allow-empty", "-m", "begun", cwd=folder)
    dws("add", "git", "--role", "code", "--name", "lib", str(folder))
    moved = folder.rename(tmp_path / "moved")
    (tmp_path / "plain").mkdir()

    said = dws.refused("config", "--resource", "lib", "local_path", str(tmp_path / "plain"))
    dws("config", "--resource", "lib", "local_path", str(moved))

    assert "is no git repository" in said
    dws("snapshot", "v1")


def test_a_folder_that_is_a_file_is_said_to_be_one(dws, data, tmp_path):
    data.rename(tmp_path / "moved")
    data.write_text("in the way")

    assert f"{data}, is a file" in dws.refused("snapshot", "v2")
    said = dws.refused("--batch", "restore", "v1")
    assert f"{data} is a file, not a folder" in said
    assert "permissions" not in said


def test_what_is_added_and_is_no_folder_gets_a_hint_that_works(dws, workspace, tmp_path):
    (tmp_path / "file.csv").write_text("1\n")
    for kind in ("local-files", "git"):
        words = ("add", kind, "--role", "source-data")
        said = dws.refused(*words, "../dta")
        assert f"the folder {tmp_path / 'dta'} does not exist" in said
        assert f"mkdir -p {tmp_path / 'dta'}" in said
        assert "is a file, not a folder" in dws.refused(*words, "../file.csv")
