"""Reachability in the index: sets of nodes, however many paths lead to them."""

from __future__ import annotations

import time

import pytest

from dws_graph.backends.index import Index
from dws_graph.model.folding import ref_id
from dws_graph.model.subgraph import Subgraph
from tests.backends.histories import WORKSPACE, A, B, Recorder, ref


def folded(*recorders: Recorder) -> Index:
    index = Index(None)
    for recorder in recorders:
        index.apply(recorder.lines)
    return index


def names(graph: Subgraph) -> list[str]:
    return [node.name for node in graph.nodes]


def pipeline() -> tuple[Recorder, dict[str, str]]:
    a = Recorder()
    a.resource("raw", "source-data")
    a.step("prepare", ["raw"], ["clean:/a"], code=["code"])
    a.step("train", ["clean:/a"], ["model"], code=["code"])
    a.step("report", ["model"], ["results"])
    return a, {str(r): c.id for r, c in a.current.items()}


def test_upstream_is_all_that_something_was_made_from_in_order():
    a, ids = pipeline()
    with folded(a) as index:
        graph = index.upstream([ids["model"]], root=ids["model"])

    assert names(graph) == ["code", "raw", "prepare", "clean:/a", "train", "model"]
    assert graph.root == ids["model"]
    assert graph.complete
    steps = {n.name: n.key for n in graph.nodes if n.kind == "step"}
    assert {(e.source, e.target, e.type) for e in graph.edges} == {
        (ids["raw"], steps["prepare"], "READ_BY"),
        (ids["code"], steps["prepare"], "CODE_OF"),
        (steps["prepare"], ids["clean:/a"], "WROTE"),
        (ids["clean:/a"], steps["train"], "READ_BY"),
        (ids["code"], steps["train"], "CODE_OF"),
        (steps["train"], ids["model"], "WROTE"),
    }


def test_nodes_have_the_documented_properties():
    a, ids = pipeline()
    with folded(a) as index:
        graph = index.upstream([ids["clean:/a"]])

    raw, step = graph.node(ids["raw"]), next(n for n in graph.nodes if n.kind == "step")
    assert raw.properties == {
        "workspace": WORKSPACE,
        "resource": "raw",
        "subpath": None,
        "hash": None,
        "version": 1,
        "status": "pending",
        "role": "source-data",
        "produced": False,
    }
    assert graph.node(ids["clean:/a"]).properties["produced"]
    assert step.properties == {
        "start_time": step.properties["start_time"],
        "execution_time_seconds": 1.0,
        "parameters": {"lr": 0.5, "layers": [1, 2]},
        "metrics": {},
        "command_line": ["python", "prepare.py"],
        "instance": A,
        "status": "completed",
    }


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (0, ["results"]),
        (1, ["model", "report", "results"]),
        (2, ["clean:/a", "code", "train", "model", "report", "results"]),
    ],
)
def test_depth_counts_steps(depth: int, expected: list[str]):
    a, ids = pipeline()
    with folded(a) as index:
        assert names(index.upstream([ids["results"]], depth=depth)) == expected


def test_downstream_of_a_ref_starts_from_all_its_versions():
    a, _ = pipeline()
    a.edit("raw")
    a.step("look", ["raw"], ["picture"])
    with folded(a) as index:
        graph = index.downstream([ref_id(WORKSPACE, ref("raw"))])
        near = index.downstream([ref_id(WORKSPACE, ref("raw"))], depth=1)

    made = ["prepare", "look", "clean:/a", "picture", "train", "model", "report", "results"]
    assert sorted(names(graph)) == sorted(["raw", "raw", *made])
    assert sorted(names(near)) == ["clean:/a", "look", "picture", "prepare", "raw", "raw"]


def test_what_is_not_kept_or_unknown_is_not_complete():
    a = Recorder()
    first = a.step("one", ["raw"], ["model"])
    lost = a.step("two", ["model"], ["other"])
    a.step("one", ["raw"], ["model"])
    b = Recorder(B)
    a.snapshot()
    b.set_current(a.current.values())
    read = b.step("read", ["raw"], ["there"])
    with folded(a) as index:
        assert not index.upstream([lost.outputs[0].id]).complete
        assert index.upstream([a.current[ref("raw")].id]).complete
        assert not index.downstream([first.outputs[0].id]).complete
    with folded(b) as index:
        graph = index.upstream([read.outputs[0].id])
        assert not graph.complete
        assert names(graph) == ["(unknown)", "read", "there"]
    with folded(a, b) as index:
        assert index.upstream([read.outputs[0].id]).complete


def test_a_diamond_of_a_million_paths_is_read_once_a_node():
    a = Recorder()
    for level in range(20):
        for side in "ab":
            reads = [f"{side}{level}", f"{'b' if side == 'a' else 'a'}{level}"]
            a.step(f"{side}{level}", reads, [f"{side}{level + 1}"])
    last = a.current[ref("a20")].id
    with folded(a) as index:
        graph = index.upstream([last])
        assert len(graph.nodes) == 39 + 41
        assert index.visited <= 3 * len(graph.nodes)
        index.downstream([a.current[ref("a0")].id])
        assert index.visited <= 3 * 80
        assert len(index.walk([last])) == 2 * 39 + 1


def test_a_chain_of_thousands_of_steps():
    a = Recorder()
    for n in range(2_000):
        a.step("next", [f"r{n}"], [f"r{n + 1}"])
    first, last = a.current[ref("r0")].id, a.current[ref("r2000")].id
    with folded(a) as index:
        began = time.monotonic()
        graph = index.upstream([last])
        assert len(graph.nodes) == 4_001
        assert index.visited == 4_000
        assert [graph.nodes[0].key, graph.nodes[-1].key] == [first, last]
        assert len(index.downstream([first], depth=1_000).nodes) == 2_001
        assert len(index.walk([last])) == 2_001
        assert time.monotonic() - began < 5


def test_the_walk_names_each_certificate_with_the_steps_that_read_it():
    a = Recorder()
    prepare = a.step("prepare", ["raw"], ["x", "y"], code=["code"])
    both = a.step("both", ["x", "raw"], ["z"])
    ids = {str(r): c.id for r, c in a.current.items()}
    with folded(a) as index:
        rows = index.walk([ids["z"], ids["y"]])

    assert {(str(row.certificate.ref), row.reader) for row in rows} == {
        ("z", None),
        ("y", None),
        ("x", both.id),
        ("raw", both.id),
        ("raw", prepare.id),
    }
    assert len(rows) == 5


def test_the_walk_does_not_pass_a_version_that_its_step_replaced():
    a = Recorder()
    a.step("begin", ["seed"], ["data"])
    before = a.current[ref("data")]
    update = a.step("update", ["data", "extra"], ["data"])
    use = a.step("use", ["data"], ["model"])
    with folded(a) as index:
        rows = index.walk([use.outputs[0].id])
        whole = index.upstream([use.outputs[0].id])

    found = {(row.certificate.id, row.reader) for row in rows}
    assert before.id not in {key for key, _ in found}
    assert {str(row.certificate.ref) for row in rows} == {"model", "data", "extra"}
    assert (update.outputs[0].id, use.id) in found
    assert before.id in {n.key for n in whole.nodes}


def test_a_cycle_of_wrong_data_ends():
    a = Recorder()
    step = a.step("one", ["x"], ["y"])
    a.current[ref("x")] = step.outputs[0]
    with folded(a) as index:
        c = index._store.connection
        c.execute(
            "INSERT INTO edge (src, type, dst) SELECT o.id, 'READ_BY', s.id FROM node o, node s"
            " WHERE o.key = ? AND s.key = ?",
            (step.outputs[0].id, step.id),
        )
        assert sorted(names(index.upstream([step.outputs[0].id]))) == ["one", "x", "y"]
