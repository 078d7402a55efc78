"""Whether two views hold the same graph, told without holding either in memory.

Items are counted and added up by hash in buckets, chosen by what an item is about: a node's id, an
edge's ends and type. Two views that differ do so in some buckets; the items of these alone are
looked at again. Both are read twice at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from dws_graph.backends.views import DumpItem, DumpNode, as_dump, diff_dumps

Items = Callable[[], Iterable[DumpItem]]
"""Gives all items of a view; may be called again."""

BUCKETS = 1 << 12
LOOKED_AT = 16  # buckets: what differs in some is told, the rest is said to differ


def differences(
    a: Items, b: Items, *, limit: int = 20, names: tuple[str, str] = ("the first", "the second")
) -> list[str]:
    """How the graphs of two views differ, for people: see `diff_dumps`."""
    sums_a, sums_b = _sums(a()), _sums(b())
    differing = [n for n in range(BUCKETS) if sums_a[n] != sums_b[n]]
    if not differing:
        return []
    chosen = frozenset(differing[:LOOKED_AT])
    dumps = as_dump(_of(a(), chosen)), as_dump(_of(b(), chosen))
    found = diff_dumps(*dumps, limit=limit, names=names)
    if len(differing) > LOOKED_AT:
        found[limit:] = ["... and more differences"]
    return found


def foreign_ids(items: Iterable[DumpItem], workspace: str) -> frozenset[str]:
    """The ids of the nodes that are another workspace's: what this one imported."""
    return frozenset(
        item["properties"]["id"]
        for item in items
        if "source" not in item and _owner(item) not in (None, workspace)
    )


def _owner(node: DumpNode) -> str | None:
    properties = node["properties"]
    found = properties["id"] if node["labels"] == ["Workspace"] else properties.get("workspace")
    return None if found is None else str(found)


def less_foreign(items: Items, foreign: frozenset[str]) -> Items:
    """The same, but of another workspace's nodes only that they are there.

    What they are that workspace tells, as are the edges that lead to them.
    """

    def less() -> Iterator[DumpItem]:
        for item in items():
            if "source" in item:
                if item["target"] not in foreign:
                    yield item
            elif item["properties"]["id"] in foreign:
                yield DumpNode(labels=[], properties={"id": item["properties"]["id"]})
            else:
                yield item

    return less


def _sums(items: Iterable[DumpItem]) -> list[int]:
    """Of each bucket the sum of its items' hashes: the same in whatever order they come."""
    sums = [0] * BUCKETS
    for item in items:
        line = json.dumps(_plain(item), sort_keys=True, separators=(",", ":"))
        sums[_bucket(item)] += _hash(line)
    return sums


def _plain(item: DumpItem) -> dict[str, object]:
    """As a dump has it: labels sorted, and no property that is None."""
    properties = {key: value for key, value in item["properties"].items() if value is not None}
    return {**item, "properties": properties}


def _bucket(item: DumpItem) -> int:
    """By what it is about, so that two versions of it are in one."""
    if "source" in item:
        about = f"{item['type']} {item['source']} {item['target']}"
    else:
        about = str(item["properties"].get("id"))
    return _hash(about) % BUCKETS


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")


def _of(items: Iterable[DumpItem], buckets: frozenset[int]) -> Iterable[DumpItem]:
    return (item for item in items if _bucket(item) in buckets)
