"""The index as a dump, and how much it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from dws_graph.backends.index.store import Store
from dws_graph.backends.views import Dump, DumpEdge, DumpItem, DumpNode, as_dump

NODES = "SELECT label, props FROM node"
EDGES = """
SELECT e.type, s.key, t.key, e.instance
FROM edge e JOIN node s ON s.id = e.src JOIN node t ON t.id = e.dst
"""
LABELS = "SELECT label, count(*) FROM node GROUP BY label"
EDGE_COUNT = "SELECT count(*) FROM edge"
FACT_COUNT = "SELECT coalesce(sum(seq), 0) FROM applied"
PAGES = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
CERTIFICATES = {"Certificate", "HashCertificate", "PlaceholderCertificate"}


def dump(store: Store) -> Dump:
    """All nodes and edges in canonical form."""
    return as_dump(items(store))


def items(store: Store) -> Iterator[DumpItem]:
    """The nodes, and the edges, one by one, of one state of the index."""
    with store.read():
        for label, props in store.stream(NODES):
            yield DumpNode(labels=labels(label), properties=json.loads(props))
        for kind, source, target, instance in store.stream(EDGES):
            yield DumpEdge(
                type=kind,
                source=source,
                target=target,
                properties={"instance": instance} if instance else {},
            )


def labels(label: str) -> list[str]:
    """All labels of a node."""
    return sorted({"Certificate", label}) if label in CERTIFICATES else [label]


def counts(store: Store) -> dict[str, int]:
    """How many facts, nodes (by label, too) and edges it holds."""
    by_label = dict(store.rows(LABELS))
    [(count,)], [(facts,)] = store.rows(EDGE_COUNT), store.rows(FACT_COUNT)
    return {"facts": facts, "nodes": sum(by_label.values()), "edges": count, **by_label}


def size(store: Store) -> int:
    """Bytes of the database."""
    [(found,)] = store.rows(PAGES)
    return int(found)
