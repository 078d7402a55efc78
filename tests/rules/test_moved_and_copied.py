"""A workspace whose command was killed is moved, or copied, before the next command."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dws_graph.workspace.opening import open_workspace
from tests.rules.lab import CLEAN, Lab, check_journal, files_below, fresh_dump
from tests.rules.test_killed import check_sound, kill

SNAPSHOT = [("results moved", 3), ("content committed", 1)]
DONE = ["branch moved", "journal appended", "files written"]


def git(folder: Path, *args: str) -> str:
    ran = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


def repository(folder: Path, name: str) -> Path:
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / name).write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    return folder


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Results and repositories inside the workspace, and outside of it."""
    lab = Lab(tmp_path / "place")
    out = lab.place / "out"
    out.mkdir()
    lab.ws.add_resource("out", "file", "results", str(out), compute_hash=True)
    own = repository(lab.root / "own", "own.txt")
    lab.ws.add_resource("own", "git", "results", str(own))
    near = repository(lab.root / "near", "near.txt")
    lab.ws.add_resource("near", "git", "source-data", str(near))
    far = repository(lab.place / "far", "far.txt")
    lab.ws.add_resource("far", "git", "source-data", str(far))
    lab.step("prepare", ["raw"], [CLEAN], text="first\n")
    lab.snapshot("V1")
    for ref in ("code:/prep.py", "near:/near.txt", "far:/far.txt", "own:/own.txt", "out:/out.txt"):
        lab.write(ref, "two\n")
    lab.write("results:/deep/r.txt", "two\n")
    lab.step("report", ["raw"], ["out"])
    lab.close()
    return lab


def outside(lab: Lab) -> dict[str, object]:
    far = lab.place / "far"
    return {
        "out": files_below(lab.place / "out"),
        "far": files_below(far),
        "head": git(far, "rev-parse", "HEAD"),
        "status": git(far, "status", "--porcelain"),
    }


def everything(root: Path) -> dict[str, bytes]:
    """Each file, git's and the product's own as well."""
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def copied(lab: Lab) -> Path:
    copy = lab.place / "copy"
    subprocess.run(["cp", "-r", str(lab.root), str(copy)], check=True)
    return copy


@pytest.mark.parametrize(("point", "nth"), SNAPSHOT)
def test_a_killed_snapshot_is_undone_where_the_folder_was_moved_to(lab, point, nth):
    before, around = files_below(lab.root), outside(lab)
    kill(lab, "snapshot", point, nth)
    assert files_below(lab.root) != before
    moved = lab.place / "moved"
    os.rename(lab.root, moved)

    now = Lab.at(moved)

    assert files_below(moved) == before
    assert outside(lab) == around
    assert not lab.root.exists()
    check_sound(now)
    assert now.snapshot("V2").is_new
    now.close()


def test_a_killed_restore_is_undone_where_the_folder_was_moved_to(lab):
    before, around = files_below(lab.root), outside(lab)["far"]
    kill(lab, "restore", "resource restored", 4)
    assert (lab.root / "near/near.txt").read_text() == "one\n"
    assert outside(lab)["far"] != around
    moved = lab.place / "moved"
    os.rename(lab.root, moved)

    now = Lab.at(moved)

    assert files_below(moved) == before
    assert outside(lab)["far"] == around
    assert not lab.root.exists()
    check_sound(now)
    now.close()


@pytest.mark.parametrize(
    ("operation", "point", "nth"),
    [*(("snapshot", *at) for at in SNAPSHOT), ("restore", "resource restored", 4)],
)
def test_in_a_copied_folder_only_the_copy_is_undone(lab, operation, point, nth):
    before, start = files_below(lab.root), outside(lab)
    kill(lab, operation, point, nth)
    original, around = everything(lab.root), outside(lab)
    assert around != start
    copy = copied(lab)
    told: list[str] = []

    ws = open_workspace(copy, notify=told.append)

    assert files_below(copy) == before
    assert everything(lab.root) == original
    assert outside(lab) == around
    left = "out" if operation == "snapshot" else "far"
    assert any(f"{lab.place / left} was left as it is" in line for line in told)
    check_journal(copy)
    assert fresh_dump(ws) == ws.index.dump()
    ws.close()

    open_workspace(lab.root).close()
    assert files_below(lab.root) == before
    assert outside(lab)["out"] == start["out"]
    assert outside(lab)["far"] == start["far"]


@pytest.mark.parametrize("point", DONE)
def test_what_a_killed_snapshot_has_done_is_finished_in_a_copy_and_in_the_original(lab, point):
    kill(lab, "snapshot", point)
    original, around = everything(lab.root), outside(lab)
    copy = copied(lab)

    here = Lab.at(copy)

    assert everything(lab.root) == original
    assert outside(lab) == around
    assert [s.tags for s in here.ws.index.snapshots(here.ws.id)] == [("V1",), ("V2",)]
    check_sound(here)
    here.step("again", ["raw"], [CLEAN])
    here.close()

    there = Lab.at(lab.root)
    check_sound(there)
    assert [s.tags for s in there.ws.index.snapshots(there.ws.id)] == [("V1",), ("V2",)]
    assert "snapshots/bench-V2/lineage.json" in files_below(lab.place / "out")
    there.close()


def test_a_linked_work_tree_in_a_copied_folder_is_left_as_it_is(tmp_path):
    """Its repository, and so its HEAD and index, is that of the original."""
    lab = Lab(tmp_path / "place")
    far = repository(lab.place / "far", "data.txt")
    linked = lab.root / "linked"
    git(far, "worktree", "add", "-q", "-b", "linked", str(linked))
    lab.ws.add_resource("linked", "git", "source-data", str(linked))
    lab.snapshot("V1")
    lab.write("linked:/data.txt", "two\n")
    lab.close()
    kill(lab, "restore", "resource restored", 3)
    original, repo = everything(lab.root), everything(far)
    copy = copied(lab)
    told: list[str] = []

    open_workspace(copy, notify=told.append).close()

    assert everything(lab.root) == original
    assert everything(far) == repo
    assert any(f"{copy / 'linked'} was left as it is" in line for line in told)
    open_workspace(lab.root).close()
    assert (linked / "data.txt").read_text() == "two\n"
