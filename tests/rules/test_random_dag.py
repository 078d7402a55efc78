"""Hundreds of random steps, recorded by four processes at once: the graph is what was done.

The plan is random and seeded; which process comes first is not. The journal's order is replayed
over the lists that the workers kept (`dag.py`), and everything recorded must be what comes out.
Another plan: `DWS_TEST_SEED=7 make test ARGS="tests/rules/test_random_dag.py -n 0 -s"`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

import networkx as nx
import pytest

from dws_graph import api
from dws_graph.errors import LineageNotFoundError
from dws_graph.model.subgraph import Subgraph
from tests.rules.dag import Event, Replay, Version
from tests.rules.dag_plan import (
    AT_FIRST,
    OWN,
    REFS,
    RESTORABLE,
    ROUNDS,
    Round,
    carry_out,
    make_lab,
    make_plan,
)
from tests.rules.lab import Lab, check_journal, fresh_dump

SEED = int(os.environ.get("DWS_TEST_SEED", "1"))


def replay(facts: Sequence[Event], done: Sequence[Event]) -> Replay:
    """What the workers did, in the order that the journal has."""
    opened = {e["key"]: e for e in done if e["did"] == "opened"}
    closed = {e["step"]: e for e in done if e["did"] == "closed"}
    restored = iter([e["tag"] for e in done if e["did"] == "restored"])
    model = Replay(AT_FIRST, RESTORABLE)
    order = [((e["seq"], 1, e["at"]), e) for e in done if e["did"] in ("wrote", "refused")]
    order += [((fact["seq"], 0, 0), fact) for fact in facts]
    for (seq, *_), event in sorted(order, key=lambda item: item[0]):
        body = event.get("body", {})
        match event.get("did") or event["kind"]:
            case "wrote":
                model.wrote(event["ref"], event["content"])
            case "refused":
                model.decide(seq, event, let=False)
            case "StepStarted":
                said = opened[body["step"]]
                known = model.running.get(said["step"])
                if known is None:
                    model.decide(seq, said, let=True)
                else:
                    model.declared(known.name, said["writes"][len(known.declared)])
            case "StepCompleted" | "StepAborted" as kind:
                name = opened[body["id"]]["step"]
                fails = closed[name]["fails"]
                model.ended(seq, name, fails=fails, completed=kind == "StepCompleted")
            case "SnapshotTaken":
                model.snapshot(body["tag"], set(body["read_while_written"]))
            case "Restored":
                model.restore(next(restored))
    return model


def check_marks(model: Replay, facts: Sequence[Event]) -> None:
    """What each step read while it was written, and what changed while it ran."""
    ends = [f["body"] for f in facts if f["kind"] in ("StepCompleted", "StepAborted")]
    names = {body["id"]: body["name"] for body in ends}
    for body in ends:
        step = model.steps[body["name"]]
        written = {ref: read.writers for ref, read in step.reads.items() if read.writers}
        assert set(body["read_while_written"]) == set(written), step.name
        for ref, writer in body["read_while_written"].items():
            assert names[writer] in written[ref], step.name
        assert set(body["changed_while_running"]) == step.changed, step.name


def pair_versions(model: Replay, lab: Lab) -> dict[str, Version]:
    """{certificate: the version it stands for}, one for one, over all that steps read and wrote."""
    stored = lab.ws.index.steps(lab.ws.id)
    assert sorted(s.name for s in stored) == sorted(model.steps)  # nothing lost, nothing twice
    found: dict[str, Version] = {}
    for info in stored:
        step = model.steps[info.name]
        assert (info.status == "completed") is step.completed
        for certs, versions in (
            (info.inputs, step.inputs),
            (info.code, step.ran),
            (info.outputs, step.outputs),
        ):
            assert sorted(str(c.ref) for c in certs) == sorted(versions), step.name
            for cert in certs:
                version = versions[str(cert.ref)].now()
                assert found.setdefault(cert.id, version) is version, (step.name, cert)
    assert len(set(found.values())) == len(found)
    return found


def check_reach(model: Replay, lab: Lab, pairs: Mapping[str, Version]) -> None:
    """Upstream and downstream of every ref are what networkx finds in the test's own graph."""
    graph = model.graph()
    for ref in REFS:
        below: set[object] = set()
        for version in {v.now() for v in pairs.values() if v.ref == ref}:
            below |= {version, *nx.descendants(graph, version)}
        if below:
            found = api.downstream_in(lab.ws, ref).subgraph
            assert _edges(found, model, pairs) == _own_edges(graph.out_edges, below), ref
        if ref not in model.current:
            with pytest.raises(LineageNotFoundError):
                api.upstream_in(lab.ws, ref)
            continue
        top = model.current[ref][0].now()
        above = {top, *nx.ancestors(graph, top)} if top in graph else set()
        found = api.upstream_in(lab.ws, ref).subgraph
        assert _edges(found, model, pairs) == _own_edges(graph.in_edges, above), ref


Edges: TypeAlias = set[tuple[object, object, str]]


def _edges(found: Subgraph, model: Replay, pairs: Mapping[str, Version]) -> Edges:
    """The edges of an answer, between the test's own steps and versions."""
    named = {n.key: model.steps[n.name] for n in found.nodes if n.kind == "step"} | dict(pairs)
    edges: Edges = {(named[e.source], named[e.target], e.type) for e in found.edges}
    assert len(edges) == len(found.edges)
    return edges


def _own_edges(edges: Callable[..., Any], nodes: Collection[object]) -> Edges:
    return set(edges(nodes, data="type"))


def check_stale(model: Replay, lab: Lab) -> None:
    """What is stale is what follows in the test's own graph from what differs on disk."""
    rows = api.lineage_stale_in(lab.ws)
    assert {row["step"]: sorted(row["outputs"]) for row in rows} == model.stale()
    assert len(rows) == len(model.stale())


def check_views(lab: Lab) -> None:
    """Each view holds what it holds when folded anew."""
    before = lab.ws.index.dump()
    assert fresh_dump(lab.ws) == before
    lab.ws.close()
    api.graph_rebuild(workspace_uri_or_path=str(lab.root))
    assert api.dump("index", str(lab.root)) == before
    assert api.dump("cypher", str(lab.root)) == before
    lab.reopen()


def check_all(lab: Lab, done: Sequence[Event]) -> Replay:
    """Everything recorded is what was done; the workspace is open again afterwards."""
    lab.reopen()
    facts = check_journal(lab.root)
    model = replay(facts, done)
    assert model.wrong == []
    assert not model.running
    for event in done:
        if event["did"] == "closed":
            refused = model.steps[event["step"]].refused and not event["fails"]
            assert event["refused"] is refused, event
    check_marks(model, facts)
    pairs = pair_versions(model, lab)
    check_reach(model, lab, pairs)
    check_stale(model, lab)
    check_views(lab)
    return model


@pytest.mark.parametrize("race", [False, True], ids=["refs of their own", "a race"])
def test_rule_2_1_300_random_steps_of_four_processes(tmp_path, race):
    lab = make_lab(tmp_path)
    model = check_all(lab, carry_out(lab, make_plan(SEED, 300, race=race)))
    count = len(set(model.steps) - model.refused)
    marked = sum(bool(read.writers) for s in model.steps.values() for read in s.reads.values())
    print(f"seed {SEED}: {count} of 300 let in, {marked} reads while written")  # noqa: T201
    assert count + len(model.refused) == 300
    assert count >= 150
    assert marked
    lab.close()


def test_rule_6_13_readers_rebuilds_and_snapshots_at_once_take_nothing_from_the_steps(tmp_path):
    """Nothing is lost and nothing there twice, whoever looks, folds anew or commits meanwhile."""
    lab = make_lab(tmp_path)
    (steps, *_) = make_plan(SEED, 60 * ROUNDS, race=True)
    others: list[list[Event]] = [
        [{"op": "look", "ref": ref} for _ in range(3) for ref in OWN[0]],
        [{"op": "rebuild"}] * 6,
        [{"op": "rebuild"}] * 6,
        [{"op": "snapshot", "tag": f"V{n}"} for n in range(5)],
    ]
    done = carry_out(lab, [Round([*steps.workers, *others], [])])
    model = check_all(lab, done)
    assert len(set(model.steps) | model.refused) == 60
    assert sum(e["did"] == "looked" for e in done) == 24
    lab.write("raw:/tag.txt", "new\n")
    assert lab.snapshot("last").is_new
    assert lab.status() == ""
    lab.close()
