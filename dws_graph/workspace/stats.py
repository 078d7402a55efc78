"""The stat cache of a workspace, as hashing wants it: unchanged files are not read again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from dws_graph.backends.index import Index
from dws_graph.model.values import clean_text

StatKey = tuple[int, int, int, int]


class IndexStatCache:
    """Hashes of a folder's files, kept in the index; a context manager that writes them back."""

    def __init__(self, index: Index, folder: Path) -> None:
        self._index = index
        self._folder = folder
        self._known: dict[str, tuple[str, str]] = {}
        self._new: list[tuple[bytes, str, str]] = []
        self._later: list[Callable[[], Iterable[tuple[bytes, str, str]]]] = []

    def __enter__(self) -> IndexStatCache:
        self._known = self._index.get_stats(_name(os.fsencode(self._folder)))
        return self

    def __exit__(self, *_: object) -> None:
        self.write()

    def write(self) -> None:
        """Write back what is not written yet."""
        new = [*self._new, *(row for found in self._later for row in found())]
        self._new, self._later = [], []
        if new:
            new.sort()  # as the index has them, which takes them faster so
            self._index.put_stats((_name(path), stat, sha1) for path, stat, sha1 in new)

    @property
    def is_empty(self) -> bool:
        """Whether it knows no file of the folder."""
        return not self._known

    def get(self, path: bytes, key: StatKey) -> str | None:
        """The sha1 of the file's content when it had exactly this stat."""
        found = self._known.get(_name(path)) if self._known else None
        return found[1] if found is not None and found[0] == _stat(key) else None

    def put(self, path: bytes, key: StatKey, sha1: str) -> None:
        """Keeps one."""
        self._new.append((path, _stat(key), sha1))

    def put_all(self, found: Callable[[], Iterable[tuple[bytes, str, str]]]) -> None:
        """Keeps many, for which it asks when it writes."""
        self._later.append(found)


def _name(path: bytes) -> str:
    return path.decode() if path.isascii() else clean_text(os.fsdecode(path))


def _stat(key: StatKey) -> str:
    size, mtime, ctime, inode = key
    return f"{size} {mtime} {ctime} {inode}"
