"""Our layout beside Graphviz's `dot`: seconds, crossings, width and height.

    python benchmarks/layout.py

Crossings are counted alike for both, on the lines as they are drawn. A route is cut into straight
segments (our curves between two columns bend alike, so two of them cross exactly when the straight
lines between their ends do). Segments with the same ends lie on one another and are one line. A
pair of lines whose insides meet is one crossing: `drawn` counts such pairs, which is what an eye
sees; `per edge` counts each pair as often as there are pairs of edges that run along the two, so
that a line which several edges share gains nothing. Lines that end at one point do not cross.

`dot` gets the same boxes and draws polylines, in at most `--limit` seconds. A seed fixes each
graph; our seconds are those of this process.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from dws_graph.render.layout import Point, layered_layout

INCH = 72.0
HEIGHT = 36.0
Segment = tuple[Point, Point]


@dataclass(frozen=True, slots=True)
class Graph:
    """The width of each node, all of one height, and the edges between their numbers."""

    widths: Sequence[float]
    edges: Sequence[tuple[int, int]]


class Drawn(NamedTuple):
    """A layout: what it took, the line of each edge, and its extent."""

    seconds: float
    lines: list[list[Point]]
    width: float
    height: float


class Crossings(NamedTuple):
    """Crossings of lines that are seen, and of the edges that run along them."""

    drawn: int
    per_edge: int


def tangled(nodes: int, edges: int, seed: int = 1) -> Graph:
    """Edges at random: the worst case."""
    rng = random.Random(seed)
    found = dict.fromkeys((rng.randrange(i), i) for i in range(1, nodes))
    while len(found) < edges:
        b = rng.randrange(1, nodes)
        found[(rng.randrange(b), b)] = None
    return Graph([rng.uniform(88, 190) for _ in range(nodes)], list(found))


def pipelines(runs: int, seed: int = 1) -> Graph:
    """Runs of prepare .. report on shared sources, some of which reuse what an earlier one made."""
    rng = random.Random(seed)
    widths: list[float] = []
    edges: list[tuple[int, int]] = []

    def node() -> int:
        widths.append(rng.uniform(88, 190))
        return len(widths) - 1

    def step(reads: Sequence[int], writes: int) -> list[int]:
        at = node()
        edges.extend((read, at) for read in dict.fromkeys(reads))
        made = [node() for _ in range(writes)]
        edges.extend((at, one) for one in made)
        return made

    sources = [node() for _ in range(6)]
    reusable: list[int] = []
    for _ in range(runs):
        near = rng.randrange(len(sources))
        taken = [sources[near], *(s for s in sources if rng.random() < 0.15)]
        clean, holdout = step(taken, 2)
        more = [rng.choice(reusable)] if reusable and rng.random() < 0.4 else []
        features, _ = step([clean, *more], 2)
        train, valid, test = step([features], 3)
        model, _ = step([train, valid] if rng.random() < 0.8 else [train], 2)
        scores, _ = step([model, test], 2)
        step([scores, holdout] if rng.random() < 0.7 else [scores, sources[near]], 1)
        reusable.extend((features, model))
    return Graph(widths, edges)


def fan(count: int) -> Graph:
    """One data set, so many steps that score it, and a report on all scores."""
    edges = []
    for i in range(count):
        edges += [(0, 2 + 2 * i), (2 + 2 * i, 3 + 2 * i), (3 + 2 * i, 1)]
    return Graph([120.0] * (2 + 2 * count), edges)


def chain(count: int) -> Graph:
    """One after the other."""
    return Graph([120.0] * count, list(pairwise(range(count))))


GRAPHS: dict[str, Callable[[], Graph]] = {
    "tangled 30": lambda: tangled(30, 41),
    "tangled 500": lambda: tangled(500, 965),
    "tangled 2000": lambda: tangled(2000, 3747),
    "pipelines 150": lambda: pipelines(8),
    "pipelines 500": lambda: pipelines(27),
    "pipelines 2000": lambda: pipelines(108),
    "fan 300": lambda: fan(300),
    "chain 400": lambda: chain(400),
}


def ours(graph: Graph) -> Drawn:
    """By our layout."""
    begin = time.process_time()
    layout = layered_layout({i: (w, HEIGHT) for i, w in enumerate(graph.widths)}, graph.edges)
    return Drawn(time.process_time() - begin, layout.routes, layout.width, layout.height)


def by_dot(graph: Graph, limit: float) -> Drawn | None:
    """By `dot`, as dws-graph calls it; None when it takes longer than `limit` seconds."""
    text = ["digraph { rankdir=LR; nodesep=0.2; ranksep=0.6; splines=polyline;"]
    text.append(f"node [shape=box, fixedsize=true, label={chr(34) * 2}, height={HEIGHT / INCH}];")
    text += [f"{i} [width={w / INCH}];" for i, w in enumerate(graph.widths)]
    text += [f"{a} -> {b};" for a, b in graph.edges]
    begin = time.perf_counter()
    try:
        done = subprocess.run(
            ["dot", "-Tplain"],
            input="\n".join([*text, "}"]),
            capture_output=True,
            text=True,
            timeout=limit,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return None
    seconds = time.perf_counter() - begin
    rows = [line.split() for line in done.stdout.splitlines()]
    width, height = (float(v) * INCH for v in rows[0][2:4])
    lines = [_ends(row) for row in rows if row[0] == "edge"]
    return Drawn(seconds, lines, width, height)


def _ends(row: list[str]) -> list[Point]:
    """The corners of an edge: every third of its control points."""
    values = [float(v) * INCH for v in row[4 : 4 + 2 * int(row[3])]]
    return list(zip(values[0::6], values[1::6], strict=True))


def count_crossings(lines: Sequence[Sequence[Point]]) -> Crossings:
    """See above."""
    import numpy as np

    legs: Counter[Segment] = Counter()
    for line in lines:
        legs.update({(min(s), max(s)) for s in pairwise(line) if s[0] != s[1]})
    if not legs:
        return Crossings(0, 0)
    order = sorted(legs)
    edges = np.array([legs[s] for s in order])
    ax, ay, bx, by = np.array([(*a, *b) for a, b in order]).T
    drawn = per_edge = 0
    for i, (x, y, u, v) in enumerate(zip(ax, ay, bx, by, strict=True)):
        near = slice(i + 1, int(np.searchsorted(ax, u)))
        if near.start >= near.stop:
            continue
        cx, cy, dx, dy = ax[near], ay[near], bx[near], by[near]
        c = (u - x) * (cy - y) - (v - y) * (cx - x)
        d = (u - x) * (dy - y) - (v - y) * (dx - x)
        a = (dx - cx) * (y - cy) - (dy - cy) * (x - cx)
        b = (dx - cx) * (v - cy) - (dy - cy) * (u - cx)
        cross = (c * d < -1e-9) & (a * b < -1e-9)
        drawn += int(cross.sum())
        per_edge += int(edges[i] * edges[near][cross].sum())
    return Crossings(drawn, per_edge)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("graphs", nargs="*", metavar="GRAPH", help=f"of {', '.join(GRAPHS)}")
    parser.add_argument("--limit", type=float, default=120, help="seconds that dot may take")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.graphs) - set(GRAPHS)):
        parser.error(f"no such graph: {', '.join(unknown)}; there are {', '.join(GRAPHS)}")
    for name in chosen.graphs or GRAPHS:
        graph = GRAPHS[name]()
        print(f"{name}: {len(graph.widths):,} nodes, {len(graph.edges):,} edges")
        found = [("ours", ours(graph)), ("dot", by_dot(graph, chosen.limit))]
        counts = []
        for who, drawn in found:
            if drawn is None:
                print(f"  {who:<6} did not finish in {chosen.limit:.0f} s")
                continue
            counts.append(count_crossings(drawn.lines))
            print(
                f"  {who:<6} {drawn.seconds:7.2f} s  crossings: {counts[-1].drawn:>8,} drawn, "
                f"{counts[-1].per_edge:>8,} per edge  {drawn.width:>8,.0f} x {drawn.height:,.0f} px"
            )
        if len(counts) == 2:
            ratios = [f"{a / b:.2f}x" if b else "-" for a, b in zip(*counts, strict=True)]
            print(f"  ratio  {'':>9}  crossings: {ratios[0]:>8} drawn, {ratios[1]:>8} per edge")


if __name__ == "__main__":
    main()
