"""The table of snapshots: metrics as columns, in colours, and a plot of one of them."""

from __future__ import annotations

import bisect
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dws_graph.api.service.pages.rendering import number, shown
from dws_graph.backends.views import SnapshotInfo

MOST_METRICS = 8
SHADES = 7
NEAR = 0.005  # of a baseline's value: as good as it
SMALLER = ("loss", "error", "mse", "rmse", "mae", "mape", "time", "seconds", "perplexity", "cost")
WIDTH, HEIGHT, LEFT, FOOT = 760.0, 200.0, 64.0, 16.0


class Cell(NamedTuple):
    """A metric of a snapshot: its text, its class, and what is said of it besides."""

    text: str
    look: str = ""
    best: bool = False
    sign: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A snapshot of the table."""

    snapshot: SnapshotInfo
    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A metric over snapshots, in the units of its drawing."""

    width: float
    height: float
    left: float
    line: str
    points: list[tuple[float, float, str, bool]]
    ticks: list[tuple[float, str]]


def label(snapshot: SnapshotInfo) -> str:
    """What people call a snapshot."""
    return ", ".join(snapshot.tags) or snapshot.hash[:8]


@dataclass(frozen=True, slots=True)
class Better:
    """Of which metrics more is better, and of which less: as a person says, else by their names."""

    larger: frozenset[str] = frozenset()
    smaller: frozenset[str] = frozenset()

    def is_smaller(self, metric: str) -> bool:
        """Whether less is better."""
        if metric in self.larger:
            return False
        return metric in self.smaller or is_smaller_better(metric)


def is_smaller_better(metric: str) -> bool:
    """Whether less is better, by the name: of errors, losses and times."""
    words = re.split("[^a-z0-9]+", metric.lower())  # `linear/loss`, `val_loss`, `test.rmse`
    return any(word in SMALLER for word in words)


def metrics_of(snapshots: Sequence[SnapshotInfo]) -> list[str]:
    """The metrics with numbers that most snapshots have."""
    return metrics_in([snapshot.metrics for snapshot in snapshots])


def metrics_in(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The metrics with numbers that most rows have."""
    counts: Counter[str] = Counter()
    for metrics in rows:
        counts.update({name: 1 for name, value in metrics.items() if number_of(value) is not None})
    return [name for name, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))][:MOST_METRICS]


def number_of(value: Any) -> float | None:
    """A metric's value where it is a number that can be compared."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def rows_of(
    snapshots: Sequence[SnapshotInfo],
    metrics: Sequence[str],
    colours: str,
    baseline: SnapshotInfo | None,
    better: Better = Better(),
) -> list[Row]:
    """The table's rows: the best of each metric marked, and coloured as was asked for."""
    columns = [[number_of(s.metrics.get(metric)) for s in snapshots] for metric in metrics]
    scales = [
        _Scale(metric, column, smaller=better.is_smaller(metric))
        for metric, column in zip(metrics, columns, strict=True)
    ]
    rows = []
    for snapshot in snapshots:
        cells = tuple(scale.cell(snapshot, colours, baseline) for scale in scales)
        rows.append(Row(snapshot, label(snapshot), cells))
    return rows


class _Scale:
    """A metric, and how its values compare."""

    def __init__(self, metric: str, values: Sequence[float | None], *, smaller: bool) -> None:
        self.metric = metric
        self.sign = -1.0 if smaller else 1.0
        self.known = sorted({self.sign * value for value in values if value is not None})
        self.several = len(self.known) > 1

    def cell(self, snapshot: SnapshotInfo, colours: str, baseline: SnapshotInfo | None) -> Cell:
        raw = snapshot.metrics.get(self.metric)
        value = number_of(raw)
        if value is None:
            look = "missing" if colours != "none" else ""
            return Cell("" if raw is None else shown(raw), look)
        best = self.several and self.sign * value == self.known[-1]
        if colours == "heat" and self.several:
            return Cell(number(value), f"heat-{self._shade(value)}", best)
        if colours == "baseline" and baseline is not None and baseline.id != snapshot.id:
            beside = number_of(baseline.metrics.get(self.metric))
            if beside is not None:
                return Cell(number(value), best=best, **self._beside(value, beside))
        return Cell(number(value), "best-cell" if best else "", best)

    def _shade(self, value: float) -> int:
        """By its rank among the values: an outlier leaves the others their colours."""
        rank = bisect.bisect_left(self.known, self.sign * value)
        return round(rank * (SHADES - 1) / (len(self.known) - 1))

    def _beside(self, value: float, base: float) -> Mapping[str, str]:
        if abs(value - base) <= NEAR * max(abs(base), 1e-12):
            return {"look": "near", "sign": "≈", "said": "near the baseline"}
        if self.sign * value > self.sign * base:
            return {"look": "better", "sign": "▲", "said": "better than the baseline"}
        return {"look": "worse", "sign": "▼", "said": "worse than the baseline"}


def plot_of(
    snapshots: Sequence[SnapshotInfo], metric: str, better: Better = Better()
) -> Plot | None:
    """The metric over the snapshots, oldest first; None where fewer than two have it."""
    found = [(s, v) for s in snapshots if (v := number_of(s.metrics.get(metric))) is not None]
    found.sort(key=lambda pair: (pair[0].timestamp, pair[0].id))
    if len(found) < 2:
        return None
    values = [value for _, value in found]
    low, high = min(values), max(values)
    room = (high - low) or abs(high) or 1.0
    low, high = low - 0.08 * room, high + 0.08 * room

    def x(i: int) -> float:
        return round(LEFT + 10 + i * (WIDTH - LEFT - 28) / (len(found) - 1), 1)

    def y(value: float) -> float:
        return round(HEIGHT - FOOT - (value - low) / (high - low) * (HEIGHT - 2 * FOOT), 1)

    best = min(values) if better.is_smaller(metric) else max(values)
    points = [(x(i), y(v), f"{label(s)}: {number(v)}", v == best) for i, (s, v) in enumerate(found)]
    ticks = [(y(t), number(t)) for t in (low + (high - low) * k / 4 for k in range(5))]
    line = "M" + "L".join(f"{px} {py}" for px, py, _, _ in points)
    return Plot(WIDTH, HEIGHT, LEFT, line, points, ticks)
