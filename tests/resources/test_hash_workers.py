"""Many small files are hashed by processes: what they find is what threads find."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph.errors import ChangedMeanwhileError
from dws_graph.resources import digests, hash_workers
from dws_graph.resources.hashing import hash_tree, read_tree
from dws_graph.resources.walking import Entry, walk
from tests.resources.places import AWKWARD, write
from tests.resources.test_hashing import Cache

MANY = 2 * digests._MANY


def set_processors(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    for module in (digests, hash_workers):
        monkeypatch.setattr(module, "processors", lambda: count)


@pytest.fixture(autouse=True)
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes, however many processors there are."""
    set_processors(monkeypatch, 2)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder with more files than are left to threads."""
    folder = tmp_path / "many"
    for i in range(MANY):
        write(folder, f"{i % 20:02}/{i:04}", b"%d" % i)
    return folder


def children() -> list[int]:
    """The processes that hash for this one, and have not ended; there may be servers of tests."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [
        int(pid) for pid in found if b"hash_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def is_whole(folder: Path, cache: Cache | None = None, entries: Iterator[Entry] | None = None):
    tree = hash_tree(folder, cache=cache, entries=entries)
    found = read_tree(tree.texts.get, tree.root)
    assert found == {
        os.fsencode(path.relative_to(folder)): hashlib.sha1(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_files_of_any_name_and_size_are_hashed(many):
    for name in AWKWARD:
        write(many, f"awkward/{os.fsdecode(name)}", name)
    write(many, "empty", b"")
    write(many, "large", os.urandom(3_000_000))
    (many / "link").symlink_to("large")

    is_whole(many)


def test_their_hashes_are_kept_and_not_asked_for_again(many, monkeypatch):
    old = 10**18
    for path in many.rglob("*"):
        os.utime(path, ns=(old, old))
    monkeypatch.setattr(digests, "racily_clean", lambda status, moment: False)
    cache = Cache()
    is_whole(many, cache)
    assert len(cache.kept) == MANY

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    is_whole(many, cache)

    assert cache.hits == MANY


@pytest.mark.parametrize("kind", ["vanished", "changed", "a pipe"])
def test_one_of_many_that_is_not_as_it_was_is_named(many, kind):
    entries = list(walk(many))
    path = many / "07/0007"
    path.unlink()
    if kind == "changed":
        path.write_bytes(b"8")
    elif kind == "a pipe":
        os.mkfifo(path)

    told = "vanished" if kind == "vanished" else "changed"
    with pytest.raises(ChangedMeanwhileError, match=f"07/0007 {told} while it was hashed"):
        hash_tree(many, entries=entries)

    assert children() == []


def test_what_a_killed_process_had_in_hand_is_hashed(many):
    def killing() -> Iterator[Entry]:
        for n, entry in enumerate(walk(many)):
            if n == MANY * 3 // 4:
                assert children()
                for pid in children():
                    os.kill(pid, signal.SIGKILL)
            yield entry

    is_whole(many, entries=killing())

    assert children() == []


@pytest.mark.parametrize("kind", ["missing", "failing"])
def test_no_process_is_needed(many, tmp_path, monkeypatch, kind):
    python = tmp_path / "bin" / "python"
    if kind == "failing":
        python.parent.mkdir()
        python.symlink_to("/bin/false")
    monkeypatch.setattr(sys, "executable", str(python))

    is_whole(many)


def test_with_one_processor_there_is_none(many, monkeypatch):
    set_processors(monkeypatch, 1)

    def looking() -> Iterator[Entry]:
        for entry in walk(many):
            assert children() == []
            yield entry

    is_whole(many, entries=looking())
