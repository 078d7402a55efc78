"""Two clones of a workspace: steps and snapshots of each by commands, at once, into one Neo4j."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.views import diff_dumps
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.reading import is_edited
from dws_graph.workspace.staleness import find_stale
from tests.backends.conftest import graph_address
from tests.neo4j.conftest import done, index_dump, run_dws
from tests.neo4j.local import Address
from tests.rules.lab import Lab, check_journal

STEPS = [("s0", "m0"), ("m0", "m1"), ("s1", "m2"), ("m1", "m3"), ("m2", "m0"), ("m0", "m4")]


def record(clone: Lab, name: str) -> None:
    """A process a command: steps that read one another's outputs, and two snapshots."""
    for number, (read, written) in enumerate(STEPS):
        folder = "source-data" if read.startswith("s") else "intermediate-data"
        target = f"intermediate-data:/{written}.txt"
        source = clone.path(f"{folder}:/{read}.txt")
        script = f"(cat {source}; echo {name}{number}) > {clone.path(target)}"
        options = ["--step-name", f"{name}{number}", "-i", f"{folder}:/{read}.txt", "-o", target]
        done(run_dws(clone.root, "run", *options, "--no-trace", "--", "sh", "-c", script))
        if number in (2, len(STEPS) - 1):
            done(run_dws(clone.root, "snapshot", f"{name}-{number}"))


def test_two_processes_in_two_clones_make_one_graph(
    clones: tuple[Lab, Lab], neo4j_address: Address
):
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(record, clones, ("a", "b")))
    for clone in clones:
        done(run_dws(clone.root, "graph", "sync", "--view", "neo4j"))
        check_journal(clone.root)

    expected = index_dump(clones)
    [workspace] = {clone.ws.id for clone in clones}
    graph = Neo4jGraph(graph_address(neo4j_address), workspace)
    with contextlib.closing(graph):
        assert diff_dumps(graph.dump(), expected) == []
        for clone in clones:
            seq, _, _ = graph.applied()[workspace, clone.ws.instance]
            assert seq == len(clone.journal_lines())

    steps = [n["properties"] for n in expected["nodes"] if n["labels"] == ["Step"]]
    assert sorted(s["name"] for s in steps) == sorted(
        f"{name}{number}" for name in "ab" for number in range(len(STEPS))
    )
    assert len({s["instance"] for s in steps}) == 2
    tags = [n["properties"]["tag"] for n in expected["nodes"] if n["labels"] == ["Tag"]]
    assert sorted(tags) == ["a-2", "a-5", "b-2", "b-5", "start"]


def test_the_graph_tells_what_is_stale_given_the_refs_changed_on_disk(
    clones: tuple[Lab, Lab], neo4j_address: Address
):
    """As the command tells it of the clone that looks at its disk; nothing in the other."""
    one, other = clones
    record(one, "a")
    one.write("intermediate-data:/m1.txt", "by hand\n")
    one.write("source-data:/s1.txt", "newer\n")
    done(run_dws(one.root, "graph", "sync", "--view", "neo4j"))

    ws = one.reopen()
    with contextlib.closing(Neo4jGraph(graph_address(neo4j_address), ws.id)) as graph:
        questions = GraphQuestions(graph.connection.reading)
        entries = ws.index.entries(ws.id, ws.instance)
        changed = [e.ref for e in entries if is_edited(ws, e, [])]
        told = questions.stale(ws.id, ws.instance, changed)
        assert questions.stale(other.ws.id, other.ws.instance) == []

    assert ResourceRef.parse("intermediate-data:/m1.txt") in changed
    assert told == list(find_stale(ws))
    assert {step.step.name for step in told} == {"a1", "a2", "a3", "a4", "a5"}
