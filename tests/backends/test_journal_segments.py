"""Other copies' segments: taken in once, and never missed afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dws_graph.backends.journal.journal import Journal

WORKSPACE = "6f0c3a1e-0000-4000-8000-000000000001"
MINE, OTHER = "6f0c3a1e-0000-4000-8000-00000000000a", "6f0c3a1e-0000-4000-8000-00000000000b"
LONG_AGO = 1_600_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal into whose folder another copy's segments come."""
    (tmp_path / "local").mkdir()
    return Journal(tmp_path, WORKSPACE, MINE)


@pytest.fixture
def lines(tmp_path: Path) -> list[bytes]:
    """What another copy recorded."""
    place = tmp_path / "other"
    (place / "local").mkdir(parents=True)
    other = Journal(place, WORKSPACE, OTHER)
    other.append([("Tagged", {"tag": f"t{n}", "snapshot": None}) for n in range(1, 7)])
    return other.path.read_bytes().splitlines(keepends=True)


def put(journal: Journal, first: int, lines: list[bytes], when: int = LONG_AGO) -> Path:
    """A segment as git writes it: a new file in place of the old."""
    folder = journal.sealed_folder / OTHER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{first:010d}.jsonl"
    path.unlink(missing_ok=True)
    path.write_bytes(b"".join(lines))
    os.utime(folder, (when, when))
    return path


def seen(journal: Journal) -> list[int]:
    return [line.fact.seq for line in journal.since({})]


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """The paths that are opened meanwhile."""
    found: list[str] = []
    on = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if on and event == "open":
            found.append(str(args[0]))

    sys.addaudithook(hook)
    yield found
    on = False


def test_what_comes_after_the_first_look_is_seen(journal, lines):
    put(journal, 1, lines[:2])
    assert seen(journal) == [1, 2]
    put(journal, 3, lines[2:4], LONG_AGO + 1)
    assert seen(journal) == [1, 2, 3, 4]
    put(journal, 3, lines[2:], LONG_AGO + 2)  # the same name, and more in it
    assert seen(journal) == [1, 2, 3, 4, 5, 6]


def test_a_change_in_the_moment_of_the_first_look_is_seen(journal, lines):
    first = put(journal, 1, lines[:2])
    now = first.parent.stat()
    os.utime(first.parent)  # just now: the next change may leave the same time
    just = first.parent.stat().st_mtime_ns
    assert seen(journal) == [1, 2]
    put(journal, 3, lines[2:4])
    os.utime(first.parent, ns=(just, just))
    assert seen(journal) == [1, 2, 3, 4]
    assert now.st_ino == first.parent.stat().st_ino


def test_a_copy_that_was_lost_is_made_again(journal, lines):
    put(journal, 1, lines[:2])
    put(journal, 3, lines[2:4])
    assert seen(journal) == [1, 2, 3, 4]
    (journal.segments_folder / OTHER / "0000000001.jsonl").unlink()
    assert seen(journal) == [1, 2, 3, 4]


def test_a_checkout_of_an_older_commit_takes_nothing_away(journal, lines):
    put(journal, 1, lines[:2])
    last = put(journal, 3, lines[2:4])
    assert seen(journal) == [1, 2, 3, 4]
    last.unlink()
    os.utime(last.parent, (LONG_AGO + 9, LONG_AGO + 9))
    assert seen(journal) == [1, 2, 3, 4]


def test_segments_that_are_known_are_not_opened_again(journal, lines):
    for n, line in enumerate(lines, start=1):
        put(journal, n, [line])
    before = list(journal.since({}))
    applied = {(WORKSPACE, OTHER): _applied(before)}
    assert list(journal.since(applied)) == []

    with opened_files() as found:
        assert list(journal.since(applied)) == []

    assert [Path(p).name for p in found if p.endswith(".jsonl")] == ["0000000006.jsonl"]


def _applied(lines):
    from dws_graph.backends.views import Applied

    return Applied(lines[-1].fact.seq, lines[-1].hash, 0)
