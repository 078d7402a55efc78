"""Fingerprints: whether files changed, told from their stats, without reading them.

A digest has two halves. The first is over (name, size, mtime, ctime, inode) of every file. The
second is over the content of those that are *racily clean*: written so near the moment it was
taken that a later write could leave the same stat (as in git's index). When the first half
differs, nothing is read.

Source: docs/formats.md, "Fingerprints".
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from dws_graph.backends.git.command import Git
from dws_graph.errors import GitError
from dws_graph.model.facts import Fingerprint
from dws_graph.resources.walking import NOTHING, Entry, Excluded, Stat, walk, without_junk

GRANULARITY = 20_000_000  # of file times, in ns: kernel ticks are some ms
COARSE = 2_000_000_000  # where a file system keeps whole seconds (FAT: two of them)
SECOND = 1_000_000_000
MISSING = "missing"


class Look(NamedTuple):
    """What a folder's files looked like.

    Attributes:
        digest: Of all stats.
        is_sure: No later change of a file leaves the same.
    """

    digest: str
    is_sure: bool


@dataclass
class Sight:
    """What stats told when files were hashed.

    Attributes:
        root: The folder.
        moment: Just before anything was asked, in ns.
        lines: What its files look like, each by a line; see `_lines`.
        is_sure: As of a `Look`.
    """

    root: Path
    moment: int = field(default_factory=time.time_ns)
    lines: list[bytes] = field(default_factory=list)
    is_sure: bool = True

    def add(self, entries: Iterable[Entry]) -> None:
        """More of it."""
        lines, racy = _lines(self.root, entries, self.moment, by_source=False)
        self.lines += lines
        self.is_sure = self.is_sure and not racy

    def add_told(self, lines: Iterable[bytes], newest: int, newest_whole: int) -> None:
        """More of it, and its newest times, as `hash_worker` tells them."""
        self.lines += lines
        sure = newest < self.moment - GRANULARITY and newest_whole < self.moment - COARSE
        self.is_sure = self.is_sure and sure

    def look(self, excluded: Excluded = NOTHING) -> Look:
        """The whole of it, but for what is excluded."""
        left_out = (*excluded.folders, *(name + b"\0" for name in excluded.files))
        lines = [line for line in self.lines if not line.startswith(left_out)]
        return Look(_digest_of(sorted(lines)), self.is_sure)


Names = Callable[[], Iterable[Entry]]
"""What there is below a ref, by stats alone."""


def take(
    root: Path, subpath: str | None, entries: Names, *, taken: int | None = None
) -> Fingerprint:
    """The fingerprint of a ref.

    Args:
        root: The resource's folder.
        subpath: The ref's.
        entries: Of the ref, with names relative to the root.
        taken: When it was taken, for one to compare with; else it is now.
    """
    taken = time.time_ns() if taken is None else taken
    if not _exists(root, subpath):
        return Fingerprint(MISSING, taken)
    stats, racy = _stats(root, entries, taken)
    return Fingerprint(_digest(root, stats, racy), taken)


def look(root: Path, entries: Iterable[Entry], moment: int) -> Look:
    """All that stats tell of a folder's files, notebooks as well.

    Args:
        root: The folder.
        entries: What is there, in the eyes of `walk`.
        moment: When that was asked, in ns.
    """
    sight = Sight(root, moment)
    sight.add(entries)
    return sight.look()


def unchanged(root: Path, subpath: str | None, entries: Names, old: Fingerprint) -> bool:
    """Whether a ref is as it was when this fingerprint was taken."""
    if not _exists(root, subpath):
        return old.digest == MISSING
    if old.digest == MISSING:
        return False
    stats, racy = _stats(root, entries, old.taken)
    return old.digest.startswith(stats) and _digest(root, stats, racy) == old.digest


def file_entries(root: Path, subpath: str | None, excluded: Excluded = NOTHING) -> list[Entry]:
    """What there is below a ref of a plain folder; what cannot be read counts as being there."""
    unreadable: list[Entry] = []
    base = os.path.join(os.fsencode(root), b"")

    def note(path: bytes, _error: OSError) -> None:
        unreadable.append(Entry(path[len(base) :], None))

    return [*walk(root, subpath, excluded=excluded, on_error=note), *unreadable]


def named_entries(
    root: Path, subpath: str | None, names: list[bytes], excluded: Excluded = NOTHING
) -> list[Entry]:
    """Those of these files that are below a ref and on disk; links are not followed."""
    names = without_junk(names)
    if subpath is not None:
        exact, below = os.fsencode(subpath), os.fsencode(subpath) + b"/"
        names = [name for name in names if name == exact or name.startswith(below)]
    if excluded.files or excluded.folders:
        names = [name for name in names if not excluded(name)]
    base, lstat = os.path.join(os.fsencode(root), b""), os.lstat
    found = []
    for name in names:
        try:
            status = lstat(base + name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            found.append(Entry(name, None))
            continue
        if stat.S_ISREG(status.st_mode):
            found.append(Entry(name, status))
        elif stat.S_ISDIR(status.st_mode):  # a repository within this one
            found.append(Entry(name.rstrip(b"/") + b"/", status, _commit_within(base + name)))
        else:
            link = os.readlink(base + name) if stat.S_ISLNK(status.st_mode) else None
            found.append(Entry(name, status, link))
    return found


def stat_key(status: Stat) -> tuple[int, int, int, int]:
    """What of a stat tells that a file changed: size, mtime, ctime, inode."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def racily_clean(status: Stat, moment: int) -> bool:
    """Whether a write after `moment` (ns) could leave a file with this same stat."""
    mtime = status.st_mtime_ns
    newest = max(mtime, status.st_ctime_ns)
    return newest >= moment - (GRANULARITY if mtime % SECOND else COARSE)


def notebook_source(data: bytes) -> bytes:
    """The source of a notebook's cells, without outputs; all of it when it is not a notebook."""
    try:
        notebook: Any = json.loads(data)
        sheets = notebook.get("worksheets")  # of format 3
        cells = notebook["cells"] if sheets is None else [c for s in sheets for c in s["cells"]]
        kept = [[cell["cell_type"], _text(cell.get("source", cell.get("input")))] for cell in cells]
        return json.dumps(kept).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return data


def _text(source: object) -> object:
    return "".join(source) if isinstance(source, list) else source


def _exists(root: Path, subpath: str | None) -> bool:
    return os.path.lexists(root if subpath is None else root / subpath)


def _stats(root: Path, entries: Names, taken: int) -> tuple[str, list[bytes]]:
    """The digest's first half, and the files that the second is over."""
    lines, racy = _lines(root, entries(), taken)
    return _digest_of(sorted(lines)), sorted(racy)


def _digest_of(lines: list[bytes]) -> str:
    return hashlib.sha1(b"\0\0".join(lines), usedforsecurity=False).hexdigest()


def _lines(
    root: Path, entries: Iterable[Entry], taken: int, *, by_source: bool = True
) -> tuple[list[bytes], list[bytes]]:
    """A line for each, in no order, and the names of what is racily clean."""
    lines, racy = [], []
    near, coarse = taken - GRANULARITY, taken - COARSE
    for name, status, link in entries:
        if status is None:
            lines.append(b"%b\0?" % name)
        elif name[-1] == 47:  # a folder: only that it is there
            lines.append(b"%b\0%b" % (name, link or b""))
        elif by_source and name[-6:] == b".ipynb" and link is None:
            lines.append(b"%b\0%b" % (name, _content(root, name)))
        else:
            mtime, ctime = status.st_mtime_ns, status.st_ctime_ns
            about = (name, status.st_size, mtime, ctime, status.st_ino, link or b"")
            lines.append(b"%b\0%d %d %d %d %b" % about)
            if (mtime >= near or ctime >= near or not mtime % SECOND) and (
                max(mtime, ctime) >= (near if mtime % SECOND else coarse)
            ):
                racy.append(name)
    return lines, racy


def _commit_within(path: bytes) -> bytes:
    """The commit checked out in a repository within a git resource: all that git keeps of it."""
    try:
        return (Git(Path(os.fsdecode(path))).head() or "").encode()
    except GitError:
        return b""


def _digest(root: Path, stats: str, racy: list[bytes]) -> str:
    if not racy:
        return stats
    contents = b"\0\0".join(b"%b\0%b" % (name, _content(root, name)) for name in racy)
    return f"{stats}-{hashlib.sha1(contents, usedforsecurity=False).hexdigest()}"


def _content(root: Path, name: bytes) -> bytes:
    """The hash of a file's content now, or that there is none to be had."""
    path = os.path.join(os.fsencode(root), name)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return b"special"
        with open(path, "rb") as file:
            if name.endswith(b".ipynb"):
                source = notebook_source(file.read())
                return hashlib.sha1(source, usedforsecurity=False).hexdigest().encode()
            digest = hashlib.sha1(usedforsecurity=False)
            while chunk := file.read(1 << 20):
                digest.update(chunk)
            return digest.hexdigest().encode()
    except OSError:
        return b"unreadable"
