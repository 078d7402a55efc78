"""The files of a resource: which count as content, and what the file system says of them.

Names are bytes, relative to the resource's root, `/` between their parts.
"""

from __future__ import annotations

import contextlib
import operator
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from errno import ELOOP
from pathlib import Path
from typing import NamedTuple, NoReturn

from dws_graph.errors import ChangedMeanwhileError, ConfigurationError
from dws_graph.resources.hash_worker import MAY_BE_JUNK

IGNORE_FILE = ".dwsignore"

# what is nobody's content: git's own, Python's and Jupyter's leftovers, lock files
JUNK = re.compile(rb"(?:^|/)(?:\.git|__pycache__|\.ipynb_checkpoints|\.~[^/]*)(?:/|\Z)|\.pyc\Z")
_NAME = operator.attrgetter("name")


class FileStat(NamedTuple):
    """What is asked of the stat of a file; named as in `os.stat_result`."""

    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_ino: int
    st_mode: int = stat.S_IFREG


Stat = os.stat_result | FileStat


class Entry(NamedTuple):
    """A file, or a folder (its name ends in `/`), or a link that leads nowhere.

    Attributes:
        name: Relative to the root.
        stat: Of what a link leads to; None when that is nothing.
        link: The text of a link, else None.
    """

    name: bytes
    stat: Stat | None
    link: bytes | None = None


def status_of(entry: Entry) -> Stat:
    """The stat of an entry that `walk` gave, which refuses what it cannot stat."""
    if entry.stat is None:
        raise AssertionError(entry)
    return entry.stat


def without_junk(names: list[bytes]) -> list[bytes]:
    """The names that can be content."""
    joined = b"\0".join(names)
    if not any(sign in joined for sign in MAY_BE_JUNK):
        return names
    return [name for name in names if not JUNK.search(name)]


class Excluded:
    """Files at fixed places that are not content: `lineage.json`, or all below `snapshots/`."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        exact = [os.fsencode(name) for name in names]
        self.files = frozenset(name for name in exact if not name.endswith(b"/"))
        self.folders = tuple(name for name in exact if name.endswith(b"/"))

    def __call__(self, name: bytes) -> bool:
        """Whether this name (a folder's ends in `/`) is excluded."""
        return name in self.files or name.startswith(self.folders)

    def is_near(self, prefix: bytes) -> bool:
        """Whether a name below this folder may be excluded."""
        return any(name.startswith(prefix) for name in (*self.files, *self.folders))


NOTHING = Excluded()


def ignored_by(root: Path) -> Callable[[bytes], bool]:
    """What the `.dwsignore` at the root leaves out; that file itself is content.

    Raises:
        ConfigurationError: It cannot be read.
    """
    try:
        text = (root / IGNORE_FILE).read_bytes().decode("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        return _nothing
    except OSError as e:
        raise ConfigurationError(f"{root / IGNORE_FILE} cannot be read: {e.strerror}") from e
    from pathspec import GitIgnoreSpec  # where there is such a file alone

    try:
        spec = GitIgnoreSpec.from_lines(text.splitlines())
    except ValueError as e:
        raise ConfigurationError(
            f"{root / IGNORE_FILE} holds a pattern that cannot be read: {e}",
            hint="Write it as in a .gitignore file.",
        ) from e
    own = os.fsencode(IGNORE_FILE)
    return lambda name: name != own and spec.match_file(os.fsdecode(name))


def counts_all(root: Path) -> bool:
    """Whether no `.dwsignore` is there, so that all but junk is content."""
    return ignored_by(root) is _nothing


def holds_many(root: Path, count: int) -> bool:
    """Whether there are as many files below a folder; links are not followed."""
    waiting, left = [os.fsencode(root)], count
    while waiting and left > 0:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    left -= 1
    return left <= 0


def _nothing(_name: bytes) -> bool:
    return False


def refuse(path: bytes, error: OSError) -> NoReturn:
    """Stop at what cannot be read.

    Raises:
        ConfigurationError: Always; names it. `ChangedMeanwhileError` when it was there just before.
    """
    if isinstance(error, FileNotFoundError) and not os.path.islink(path):
        raise ChangedMeanwhileError(f"{os.fsdecode(path)} vanished while it was looked at")
    if os.path.islink(path) and (isinstance(error, FileNotFoundError) or error.errno == ELOOP):
        where = "nowhere" if isinstance(error, FileNotFoundError) else "in a circle"
        raise ConfigurationError(
            f"{os.fsdecode(path)} is a link that leads {where}",
            hint="Mend it or remove it, or name it in .dwsignore.",
        ) from error
    raise ConfigurationError(
        f"{os.fsdecode(path)} cannot be read: {error.strerror}",
        hint="Make it readable, or name it in .dwsignore.",
    ) from error


def walk(
    root: Path,
    subpath: str | None = None,
    *,
    excluded: Excluded = NOTHING,
    on_error: Callable[[bytes, OSError], object] = refuse,
) -> Iterator[Entry]:
    """Files and folders below `subpath`, links followed; folders before what is in them.

    Args:
        root: The resource's folder.
        subpath: A folder or file in it.
        excluded: What else does not count.
        on_error: Called with the path of what cannot be read, which is then left out.

    Raises:
        ConfigurationError: A link leads to a folder that holds it.
    """
    base = os.path.join(os.fsencode(root), b"")
    ignored = ignored_by(root)
    how = _How(base, excluded, ignored, on_error)
    if subpath is None:
        start = base.rstrip(b"/") or b"/"
        yield from _below(how, b"", (os.path.realpath(start),))
        return
    name = os.fsencode(subpath)
    if _left_out(name, excluded, ignored):
        return
    path = base + name
    try:
        link = os.readlink(path) if stat.S_ISLNK(os.lstat(path).st_mode) else None
        entry = Entry(name, os.stat(path), link)
    except OSError as e:
        on_error(path, e)
        return
    if entry.stat is not None and stat.S_ISDIR(entry.stat.st_mode):
        yield entry._replace(name=name + b"/")
        yield from _below(how, name + b"/", (os.path.realpath(path),))
    else:
        yield entry


def _left_out(name: bytes, excluded: Excluded, ignored: Callable[[bytes], bool]) -> bool:
    parts = name.split(b"/")
    above = [b"/".join(parts[:i]) + b"/" for i in range(1, len(parts))]
    if any(excluded(folder) or ignored(folder) for folder in above):
        return True
    return JUNK.search(name) is not None or excluded(name) or ignored(name)


class _How(NamedTuple):
    """What `walk` was told."""

    base: bytes
    excluded: Excluded
    ignored: Callable[[bytes], bool]
    on_error: Callable[[bytes, OSError], object]


def _below(how: _How, prefix: bytes, above: tuple[bytes, ...]) -> Iterator[Entry]:
    """What is in one folder and below; `above` are the real paths of the folders it lies in."""
    base, excluded, ignored, on_error = how
    try:
        with os.scandir(base + prefix) as found:
            entries = sorted(found, key=_NAME)
    except OSError as e:
        on_error(base + prefix, e)
        return
    may_be_junk = any(sign in b"\0".join(map(_NAME, entries)) for sign in MAY_BE_JUNK)
    all_count = ignored is _nothing and not excluded.is_near(prefix)
    for entry in entries:
        if may_be_junk and JUNK.search(entry.name):
            continue
        name = prefix + entry.name
        try:
            is_link = entry.is_symlink()
            link = os.readlink(entry.path) if is_link else None
            status = entry.stat()
        except OSError as e:
            if not excluded(name) and not ignored(name):
                on_error(entry.path, e)
            continue
        if not entry.is_dir():
            if all_count or (not excluded(name) and not ignored(name)):
                yield Entry(name, status, link)
            continue
        name += b"/"
        if excluded(name) or ignored(name):
            continue
        inner = above
        if is_link:
            real = os.path.realpath(entry.path)
            if real in above or any(a.startswith(real.rstrip(b"/") + b"/") for a in above):
                raise ConfigurationError(
                    f"the link {os.fsdecode(entry.path)} leads to a folder that holds it",
                    hint="Remove the link, or name it in .dwsignore.",
                )
            inner = (*above, real)
        yield Entry(name, status, link)
        yield from _below(how, name, inner)
