"""Reachability, in every view that is asked: sets of nodes, however many paths lead to them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dws_graph.model import facts as f
from dws_graph.model.folding import ref_id
from dws_graph.model.subgraph import Subgraph
from tests.backends.conftest import Folded, Recorders
from tests.backends.histories import A, B, Recorder, fresh_id, ref


def names(graph: Subgraph) -> list[str]:
    return [node.name for node in graph.nodes]


def pipeline(recorder: Recorders) -> tuple[Recorder, dict[str, str]]:
    a = recorder()
    a.resource("raw", "source-data")
    a.step("prepare", ["raw"], ["clean:/a"], code=["code"])
    a.step("train", ["clean:/a"], ["model"], code=["code"])
    a.step("report", ["model"], ["results"])
    return a, {str(r): c.id for r, c in a.current.items()}


def test_upstream_is_all_that_something_was_made_from_in_order(folded: Folded, recorder: Recorders):
    a, ids = pipeline(recorder)
    with folded(a) as view:
        graph = view.upstream([ids["model"]], root=ids["model"])

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


def test_nodes_have_the_documented_properties(folded: Folded, recorder: Recorders):
    a, ids = pipeline(recorder)
    with folded(a) as view:
        graph = view.upstream([ids["clean:/a"]])

    raw, step = graph.node(ids["raw"]), next(n for n in graph.nodes if n.kind == "step")
    assert raw.properties == {
        "workspace": a.workspace,
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
        "workspace": a.workspace,
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
def test_depth_counts_steps(folded: Folded, recorder: Recorders, depth: int, expected: list[str]):
    a, ids = pipeline(recorder)
    with folded(a) as view:
        assert names(view.upstream([ids["results"]], depth=depth)) == expected


def test_downstream_of_a_ref_starts_from_all_its_versions(folded: Folded, recorder: Recorders):
    a, _ = pipeline(recorder)
    a.edit("raw")
    a.step("look", ["raw"], ["picture"])
    with folded(a) as view:
        graph = view.downstream([ref_id(a.workspace, ref("raw"))])
        near = view.downstream([ref_id(a.workspace, ref("raw"))], depth=1)

    made = ["prepare", "look", "clean:/a", "picture", "train", "model", "report", "results"]
    assert sorted(names(graph)) == sorted(["raw", "raw", *made])
    assert sorted(names(near)) == ["clean:/a", "look", "picture", "prepare", "raw", "raw"]


def test_what_is_not_kept_or_unknown_is_not_complete(folded: Folded, recorder: Recorders):
    a, b = recorder(), recorder(B)
    first = a.step("one", ["raw"], ["model"])
    lost = a.step("two", ["model"], ["other"])
    a.step("one", ["raw"], ["model"])
    a.snapshot()
    b.set_current(a.current.values())
    read = b.step("read", ["raw"], ["there"])

    with folded(b) as view:  # before anything of the other instance arrives
        graph = view.upstream([read.outputs[0].id])
        assert not graph.complete
        assert names(graph) == ["(unknown)", "read", "there"]
    with folded(a, b) as view:
        assert view.upstream([read.outputs[0].id]).complete
        assert not view.upstream([lost.outputs[0].id]).complete
        assert view.upstream([a.current[ref("raw")].id]).complete
        assert not view.downstream([first.outputs[0].id]).complete


def test_a_diamond_is_read_once_a_node_however_many_paths(folded: Folded, recorder: Recorders):
    a = recorder()
    levels = 40  # 2^40 paths
    for level in range(levels):
        for side in "ab":
            reads = [f"{side}{level}", f"{'b' if side == 'a' else 'a'}{level}"]
            a.step(f"{side}{level}", reads, [f"{side}{level + 1}"])
    last = a.current[ref(f"a{levels}")].id
    with folded(a) as view:
        graph = view.upstream([last])
        assert len(graph.nodes) == 2 * levels - 1 + 2 * levels + 1
        assert view.visited <= 3 * len(graph.nodes)
        made = view.downstream([a.current[ref("a0")].id, a.current[ref("b0")].id])
        assert len(made.nodes) == 2 * levels + 2 * levels + 2
        assert view.visited <= 3 * len(made.nodes)
        assert len(view.walk([last])) == 2 * (2 * levels - 1) + 1


def test_a_long_chain(folded: Folded, recorder: Recorders):
    a = recorder()
    length = 500
    for n in range(length):
        a.step("next", [f"r{n}"], [f"r{n + 1}"])
    first, last = a.current[ref("r0")].id, a.current[ref(f"r{length}")].id
    with folded(a) as view:
        graph = view.upstream([last])
        assert len(graph.nodes) == 2 * length + 1
        assert view.visited == 2 * length
        assert [graph.nodes[0].key, graph.nodes[-1].key] == [first, last]
        assert len(view.downstream([first], depth=100).nodes) == 201
        assert view.visited <= 210
        assert len(view.walk([last])) == length + 1


def test_many_starts_are_searched_together(folded: Folded, recorder: Recorders):
    a = recorder()
    for n in range(30):  # each version reads the one before: every start reaches all others
        a.step("update", ["data"], ["data"])
        a.step("look", ["data"], [f"seen{n}"])
    with folded(a) as view:
        graph = view.downstream([ref_id(a.workspace, ref("data"))])
        assert len(graph.nodes) == 31 + 60 + 30
        assert view.visited == len(graph.edges) == 30 * 4


def test_the_walk_names_each_certificate_with_the_steps_that_read_it(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    prepare = a.step("prepare", ["raw"], ["x", "y"], code=["code"])
    both = a.step("both", ["x", "raw"], ["z"])
    ids = {str(r): c.id for r, c in a.current.items()}
    with folded(a) as view:
        rows = view.walk([ids["z"], ids["y"]])

    assert {(str(row.certificate.ref), row.reader) for row in rows} == {
        ("z", None),
        ("y", None),
        ("x", both.id),
        ("raw", both.id),
        ("raw", prepare.id),
    }
    assert len(rows) == 5


def test_the_walk_does_not_pass_a_version_that_its_step_replaced(
    folded: Folded, recorder: Recorders
):
    a = recorder()
    a.step("begin", ["seed"], ["data"])
    before = a.current[ref("data")]
    update = a.step("update", ["data", "extra"], ["data"])
    use = a.step("use", ["data"], ["model"])
    with folded(a) as view:
        rows = view.walk([use.outputs[0].id])
        whole = view.upstream([use.outputs[0].id])

    found = {(row.certificate.id, row.reader) for row in rows}
    assert before.id not in {key for key, _ in found}
    assert {str(row.certificate.ref) for row in rows} == {"model", "data", "extra"}
    assert (update.outputs[0].id, use.id) in found
    assert before.id in {n.key for n in whole.nodes}


def test_a_cycle_of_wrong_data_ends(folded: Folded, recorder: Recorders):
    a = recorder()
    step = a.step("one", ["x"], ["y"])
    a.edit("y")
    back = a.step("two", ["z"], ["w"])
    wrong = replace(back, id=fresh_id(), inputs=step.outputs, outputs=step.inputs, current=())
    a.append(f.STEP_COMPLETED, wrong.to_json())
    with folded(a) as view:
        assert sorted(names(view.upstream([step.outputs[0].id]))) == ["one", "two", "x", "y"]
        assert sorted(names(view.downstream([step.id]))) == ["one", "two", "x", "y"]


@pytest.mark.parametrize(
    ("depth", "limit", "expected"),
    [
        (0, 9, ["clean:/a"]),
        (1, 9, ["prepare", "clean:/a", "train"]),
        (2, 9, ["code", "raw", "prepare", "clean:/a", "train", "model"]),
        (9, 9, ["code", "raw", "prepare", "clean:/a", "train", "model", "report", "results"]),
        (9, 3, ["prepare", "clean:/a", "train"]),
        (9, 0, []),
    ],
)
def test_a_neighbourhood_is_what_is_near_both_ways(
    folded: Folded, recorder: Recorders, depth: int, limit: int, expected: list[str]
):
    a, ids = pipeline(recorder)
    with folded(a) as view:
        whole = view.neighbourhood([ids["clean:/a"]], depth=99)
        graph = view.neighbourhood([ids["clean:/a"]], root="x", depth=depth, limit=limit)

    assert names(graph) == expected
    assert graph.root == "x"
    kept = {node.key for node in graph.nodes}
    between = [e for e in whole.edges if {e.source, e.target} <= kept]
    assert list(graph.edges) == between


def test_a_neighbourhood_cut_short_is_the_same_in_every_view(folded: Folded, recorder: Recorders):
    a = recorder()
    readers = sorted(a.step("look", ["raw"]).id for _ in range(9))
    with folded(a) as view:
        graph = view.neighbourhood([ref_id(a.workspace, ref("raw"))], depth=1, limit=5)

    assert {n.key for n in graph.nodes if n.kind == "step"} == set(readers[:4])
