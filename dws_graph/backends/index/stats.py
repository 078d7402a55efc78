"""The stat cache: hashes of files that need not be read again. It may be lost."""

from __future__ import annotations

from collections.abc import Iterable

from dws_graph.backends.index.store import Store

UNDER = "SELECT path, stat, sha1 FROM stat_cache WHERE path = ?1 OR (path >= ?2 AND path < ?3)"
PUT = "INSERT OR REPLACE INTO stat_cache (path, stat, sha1) VALUES (?, ?, ?)"
FORGET = "DELETE FROM stat_cache WHERE path = ?"


def get_stats(store: Store, under: str) -> dict[str, tuple[str, str]]:
    """{path: (stat, sha1)} of a path and all below it."""
    folder = under.rstrip("/")
    rows = store.rows(UNDER, (folder, folder + "/", folder + "0"))  # 0 comes after /
    return {path: (stat, sha1) for path, stat, sha1 in rows}


def put_stats(
    store: Store, stats: Iterable[tuple[str, str, str]], forget: Iterable[str] = ()
) -> None:
    """Keeps files by path, stat and hash, and drops others."""
    with store.write() as c:
        c.executemany(FORGET, ((path,) for path in forget))
        c.executemany(PUT, stats)
