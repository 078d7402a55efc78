"""A process that hashes, or only looks at, many small files for another.

Run by its path as `python -I -S`, so it imports nothing of the package. A request comes over its
stdin, and its answer goes over its stdout, each after its length in 4 bytes. There are two kinds:

- `FILES`, then, each with a zero byte after it, the path of a file and what its stat was:
  `size mtime_ns ctime_ns inode`. The answer has an `ANSWER` for each.
- `HASHED` or `LOOKED`, then, with zero bytes between them, a folder with a slash at its end, a
  folder in it (nothing, or with a slash at its end), and names of plain files in that; without
  names, all that is in it. The answer is a `PIECE`.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import time
from collections.abc import Iterable, Sequence
from hashlib import sha1

FILES, HASHED, LOOKED = b"F", b"H", b"L"
ANSWER = struct.Struct("<qqqQI20s")  # size, mtime_ns, ctime_ns, inode, mode, and the sha1
NOT_READ = ANSWER.pack(0, 0, 0, 0, 0, b"")
# When it was begun, in ns, or 0 where the folder cannot be read; the newest time of any file, and
# of any whose mtime is a whole second; then the lengths of what follows: a line for each file of
# what its stat is, two zero bytes between them; of what a hash tree says of it (`HASHED`); and, a
# zero byte between them, names of folders, of what else is there (nothing is said of that), and
# of plain files that are too many for one piece.
PIECE = struct.Struct("<qqq5I")
LARGE = 1 << 20  # bytes; what is as large is not read
MOST = 512  # files in a piece
MAY_BE_JUNK = (b".git", b"__pycache__", b".ipynb_checkpoints", b".~", b".pyc")
ODD = (*MAY_BE_JUNK, b"\t", b"\n", b'"')  # what a name is not plain with
SECOND = 1_000_000_000
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_FILE = _READ_ONLY | os.O_NOFOLLOW
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def framed(data: bytes) -> bytes:
    """A request or an answer as it is sent."""
    return len(data).to_bytes(4, "big") + data


def of_files(files: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The request for files by their paths, and what their stats were."""
    return FILES + b"".join([b"%b\0%b\0" % found for found in files])


def of_folder(kind: bytes, base: bytes, below: bytes, names: Iterable[bytes] = ()) -> bytes:
    """The request for a folder, or some of its files."""
    return kind + b"\0".join((base, below, *names))


def answer(request: bytes) -> bytes:
    """What is asked for."""
    kind, fields = request[:1], request[1:].split(b"\0")
    if kind == FILES:
        return b"".join(map(hashed, fields[:-1:2], fields[1::2]))
    base, below, *names = fields
    return piece(base, below, names, is_hashed=kind == HASHED)


def hashed(path: bytes, described: bytes) -> bytes:
    """The answer for a file; `NOT_READ` unless it is a small one, as described, and stayed so."""
    try:
        fd = os.open(path, _READ_ONLY)
    except OSError:
        return NOT_READ
    try:
        found, data = _read(fd)
    except OSError:
        return NOT_READ
    finally:
        os.close(fd)
    about = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    if data is None or described != b"%d %d %d %d" % about:
        return NOT_READ
    return ANSWER.pack(*about, found.st_mode, sha1(data, usedforsecurity=False).digest())


def _read(fd: int) -> tuple[os.stat_result, bytes | None]:
    """A file's stat, and its content if it is a small one that stays as it is meanwhile."""
    found = os.fstat(fd)
    size = found.st_size
    if not stat.S_ISREG(found.st_mode) or size >= LARGE:
        return found, None
    data = os.read(fd, size + 1)
    after = os.fstat(fd)
    same = len(data) == size == after.st_size and found.st_ctime_ns == after.st_ctime_ns
    return found, data if same else None


def piece(base: bytes, below: bytes, names: Sequence[bytes], *, is_hashed: bool) -> bytes:
    """The `PIECE` of a folder, or of some of its files."""
    begun, path = time.time_ns(), base + below
    folders: list[bytes] = []
    others: list[bytes] = []
    try:
        if not names:
            names, folders, others = _listed(path)
            if len(names) > MOST:
                return _packed((begun, 0, 0), b"", b"", folders, others, names)
        fd = os.open(path, _FOLDER)
    except OSError:
        return _packed((0, 0, 0), b"", b"", (), (), ())
    try:
        newest, lines, texts = _told(fd, below, names, others, is_hashed=is_hashed)
    finally:
        os.close(fd)
    return _packed((begun, *newest), b"\0\0".join(lines), b"".join(texts), folders, others, ())


def _listed(path: bytes) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Names of a folder's plain files and folders, and of what is neither."""
    files, folders, others = [], [], []
    with os.scandir(path) as found:
        for entry in found:
            if entry.is_file(follow_symlinks=False):
                files.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                others.append(entry.name)
    joined = b"\0".join((*files, *folders))
    if any(sign in joined for sign in ODD):
        others += [name for name in (*files, *folders) if _is_odd(name)]
        files = [name for name in files if not _is_odd(name)]
        folders = [name for name in folders if not _is_odd(name)]
    files.sort()
    return files, folders, others


def _is_odd(name: bytes) -> bool:
    return any(sign in name for sign in ODD)


def _told(
    folder: int, below: bytes, names: Sequence[bytes], others: list[bytes], *, is_hashed: bool
) -> tuple[tuple[int, int], list[bytes], list[bytes]]:
    """The newest times and the lines of a folder's files; those not to be had go to `others`."""
    newest, newest_whole = 0, 0
    lines, texts = [], []
    for name in names:
        try:
            if is_hashed:
                fd = os.open(name, _FILE, dir_fd=folder)
                try:
                    found, data = _read(fd)
                finally:
                    os.close(fd)
                if data is None:
                    others.append(name)
                    continue
                digest = sha1(data, usedforsecurity=False).hexdigest().encode()
                texts.append(b"%b\tblob\t%b\n" % (digest, name))
            else:
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if not stat.S_ISREG(found.st_mode):
                    others.append(name)
                    continue
        except OSError:
            others.append(name)
            continue
        mtime, ctime = found.st_mtime_ns, found.st_ctime_ns
        latest = ctime if ctime > mtime else mtime  # `max` takes a third of the loop's time
        if latest > newest:
            newest = latest
        if not mtime % SECOND and latest > newest_whole:
            newest_whole = latest
        lines.append(
            b"%b%b\0%d %d %d %d " % (below, name, found.st_size, mtime, ctime, found.st_ino)
        )
    return (newest, newest_whole), lines, texts


def _packed(
    times: tuple[int, int, int],
    lines: bytes,
    texts: bytes,
    folders: Sequence[bytes],
    others: Sequence[bytes],
    left: Sequence[bytes],
) -> bytes:
    parts = (lines, texts, b"\0".join(folders), b"\0".join(others), b"\0".join(left))
    return PIECE.pack(*times, *map(len, parts)) + b"".join(parts)


def main() -> None:
    """Answer request by request, until there are no more."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while size := int.from_bytes(source.read(4), "big"):
        sink.write(framed(answer(source.read(size))))
        sink.flush()


if __name__ == "__main__":
    main()
