"""Workspaces that share what they make are in one graph: each can come, and go, at any time."""

from __future__ import annotations

import contextlib
import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from dws_graph.backends import faults
from dws_graph.backends.graph.connecting import GraphAddress
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.views import Dump, DumpEdge, DumpNode, diff_dumps
from tests.backends.histories import Recorder
from tests.backends.sharing_histories import exporter, importer, index_dump
from tests.neo4j.local import Address

Part = Callable[[Recorder], Neo4jGraph]
ORDERS = list(itertools.permutations((0, 1, 2)))
WAITING = """
SHOW TRANSACTIONS YIELD status, parameters
WHERE status STARTS WITH 'Blocked'
RETURN parameters
"""
LEFT = "UNWIND $ids AS id MATCH (n {id: id}) WHERE NOT n:Turn RETURN count(n) AS count"


@pytest.fixture
def part(neo4j_address: Address) -> Iterator[Part]:
    given = neo4j_address
    address = GraphAddress(given.url, None, given.user, given.password)
    with contextlib.ExitStack() as stack:

        def part(recorder: Recorder) -> Neo4jGraph:
            graph = Neo4jGraph(address, recorder.workspace, chunk=5)
            return stack.enter_context(contextlib.closing(graph))

        yield part


def team() -> tuple[Recorder, Recorder, Recorder]:
    """A workspace that exports, which has retracted its step since, and two that import it."""
    made = exporter(str(uuid.uuid4()))
    used = importer(made, str(uuid.uuid4()))
    other = importer(made, str(uuid.uuid4()))
    made.retract(made.steps[0].id, "of the wrong year")
    return made, used, other


def ids(dump: Dump) -> set[str]:
    return {node["properties"]["id"] for node in dump["nodes"]}


def only(dump: Dump, some: set[str]) -> Dump:
    """The nodes of a dump that have these ids, and the edges between."""

    def kept(edge: DumpEdge) -> bool:
        return edge["source"] in some and edge["target"] in some

    nodes: list[DumpNode] = [n for n in dump["nodes"] if n["properties"]["id"] in some]
    return {"nodes": nodes, "edges": [edge for edge in dump["edges"] if kept(edge)]}


def check(part: Part, *there: Recorder) -> None:
    """Every part holds what is its own or it needs, told as all facts there tell of it."""
    whole = index_dump(*there)
    for recorder in there:
        expected = only(whole, ids(index_dump(recorder)))
        assert diff_dumps(expected, part(recorder).dump()) == []


@pytest.mark.parametrize("order", ORDERS)
def test_every_part_holds_the_same_whoever_comes_first(part: Part, order: tuple[int, ...]):
    recorders = team()
    for at, which in enumerate(order):
        part(recorders[which]).apply(recorders[which].lines)
        check(part, *(recorders[i] for i in order[: at + 1]))


@pytest.mark.parametrize("order", ORDERS)
def test_a_part_that_is_dropped_takes_what_it_told_along(part: Part, order: tuple[int, ...]):
    recorders = team()
    for recorder in recorders:
        part(recorder).apply(recorder.lines)

    for at, which in enumerate(order):
        part(recorders[which]).drop()
        check(part, *(recorders[i] for i in order[at + 1 :]))

    everything = sorted(ids(index_dump(*recorders)))
    assert part(recorders[0]).read(LEFT, ids=everything) == [{"count": 0}]


@pytest.mark.parametrize("which", [0, 1])
def test_a_part_that_is_folded_anew_is_as_before(part: Part, which: int):
    recorders = team()
    for recorder in recorders:
        part(recorder).apply(recorder.lines)
    again = recorders[which]

    part(again).drop()
    part(again).apply(again.lines)

    check(part, *recorders)


@pytest.mark.parametrize("held", [0, 1])
def test_what_two_workspaces_tell_of_one_step_at_once_is_told_one_after_the_other(
    part: Part, held: int, monkeypatch: pytest.MonkeyPatch
):
    made, used, _ = team()
    first, second = (made, used) if held == 0 else (used, made)
    ours = threading.current_thread()
    begun: list[Future[int]] = []
    watching = part(first)

    def waits() -> bool:
        waiting = str(watching.connection.command(WAITING))
        return first.workspace in waiting or second.workspace in waiting

    def hook(name: str) -> None:
        """The first has asked which steps there are, and writes once the other has come as far."""
        if name == "graph: nodes" and threading.current_thread() is ours and not begun:
            begun.append(pool.submit(part(second).apply, second.lines))
            while not begun[0].done() and not waits():
                pass

    monkeypatch.setattr(faults, "hook", hook)
    with ThreadPoolExecutor(1) as pool:
        part(first).apply(first.lines)

    assert begun[0].result() == len(second.lines)
    check(part, made, used)


class Killed(BaseException):
    """What a test does to a client at a fault point."""


@pytest.mark.parametrize("time", [1, 2, 4, 6])
def test_a_drop_that_was_killed_tells_again_when_it_is_finished(
    part: Part, time: int, monkeypatch: pytest.MonkeyPatch
):
    made, used, other = recorders = team()
    for recorder in recorders:
        part(recorder).apply(recorder.lines)
    seen = 0

    def hook(name: str) -> None:
        nonlocal seen
        seen += name == "neo4j: drop"
        if name == "neo4j: drop" and seen == time:
            raise Killed

    monkeypatch.setattr(faults, "hook", hook)  # once: it has been here as often after that
    with pytest.raises(Killed):
        part(made).drop()
    part(made).drop()

    check(part, used, other)
