"""Locks between processes: waited for, with a word after a second, never a reason to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from dws_graph.backends.faults import fault

Notify = Callable[[str], None]
PATIENCE = 1.0
POLL = 0.01


def quiet(message: str) -> None:
    """A `Notify` for those whom nobody listens to."""


class Lock:
    """A file lock that this process may take again while it holds it.

    The operating system lets go of it when its holder dies, however it died.
    """

    def __init__(self, path: Path, what: str, notify: Notify = quiet) -> None:
        self._lock = FileLock(str(path))
        self._name = path.name
        self._what = what
        self._notify = notify

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, and hold it."""
        fault(f"lock: open {self._name}")
        try:
            self._lock.acquire(timeout=PATIENCE, poll_interval=POLL)
        except Timeout:
            self._notify(f"waiting for another dws process that {self._what}")
            self._lock.acquire(poll_interval=POLL)
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def held_at_once(self) -> Iterator[bool]:
        """Hold the lock if nobody else does; tells whether."""
        fault(f"lock: open {self._name}")
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            self._lock.release()
