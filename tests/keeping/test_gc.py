"""`dws gc`: it frees what nothing names, exactly what it says, and nothing else."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.errors import UserAbort
from dws_graph.workspace.collecting import collect
from dws_graph.workspace.opening import load_workspace
from tests.cli.conftest import Dws
from tests.keeping.files import Files, objects
from tests.rules.lab import git

DAY = 86400


@pytest.fixture
def store(workspace: Path) -> Path:
    return workspace / ".dataworkspace" / "store"


def three_snapshots(dws: Dws, files: Files) -> None:
    """`v1` to `v3`, each with a file of 1000 bytes of its own."""
    for tag in ("v1", "v2", "v3"):
        files.write(b"big.bin", tag[1].encode() * 1000)
        dws("snapshot", tag)


def delete(dws: Dws, tag: str) -> None:
    """Delete a snapshot, so that undo cannot bring it back any more."""
    dws("--batch", "delete-snapshot", tag)
    dws("tag", "v1", f"after-{tag}")


def sha1(text: bytes) -> str:
    return hashlib.sha1(text).hexdigest()


def grow_old(store: Path, days: float) -> None:
    then = time.time() - days * DAY
    for path in store.rglob("*"):
        os.utime(path, (then, then), follow_symlinks=False)


def test_what_snapshots_name_stays(dws: Dws, files: Files, store: Path) -> None:
    three_snapshots(dws, files)
    before = objects(store)

    assert "dropped 0 files" in dws("--batch", "gc", "--grace", "0").out

    assert objects(store) == before


def test_the_content_of_a_deleted_snapshot_goes(dws: Dws, files: Files, store: Path) -> None:
    three_snapshots(dws, files)
    before = objects(store)
    delete(dws, "v2")

    [said] = dws.json("gc", "--dry-run", "--grace", "0")
    assert objects(store) == before
    [done] = dws.json("--batch", "gc", "--grace", "0")

    assert said == done
    assert (done["states"], done["files"], done["bytes"]) == (1, 1, 1000)
    assert before.keys() - objects(store).keys() == {sha1(b"2" * 1000)}
    for tag in ("v1", "v3"):
        dws("--batch", "restore", tag)
        assert (files.folder / "big.bin").read_bytes() == tag[1].encode() * 1000


def test_what_can_be_undone_stays(dws: Dws, files: Files, store: Path) -> None:
    three_snapshots(dws, files)
    kept = files.read()
    dws("--batch", "delete-snapshot", "v3")
    dws("--batch", "gc", "--grace", "0")

    dws("--batch", "undo")
    files.write(b"big.bin", b"changed")
    dws("--batch", "restore", "v3")
    dws("--batch", "gc", "--grace", "0")
    assert files.read() == kept

    dws("--batch", "undo")  # what was there before the restore is in no snapshot
    assert (files.folder / "big.bin").read_bytes() == b"changed"


def test_what_is_young_stays(dws: Dws, files: Files, store: Path) -> None:
    three_snapshots(dws, files)
    delete(dws, "v2")

    assert "0 files of 0 states" in dws("--batch", "gc").out
    grow_old(store, 13)
    assert "0 files of 0 states" in dws("--batch", "gc").out
    grow_old(store, 15)
    assert "1 file of 1 state, 1." in dws("--batch", "gc").out


def test_what_a_killed_snapshot_left_goes(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    orphan, half = store / "objects" / "ab" / ("c" * 38), store / ".~half"
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"12345")
    half.write_bytes(b"123")

    assert "5 more" not in dws("gc", "--dry-run").out
    assert "1 more are younger" in dws("gc", "--dry-run").out
    [done] = dws.json("--batch", "gc", "--grace", "0")

    assert (done["files"], done["bytes"]) == (1, 8)
    assert not orphan.exists()
    assert not half.exists()


def test_a_snapshot_of_another_branch_keeps_its_content(
    dws: Dws, files: Files, workspace: Path
) -> None:
    dws("snapshot", "v1")
    git("switch", "-q", "-c", "other", cwd=workspace)
    files.write(b"big.bin", b"other\n")
    dws("snapshot", "v2")
    kept = files.read()
    git("switch", "-q", "main", cwd=workspace)

    dws("--batch", "gc", "--grace", "0")

    git("switch", "-q", "other", cwd=workspace)
    files.write(b"big.bin", b"changed\n")
    dws("--batch", "restore", "v2")
    assert files.read() == kept


def test_a_damaged_name_stops_it(dws: Dws, files: Files, store: Path) -> None:
    three_snapshots(dws, files)
    before = objects(store)
    tree = next(iter((store / "trees").glob("*/*")))
    tree.write_bytes(b"nonsense")

    said = dws.refused("--batch", "gc", "--grace", "0")

    assert tree.name in said
    assert objects(store) == before


def test_the_answer_no_drops_nothing(dws: Dws, files: Files, workspace: Path, store: Path) -> None:
    three_snapshots(dws, files)
    delete(dws, "v2")
    before = objects(store)
    asked: list[str] = []

    def no(plan: str) -> bool:
        asked.append(plan)
        return False

    with closing(load_workspace(str(workspace))) as ws, pytest.raises(UserAbort):
        collect(ws, grace=0, confirm=no)

    assert "drop 1 file of 1 state, 1.0 kB" in asked[0]
    assert objects(store) == before


def test_a_time_that_is_none_is_refused(dws: Dws, files: Files) -> None:
    assert "no duration" in dws.refused("gc", "--grace", "soon", status=2)


def test_nothing_is_kept(dws: Dws, workspace: Path) -> None:
    assert dws("gc").out == "No resource keeps its content.\n"
