"""Two views are compared item by item."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator
from functools import partial

import pytest

from dws_graph.backends.comparing import LOOKED_AT, differences
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, DumpItem, DumpNode, as_dump, canonical, diff_dumps
from tests.backends.histories import random_history


@pytest.fixture(scope="module")
def items() -> list[DumpItem]:
    with Index(None) as index:
        for recorder in random_history(seed=7):
            index.apply(recorder.lines)
        return list(index.items())


def test_equal_views_do_not_differ_in_whatever_order_they_come(items: list[DumpItem]):
    shuffled = items[:]
    random.Random(3).shuffle(shuffled)
    assert differences(lambda: items, lambda: shuffled) == []


def test_what_differs_is_told_as_of_whole_dumps(items: list[DumpItem]):
    for n in (0, len(items) // 2, len(items) - 1):
        rest = items[:n] + items[n + 1 :]
        told = differences(partial(iter, items), partial(iter, rest))
        assert told == diff_dumps(as_dump(items), as_dump(rest))
        assert len(told) == 1
    changed: list[DumpItem] = [*items]
    at = next(n for n, item in enumerate(items) if "labels" in item)
    node = items[at]
    assert "labels" in node
    changed[at] = DumpNode(labels=node["labels"], properties={**node["properties"], "x": 1})
    (told_change,) = differences(lambda: items, lambda: changed)
    assert told_change.endswith("x is None and 1")


def test_an_item_that_comes_twice_is_a_difference(items: list[DumpItem]):
    twice = [*items, items[-1]]
    assert differences(lambda: items, lambda: twice) != []


def test_where_much_differs_some_is_told():
    def many(count: int) -> Iterator[DumpItem]:
        return (node(n) for n in range(count))

    told = differences(lambda: many(400), lambda: many(100), limit=3)
    assert len(told) == 4
    assert told[-1] == "... and more differences"
    assert all(line.startswith("node only in the first") for line in told[:3])
    few = differences(lambda: many(LOOKED_AT), lambda: many(LOOKED_AT - 1))
    assert len(few) == 1


def test_neither_view_is_held_in_memory():
    def many() -> Iterator[DumpItem]:
        return (node(n) for n in range(20_000))

    def peak(work) -> int:
        tracemalloc.start()
        work()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    whole: list[Dump] = []
    held = peak(lambda: whole.append(as_dump(many())))
    assert peak(lambda: differences(many, many)) < held / 10


def node(n: int) -> DumpNode:
    only = DumpNode(labels=["Step"], properties={"id": f"s{n}", "name": f"step {n}", "n": n})
    return canonical([only], [])["nodes"][0]
