"""Processes that hash many small files at once: threads would wait for each other's Python.

They are asked, and tell what they found, without waiting, so that the one who asks them can look
for more meanwhile. What they cannot do, they give back.
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
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from dws_graph.resources import hash_worker

_AHEAD = 3  # requests that a worker has in hand, so that it need not wait for the next
_MOST = 8  # processes
_RECEIVED = 1 << 16
_LENGTH = 4  # bytes before an answer


class Done(NamedTuple):
    """A request that was answered, or given back.

    Attributes:
        ticket: What `submit` gave for it.
        begun: When it was given to a process, in ns.
        answer: See `hash_worker`; None when it was given back.
    """

    ticket: int
    begun: int
    answer: bytes | None


class _Worker:
    """One process, and what it has in hand: tickets, each with its request, and when, in ns."""

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
        self.in_hand: deque[tuple[int, int]] = deque()

    def give(self, ticket: int, request: bytes) -> None:
        self.in_hand.append((ticket, time.time_ns()))
        self.sending += hash_worker.framed(request)

    def end(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


class HashWorkers:
    """As many processes as there are processors, where that is more than one; to be ended."""

    def __init__(self) -> None:
        self._tickets = 0
        self._queue: deque[tuple[int, bytes]] = deque()
        self._given_back: deque[int] = deque()
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        count = min(processors(), _MOST)
        with contextlib.suppress(OSError):  # no more processes may be had: then fewer
            for _ in range(count if count > 1 else 0):
                self._workers.append(worker := _Worker())
                self._selector.register(worker.socket, selectors.EVENT_READ, worker)

    def end(self) -> None:
        """Have no more of them."""
        for worker in self._workers:
            worker.end()
        self._workers = []
        self._selector.close()

    def submit(self, request: bytes) -> int:
        """Have something done; gives what `Done` calls it."""
        self._tickets += 1
        self._queue.append((self._tickets, request))
        return self._tickets

    def busy(self) -> bool:
        """Whether a request is not done."""
        return bool(self._queue or self._given_back or any(w.in_hand for w in self._workers))

    def done(self, timeout: float = 0) -> Iterator[Done]:
        """What is done by now, in no order.

        Args:
            timeout: How long to wait for something, in seconds.
        """
        self._feed()
        if self._workers and not self._given_back:
            for key, events in self._selector.select(timeout):
                yield from self._serve(key.data, events)
            self._feed()
        while self._given_back:
            yield Done(self._given_back.popleft(), 0, None)

    def _feed(self) -> None:
        if not self._workers:
            self._given_back.extend(ticket for ticket, _ in self._queue)
            self._queue.clear()
        for worker in self._workers:
            while self._queue and len(worker.in_hand) < _AHEAD:
                worker.give(*self._queue.popleft())
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
            self._given_back.extend(ticket for ticket, _ in worker.in_hand)
            return
        worker.received += data
        while len(worker.received) >= _LENGTH:
            end = _LENGTH + int.from_bytes(worker.received[:_LENGTH], "big")
            if len(worker.received) < end:
                return
            ticket, begun = worker.in_hand.popleft()
            answer = bytes(worker.received[_LENGTH:end])
            del worker.received[:end]
            yield Done(ticket, begun, answer)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(_RECEIVED)
    except ConnectionError:
        return b""


@dataclass
class _Kept:
    """Processes for whatever is hashed in a context, if there are any yet."""

    workers: HashWorkers | None = None


_KEPT: ContextVar[_Kept | None] = ContextVar("kept", default=None)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Keep the processes that are hired in this context until its end, for who needs them next."""
    found = _Kept()
    token = _KEPT.set(found)
    try:
        yield
    finally:
        _KEPT.reset(token)
        if found.workers is not None:
            found.workers.end()


def are_kept() -> bool:
    """Whether there are processes already, which cost nothing to ask."""
    found = _KEPT.get()
    return found is not None and found.workers is not None


def hire() -> None:
    """Start processes that are kept: they get ready while there is other work."""
    found = _KEPT.get()
    if found is not None and found.workers is None:
        found.workers = HashWorkers()


@contextlib.contextmanager
def hired() -> Iterator[HashWorkers]:
    """The processes that are kept; where none are, new ones, for this once."""
    found = _KEPT.get()
    if found is None:
        workers = HashWorkers()
        try:
            yield workers
        finally:
            workers.end()
        return
    hire()
    if found.workers is None:
        raise AssertionError(found)
    try:
        yield found.workers
    finally:
        if found.workers.busy():  # after an error: nobody waits for the rest
            found.workers.end()
            found.workers = None


def processors() -> int:
    """How many processors this process may use; 1 where another program runs our Python."""
    if "python" not in os.path.basename(sys.executable or ""):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
