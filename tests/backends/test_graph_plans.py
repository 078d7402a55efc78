"""Every text that Neo4j runs starts from an index, so that its cost is not that of the graph."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dws_graph.backends.graph import (
    listing,
    neo4j,
    page_texts,
    parts,
    past,
    question_texts,
    schema,
    texts,
)
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import MetricIs, StepFilter
from dws_graph.model.refs import ResourceRef
from tests.backends.conftest import Recorders, graph_address
from tests.backends.histories import WORKSPACE
from tests.neo4j.local import Address

SCANS = re.compile(r"AllNodesScan|NodeByLabelScan|NodeByLabelsScan|RelationshipTypeScan|AllRel")
SEEK = "NodeUniqueIndexSeek"
# What only the embedded view runs, which holds one workspace and is read as a whole.
EMBEDDED = ("APPLIED", "FORGET_APPLIED", "DUMP_IDS")
# Parts of texts, which are put together from them.
PARTS = ("STARTED", "STARTED_IN", "NAMED_IN", "TOUCHING", "CONDITIONS", "COUNT")
# Of the parameters that are no strings: their types decide the plan.
VALUES: dict[str, Any] = {
    "ids": [],
    "rows": [],
    "refs": [],
    "scalars": {},
    "limit": 1,
    "metrics": [],
    "recently": 1,
    "version": 1,
}
CLAUSE = re.compile(r"(UNWIND|MATCH|MERGE)\b")


def constants(module: ModuleType, left_out: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(name, text) of each Cypher text of a module."""
    for name, value in vars(module).items():
        if name in left_out or name.startswith("_"):
            continue
        values: Mapping[Any, Any] = {"": value}
        if isinstance(value, dict):
            values = value
        elif isinstance(value, (list, tuple)):
            values = dict(enumerate(value))
        for key, text in values.items():
            if isinstance(text, str) and CLAUSE.match(text.strip()):
                yield f"{module.__name__.rpartition('.')[2]}.{name} {key}".strip(), text


def listings() -> Iterator[tuple[str, str]]:
    """The texts that list and count steps, by each choice that can be made."""
    given: dict[str, Any] = {
        "workspace": WORKSPACE,
        "name": "train",
        "status": "completed",
        "text": "tr",
        "since": "2026",
        "until": "2027",
        "refs": (ResourceRef("raw"),),
        "parameters": {"x": 1, "y": [1]},
        "metrics": (MetricIs("loss", "<", 1),),
    }
    for length in (0, 1, 2, 3, len(given)):
        for names in itertools.combinations(given, length):
            if "refs" not in names or "workspace" in names:
                chosen = StepFilter(**{name: given[name] for name in names})
                yield f"steps by {names}", listing.find_text(chosen, few=True)[0]
                yield f"count by {names}", listing.count_text(chosen)[0]
                if length != 3:
                    later = listing.find_text(chosen, Place("2026", "x"), few=True)
                    yield f"later steps by {names}", later[0]


TEXTS = dict(
    itertools.chain(
        constants(texts, EMBEDDED),
        constants(parts),
        constants(schema),
        constants(question_texts, PARTS),
        constants(page_texts),
        constants(past),
        listings(),
    )
)


@pytest.fixture
def graph(neo4j_address: Address, recorder: Recorders) -> Iterator[Neo4jGraph]:
    """A graph that has its schema, and something of each kind."""
    a = recorder()
    a.step("train", ["raw"], ["model"], code=["code"], environment=a.environment())
    a.snapshot("v1")
    a.retract(a.steps[0].id)
    made = Neo4jGraph(graph_address(neo4j_address), a.workspace)
    with contextlib.closing(made):
        made.apply(a.lines)
        yield made


def operators(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("children", ()):
        yield from operators(child)


def kind(operator: Mapping[str, Any]) -> str:
    return str(operator["operatorType"]).partition("@")[0]


def faults_of(plan: Mapping[str, Any]) -> list[str]:
    """What in a plan does not start from an index."""
    found = []
    for operator in operators(plan):
        if SCANS.search(kind(operator)):
            found.append(f"{kind(operator)} {operator['args'].get('Details')}")
        if kind(operator) == "CartesianProduct":
            for side in operator["children"]:
                leaves = [kind(o) for o in operators(side) if not o.get("children")]
                if not all(leaf.startswith(SEEK) for leaf in leaves):
                    found.append(f"CartesianProduct of {leaves}")
    return found


def explained(graph: Neo4jGraph, text: str) -> Mapping[str, Any]:
    parameters = {name: VALUES.get(name, "x") for name in re.findall(r"\$(\w+)", text)}
    with graph.connection.session("READ") as session:
        plan: Mapping[str, Any] = session.run(f"EXPLAIN {text}", parameters).consume().plan
    return plan


def test_every_text_starts_from_an_index(graph: Neo4jGraph):
    assert len(TEXTS) > 150

    found = {name: faults_of(explained(graph, text)) for name, text in TEXTS.items()}

    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("MATCH (n) RETURN n", "AllNodesScan"),
        ("MATCH (n:Step) RETURN n", "NodeByLabelScan"),
        ("MATCH (n:HashCertificate {id: $ids}) RETURN n", "NodeByLabelScan"),
        ("MATCH (a:Step {id: $ids}), (b:Step) WHERE b.start_time > '' RETURN a, b", "Cartesian"),
    ],
)
def test_a_text_that_does_not_is_noticed(graph: Neo4jGraph, text: str, fault: str):
    assert fault in str(faults_of(explained(graph, text)))


def test_a_list_of_steps_is_read_in_the_order_of_its_index(graph: Neo4jGraph):
    for chosen in (
        StepFilter(),
        StepFilter(workspace=WORKSPACE),
        StepFilter(workspace=WORKSPACE, name="train"),
    ):
        for after in (None, Place("2026", "x")):
            assert sorts_of(explained(graph, listing.find_text(chosen, after, few=True)[0])) == []


def test_a_page_of_snapshots_is_read_in_the_order_of_its_index(graph: Neo4jGraph):
    assert sorts_of(explained(graph, page_texts.SNAPSHOTS)) == []


def test_versions_are_found_by_an_index_of_their_hashes(graph: Neo4jGraph):
    plan = explained(graph, question_texts.FIND_CERTIFICATES)
    seeks = [str(o["args"]["Details"]) for o in operators(plan) if "Index" in kind(o)]

    assert any("(hash)" in seek for seek in seeks)
    assert any("(subpath_hash)" in seek for seek in seeks)


def sorts_of(plan: Mapping[str, Any]) -> list[str]:
    return [kind(o) for o in operators(plan) if kind(o) in ("Sort", "Top")]


def test_neo4j_runs_nothing_that_is_for_the_embedded_view_alone():
    source = Path(str(neo4j.__file__)).read_text()

    assert [name for name in EMBEDDED if re.search(rf"\btexts\.{name}\b", source)] == []
