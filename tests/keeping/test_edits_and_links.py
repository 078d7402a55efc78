"""Kept content that was edited after a restore, that links show twice, and that is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.keeping.files import Files


@pytest.fixture
def two(dws: Dws, files: Files) -> Files:
    """Two snapshots, the first restored."""
    dws("snapshot", "v1")
    files.write(b"a.csv", b"second\n")
    dws("snapshot", "v2")
    dws("--batch", "restore", "v1")
    return files


@pytest.mark.parametrize("edit", ["a file changed", "a file added", "a file removed"])
def test_a_restore_is_not_undone_where_files_were_edited_since(dws: Dws, two: Files, edit: str):
    if edit == "a file removed":
        two.remove(b"a.csv")
    else:
        two.write(b"a.csv" if edit == "a file changed" else b"work.csv", b"hours of work\n")
    edited = two.read()

    for command in (["undo", "--dry-run"], ["undo"]):
        said = dws.refused(*command)
        assert "resource 'data' was changed since the restore" in said
        assert "dws snapshot" in said
        assert two.read() == edited


def test_what_is_in_the_way_in_the_workspace_is_named(dws: Dws, files: Files, workspace: Path):
    code = workspace / "code"
    (code / "run.py").write_text("1\n")
    dws("snapshot", "v1")
    (code / "run.py").write_text("2\n")
    dws("snapshot", "v2")
    dws("--batch", "restore", "v1")
    (code / "run.py").write_text("edited\n")
    (code / "new.py").write_text("mine\n")

    said = dws.refused("undo")

    assert "code/new.py, code/run.py were changed since the restore" in said
    assert (code / "new.py").read_text() == "mine\n"


def test_what_was_edited_after_an_undo_is_not_taken_away_by_another(dws: Dws, two: Files):
    dws("undo")
    two.write(b"a.csv", b"edited\n")

    assert "changed since the restore was undone" in dws.refused("undo")
    assert (two.folder / "a.csv").read_text() == "edited\n"


def link_to_own(files: Files) -> None:
    files.write(b"runs/7/x.csv", b"seven\n")
    (files.folder / "latest").symlink_to("runs/7")


def test_a_link_to_a_folder_of_its_own_comes_back(dws: Dws, files: Files):
    link_to_own(files)
    dws("snapshot", "v1")
    before = files.read()
    files.write(b"runs/7/x.csv", b"changed\n")
    files.write(b"runs/7/y.csv", b"new\n")
    (files.folder / "runs/7/x.csv").chmod(0o755)
    dws("snapshot", "v2")

    dws("--batch", "restore", "v1")

    assert files.read() == before
    assert (files.folder / "latest/x.csv").read_text() == "seven\n"
    assert os.readlink(files.folder / "latest") == "runs/7"
    assert not (files.folder / "runs/7/y.csv").exists()


def test_a_link_that_is_in_no_snapshot_goes_and_what_it_led_to_stays(dws: Dws, files: Files):
    files.write(b"runs/7/x.csv", b"seven\n")
    dws("snapshot", "v1")
    (files.folder / "latest").symlink_to("runs/7")
    dws("snapshot", "v2")

    dws("--batch", "restore", "v1")

    assert not (files.folder / "latest").is_symlink()
    assert (files.folder / "runs/7/x.csv").read_text() == "seven\n"


def test_nothing_is_changed_through_a_link_that_leads_out(dws: Dws, files: Files, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/x.csv").write_text("one\n")
    (files.folder / "out").symlink_to(tmp_path / "elsewhere")
    dws("snapshot", "v1")
    (tmp_path / "elsewhere/x.csv").write_text("two\n")

    assert "is a link to a folder" in dws.refused("--batch", "restore", "v1")
    assert (tmp_path / "elsewhere/x.csv").read_text() == "two\n"


def test_kept_content_that_is_lost_is_missing(dws: Dws, files: Files, workspace: Path):
    dws("snapshot", "v1")
    files.write(b"a.csv", b"second\n")
    shutil.rmtree(workspace / ".dataworkspace/store")

    ran = dws.run("lineage", "verify", "--snapshot", "v1")

    assert ran.status == 1
    assert "missing" in ran.out
    assert "its kept content is in no store here" in ran.out


def test_a_store_whose_disk_is_away_is_not_begun_anew(dws: Dws, files: Files, tmp_path: Path):
    disk, away = tmp_path / "disk", tmp_path / "away"
    url = (disk / "kept").as_uri()
    disk.mkdir()
    dws("config", "--resource", "data", "store", url)
    dws("snapshot", "v1")
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "origin.git")], check=True)
    dws("publish", str(tmp_path / "origin.git"))
    disk.rename(away)
    disk.mkdir()
    files.write(b"a.csv", b"second\n")

    ran = dws("snapshot", "v2")

    assert "kept on this machine alone until dws push" in ran.err
    assert "is not there any more: is its disk mounted?" in ran.err
    for command in (["push"], ["--batch", "restore", "v1"]):
        assert "is its disk mounted?" in dws.run(*command).err
    assert list(disk.iterdir()) == []
    disk.rmdir()
    away.rename(disk)
    dws("--batch", "restore", "v1")
    dws("--batch", "restore", "v2")
    assert (files.folder / "a.csv").read_text() == "second\n"


def test_a_store_is_begun_anew_where_that_is_wanted(dws: Dws, files: Files, tmp_path: Path):
    url = (tmp_path / "kept").as_uri()
    dws("config", "--resource", "data", "store", url)
    dws("snapshot", "v1")
    shutil.rmtree(tmp_path / "kept")

    dws("config", "--resource", "data", "store", url)
    files.write(b"a.csv", b"second\n")
    dws("snapshot", "v2")

    assert (tmp_path / "kept/trees").is_dir()
