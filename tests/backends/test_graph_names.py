"""Names in a query that the graph does not have; those that it has are those of its pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dws_graph.backends.graph.names import (
    LABELS,
    OF_USERS,
    PROPERTIES,
    TYPES,
    unknown_names,
)
from dws_graph.backends.index import Index
from tests.backends.histories import two_instances

DOCS = Path(__file__).parents[2] / "docs"
QUERIES = re.findall(r"```cypher\n(.+?)```", (DOCS / "cypher.md").read_text(), re.S)


def test_all_that_a_graph_holds_is_known():
    a, b = two_instances()
    with Index(None) as index:
        index.apply([*a.lines, *b.lines])
        dump = index.dump()
    found = {key for node in dump["nodes"] for key in node["properties"]}
    assert {label for node in dump["nodes"] for label in node["labels"]} <= LABELS
    assert {edge["type"] for edge in dump["edges"]} <= TYPES
    assert {key for key in found if not key.startswith(OF_USERS)} <= PROPERTIES


def test_the_names_are_those_of_the_page():
    page = (DOCS / "formats.md").read_text()
    graph = page[page.index("## The graph") : page.index("## A subgraph")]
    written = set(re.findall(r"\w+", graph))
    assert written >= LABELS
    assert written >= TYPES - {"IMPORTED_AS"}
    assert written >= PROPERTIES - {"at", "version", "kind"} | {"version", "kind"}


@pytest.mark.parametrize("query", QUERIES)
def test_the_queries_of_the_cookbook_name_nothing_else(query):
    assert unknown_names(query) == []


@pytest.mark.parametrize(
    ("query", "unknown"),
    [
        ("MATCH (s:Stpe) RETURN s.name", ["label 'Stpe' (is it Step?)"]),
        ("MATCH (s:step) RETURN s", ["label 'step' (is it Step?)"]),
        ("MATCH (:Ref|Xyzzy {subpath: 'a'}) RETURN 1", ["label 'Xyzzy'"]),
        (
            "MATCH (a)-[r:READ_BY|WRITES*1..3]->(b) RETURN a",
            ["relationship type 'WRITES' (is it WROTE?)"],
        ),
        ("MATCH (s:Step) WHERE s.nmae = 'x' RETURN s.id", ["property 'nmae' (is it name?)"]),
        ("MATCH (s:Step {nmae: 'x'}) RETURN s", ["property 'nmae' (is it name?)"]),
        ("MATCH (s:Step) RETURN s.param_lr, s.metric_accuracy", []),
        ("MATCH (s:Step) WHERE s.name = '(x:Nope {a: 1}) s.nope' RETURN s // (x:Nope)", []),
        ("MATCH (s:Step) WITH {any: s.name} AS m RETURN m.any, date('2020-01-01').year", []),
        ("MATCH (s:Step) WHERE (s)-[:WROTE]->(:Certificate) RETURN count(s), $x.any", []),
    ],
)
def test_a_name_that_the_graph_has_not_is_told(query, unknown):
    assert unknown_names(query) == unknown
