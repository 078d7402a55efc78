"""Metadata files that are not as they were committed: edited, or damaged on disk.

What a command writes it commits at once, so something else made such a difference. An answer may
be wrong because of it, and says so.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from dws_graph.backends.files import write_atomic
from dws_graph.backends.git.command import GitCommandError, decoded
from dws_graph.errors import some_of
from dws_graph.model.values import clean_text
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace

NAMED = 3  # files in a message
# git reads only files whose stat is another than its index has.
_CHANGED = (
    *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=no"),
    *("--ignore-submodules=all", "--", layout.FOLDER),
)
_LOCAL = (layout.LOCAL, layout.GRAPH)  # never committed


def not_as_committed(ws: OpenWorkspace) -> list[str]:
    """Paths, from the root, of committed metadata files that were changed, or are gone."""
    intent = ws.root / layout.INTENT
    if intent.exists():
        return []
    try:
        head = ws.git.head()
        found = ws.git.run(*_CHANGED, env={"GIT_OPTIONAL_LOCKS": "0"})
        if not found or intent.exists() or ws.git.head() != head:
            return []  # in the last two cases another process commits just now
    except GitCommandError:
        return []  # there is no commit yet, or git says why itself as soon as it matters
    return [clean_text(decoded(entry[3:])) for entry in found.split(b"\0")[:-1]]


def tell_not_as_committed(ws: OpenWorkspace) -> None:
    """Say it, in a line; git is asked only where a file was touched since it found none."""
    seen = _stats(ws.root)
    kept = ws.root / layout.COMMITTED
    if kept.is_file() and kept.read_text(errors="replace") == seen:
        return
    if paths := not_as_committed(ws):
        verb = "is" if len(paths) == 1 else "are"
        ws.notify(
            f"{some_of(paths, NAMED)} {verb} not as committed, and believed all the same; "
            "'dws doctor' says more."
        )
    elif ws.writable and seen == _stats(ws.root):
        write_atomic(kept, seen.encode(), fsync=False)


def _stats(root: Path) -> str:
    """A hash of what tells, of each metadata file, whether it was touched."""
    digest = hashlib.sha256()
    for path, stat in _files(root, layout.FOLDER):
        about = (path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        digest.update(repr(about).encode())
    return digest.hexdigest()


def _files(root: Path, folder: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(root / folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{folder}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            if path not in _LOCAL:
                yield from _files(root, path)
        else:
            yield path, entry.stat(follow_symlinks=False)
