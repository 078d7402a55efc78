"""The graph as it was at a moment: what had been recorded by then, and was not yet retracted.

    now      raw -> prepare -> clean -> train (later)
                                    ~~> fit (retracted later)
    then     raw -> prepare -> clean -> fit

No view keeps its past. A step carries the id of the fact that recorded it, a retraction its own,
and fact ids are in the order of time: so an arrow was there when its step was. A certificate is
there with its arrows, or with the first snapshot that contains it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from dws_graph.backends.overviews import Moment
from dws_graph.errors import JsonValueError
from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.model.values import parse_utc, utc_text

RETRACTED = "RETRACTED_"  # begins the types of the arrows of a retracted step


class StepTimes(NamedTuple):
    """What says when a step was there: ids of facts, and its own times.

    Attributes:
        recorded: The fact that told how it ended; None where imports alone tell of it.
        start_time: UTC; None where only its retraction is known.
        seconds: How long it took, where that is known.
        retracted: The fact that retracted it; None where none did.
    """

    recorded: str | None
    start_time: str | None
    seconds: float | None
    retracted: str | None

    def had_ended(self, moment: Moment) -> bool:
        """Whether it was known by then how the step ended."""
        if self.recorded is not None:
            return self.recorded <= moment.fact
        if self.start_time is None:
            return False
        return _end(self.start_time, self.seconds or 0.0) <= moment.time

    def was_retracted(self, moment: Moment) -> bool:
        """Whether it had been retracted by then."""
        return self.retracted is not None and self.retracted <= moment.fact


class History(Protocol):
    """What a view tells of its past."""

    def arrows(self, ids: Collection[str], *, down: bool) -> Iterable[Edge]:
        """Those away from nodes, or into them; those of retracted steps too, as `RETRACTED_`."""

    def times(self, steps: Collection[str]) -> Mapping[str, StepTimes]:
        """When steps were there."""

    def contained(self, certificates: Collection[str]) -> Mapping[str, str]:
        """The fact of the first snapshot that contains each; others are left out."""


@dataclass(frozen=True, slots=True)
class Past:
    """A view as it was at a moment; looks each step up once."""

    history: History
    moment: Moment
    _times: dict[str, StepTimes] = field(default_factory=dict)

    def arrows(self, ids: Collection[str], *, down: bool) -> list[Edge]:
        """The arrows away from nodes, or into them, that were there then."""
        return [edge for edge in self._named(ids, down=down) if self._was_there(edge)]

    def reached(
        self, starts: Iterable[str], *, down: bool, depth: int | None
    ) -> tuple[set[str], set[Edge]]:
        """The nodes to be reached over at most `depth` steps, and the arrows on the way."""
        level = list(starts)
        nodes, edges = set(level), set[Edge]()
        crossed = 0
        while level:  # the nodes that `crossed` steps lie before
            beyond: list[str] = []
            while level:  # what a step reads or wrote is as far as the step
                near: list[str] = []
                for edge in self.arrows(level, down=down):
                    other = edge.target if down else edge.source
                    if other not in nodes:
                        into_step = edge.type != "IMPORTED_AS" and (edge.type == "WROTE") != down
                        if into_step and depth is not None and crossed >= depth:
                            continue
                        nodes.add(other)
                        (beyond if into_step else near).append(other)
                    edges.add(edge)
                level = near
            level = beyond
            crossed += 1
        return nodes, edges

    def known(self, ids: Collection[str]) -> set[str]:
        """Those of the ids of steps and certificates that were known then."""
        touching = [*self._named(ids, down=True), *self._named(ids, down=False)]
        told = {end for edge in touching if _step_of(edge) for end in (edge.source, edge.target)}
        steps = self._look_up(ids)
        found = {key for key in steps if self._had_step(key)}
        for edge in filter(self._was_recorded, touching):
            found |= {edge.source, edge.target}
        contained = self.history.contained(ids)
        found |= {key for key, fact in contained.items() if fact <= self.moment.fact}
        untold = {key for key in ids if key not in told and key not in contained}
        return {key for key in ids if key in found or (key in untold and key not in steps)}

    def told(self, found: Subgraph) -> Subgraph:
        """The same, each certificate saying whether a step had written it by then."""
        keys = [node.key for node in found.nodes if node.kind == "certificate"]
        wrote = [e for e in self._named(keys, down=False) if e.type == "WROTE"]
        produced = {e.target for e in wrote if self._was_there(e)}
        undone = {e.target for e in wrote if self._was_recorded(e)} - produced
        return replace(found, nodes=tuple(_written(n, produced, undone) for n in found.nodes))

    def _named(self, ids: Collection[str], *, down: bool) -> list[Edge]:
        """All arrows, of whatever time, by the names that they had."""
        edges = [
            Edge(e.source, e.target, e.type.removeprefix(RETRACTED))
            for e in self.history.arrows(ids, down=down)
        ]
        self._look_up({_step_of(edge) for edge in edges} - {""})
        return edges

    def _look_up(self, steps: Collection[str]) -> list[str]:
        """Those of the ids that are steps, their times noted."""
        wanted = [key for key in steps if key not in self._times]
        self._times.update(self.history.times(wanted) if wanted else {})
        return [key for key in steps if key in self._times]

    def _was_there(self, edge: Edge) -> bool:
        step = _step_of(edge)
        return self._was_recorded(edge) and not (
            step and self._times[step].was_retracted(self.moment)
        )

    def _was_recorded(self, edge: Edge) -> bool:
        step = _step_of(edge)
        return not step or self._had_step(step)

    def _had_step(self, step: str) -> bool:
        return self._times[step].had_ended(self.moment)


def _end(start: str, seconds: float) -> str:
    """When a step ended; where what another workspace told of it is no time, when it began."""
    try:
        return utc_text(parse_utc(start) + dt.timedelta(seconds=seconds))
    except (JsonValueError, OverflowError, ValueError):
        return start


def _step_of(edge: Edge) -> str:
    """The step whose arrow it is; empty for one between workspaces."""
    if edge.type == "IMPORTED_AS":
        return ""
    return edge.source if edge.type == "WROTE" else edge.target


def _written(node: Node, produced: Collection[str], undone: Collection[str]) -> Node:
    if node.kind != "certificate":
        return node
    said = {key: value for key, value in node.properties.items() if key != "retracted"}
    said["produced"] = node.key in produced
    if node.key in undone:
        said["retracted"] = True
    return replace(node, properties=said)
