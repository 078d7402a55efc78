"""Whether files get smaller when git deflates them: pictures, Parquet and archives do not.

Deflating is most of what keeping new files costs git, and bytes that are dense already cost most.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Sequence
from heapq import nsmallest
from itertools import chain
from pathlib import Path

_FILES, _BYTES = 5, 16 * 1024  # looked at, of each kind of file, and of each file
_KINDS = 20
_SMALLER = 0.9


def worth_deflating(root: Path, names: Sequence[bytes]) -> bool:
    """Whether a piece from the middle of any of some of these files gets a tenth smaller.

    Some of each kind, as the end of its name tells, are looked at; so many kinds are worth it.

    Args:
        root: Of the repository.
        names: Of files, from there.
    """
    top = os.fsencode(root)
    kinds: dict[bytes, list[bytes]] = {}
    for name in names:
        kinds.setdefault(os.path.splitext(name)[1], []).append(name)
    # not each n-th: files may alternate
    some = (nsmallest(_FILES, of, key=zlib.crc32) for of in kinds.values())
    pieces = (_piece(os.path.join(top, name)) for name in chain.from_iterable(some))
    return len(kinds) > _KINDS or any(_gets_smaller(piece) for piece in pieces)


def _gets_smaller(piece: bytes) -> bool:
    return len(zlib.compress(piece, 1)) < _SMALLER * len(piece)


def _piece(path: bytes) -> bytes:
    """Nothing of what is no file, or cannot be read: git tells of that."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return b""
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return b""
        return os.pread(fd, _BYTES, max(0, (found.st_size - _BYTES) // 2))
    except OSError:
        return b""
    finally:
        os.close(fd)
