"""Work done ahead: the next part is made while the one before it is used."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The items; the first is made here, each other by a thread while its predecessor is used."""
    rest = iter(items)
    made = list(itertools.islice(rest, 1))
    while made:
        following = _Next(rest)
        try:
            yield made[0]
        finally:
            following.made.wait()
        made = following.taken()


class _Next(Generic[T]):
    """The next of some items, while a thread takes it; a process that ends does not wait for it."""

    def __init__(self, items: Iterator[T]) -> None:
        self.made = threading.Event()
        self._items = items
        self._taken: list[T] = []
        self._error: BaseException | None = None
        try:
            threading.Thread(target=self._take, daemon=True).start()
        except RuntimeError:  # a process that ends starts no more threads
            self._take()

    def _take(self) -> None:
        try:
            self._taken = list(itertools.islice(self._items, 1))
        except BaseException as e:  # noqa: BLE001  # raised again where it is asked for
            self._error = e
        finally:
            self.made.set()

    def taken(self) -> list[T]:
        """It; none at the end."""
        if self._error is not None:
            raise self._error
        return self._taken
