"""How often one may fail to log in: each client, and all together.

A client may fail so many times at once, and then once whenever a share of the time has passed
(a leaky bucket). All that is kept of him is the moment at which his bucket will be empty.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

IN_ALL = 20  # times what one client may
MOST = 10_000  # clients that are remembered
_LONGEST = 64  # of what is no address


class Throttle:
    """Counts failures, by any number of threads."""

    def __init__(
        self,
        attempts: int,
        seconds: float,
        *,
        in_all: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow so many failures in so many seconds.

        Args:
            attempts: Of one client.
            seconds: Until a client who does nothing may fail as often again.
            in_all: Of all clients together.
            clock: Seconds that never go back.
        """
        self._attempts = attempts
        self._in_all = in_all or attempts * IN_ALL
        self._seconds = seconds
        self._clock = clock
        self._guard = threading.Lock()
        self._all = 0.0
        self._empty: OrderedDict[str, float] = OrderedDict()  # those that failed last come last

    def __len__(self) -> int:
        """How many clients are remembered."""
        return len(self._empty)

    def wait(self, address: str) -> int:
        """The seconds that this client must wait before he may try; 0: none."""
        with self._guard:
            now = self._clock()
            own = self._left(self._empty.get(_client(address), now), self._attempts, now)
            left = max(own, self._left(self._all, self._in_all, now), 0.0)
            return math.ceil(round(left, 6))  # what floats lose is no second

    def failed(self, address: str) -> None:
        """This client failed."""
        with self._guard:
            now = self._clock()
            client = _client(address)
            before = self._empty.pop(client, now)
            self._empty[client] = max(before, now) + self._seconds / self._attempts
            self._all = max(self._all, now) + self._seconds / self._in_all
            self._forget(now)

    def _left(self, empty: float, most: int, now: float) -> float:
        """Seconds until there is room for one failure more."""
        return empty + self._seconds / most - self._seconds - now

    def _forget(self, now: float) -> None:
        while self._empty:
            first = next(iter(self._empty))
            if len(self._empty) <= MOST and self._empty[first] > now:
                return
            del self._empty[first]


def _client(address: str) -> str:
    """Who that is: of IPv6, a network of which one client has all addresses."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_LONGEST]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(int(found) >> 64)
