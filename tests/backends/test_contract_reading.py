"""The contract of users' Cypher: answered as JSON; what would write or read files is refused.

The same tests for the embedded view and Neo4j.
"""

from __future__ import annotations

import json

import pytest

from dws_graph.errors import QueryError
from tests.backends.conftest import Told

WRITES = [
    "CREATE (n:Thing {id: 'x'})",
    "create (n:Thing {id: 'x'})",
    "MERGE (n:Step {id: 'x'}) RETURN n",
    "MATCH (n:Step) SET n.name = 'x'",
    "MATCH (n:Step) sEt n += {name: 'x'}",
    "MATCH (n:Step) SET n:Other",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) // all\n DETACH // of them\n DELETE n",
    "MATCH (n:Step)\nREMOVE\nn.name",
    "MATCH (n:Tag) DELETE n",
    "DROP INDEX some",
    "CREATE INDEX FOR (n:Step) ON (n.name)",
    "CREATE CONSTRAINT FOR (n:Step) REQUIRE n.name IS UNIQUE",
    "FOREACH (i IN [1, 2] | CREATE (:Thing {id: i}))",
    "foreach (i IN [1] | // one\n merge (:Thing {id: i}))",
    "CALL { CREATE (n:Thing {id: 'x'}) RETURN n } RETURN n",
    "MATCH (n:Step) CALL { WITH n // inside\n SET n.name = 'x' RETURN 1 AS one } RETURN one",
    "call { call { create (n:Thing {id: 'x'}) return n } return n } return n",
    "RETURN 1 AS n UNION CREATE (m:Thing {id: 'x'}) RETURN 1 AS n",
    "EXPLAIN CREATE (n:Thing)",
    "PROFILE CREATE (n:Thing {id: 'x'})",
    "CALL table.upsert({type: 'Step', rows: [{id: 'x'}]})",
    "CALL `db.cdc.enable`()",
]
FILES = [
    "LOAD CSV FROM 'file:///etc/passwd' AS r RETURN r",
    "load csv with headers from 'file:///etc/passwd' as r return r",
    "LOAD // not seen\n CSV FROM 'file:///etc/passwd' AS r RETURN r",
    "`LOAD` CSV FROM 'file:///etc/passwd' AS r RETURN r",
    "RETURN 1 AS r UNION LOAD CSV FROM 'file:///etc/passwd' AS r RETURN r",
]


@pytest.mark.parametrize("query", WRITES + FILES)
def test_what_writes_or_reads_files_is_refused_and_changes_nothing(told: Told, query):
    with pytest.raises(QueryError, match=r"only read|LOAD CSV|cannot be answered") as e:
        told.ask(query)

    assert e.value.hint
    assert "\n" not in e.value.message
    assert told.graph.dump() == told.dump


@pytest.mark.parametrize("word", ["CREATE", "set x", "DETACH DELETE", "drop", "FOREACH", "MERGE"])
def test_a_text_that_holds_such_a_word_is_answered(told: Told, word: str):
    result = told.graph.read_only(f"RETURN '{word}' AS word, $given AS given", {"given": word})
    assert result.rows == ((word, word),)


def test_answers_are_json_without_what_the_engine_makes_up(told: Told):
    result = told.ask(
        "MATCH p = (s:Step {name: 'train'})-[w:WROTE]->(c:Certificate)"
        " WHERE s.workspace = $workspace"
        " RETURN s, w, c, p, properties(c) AS props, [s] AS steps, 1.5 AS x, datetime() AS now,"
        " c {.*} AS map"
    )

    json.dumps(result.rows, allow_nan=False)
    assert result.columns == ("s", "w", "c", "p", "props", "steps", "x", "now", "map")
    step, wrote, cert, path, props, steps, x, _, mapped = result.rows[0]
    assert step["labels"] == ["Step"]
    assert not {"title", "type"} & step["properties"].keys()
    assert step["properties"]["name"] == "train"
    assert wrote == {"type": "WROTE", "properties": {}}
    assert cert["labels"] == ["Certificate", "HashCertificate"]
    assert not {"title", "type", "name"} & cert["properties"].keys()
    assert props == cert["properties"] == mapped
    assert steps == [step]
    assert path["nodes"][0] == step
    assert x == 1.5


def test_a_resource_keeps_its_own_type(told: Told):
    result = told.ask("MATCH (r:Resource {name: 'code'}) WHERE r.workspace = $workspace RETURN r")
    assert result.rows[0][0]["properties"]["type"] == "git"


def test_rows_are_cut_and_said_to_be(told: Told):
    some = told.graph.read_only("UNWIND range(1, 5) AS n RETURN n", max_rows=3)
    assert (some.rows, some.truncated) == (((1,), (2,), (3,)), True)
    assert not told.graph.read_only("UNWIND range(1, 3) AS n RETURN n", max_rows=3).truncated


def test_time_is_limited(told: Told):
    with pytest.raises(QueryError, match=r"longer than 0\.1 s"):
        told.graph.read_only(
            "UNWIND range(1, 3000000) AS a UNWIND range(1, 1000) AS b RETURN count(*) AS n",
            timeout=0.1,
        )


@pytest.mark.parametrize(
    "query",
    ["MATCH (n", "RETURN $missing", "MATCH (n) RETURN nothing(n)", "MATCH (n) RETURN m", ""],
)
def test_what_is_not_cypher_is_said_in_one_sentence(told: Told, query: str):
    with pytest.raises(QueryError) as e:
        told.graph.read_only(query)
    assert e.value.hint
    assert "\n" not in e.value.message


def test_parameters_that_no_graph_holds_are_refused(told: Told):
    with pytest.raises(QueryError):
        told.graph.read_only("RETURN $wide AS wide", {"wide": 2**70})


def test_reachability_over_a_bound_names_each_node_once(told: Told):
    result = told.ask(
        "MATCH (c:Certificate)<-[:READ_BY|CODE_OF|WROTE*1..1000000]-(b)"
        " WHERE c.workspace = $workspace AND c.resource = 'model' RETURN DISTINCT b.id AS id"
    )
    keys = [row[0] for row in result.rows]
    assert len(keys) == len(set(keys)) > 3
