"""Two copies on one machine: which folder a clone uses, and that it says so."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Dws


def _added(dws: Dws, tmp_path: Path, *options: str) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("1\n")
    dws("add", "local-files", *options, "--role", "source-data", "--name", "data", str(folder))
    dws("snapshot", "v1")
    return folder


def _local(copy: Path) -> dict[str, object]:
    found = json.loads((copy / ".dataworkspace" / "resource_local_params.json").read_text())
    assert isinstance(found["data"], dict)
    return found["data"]


def test_a_clone_says_that_it_uses_a_folder_of_another_copy(dws, workspace, tmp_path, monkeypatch):
    folder = _added(dws, tmp_path)
    copy = tmp_path / "copy"

    ran = dws("clone", "--hostname", "there", str(workspace), str(copy))

    assert f"resource data uses {folder}, which another copy of the workspace may use" in ran.err
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.chdir(copy)
    dws("config", "--resource", "data", "local_path", str(own))
    assert _local(copy) == {"local_path": str(own)}


def test_a_pull_says_it_too_once_and_of_no_renamed_one(dws, workspace, tmp_path, monkeypatch):
    copy, told = tmp_path / "copy", "which another copy of the workspace may use"
    dws("clone", "--hostname", "there", str(workspace), str(copy))
    folder = _added(dws, tmp_path)

    monkeypatch.chdir(copy)
    assert f"resource data uses {folder}, {told}" in dws("pull").err
    monkeypatch.chdir(workspace)
    dws("rename", "data", "numbers")
    monkeypatch.chdir(copy)
    assert told not in dws("pull").err
    assert str(folder) in dws("report", "status").out


def test_content_that_another_machine_alone_keeps_is_said_to_be_there(
    dws, workspace, tmp_path, monkeypatch
):
    folder = _added(dws, tmp_path, "--keep")
    copy = tmp_path / "copy"
    dws("clone", "--hostname", "there", str(workspace), str(copy))

    monkeypatch.chdir(copy)
    said = dws.refused("--batch", "restore", "v1")

    assert "is in no store here" in said
    assert "There: dws config --resource NAME store URL, and dws push" in said
    assert (folder / "a.txt").read_text() == "1\n"
    assert "Restored" in dws("--batch", "restore", "v1", "--leave", "data").out


def test_a_clone_with_a_shared_store_has_a_folder_of_its_own(dws, workspace, tmp_path, monkeypatch):
    store = tmp_path / "store"
    store.mkdir()
    folder = _added(dws, tmp_path, "--keep", "--store", store.as_uri())
    copy = tmp_path / "copy"

    ran = dws("clone", "--hostname", "there", str(workspace), str(copy))

    assert "another copy" not in ran.err
    assert f"Resource data is in {copy / 'data'}." in ran.out
    assert _local(copy) == {"local_path": "data"}
    assert (copy / "data" / "a.txt").read_text() == "1\n"
    (copy / "data" / "a.txt").write_text("2\n")
    monkeypatch.chdir(copy)
    dws("snapshot", "v2")
    dws("--batch", "restore", "v1")
    assert (folder / "a.txt").read_text() == (copy / "data" / "a.txt").read_text() == "1\n"


def test_what_the_store_does_not_give_leaves_the_folder_of_the_other_copy_alone(
    dws, workspace, tmp_path, monkeypatch
):
    store = tmp_path / "store"
    store.mkdir()
    folder = _added(dws, tmp_path, "--keep", "--store", store.as_uri())
    store.rename(tmp_path / "away")
    copy = tmp_path / "copy"

    ran = dws("clone", "--hostname", "there", str(workspace), str(copy))

    assert "resource data is not here" in ran.err
    monkeypatch.chdir(copy)
    (folder / "a.txt").write_text("edited\n")
    assert "is not on this machine" in dws.refused("--batch", "restore", "v1")
    assert "is not on this machine" in dws.refused("snapshot", "v2")
    assert (folder / "a.txt").read_text() == "edited\n"
    (tmp_path / "away").rename(store)
    dws("pull")
    assert (copy / "data" / "a.txt").read_text() == "1\n"
