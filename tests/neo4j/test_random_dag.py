"""Random steps of two clones, two processes each, recorded at once into one Neo4j."""

from __future__ import annotations

import contextlib
import random
from concurrent.futures import ThreadPoolExecutor

from dws_graph import api
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.views import diff_dumps
from tests.backends.conftest import graph_address
from tests.backends.reachable import check_reach
from tests.neo4j.conftest import MADE, SOURCES, index_dump
from tests.neo4j.local import Address
from tests.rules.dag import Event
from tests.rules.dag_plan import Round, carry_out
from tests.rules.lab import Lab, check_journal

STEPS = 8  # of each process


def plan(clone: str, seed: int) -> list[Round]:
    """Steps of two processes that write the same refs; one takes snapshots between its own."""
    rng = random.Random(seed)
    workers: list[list[Event]] = [[], []]
    for number in range(2 * STEPS):
        ops, name = workers[number % 2], f"{clone}{number}"
        writes, reads = rng.sample(MADE, rng.choice([1, 1, 2])), rng.sample(SOURCES + MADE, 2)
        begin = {"op": "open", "step": name, "reads": reads, "code": ["code"], "writes": writes}
        fails = number % 5 == 1
        ops.append({**begin, "late": rng.random() < 0.5})
        ops.append({"op": "close", "step": name, "writes": writes, "fails": fails})
        if rng.random() < 0.2:
            ref = rng.choice(SOURCES)
            ops.append({"op": "edit", "ref": ref, "content": f"{ref} by {name}"})
        if number in (STEPS, 2 * STEPS - 2):
            ops.append({"op": "snapshot", "tag": f"{clone}-{number}"})
    return [Round(workers, [])]


def test_two_processes_of_each_of_two_clones_make_one_graph(
    clones: tuple[Lab, Lab], neo4j_address: Address
):
    plans = [plan("a", 1), plan("b", 2)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(carry_out, clones, plans))
    for clone in clones:
        api.graph_sync("neo4j", workspace_uri_or_path=str(clone.root))
        check_journal(clone.root)

    expected = index_dump(clones)
    [workspace] = {clone.ws.id for clone in clones}
    with contextlib.closing(Neo4jGraph(graph_address(neo4j_address), workspace)) as graph:
        assert diff_dumps(graph.dump(), expected) == []
        check_reach(GraphQuestions(graph.connection.reading), expected, every=4)

    opened = {e["step"] for events in done for e in events if e["did"] == "opened"}
    steps = [n["properties"] for n in expected["nodes"] if n["labels"] == ["Step"]]
    assert sorted(s["name"] for s in steps) == sorted(opened)
    assert len({s["instance"] for s in steps}) == 2
    assert {"completed", "failed"} == {s["status"] for s in steps}
    assert sum(n["labels"] == ["Snapshot"] for n in expected["nodes"]) >= 3
