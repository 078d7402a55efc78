"""A process that hashes small files for another, which tells it their paths.

Run by its path as `python -I -S`, so it imports nothing of the package. A batch comes over its
stdin as a length of 4 bytes and, each with a zero byte after it, the path of a file and what its
stat was: `size mtime_ns ctime_ns inode`, or nothing where nobody has asked. The answer, over its
stdout, has an `ANSWER` for each file.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Iterable
from hashlib import sha1

ANSWER = struct.Struct("<qqqQI20s")  # size, mtime_ns, ctime_ns, inode, mode, and the sha1
NOT_READ = ANSWER.pack(0, 0, 0, 0, 0, b"")
LARGE = 1 << 20  # bytes; what is as large is not read
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def framed(files: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A batch as it is sent: paths, and what their stats were."""
    data = b"".join([b"%b\0%b\0" % found for found in files])
    return len(data).to_bytes(4, "big") + data


def hashed(path: bytes, described: bytes) -> bytes:
    """The answer for a file; `NOT_READ` unless it is a small one, as described, and stayed so."""
    try:
        fd = os.open(path, _READ_ONLY)
    except OSError:
        return NOT_READ
    try:
        found = os.fstat(fd)
        size, changed = found.st_size, found.st_ctime_ns
        if not stat.S_ISREG(found.st_mode) or size >= LARGE:
            return NOT_READ
        about = (size, found.st_mtime_ns, changed, found.st_ino)
        if described and described != b"%d %d %d %d" % about:
            return NOT_READ
        data = os.read(fd, size + 1)
        found = os.fstat(fd)
        if len(data) != size or found.st_size != size or found.st_ctime_ns != changed:
            return NOT_READ
    except OSError:
        return NOT_READ
    finally:
        os.close(fd)
    return ANSWER.pack(*about, found.st_mode, sha1(data, usedforsecurity=False).digest())


def main() -> None:
    """Answer batch by batch, until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while size := int.from_bytes(source.read(4), "big"):
        fields = source.read(size).split(b"\0")
        sink.write(b"".join(map(hashed, fields[:-1:2], fields[1::2])))
        sink.flush()


if __name__ == "__main__":
    main()
