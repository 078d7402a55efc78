"""Processes that hash many small files at once: threads would wait for each other's Python.

They are told what to read, and asked for what they found, without waiting, so that the one who
feeds them can look for more meanwhile. What they cannot do, they give back.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dws_graph.resources import hash_worker
from dws_graph.resources.fingerprints import stat_key
from dws_graph.resources.hash_worker import ANSWER
from dws_graph.resources.walking import UNASKED, Entry, FileStat, status_of

_AHEAD = 3  # batches that a worker has in hand, so that it need not wait for the next
_MOST = 8  # processes
_RECEIVED = 1 << 16


class Done(NamedTuple):
    """A batch that was read, or given back.

    Attributes:
        batch: Its files.
        begun: When it was given to a process, in ns.
        found: The files' stats when they were read, and hashes; None for one that is large, is
            not as it was, or could not be read.
    """

    batch: Sequence[Entry]
    begun: int
    found: list[tuple[FileStat, str] | None]


class _Worker:
    """One process, and the batches that it has in hand, each with when it was given, in ns."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self.process = subprocess.Popen(  # noqa: S603 - our own Python
                    [sys.executable, "-I", "-S", str(Path(hash_worker.__file__))],
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                )
            except OSError:
                ours.close()
                raise
        ours.setblocking(False)
        self.socket = ours
        self.sending, self.received = bytearray(), bytearray()
        self.in_hand: deque[tuple[Sequence[Entry], int]] = deque()

    def give(self, base: bytes, batch: Sequence[Entry]) -> None:
        self.in_hand.append((batch, time.time_ns()))
        self.sending += hash_worker.framed((base + e.name, _described(e)) for e in batch)

    def end(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


class HashWorkers:
    """As many processes as there are processors, which are to be ended.

    Args:
        base: The folder that the names of files are relative to, with a slash at its end.
    """

    def __init__(self, base: bytes) -> None:
        self._base = base
        self._queue: deque[Sequence[Entry]] = deque()
        self._given_back: deque[Sequence[Entry]] = deque()
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        with contextlib.suppress(OSError):  # no more processes may be had: then fewer
            for _ in range(min(processors(), _MOST)):
                self._workers.append(worker := _Worker())
                self._selector.register(worker.socket, selectors.EVENT_READ, worker)

    def end(self) -> None:
        """Have no more of them."""
        for worker in self._workers:
            worker.end()
        self._selector.close()

    def submit(self, batch: Sequence[Entry]) -> None:
        """Have a batch hashed."""
        self._queue.append(batch)

    def busy(self) -> bool:
        """Whether a batch is not done."""
        return bool(self._queue or self._given_back or any(w.in_hand for w in self._workers))

    def done(self, timeout: float = 0) -> Iterator[Done]:
        """The batches that are done by now, in no order.

        Args:
            timeout: How long to wait for one, in seconds.
        """
        self._feed()
        if self._workers:
            for key, events in self._selector.select(timeout):
                yield from self._serve(key.data, events)
            self._feed()
        while self._given_back:
            batch = self._given_back.popleft()
            yield Done(batch, 0, [None] * len(batch))

    def _feed(self) -> None:
        if not self._workers:
            self._given_back.extend(self._queue)
            self._queue.clear()
        for worker in self._workers:
            while self._queue and len(worker.in_hand) < _AHEAD:
                worker.give(self._base, self._queue.popleft())
            self._send(worker)

    def _send(self, worker: _Worker) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):  # an end shows where it is read
            while worker.sending:
                del worker.sending[: worker.socket.send(worker.sending)]
        writing = selectors.EVENT_WRITE if worker.sending else 0
        self._selector.modify(worker.socket, selectors.EVENT_READ | writing, worker)

    def _serve(self, worker: _Worker, events: int) -> Iterator[Done]:
        if not events & selectors.EVENT_READ:
            return
        data = _receive(worker.socket)
        if not data:  # it was ended by somebody
            self._selector.unregister(worker.socket)
            self._workers.remove(worker)
            worker.end()
            self._given_back.extend(batch for batch, _ in worker.in_hand)
            return
        worker.received += data
        while worker.in_hand:
            batch, begun = worker.in_hand[0]
            size = len(batch) * ANSWER.size
            if len(worker.received) < size:
                return
            worker.in_hand.popleft()
            yield Done(batch, begun, _found(bytes(worker.received[:size])))
            del worker.received[:size]


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(_RECEIVED)
    except ConnectionError:
        return b""


def _described(entry: Entry) -> bytes:
    found = status_of(entry)
    return b"" if found is UNASKED else b"%d %d %d %d" % stat_key(found)


def _found(answers: bytes) -> list[tuple[FileStat, str] | None]:
    # a file that was not read has no mode
    return [
        (FileStat._make(got[:5]), got[5].hex()) if got[4] else None
        for got in ANSWER.iter_unpack(answers)
    ]


def processors() -> int:
    """How many processors this process may use; 1 where another program runs our Python."""
    if "python" not in os.path.basename(sys.executable or ""):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
