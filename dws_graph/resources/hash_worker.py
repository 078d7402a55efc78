"""A process that hashes small files for another, which tells it their paths and stats.

Run by its path as `python -I -S`, so it imports nothing of the package. A batch comes over its
stdin as a length of 4 bytes and, each with a zero byte after it, the paths of files and what their
stats were: `size mtime_ns ctime_ns inode`. The answer, over its stdout, has for each file the 20
bytes of its sha1, or `NOT_READ`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable

DIGEST_BYTES = 20
NOT_READ = bytes(DIGEST_BYTES)
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def framed(files: Iterable[tuple[bytes, tuple[int, int, int, int]]]) -> bytes:
    """A batch as it is sent: paths, and what of their stats tells that a file changed."""
    data = b"".join([b"%b\0%d %d %d %d\0" % (path, *key) for path, key in files])
    return len(data).to_bytes(4, "big") + data


def hash_or_none(path: bytes, described: bytes) -> bytes:
    """The sha1 of a file; `NOT_READ` unless it is as described, and was read in one go."""
    try:
        fd = os.open(path, _READ_ONLY)
        try:
            data = os.read(fd, int(described.partition(b" ")[0]) + 1)
            found = os.fstat(fd)
        finally:
            os.close(fd)
    except OSError:
        return NOT_READ
    size = found.st_size
    now = b"%d %d %d %d" % (size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    if now != described or len(data) != size:
        return NOT_READ
    return hashlib.sha1(data, usedforsecurity=False).digest()


def main() -> None:
    """Answer batch by batch, until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while size := int.from_bytes(source.read(4), "big"):
        fields = source.read(size).split(b"\0")
        sink.write(b"".join(map(hash_or_none, fields[:-1:2], fields[1::2])))
        sink.flush()


if __name__ == "__main__":
    main()
