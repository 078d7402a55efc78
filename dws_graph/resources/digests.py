"""The sha1 of each of many files: read by several processes, or by threads where they are few.

A file is known by what its stat was when it was found: whatever changed since is refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Protocol, TypeVar

from dws_graph.errors import ChangedMeanwhileError, ConfigurationError
from dws_graph.resources.fingerprints import racily_clean, stat_key
from dws_graph.resources.hash_worker import ANSWER, LARGE, of_files
from dws_graph.resources.hash_workers import Done, HashWorkers, hired, processors
from dws_graph.resources.walking import Entry, FileStat, Stat, refuse, status_of

StatKey = tuple[int, int, int, int]


class Progress(Protocol):
    """Is told how far the hashing is."""

    def __call__(self, done: int, total: int, doing: str = "") -> None:
        """How many files are done, of how many, and how far in a large one."""


class StatCache(Protocol):
    """Hashes of files by path and stat; may lose any of them."""

    @property
    def is_empty(self) -> bool:
        """Whether it has none of this folder: then nobody need ask for stats first."""

    def get(self, path: bytes, key: StatKey) -> str | None:
        """The sha1 of the file's content when it had exactly this stat."""

    def put(self, path: bytes, key: StatKey, sha1: str) -> None:
        """Keeps one; called from one thread."""

    def put_piece(self, base: bytes, folder: bytes, stats: bytes, hashes: bytes) -> None:
        """Keeps many files of a folder below a base, as `hash_worker.PIECE` tells of them."""


TELL_AFTER = 0.25  # seconds in which no file was done: then how far the large one is
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20  # bytes of a large file, which a thread of ours reads piece by piece
_BATCH_FILES, _BATCH_BYTES = 64, 8 << 20
_MANY = 1000  # small files to read, from which on it is worth while to start processes


class Digests:
    """Hashes files, many at once, while others are looked for; a context manager.

    Args:
        base: The folder that their names are relative to, with a slash at its end.
        cache: Hashes of files seen before.
    """

    def __init__(self, base: bytes, cache: StatCache | None) -> None:
        self._base, self._cache = base, cache
        self._hashes: dict[bytes, str] = {}
        self._seen, self._now = 0, time.time_ns()
        self._next: list[Entry] = []
        self._bytes = 0
        self._small: list[Sequence[Entry]] = []  # while they are few
        self._begun: list[Future[tuple[list[_Hashed], int]]] = []
        self._reading = _Reading()
        self._threads = ThreadPoolExecutor(max(2, processors()), thread_name_prefix="dws-hash")
        self._ends = ExitStack()
        self._workers: HashWorkers | None = None
        self._submitted: dict[int, Sequence[Entry]] = {}

    def __enter__(self) -> Digests:
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.stopped = True  # after an error, or Ctrl-C: what is queued ends at once
        self._ends.close()
        self._threads.shutdown()

    def add(self, entry: Entry) -> None:
        """One file more.

        Raises:
            ConfigurationError: It is no file, but a pipe or the like.
        """
        self._seen += 1
        status = regular(self._base + entry.name, status_of(entry))
        if self._is_known(entry, status):
            return
        if status.st_size >= LARGE:
            self._by_thread([entry])
            return
        self._bytes += status.st_size
        self._next.append(entry)
        if len(self._next) >= _BATCH_FILES or self._bytes >= _BATCH_BYTES:
            self._give(self._next)
            self._next, self._bytes = [], 0

    def _is_known(self, entry: Entry, status: Stat) -> bool:
        if self._cache is None:
            return False
        known = self._cache.get(self._base + entry.name, stat_key(status))
        if known is None or racily_clean(status, self._now):
            return False
        self._hashes[entry.name] = known
        return True

    def _give(self, batch: Sequence[Entry]) -> None:
        if self._workers is not None:
            self._submit(self._workers, batch)
            self._take(self._workers.done())
            return
        self._small.append(batch)
        if len(self._small) * _BATCH_FILES >= _MANY and processors() > 1:
            self._workers = self._ends.enter_context(hired())
            for waiting in self._small:
                self._submit(self._workers, waiting)
            self._small = []

    def _submit(self, workers: HashWorkers, batch: Sequence[Entry]) -> None:
        described = ((self._base + e.name, _described(e)) for e in batch)
        self._submitted[workers.submit(of_files(described))] = batch

    def _by_thread(self, batch: Sequence[Entry]) -> None:
        self._begun.append(self._threads.submit(_hash_batch, self._base, batch, self._reading))

    def _take(self, done: Iterable[Done]) -> None:
        for ticket, begun, answer in done:
            batch = self._submitted.pop(ticket)
            found = [None] * len(batch) if answer is None else _found(answer)
            pairs = list(zip(batch, found, strict=True))
            self._keep([(entry, *got) for entry, got in pairs if got is not None], begun)
            if missed := [entry for entry, got in pairs if got is None]:
                self._by_thread(missed)  # it finds out why

    def _keep(self, found: Sequence[_Hashed], begun: int) -> None:
        for entry, status, sha1 in found:
            self._hashes[entry.name] = sha1
            if self._cache is not None and not racily_clean(status, begun):
                self._cache.put(self._base + entry.name, stat_key(status), sha1)

    def finish(self, progress: Progress | None) -> dict[bytes, str]:
        """The hash of each file by its name.

        Raises:
            ConfigurationError: A file vanished, changed since it was found, or cannot be read;
                names it.
        """
        tell = progress or _say_nothing
        tell(len(self._hashes), self._seen)
        if self._next:
            self._give(self._next)
        for batch in self._small:
            self._by_thread(batch)
        while self._workers is not None and self._workers.busy():
            self._take(self._workers.done(TELL_AFTER))
            tell(len(self._hashes), self._seen, self._reading.tell(self._base))
        for future in self._begun:
            while progress is not None and wait([future], TELL_AFTER).not_done:
                tell(len(self._hashes), self._seen, self._reading.tell(self._base))
            self._keep(*future.result())
            tell(len(self._hashes), self._seen)
        return self._hashes


def _say_nothing(_done: int, _total: int, _doing: str = "") -> None:
    """Where nobody listens."""


class _Reading:
    """What the threads are reading now, and whether they are to stop."""

    def __init__(self) -> None:
        self.stopped = False
        self.large: dict[bytes, tuple[int, int]] = {}

    def tell(self, base: bytes) -> str:
        """How far they are in a file that takes long."""
        for path, (done, size) in list(self.large.items()):
            share = f"{done / 1e9:.1f} of {size / 1e9:.1f} GB"
            return f"{os.fsdecode(path[len(base) :])}, {share}"
        return ""


_Hashed = tuple[Entry, Stat, str]


def _hash_batch(
    base: bytes, batch: Sequence[Entry], reading: _Reading
) -> tuple[list[_Hashed], int]:
    """Their hashes, and when this was begun, in ns."""
    begun, done = time.time_ns(), []
    for entry in batch:
        if reading.stopped:
            break
        path = base + entry.name
        expected = status_of(entry)
        done.append((entry, expected, _hash_as_found(path, expected, reading)))
    return done, begun


def _described(entry: Entry) -> bytes:
    return b"%d %d %d %d" % stat_key(status_of(entry))


def _found(answer: bytes) -> list[tuple[FileStat, str] | None]:
    # a file that was not read has no mode
    return [
        (FileStat._make(got[:5]), got[5].hex()) if got[4] else None
        for got in ANSWER.iter_unpack(answer)
    ]


def _hash_as_found(path: bytes, expected: Stat, reading: _Reading) -> str:
    try:
        status, sha1 = _hash_file(path, expected.st_size, reading)
    except FileNotFoundError as e:
        raise ChangedMeanwhileError(f"{os.fsdecode(path)} vanished while it was hashed") from e
    except OSError as e:
        if _is_another(path, expected):
            raise _changed(path) from e
        refuse(path, e)
    if stat_key(status) != stat_key(expected):
        raise _changed(path)
    return sha1


def _is_another(path: bytes, expected: Stat) -> bool:
    try:
        return stat_key(os.stat(path)) != stat_key(expected)
    except OSError:
        return True


def _hash_file(path: bytes, size: int, reading: _Reading) -> tuple[os.stat_result, str]:
    """A file's stat once it was read, and its hash."""
    # a file that has become a pipe must not make us wait for its other end
    fd = os.open(path, _READ_ONLY)
    try:
        data = os.read(fd, size + 1) if size < LARGE else b""
        if len(data) == size != 0:  # all of it: there was no more to be had
            return os.fstat(fd), hashlib.sha1(data, usedforsecurity=False).hexdigest()
        os.lseek(fd, 0, os.SEEK_SET)
        return _hash_large(fd, path, size, reading)
    finally:
        os.close(fd)


def _hash_large(fd: int, path: bytes, size: int, reading: _Reading) -> tuple[os.stat_result, str]:
    """The same, piece by piece; of what does not say how large it is, too."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        raise _changed(path)
    digest, done = hashlib.sha1(usedforsecurity=False), 0
    buffer = memoryview(bytearray(_CHUNK))
    try:
        while (count := os.readv(fd, [buffer])) and not reading.stopped:
            digest.update(buffer[:count])
            done += count
            reading.large[path] = (done, size)
    finally:
        reading.large.pop(path, None)
    return os.fstat(fd), digest.hexdigest()


def _changed(path: bytes) -> ChangedMeanwhileError:
    return ChangedMeanwhileError(f"{os.fsdecode(path)} changed while it was hashed")


AnyStat = TypeVar("AnyStat", bound=Stat)


def regular(path: bytes, status: AnyStat) -> AnyStat:
    """The same stat, of a file.

    Raises:
        ConfigurationError: It is that of no file, but of a pipe or the like.
    """
    mode = status.st_mode
    if stat.S_ISREG(mode):
        return status
    kinds = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    kind = next((what for is_it, what in kinds if is_it(mode)), "a device")
    raise ConfigurationError(
        f"{os.fsdecode(path)} is {kind}, which has no content to hash",
        hint="Move it elsewhere, or name it in .dwsignore.",
    )
