"""What a graph's page shows beyond what was asked for: step by step, where somebody opened it.

`up=NODE~2` shows all that lies at most two steps upstream of a node that is shown, `down` the
same downstream. What was opened from a node that is not shown (any more) waits until it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, NamedTuple

from fastapi import Query

from dws_graph.api.service.problems import refused
from dws_graph.api.service.v1.lineage import MOST_NODES, nearest
from dws_graph.backends.views import Links, Questions
from dws_graph.model.subgraph import Subgraph
from dws_graph.render.look import Detail

EACH = 500  # nodes that a step of an opening shows at most, the nearest
MOST_OPENED = 200
_OPENED = re.compile(r"(?P<key>[^~]{1,200})(?:~(?P<steps>[1-9][0-9]{0,4}))?")

Opened = Annotated[list[str], Query(max_length=MOST_OPENED)]
More = dict[str, tuple[int, int]]


class Opening(NamedTuple):
    """A node from which somebody went on, how many steps, and which way."""

    key: str
    steps: int
    down: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedUp:
    """A piece of the graph with what was opened from it.

    Attributes:
        found: All its nodes, and every arrow between them.
        left_out: How many nodes were asked for and are not among them.
        more: {node: (so many more upstream, so many downstream)}, of those that have any.
        opened: Those openings that begin at one of its nodes.
    """

    found: Subgraph
    left_out: int
    more: More
    opened: tuple[Opening, ...]


def openings(up: Sequence[str], down: Sequence[str]) -> tuple[Opening, ...]:
    """What an address says was opened; said twice, the farther.

    Raises:
        Problem: That is no node, or no number of steps.
    """
    steps: dict[tuple[str, bool], int] = {}
    for texts, is_down in ((up, False), (down, True)):
        for text in texts:
            if not (said := _OPENED.fullmatch(text)):
                name = "down" if is_down else "up"
                raise refused(f"'{text[:100]}' says no node to open.", f"Give {name}=ID~STEPS.")
            key = (said["key"], is_down)
            steps[key] = max(steps.get(key, 0), int(said["steps"] or 1))
    return tuple(Opening(key, count, is_down) for (key, is_down), count in steps.items())


def opened_up(
    q: Questions,
    found: Subgraph,
    left: Collection[str],
    wanted: Sequence[Opening],
    detail: Detail,
) -> OpenedUp:
    """A piece of the graph with all that was opened from its nodes.

    Args:
        q: Asks a view.
        found: The piece.
        left: The nodes that a limit left out of it.
        wanted: What is opened; one may begin at a node that another shows.
        detail: How it will be drawn: code that is folded into its steps is nothing to open.
    """
    missing = set(left)
    done: list[Opening] = []
    while ready := _ready(found, [one for one in wanted if one not in done]):
        for one in ready:
            found, beyond = _opened(q, found, one)
            missing |= beyond
        done += ready
    keys = {node.key for node in found.nodes}
    links = q.links(keys)
    between = (e for e in links.into if e.source in keys)
    edges = {(e.source, e.target, e.type): e for e in (*between, *found.edges)}
    return OpenedUp(
        found=replace(found, edges=tuple(edges.values())),
        left_out=len(missing - keys),
        more=_more(keys, links, folded=detail == "steps"),
        opened=tuple(done),
    )


def _ready(found: Subgraph, waiting: Sequence[Opening]) -> list[Opening]:
    shown = {node.key for node in found.nodes}
    return [one for one in waiting if one.key in shown]


def _opened(q: Questions, found: Subgraph, one: Opening) -> tuple[Subgraph, set[str]]:
    """A piece with what an opening shows, and the nodes that are too many."""
    ask = q.downstream if one.down else q.upstream
    part = ask([one.key], root=one.key, depth=one.steps)
    keys = {node.key for node in part.nodes}
    if len(keys) > EACH * one.steps:
        part, _ = nearest(part, (one.key,), EACH * one.steps)
    made = joined(found, part)
    return (made if len(made.nodes) <= MOST_NODES else found), keys


def joined(first: Subgraph, second: Subgraph) -> Subgraph:
    """Two pieces as one, which is about what the first is about."""
    return Subgraph(
        root=first.root,
        complete=first.complete and second.complete,
        nodes=tuple({n.key: n for n in (*first.nodes, *second.nodes)}.values()),
        edges=tuple(dict.fromkeys((*first.edges, *second.edges))),
    )


def _more(keys: Collection[str], links: Links, *, folded: bool) -> More:
    """How many neighbours of each node are not shown."""
    hidden = {
        (e.source, e.target)
        for e in links.into
        if e.source not in keys and not (folded and e.type == "CODE_OF")
    }
    above = Counter(target for _, target in hidden)
    seen = Counter(e.source for e in links.into if e.source in keys)
    counts = {key: (above[key], links.leaving.get(key, 0) - seen[key]) for key in keys}
    return {key: count for key, count in counts.items() if any(count)}
