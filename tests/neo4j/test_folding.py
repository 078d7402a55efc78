"""Facts into Neo4j: each once, whoever is killed or begins anew meanwhile; each workspace apart."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Callable, Iterator

import pytest

from dws_graph.backends import faults
from dws_graph.backends.graph.connecting import GraphAddress
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.schema import VERSION
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.errors import JournalMisfitError, ViewError
from dws_graph.model.facts import Line
from tests.backends.histories import two_instances
from tests.neo4j.local import Address

Part = Callable[[str], Neo4jGraph]


class Killed(BaseException):
    """What a test does to a client at a fault point."""


@pytest.fixture
def part(neo4j_address: Address) -> Iterator[Part]:
    given = neo4j_address
    address = GraphAddress(given.url, None, given.user, given.password)
    with contextlib.ExitStack() as stack:

        def part(workspace: str) -> Neo4jGraph:
            return stack.enter_context(contextlib.closing(Neo4jGraph(address, workspace, chunk=5)))

        yield part


def index_dump(lines: list[Line]) -> Dump:
    with Index(None) as index:
        index.apply(lines)
        return index.dump()


def story() -> tuple[str, list[Line]]:
    workspace = str(uuid.uuid4())
    a, b = two_instances(workspace)
    return workspace, [*a.lines, *b.lines]


@contextlib.contextmanager
def killed_at(point: str, time: int) -> Iterator[None]:
    """The client is killed when it comes to a fault point this often."""
    seen = 0

    def hook(name: str) -> None:
        nonlocal seen
        seen += name == point
        if name == point and seen == time:
            raise Killed

    faults.hook = hook
    try:
        with pytest.raises(Killed):
            yield
    finally:
        faults.hook = None


@pytest.mark.parametrize("time", [1, 3])
def test_a_client_that_is_killed_in_a_transaction_leaves_none_of_it(part: Part, time: int):
    workspace, lines = story()
    with killed_at("neo4j: commit", time):
        part(workspace).apply(lines)

    assert sum(last.seq for last in part(workspace).applied().values()) == 5 * (time - 1)
    assert part(workspace).apply(lines) == len(lines) - 5 * (time - 1)
    assert diff_dumps(index_dump(lines), part(workspace).dump()) == []


def test_a_drop_that_was_killed_is_finished_by_whoever_folds_next(part: Part):
    workspace, lines = story()
    part(workspace).apply(lines)
    with killed_at("neo4j: drop", 3):
        part(workspace).drop()

    with pytest.raises(JournalMisfitError):  # what it knew of is gone
        part(workspace).apply(lines[5:])
    assert part(workspace).applied() == {}
    assert part(workspace).dump() == {"nodes": [], "edges": []}
    assert part(workspace).apply(lines) == len(lines)
    assert diff_dumps(index_dump(lines), part(workspace).dump()) == []


def test_two_instances_that_fold_at_once_make_one_graph(part: Part):
    workspace = str(uuid.uuid4())
    a, b = two_instances(workspace)
    counts: list[int] = []

    def work(graph: Neo4jGraph, lines: list[Line]) -> None:
        for at in range(1, len(lines), 3):
            counts.append(graph.apply(lines[:at]))
        counts.append(graph.apply(lines))

    workers = [
        threading.Thread(target=work, args=[part(workspace), lines])
        for lines in (a.lines, b.lines, [*b.lines, *a.lines])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(counts) == len(a.lines) + len(b.lines)
    assert diff_dumps(index_dump([*a.lines, *b.lines]), part(workspace).dump()) == []


def test_workspaces_do_not_touch_one_another(part: Part):
    one, lines = story()
    two, others = story()
    part(one).apply(lines)
    part(two).apply(others)

    part(one).drop()

    assert part(one).dump() == {"nodes": [], "edges": []}
    assert part(one).applied() == {}
    assert diff_dumps(index_dump(others), part(two).dump()) == []


def test_facts_of_another_workspace_are_refused(part: Part):
    _, lines = story()
    with pytest.raises(ViewError, match="is not of this one"):
        part(str(uuid.uuid4())).apply(lines)


def test_a_graph_of_a_later_version_is_left_alone(part: Part, monkeypatch: pytest.MonkeyPatch):
    workspace, lines = story()
    part(workspace).apply(lines[:5])
    monkeypatch.setattr("dws_graph.backends.graph.schema.VERSION", VERSION - 1)

    with pytest.raises(ViewError, match="is of a later version of dws-graph") as caught:
        part(workspace).apply(lines)
    with pytest.raises(ViewError, match="is of a later version"):
        part(workspace).applied()

    assert "Upgrade dws-graph" in caught.value.hint
