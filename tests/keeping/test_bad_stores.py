"""Stores that are full, cannot be written, or lose a race: said, and nothing is half done."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph.backends.kept.local import LocalStore
from dws_graph.backends.kept.store import ContentChangedError
from tests.cli.conftest import Dws
from tests.cli.terminals import without_root
from tests.faults.mounting import MOUNT
from tests.keeping.files import Files, objects


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system with 6 MB."""
    at = tmp_path / "small"
    at.mkdir()
    subprocess.run([*MOUNT, str(at)], check=True)
    yield at
    subprocess.run(["umount", str(at)], check=True)


@pytest.mark.needs("tmpfs")
def test_a_full_store_takes_no_snapshot_and_keeps_what_it_has(
    dws: Dws, files: Files, small: Path, workspace: Path
) -> None:
    store = workspace / ".dataworkspace" / "store"
    (small / "store").mkdir()
    store.symlink_to(small / "store")
    dws("snapshot", "v1")
    kept = files.read()
    files.write(b"big.bin", os.urandom(7_000_000))

    said = dws.refused("snapshot", "v2")

    assert "No space left" in said
    assert "Make room" in said
    assert [row["tags"] for row in dws.json("report", "history")] == [["v1"]]
    assert not list(small.rglob(".~*"))
    files.remove(b"big.bin")
    files.write(b"a.csv", b"changed\n")
    dws("--batch", "restore", "v1")
    assert files.read() == kept


@pytest.mark.needs("tmpfs")
def test_a_full_disk_under_the_files_leaves_them_as_they_were(
    dws: Dws, workspace: Path, small: Path
) -> None:
    files = Files(small / "data")
    files.make()
    files.write(b"big.bin", os.urandom(3_000_000))
    dws("add", "local-files", "--role", "s", "--keep", str(files.folder))
    dws("snapshot", "v1")
    files.remove(b"big.bin")
    files.write(b"other.bin", os.urandom(1_000_000))
    now = files.read()
    (small / "ballast").write_bytes(os.urandom(4_500_000))

    said = dws.refused("--batch", "restore", "v1")

    assert "No space left" in said
    assert files.read() == now
    (small / "ballast").unlink()
    dws("--batch", "restore", "v1")
    assert (files.folder / "big.bin").stat().st_size == 3_000_000


@pytest.mark.needs("setpriv")
def test_a_store_that_cannot_be_written_is_named(dws: Dws, files: Files, workspace: Path) -> None:
    place = workspace.parent / "theirs"
    place.mkdir(mode=0o555)
    dws("config", "--resource", "data", "store", f"file://{place}/store")
    ran = without_root("snapshot", "v1", cwd=workspace)
    assert ran.returncode == 0, ran.stderr
    assert "Permission denied" in ran.stderr
    assert "until dws push" in ran.stderr


def test_a_file_that_changes_while_it_is_kept_is_never_kept_as_another(tmp_path: Path) -> None:
    store, source = LocalStore(tmp_path / "store"), tmp_path / "file"
    source.write_bytes(b"3,4\n")
    named = "1" * 40  # what it held when it was hashed

    with pytest.raises(ContentChangedError, match="changed while it was being kept"):
        store.put({named: source})

    assert objects(store.folder) == {}
    assert not list(store.folder.glob(".~*"))


def test_two_thousand_files_three_times(dws: Dws, workspace: Path) -> None:
    """Each snapshot comes back, unchanged ones store nothing, and gc frees what it says."""
    files = Files(workspace.parent / "data")
    for i in range(2000):
        files.write(b"%d/%d.txt" % (i % 20, i), b"%d\n" % (i % 1900))
    dws("add", "local-files", "--role", "s", "--keep", str(files.folder))
    store = workspace / ".dataworkspace" / "store"
    states = {}
    for tag in ("v1", "v2", "v3"):
        dws("snapshot", tag)
        states[tag] = files.read()
        for i in range(100):
            files.write(b"%d/%d.txt" % (i % 20, i), f"{tag} {i}\n".encode())
    assert len(objects(store)) == 1900 + 100 + 100
    before = objects(store)
    files.write(b"0/0.txt", b"v2 0\n")

    for tag in ("v1", "v3", "v2"):
        dws("--batch", "restore", tag)
        assert files.read() == states[tag]
    dws("--batch", "snapshot", "again")
    lost = objects(store).keys() - before.keys()
    assert len(lost) == 99  # what was in no snapshot before the first restore, less one

    dws("--batch", "delete-snapshot", "v3")
    dws("tag", "v1", "first")
    [said] = dws.json("gc", "--dry-run", "--grace", "0")
    size = sum(path.stat().st_size for path in (store / "objects").glob("*/*"))
    [done] = dws.json("--batch", "gc", "--grace", "0")
    left = sum(path.stat().st_size for path in (store / "objects").glob("*/*"))
    assert said == done
    assert done["files"] == 199
    assert done["bytes"] == size - left
    for tag in ("v1", "v2"):
        dws("--batch", "restore", tag)
        assert files.read() == states[tag]
