"""Many small files are hashed by processes: what they find is what threads find."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dws_graph.errors import ChangedMeanwhileError, ConfigurationError
from dws_graph.resources import digests, hash_workers
from dws_graph.resources.fingerprints import GRANULARITY, Look, Sight, file_entries, look
from dws_graph.resources.hash_worker import LARGE, MOST
from dws_graph.resources.hashing import hash_tree, read_tree
from dws_graph.resources.many_files import look_at_many
from dws_graph.resources.walking import NOTHING, Entry, Excluded, walk
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
    set_back(many)
    wait_until_settled(many)
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


def looked(folder: Path) -> Look:
    """What `look` says without processes."""
    return look(folder, file_entries(folder, None), time.time_ns())


def make_awkward(many: Path) -> None:
    """All that processes leave to who asks them, and what they do not."""
    for name in AWKWARD:
        write(many, f"awkward/{os.fsdecode(name)}", name)
        write(many, b"folder " + name + b"/file", b"x")
    for junk in ("a.pyc", ".git/config", "__pycache__/b", "deep/.ipynb_checkpoints/c", ".~lock"):
        write(many, junk, b"junk")
    for i in range(3 * MOST):
        write(many, f"flat/{i}", b"%d" % i)
    write(many, "empty", b"")
    write(many, "large", os.urandom(LARGE + 1))
    write(many, "flat.txt", b"is before what is in flat")
    (many / "nothing" / "in it").mkdir(parents=True)
    (many / "link").symlink_to("large")
    (many / "linked").symlink_to("07")
    (many / "07" / "elsewhere").symlink_to(many / "deep")


def test_many_files_are_found_as_few_are(many, tmp_path):
    make_awkward(many)
    wait_until_settled(many)
    sight, few = Sight(many), Cache()
    cache = Cache()
    few_tree = hash_tree(many, entries=list(walk(many)), cache=few, sight=sight)
    seen = Sight(many)

    tree = hash_tree(many, cache=cache, sight=seen)

    assert tree == few_tree
    assert seen.look() == sight.look() == looked(many)
    assert cache.kept == few.kept
    with hash_workers.kept():
        assert look_at_many(many, NOTHING) == looked(many)
        assert look_at_many(many, Excluded(["large"])) == look(
            many, file_entries(many, None, Excluded(["large"])), time.time_ns()
        )
        write(many, "flat/7", b"other")
        assert look_at_many(many, NOTHING).digest == looked(many).digest != seen.look().digest
    assert children() == []


def test_what_is_only_just_written_is_unsure_and_not_kept(many):
    set_back(many)
    wait_until_settled(many)
    cache, sight = Cache(), Sight(many)
    hash_tree(many, cache=cache, sight=sight)
    assert len(cache.kept) == MANY
    assert sight.look().is_sure

    path = many / "07/0007"
    os.utime(path, ns=(10**18, time.time_ns() + 10**9))  # a write until then may leave the same
    cache, sight = Cache(), Sight(many)
    hash_tree(many, cache=cache, sight=sight)

    assert os.fsencode(path) not in {path for path, _ in cache.kept}
    assert len(cache.kept) == MANY - 1
    assert not sight.look().is_sure


def set_back(folder: Path) -> None:
    """Have files whose mtime is no whole second, and long ago."""
    for path in folder.rglob("*"):
        os.utime(path, ns=(10**18 + 1, 10**18 + 1))


def wait_until_settled(folder: Path) -> None:
    """Until a new file would have a time that none in a folder has, nor is near to."""
    newest = max(os.stat(path).st_ctime_ns for path in folder.rglob("*"))
    while time.time_ns() - newest <= 2 * GRANULARITY:
        os.stat(folder)


@pytest.mark.parametrize("kind", ["a pipe", "a loop", "nothing", "unreadable"])
def test_what_is_no_content_among_many_is_named(many, kind):
    path = many / "07" / "it"
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "unreadable" and os.geteuid() != 0:
        path.mkdir(mode=0)
    else:
        path.symlink_to({"a loop": "..", "nothing": "nowhere"}.get(kind, "/proc/self/mem"))

    with pytest.raises(ConfigurationError, match="07/it"):
        hash_tree(many)

    assert children() == []


def test_what_is_changed_between_two_looks_is_seen_by_both(many):
    with hash_workers.kept():
        sight = Sight(many)
        hash_tree(many, sight=sight)
        assert look_at_many(many, NOTHING).digest == sight.look().digest
        (many / "07/0007").unlink()
        (many / "07/0007").mkdir()

        assert look_at_many(many, NOTHING).digest == looked(many).digest != sight.look().digest


def test_kept_processes_serve_again_after_an_error_and_after_their_end(many):
    with hash_workers.kept():
        hash_workers.hire()
        is_whole(many)
        before = children()
        assert len(before) == 2
        (many / "07/it").symlink_to("nowhere")
        with pytest.raises(ConfigurationError):
            hash_tree(many)
        (many / "07/it").unlink()
        is_whole(many)
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        is_whole(many)
        assert not set(before) & set(children())
    assert children() == []


def test_progress_counts_all_of_many(many):
    make_awkward(many)
    told: list[tuple[int, int]] = []

    hash_tree(many, progress=lambda done, total, doing="": told.append((done, total)))

    count = sum(1 for e in walk(many) if not e.name.endswith(b"/"))
    assert told[-1] == (count, count)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


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
