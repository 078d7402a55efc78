"""The index as it was at a moment: see `backends.past`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from dws_graph.backends.index.reaching import START, STATES, Reached, subgraph
from dws_graph.backends.index.store import Store
from dws_graph.backends.overviews import Moment
from dws_graph.backends.past import Past, StepTimes
from dws_graph.model.subgraph import Edge, Subgraph

INTO = """
SELECT o.key, e.type, n.key FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
CROSS JOIN edge e ON e.dst = n.id AND e.type IN (
    'READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS',
    'RETRACTED_READ_BY', 'RETRACTED_CODE_OF', 'RETRACTED_WROTE'
)
CROSS JOIN node o ON o.id = e.src
"""
AWAY = """
SELECT n.key, e.type, o.key FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
CROSS JOIN edge e ON e.src = n.id AND e.type IN (
    'READ_BY', 'CODE_OF', 'WROTE', 'IMPORTED_AS',
    'RETRACTED_READ_BY', 'RETRACTED_CODE_OF', 'RETRACTED_WROTE'
)
CROSS JOIN node o ON o.id = e.dst
"""
TIMES = """
SELECT n.key, json_extract(n.props, '$.recorded'), json_extract(n.props, '$.start_time'),
    json_extract(n.props, '$.execution_time_seconds'),
    (SELECT r.at FROM edge e JOIN node r ON r.id = e.src WHERE e.dst = n.id AND e.type = 'RETRACTS')
FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
WHERE n.label = 'Step'
"""
CONTAINED = """
SELECT n.key, min(s.at) FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value
CROSS JOIN edge e ON e.dst = n.id AND e.type = 'CONTAINS'
CROSS JOIN node s ON s.id = e.src
GROUP BY n.key
"""
ROWS = "SELECT n.id, n.key FROM json_each(?1) j CROSS JOIN node n ON n.key = j.value"
KEYS = "SELECT n.key FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value"


class IndexHistory:
    """What the index tells of its past."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def arrows(self, ids: Collection[str], *, down: bool) -> Iterable[Edge]:
        """See `History`."""
        rows = self._store.rows(AWAY if down else INTO, (json.dumps(list(ids)),))
        return (Edge(source, target, kind) for source, kind, target in rows)

    def times(self, steps: Collection[str]) -> Mapping[str, StepTimes]:
        """See `History`."""
        rows = self._store.rows(TIMES, (json.dumps(list(steps)),))
        return {key: StepTimes(*times) for key, *times in rows}

    def contained(self, certificates: Collection[str]) -> Mapping[str, str]:
        """See `History`."""
        return dict(self._store.rows(CONTAINED, (json.dumps(list(certificates)),)))


def lineage(
    store: Store,
    starts: Collection[str],
    moment: Moment,
    *,
    root: str,
    up: bool,
    down: bool,
    depth: int | None,
) -> Subgraph:
    """What lay around the starts at a moment; see `Questions.lineage_then`."""
    past = Past(IndexHistory(store), moment)
    begin = past.known(_begun(store, starts))
    nodes, edges = set(begin), set[Edge]()
    for way in [False] * up + [True] * down:
        more, ways = past.reached(begin, down=way, depth=depth)
        nodes |= more
        edges |= ways
    rows = {key: row for row, key in store.rows(ROWS, (json.dumps(list(nodes)),))}
    reached = Reached(set(rows.values()), {(rows[e.source], e.type, rows[e.target]) for e in edges})
    return past.told(subgraph(store, reached, root))


def known(store: Store, ids: Collection[str], moment: Moment) -> set[str]:
    """Those of the ids that were known at a moment."""
    there = [key for _, key in store.rows(ROWS, (json.dumps(list(ids)),))]
    return Past(IndexHistory(store), moment).known(there)


def _begun(store: Store, starts: Iterable[str]) -> list[str]:
    """The steps and certificates meant: a ref stands for all its versions."""
    rows: dict[int, None] = {}
    for key in starts:
        for row, label in store.rows(START, (key,)):
            if label == "Ref":
                rows |= {found: None for (found,) in store.rows(STATES, (row,))}
            elif label == "Step" or label.endswith("Certificate"):
                rows[row] = None
    return [key for (key,) in store.rows(KEYS, (json.dumps(list(rows)),))]
