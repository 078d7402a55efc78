"""Counts for Prometheus, in its text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Meter:
    """How many requests there were, and how long they took.

    A route is named by its template: no text of a client's becomes a label.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds: dict[str, float] = {}
        self._within: Counter[tuple[str, float]] = Counter()

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request more."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._seconds[route] = self._seconds.get(route, 0.0) + seconds
            for bound in BOUNDS:
                if seconds <= bound:
                    self._within[route, bound] += 1

    def text(self) -> str:
        """All counts."""
        with self._lock:
            return "\n".join([*self._counts(), *self._durations(), ""])

    def _counts(self) -> Iterator[str]:
        yield "# HELP dws_requests_total Requests answered."
        yield "# TYPE dws_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            labels = f'method="{method}",route="{route}",status="{status}"'
            yield f"dws_requests_total{{{labels}}} {count}"

    def _durations(self) -> Iterator[str]:
        yield "# HELP dws_request_seconds How long requests took."
        yield "# TYPE dws_request_seconds histogram"
        for route, total in sorted(self._seconds.items()):
            count = sum(n for (_, at, _), n in self._requests.items() if at == route)
            for bound in BOUNDS:
                labels = f'route="{route}",le="{bound:g}"'
                yield f"dws_request_seconds_bucket{{{labels}}} {self._within[route, bound]}"
            yield f'dws_request_seconds_bucket{{route="{route}",le="+Inf"}} {count}'
            yield f'dws_request_seconds_sum{{route="{route}"}} {total:.6f}'
            yield f'dws_request_seconds_count{{route="{route}"}} {count}'
