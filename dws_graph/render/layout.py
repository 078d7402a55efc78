"""A layered layout, left to right: positions for nodes, and lines for edges that avoid them.

Layers that make edges short (ranks.py), long edges split by dummies that the edges of one source
share (layers.py), few crossings (crossings.py), heights (heights.py). Pure Python, no clock: the
same graph is laid out alike everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from dws_graph.render.crossings import ordered
from dws_graph.render.heights import placed
from dws_graph.render.layers import Layered, acyclic, components, layered
from dws_graph.render.ranks import Arrow

K = TypeVar("K", bound=Hashable)
Point = tuple[float, float]
Size = tuple[float, float]
Lines = dict[Arrow, list[Point]]

LAYER_GAP = (32.0, 150.0)  # least and most room between columns
BEND = 24.0  # room that a gap gets when lines climb at all
STEEPNESS = 0.2  # room that a gap gets for each pixel that a line climbs in it
PART_GAP = 44.0
SHAPE = 1.8  # width by height that unconnected parts are packed to


@dataclass(frozen=True, slots=True)
class Layout(Generic[K]):
    """Centres of nodes and points of edges, in a rectangle from (0, 0) to (width, height).

    A route's legs are straight and curved by turns, beginning and ending with a straight one
    (which may have no length): straight legs are level, curved ones lie between columns. The
    route of an edge from a node to itself, or to a node that is not there, is empty.
    """

    positions: dict[K, Point]
    routes: list[list[Point]]
    width: float
    height: float


def layered_layout(sizes: Mapping[K, Size], edges: Sequence[tuple[K, K]]) -> Layout[K]:
    """Lay out nodes of these sizes so that edges lead from left to right.

    Args:
        sizes: Width and height per node; their order decides where nothing else does.
        edges: Source and target; an edge that closes a cycle leads from right to left.

    Returns:
        A position per node, and one route per edge in the order given.
    """
    number = {key: i for i, key in enumerate(sizes)}
    boxes = list(sizes.values())
    arrows = [
        (number[a], number[b]) if a != b and a in number and b in number else None for a, b in edges
    ]
    distinct = list(dict.fromkeys(arrow for arrow in arrows if arrow))
    forward = acyclic(len(boxes), distinct)
    drawn = [_drawn(boxes, *part) for part in _parts(len(boxes), forward)]
    corners, width, height = _packed([size for _, _, size in drawn])
    centres: dict[int, Point] = {}
    lines: Lines = {}
    for (points, routes, _), (dx, dy) in zip(drawn, corners, strict=True):
        centres.update({v: (x + dx, y + dy) for v, (x, y) in points.items()})
        lines.update({a: [(x + dx, y + dy) for x, y in line] for a, line in routes.items()})
    turned = {
        old: lines[new] if old == new else lines[new][::-1]
        for old, new in zip(distinct, forward, strict=True)
    }
    return Layout(
        {key: centres[i] for key, i in number.items()},
        [turned[arrow] if arrow else [] for arrow in arrows],
        width,
        height,
    )


def _parts(count: int, forward: Sequence[Arrow]) -> list[tuple[list[int], list[Arrow]]]:
    """The connected parts, largest first, each with its arrows."""
    parts = sorted(components(count, forward), key=lambda part: -len(part))
    of = {v: i for i, part in enumerate(parts) for v in part}
    arrows: list[list[Arrow]] = [[] for _ in parts]
    for arrow in dict.fromkeys(forward):
        arrows[of[arrow[0]]].append(arrow)
    return list(zip(parts, arrows, strict=True))


def _drawn(
    boxes: Sequence[Size], part: Sequence[int], arrows: Sequence[Arrow]
) -> tuple[dict[int, Point], Lines, Size]:
    """One connected part: centres, lines and size."""
    local = {v: i for i, v in enumerate(part)}
    graph = layered(len(part), [(local[a], local[b]) for a, b in arrows])
    dummies = len(graph.layer) - len(part)
    widths = [boxes[v][0] for v in part] + [0.0] * dummies
    heights = [boxes[v][1] for v in part] + [0.0] * dummies
    order = ordered(graph)
    y = placed(graph, order, heights)
    columns = _columns(graph, widths, y)
    centres = {v: (sum(columns[graph.layer[i]]) / 2, y[i]) for v, i in local.items()}
    lines = {
        arrow: _line(graph, path, widths, y, columns)
        for arrow, path in zip(arrows, graph.paths, strict=True)
    }
    return centres, lines, (columns[-1][1], max(a + h / 2 for a, h in zip(y, heights, strict=True)))


def _columns(graph: Layered, widths: list[float], y: list[float]) -> list[tuple[float, float]]:
    """Left and right end of each layer; the steeper the lines, the wider the gap."""
    count = max(graph.layer) + 1
    wide, climb = [0.0] * count, [0.0] * count
    for v, at in enumerate(graph.layer):
        wide[at] = max(wide[at], widths[v])
        for w in graph.right[v]:
            climb[at] = max(climb[at], abs(y[v] - y[w]))
    columns, x = [], 0.0
    for width, steep in zip(wide, climb, strict=True):
        columns.append((x, x + width))
        x += width + min(LAYER_GAP[1], max(LAYER_GAP[0] + min(BEND, steep), STEEPNESS * steep))
    return columns


def _line(
    graph: Layered,
    path: list[int],
    widths: list[float],
    y: list[float],
    columns: list[tuple[float, float]],
) -> list[Point]:
    points: list[Point] = []
    for i, v in enumerate(path):
        low, high = columns[graph.layer[v]]
        middle, half = (low + high) / 2, widths[v] / 2
        enter = middle + half if i == 0 else low
        leave = middle - half if i == len(path) - 1 else high
        points += [(round(enter, 2), y[v]), (round(leave, 2), y[v])]
    return points


def _packed(sizes: Sequence[Size]) -> tuple[list[Point], float, float]:
    """Upper left corners of boxes put on shelves, and the size of it all."""
    area = sum((w + PART_GAP) * (h + PART_GAP) for w, h in sizes)
    limit = max([math.sqrt(area * SHAPE), *(w for w, _ in sizes)])
    corners: list[Point] = []
    x = y = tall = width = 0.0
    for w, h in sizes:
        if x and x + w > limit:
            x, y, tall = 0.0, y + tall + PART_GAP, 0.0
        corners.append((x, y))
        tall, width = max(tall, h), max(width, x + w)
        x += w + PART_GAP
    return corners, width, y + tall
