"""What a graph holds, for any engine that runs `texts`; asked for some nodes at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dws_graph.backends.graph import texts
from dws_graph.backends.graph.writing import Run
from dws_graph.backends.views import Applied, AppliedMap, DumpEdge, DumpItem, DumpNode
from dws_graph.model.values import Json

PAGE = 2_000


def pages(ids: Sequence[str], size: int = PAGE) -> Iterator[list[Json]]:
    """Ids as rows, so many at a time."""
    for at in range(0, len(ids), size):
        yield [{"id": key} for key in ids[at : at + size]]


def dump_items(run: Run, by_label: Mapping[str, Sequence[str]]) -> Iterator[DumpItem]:
    """The nodes of these ids, by the label that finds them, and the edges that leave them."""
    for label, ids in by_label.items():
        for some in pages(ids):
            for row in run(texts.DUMP_NODES[label], some):
                yield DumpNode(labels=sorted(row["labels"]), properties=row["properties"])
            for row in run(texts.DUMP_EDGES[label], some):
                yield DumpEdge(
                    type=row["type"],
                    source=row["source"],
                    target=row["target"],
                    properties={"instance": row["instance"]} if row["instance"] else {},
                )


def applied_map(rows: Iterable[Json]) -> AppliedMap:
    """The last fact applied of each instance, from the rows of an answer."""
    return {
        (row["workspace"], row["instance"]): Applied(row["seq"], row["hash"], row["offset"])
        for row in rows
    }
