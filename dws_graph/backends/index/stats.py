"""The stat cache: hashes of files that need not be read again. It may be lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from dws_graph.backends.index.store import Store

UNDER = "SELECT path, stat, sha1 FROM stat_cache WHERE path = ?1 OR (path >= ?2 AND path < ?3)"
PUT = "INSERT OR REPLACE INTO stat_cache (path, stat, sha1) VALUES (?, ?, ?)"
FORGET = "DELETE FROM stat_cache WHERE path = ?"
PIECES_UNDER = """
    SELECT base, stats, hashes FROM stat_piece
    WHERE folder = ?1 OR (folder >= ?2 AND folder < ?3)
"""
PUT_PIECE = "INSERT INTO stat_piece (folder, number, base, stats, hashes) VALUES (?, ?, ?, ?, ?)"
FORGET_PIECES = "DELETE FROM stat_piece WHERE folder = ?"


class StatPiece(NamedTuple):
    """Files of one folder, as they are told of all at once, so that keeping them costs little.

    Attributes:
        base: A folder, with a slash at its end.
        stats: `name`, a zero byte, and the stat of each file, a space at its end; two zero bytes
            between them. A name goes on from the base.
        hashes: A line for each, which begins with the sha1.
    """

    base: bytes
    stats: bytes
    hashes: bytes


def get_stats(store: Store, under: str) -> dict[str, tuple[str, str]]:
    """{path: (stat, sha1)} of a path and all below it, but for pieces."""
    rows = store.rows(UNDER, _range(under))
    return {path: (stat, sha1) for path, stat, sha1 in rows}


def get_pieces(store: Store, under: str) -> list[StatPiece]:
    """What is told of a folder, and all below it, in pieces; `get_stats` is newer."""
    return [StatPiece(*row) for row in store.rows(PIECES_UNDER, _range(under))]


def put_stats(
    store: Store,
    stats: Iterable[tuple[str, str, str]],
    forget: Iterable[str] = (),
    pieces: Mapping[str, Iterable[StatPiece]] | None = None,
) -> None:
    """Keeps files by path, stat and hash, and drops others; pieces take the place of a folder's."""
    with store.write() as c:
        c.executemany(FORGET, ((path,) for path in forget))
        for folder, found in (pieces or {}).items():
            c.execute(FORGET_PIECES, (folder,))
            c.executemany(PUT_PIECE, ((folder, n, *piece) for n, piece in enumerate(found)))
        c.executemany(PUT, stats)


def _range(under: str) -> tuple[str, str, str]:
    folder = under.rstrip("/")
    return folder, folder + "/", folder + "0"  # 0 comes after /
