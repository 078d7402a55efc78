"""The stat cache of a workspace, as hashing wants it: unchanged files are not read again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dws_graph.backends.index import Index
from dws_graph.backends.index.stats import StatPiece
from dws_graph.model.values import clean_text
from dws_graph.resources.many_files import files_of

StatKey = tuple[int, int, int, int]


class IndexStatCache:
    """Hashes of a folder's files, kept in the index; a context manager that writes them back."""

    def __init__(self, index: Index, folder: Path) -> None:
        self._index = index
        self._folder = folder
        self._known: dict[str, Sequence[str]] = {}
        self._new: list[tuple[bytes, str, str]] = []
        self._pieces: dict[str, list[StatPiece]] = {}

    def __enter__(self) -> IndexStatCache:
        under = _name(os.fsencode(self._folder))
        for piece in self._index.get_stat_pieces(under):
            self._known.update((_name(path), about) for path, *about in files_of(*piece))
        self._known.update(self._index.get_stats(under))
        return self

    def __exit__(self, *_: object) -> None:
        self.write()

    def write(self) -> None:
        """Write back what is not written yet."""
        new, pieces = self._new, self._pieces
        self._new, self._pieces = [], {}
        if new or pieces:
            new.sort()  # as the index has them, which takes them faster so
            rows = ((_name(path), stat, sha1) for path, stat, sha1 in new)
            self._index.put_stats(rows, pieces=pieces)

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

    def put_piece(self, base: bytes, folder: bytes, stats: bytes, hashes: bytes) -> None:
        """Keeps many files of a folder."""
        name = _name((base + folder).rstrip(b"/"))
        self._pieces.setdefault(name, []).append(StatPiece(base, stats, hashes))


def _name(path: bytes) -> str:
    return path.decode() if path.isascii() else clean_text(os.fsdecode(path))


def _stat(key: StatKey) -> str:
    size, mtime, ctime, inode = key
    return f"{size} {mtime} {ctime} {inode}"
