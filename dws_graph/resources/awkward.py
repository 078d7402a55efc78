"""What lies in a folder and can be no content: links that lead nowhere or round, pipes, sockets."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from errno import ELOOP
from pathlib import Path

from dws_graph.errors import some_of
from dws_graph.resources.hashing import quoted
from dws_graph.resources.walking import ignored_by, without_junk

SHOWN = 3
Ignored = Callable[[bytes], bool]
MEND = "Remove them, or name them in .dwsignore."


def awkward(root: Path) -> list[str]:
    """Each in words, by its path in the folder; those that `.dwsignore` names do not count."""
    ignored = ignored_by(root)
    return [
        f"{os.fsdecode(quoted(name))} ({what})"
        for name, what in sorted(_found(os.path.join(os.fsencode(root), b""), b"", ignored))
    ]


def said_of(found: list[str]) -> str:
    """The first of them, and how many more there are."""
    return some_of(found, SHOWN)


def _found(base: bytes, below: bytes, ignored: Ignored) -> Iterator[tuple[bytes, str]]:
    try:
        with os.scandir(base + below) as entries:
            here = list(entries)
    except OSError:
        return  # the walk that hashes says so
    for entry in here:
        name = below + entry.name
        if ignored(name) or ignored(name + b"/") or not without_junk([name]):
            continue
        if (what := _what(entry)) is not None:
            yield name, what
        elif entry.is_dir(follow_symlinks=False):
            yield from _found(base, name + b"/", ignored)


def _what(entry: os.DirEntry[bytes]) -> str | None:
    try:
        mode = entry.stat().st_mode
    except OSError as e:
        if not entry.is_symlink():
            return None
        return "a link in a circle" if e.errno == ELOOP else "a link that leads nowhere"
    if stat.S_ISDIR(mode):
        real = os.path.realpath(entry.path)
        inside = os.path.realpath(os.path.dirname(entry.path))
        loop = entry.is_symlink() and (inside + b"/").startswith(real + b"/")
        return "a link to a folder that holds it" if loop else None
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFREG: None}
    return kinds.get(stat.S_IFMT(mode), "a device")
