"""A scratch index that takes the place of the user's, so that git reads no new file once more.

What the files of an index are, and that they are still as they were, git knows from their stats;
of those that `git reset` puts into an index it has none, and reads each of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from dws_graph.backends.faults import fault
from dws_graph.backends.files import temporary_beside

_MOST = 64 * 1024**2  # bytes of an index that are kept until it is taken

Stamp: TypeAlias = tuple[int, ...]


class _Lent(NamedTuple):
    """An index to be.

    Attributes:
        before: The user's index that it was made from; None where there was none.
        folders: In which it differs from that one, and nowhere else.
        data: Its content.
        mtime_ns: Its time: git reads files again that are not older.
    """

    before: Stamp | None
    folders: frozenset[str]
    data: bytes
    mtime_ns: int


_lent: dict[Path, _Lent] = {}  # by the user's index


def stamp(index: Path) -> Stamp | None:
    """What changes when git writes an index; None where there is none."""
    try:
        found = index.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def lend(index: Path, before: Stamp | None, scratch: Path, folders: Collection[str]) -> None:
    """Offer what a scratch index holds, for when the commit is the branch's.

    Args:
        index: The user's.
        before: Its stamp when the scratch index was made from it.
        scratch: The scratch index.
        folders: In which they differ, and nowhere else.
    """
    found = scratch.stat()
    if found.st_size <= _MOST:
        _lent[index] = _Lent(before, frozenset(folders), scratch.read_bytes(), found.st_mtime_ns)


def take(index: Path, paths: Sequence[str | bytes]) -> None:
    """Put what was offered in the place of the user's index, if that is still as it was.

    Where it is not, or locked, nothing happens: git then reads the files.

    Args:
        index: The user's.
        paths: What a commit has just brought: if the two differ elsewhere, nothing happens.
    """
    lent = _lent.pop(index, None)
    if lent is None or not lent.folders <= set(paths):
        return
    written = temporary_beside(index)
    try:
        written.write_bytes(lent.data)
        if lent.before is not None:
            written.chmod(index.stat().st_mode & 0o7777)
        os.utime(written, ns=(lent.mtime_ns, lent.mtime_ns))
        fault("index written")
        _replace(index, written, lent.before)
    except OSError:
        return  # it is locked, or gone, or the disk is full, which git tells of
    finally:
        with contextlib.suppress(OSError):
            written.unlink()


def _replace(index: Path, written: Path, before: Stamp | None) -> None:
    """As git does it: who has made `index.lock` may rename it."""
    lock = index.with_name("index.lock")
    os.link(written, lock)
    try:
        if stamp(index) == before:
            os.replace(lock, index)
            return
    except BaseException:
        lock.unlink()
        raise
    lock.unlink()
