"""A picture with places: what a canvas, an SVG or a page of the service draws."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from dws_graph.model.subgraph import Subgraph
from dws_graph.render.groups import grouped
from dws_graph.render.layout import Point, layered_layout
from dws_graph.render.look import Detail, Grouping, Stroke
from dws_graph.render.picture import Marks, Picture, picture_for


class Leg(NamedTuple):
    """A piece of a line, level or curved, that several edges may share."""

    x1: float
    y1: float
    x2: float
    y2: float
    curved: bool
    stroke: Stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Centres per node; distinct legs, and per edge of the picture the legs it runs along."""

    picture: Picture
    centres: dict[str, Point]
    legs: tuple[Leg, ...]
    runs: tuple[tuple[int, ...], ...]
    width: float
    height: float

    def heads(self) -> list[int]:
        """The legs that end in an arrow; a line to data between steps goes on behind its name."""
        passed = {n.key for n in self.picture.nodes if n.shape == "between"}
        ends = zip(self.picture.edges, self.runs, strict=True)
        return [run[-1] for edge, run in ends if run and edge.target not in passed]

    def to_json(self) -> dict[str, Any]:
        """What the scripts of a page take: short keys, for there are thousands."""
        return {
            "width": self.width,
            "height": self.height,
            "nodes": [
                {
                    "id": n.key,
                    "x": self.centres[n.key][0],
                    "y": self.centres[n.key][1],
                    "w": n.width,
                    "h": n.height,
                    "shape": n.shape,
                    "role": n.role,
                    "name": n.name,
                    "label": n.label,
                    "second": n.second,
                    "states": list(n.states),
                    "details": [list(d) for d in n.details],
                    "members": list(n.members),
                }
                for n in self.picture.nodes
            ],
            "legs": [[*leg[:4], int(leg.curved), leg.stroke] for leg in self.legs],
            "edges": [
                {"from": e.source, "to": e.target, "stroke": e.stroke, "legs": list(run)}
                for e, run in zip(self.picture.edges, self.runs, strict=True)
            ],
        }


def drawing_of(
    subgraph: Subgraph,
    *,
    detail: Detail = "steps",
    group: Grouping = "none",
    marks: Marks | None = None,
) -> Drawing:
    """Lay a subgraph out.

    Args:
        subgraph: What to draw.
        detail: `steps` makes data between steps a name on their line, and tells of code in its
            steps; `certificates` draws both on their own.
        group: What to draw as one node.
        marks: Why nodes are stale, by their keys.
    """
    return laid_out(grouped(picture_for(subgraph, detail, marks), group))


def laid_out(picture: Picture) -> Drawing:
    """Give every node its place and every edge its way."""
    layout = layered_layout(
        {n.key: (n.width, n.height) for n in picture.nodes},
        [(e.source, e.target) for e in picture.edges],
    )
    number: dict[Leg, int] = {}
    runs = []
    for edge, route in zip(picture.edges, layout.routes, strict=True):
        run = []
        for i, ((x1, y1), (x2, y2)) in enumerate(pairwise(route)):
            if (x1, y1) != (x2, y2):
                leg = Leg(x1, y1, x2, y2, bool(i % 2) and y1 != y2, edge.stroke)
                run.append(number.setdefault(leg, len(number)))
        runs.append(tuple(run))
    return Drawing(
        picture=picture,
        centres=layout.positions,
        legs=tuple(number),
        runs=tuple(runs),
        width=layout.width,
        height=layout.height,
    )
