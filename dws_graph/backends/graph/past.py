"""The graph in Neo4j as it was at a moment: see `backends.past`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read, each
from dws_graph.backends.graph.reaching import Reached, subgraph
from dws_graph.backends.overviews import Moment
from dws_graph.backends.past import Past, StepTimes
from dws_graph.model.subgraph import Edge, Subgraph

INTO = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})<-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS
    |RETRACTED_READ_BY|RETRACTED_CODE_OF|RETRACTED_WROTE]-(b)
RETURN b.id AS source, type(e) AS type, n.id AS target
"""
AWAY = """
UNWIND $ids AS id
MATCH (n:Certificate|Step {id: id})-[e:READ_BY|CODE_OF|WROTE|IMPORTED_AS
    |RETRACTED_READ_BY|RETRACTED_CODE_OF|RETRACTED_WROTE]->(b)
RETURN n.id AS source, type(e) AS type, b.id AS target
"""
TIMES = """
UNWIND $ids AS id
MATCH (s:Step {id: id})
RETURN s.id AS id, s.recorded AS recorded, s.start_time AS start_time,
    s.execution_time_seconds AS seconds, head([(s)<-[:RETRACTS]-(r) | r.at]) AS retracted
"""
CONTAINED = """
UNWIND $ids AS id
MATCH (c:Certificate {id: id})<-[:CONTAINS]-(s:Snapshot)
RETURN c.id AS id, min(s.at) AS fact
"""


class GraphHistory:
    """What Neo4j tells of its past."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def arrows(self, ids: Collection[str], *, down: bool) -> Iterable[Edge]:
        """See `History`."""
        rows = each(self._read, AWAY if down else INTO, ids)
        return (Edge(row["source"], row["target"], row["type"]) for row in rows)

    def times(self, steps: Collection[str]) -> Mapping[str, StepTimes]:
        """See `History`."""
        rows = each(self._read, TIMES, steps)
        return {
            row["id"]: StepTimes(
                row["recorded"], row["start_time"], row["seconds"], row["retracted"]
            )
            for row in rows
        }

    def contained(self, certificates: Collection[str]) -> Mapping[str, str]:
        """See `History`."""
        return {row["id"]: row["fact"] for row in each(self._read, CONTAINED, certificates)}


def lineage(
    read: Read,
    starts: Collection[str],
    moment: Moment,
    *,
    root: str,
    up: bool,
    down: bool,
    depth: int | None,
) -> Subgraph:
    """What lay around the starts at a moment; see `Questions.lineage_then`."""
    past = Past(GraphHistory(read), moment)
    begin = past.known(_begun(read, starts))
    found = Reached(set(begin))
    for way in [False] * up + [True] * down:
        nodes, edges = past.reached(begin, down=way, depth=depth)
        found.nodes |= nodes
        found.edges |= edges
    return past.told(subgraph(read, found, root))


def known(read: Read, ids: Collection[str], moment: Moment) -> set[str]:
    """Those of the ids that were known at a moment."""
    return Past(GraphHistory(read), moment).known(_begun(read, ids))


def _begun(read: Read, starts: Iterable[str]) -> list[str]:
    """The steps and certificates meant: a ref stands for all its versions."""
    return list(dict.fromkeys(row["id"] for row in each(read, texts.STARTS, starts)))
