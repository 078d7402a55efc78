"""A connection reads what it wrote, and says what is wrong in a sentence."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from dws_graph.backends.graph.connecting import Connection, GraphAddress, Patience, check_url
from dws_graph.errors import ParamValidationError, QueryError, ViewUnavailableError
from tests.neo4j.local import Address, free_port

HASTY = Patience(connect=1, retry=1)


def graph_address(given: Address) -> GraphAddress:
    return GraphAddress(given.url, None, given.user, given.password)


def test_it_reads_what_it_wrote(neo4j_address: Address):
    key = str(uuid.uuid4())
    connection = Connection(graph_address(neo4j_address))
    try:
        connection.write(lambda tx: tx.run("CREATE (:TestNode {id: $id})", {"id": key}).consume())

        found = connection.read("MATCH (n:TestNode {id: $id}) RETURN n.id AS id", id=key)

        assert found == [{"id": key}]
        connection.write(lambda tx: tx.run("MATCH (n:TestNode {id: $id}) DELETE n", {"id": key}))
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"password": "wrong-password-1"}, "refuses the user or password"),
        ({"user": None}, "refuses the user or password"),
        ({"database": "elsewhere"}, "has no database 'elsewhere'"),
        ({"url": f"bolt://127.0.0.1:{free_port()}"}, "cannot be reached"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    neo4j_address: Address, change: dict[str, str], says: str
):
    address = replace(graph_address(neo4j_address), **change)
    connection = Connection(address, HASTY)
    try:
        with pytest.raises(ViewUnavailableError, match=says) as caught:
            connection.read("RETURN 1 AS one")
    finally:
        connection.close()

    assert caught.value.hint
    for secret in (neo4j_address.password, "wrong-password-1"):
        assert secret not in str(caught.value)
        assert secret not in repr(address)


def test_a_read_cannot_write(neo4j_address: Address):
    connection = Connection(graph_address(neo4j_address), HASTY)
    try:
        with pytest.raises(QueryError, match="read access mode"):
            connection.read("CREATE (n:TestNode) RETURN n")
    finally:
        connection.close()


def test_an_index_that_others_make_at_the_same_moment_is_made(neo4j_address: Address):
    text = "CREATE INDEX <name> FOR (n:TestRace) ON (n.id)"  # which finds its twin, at any speed
    connection = Connection(graph_address(neo4j_address), HASTY)
    try:
        connection.make(text.replace("<name>", "test_race_first"))
        connection.make(text.replace("<name>", "test_race_second"))

        found = connection.read("SHOW INDEXES YIELD labelsOrTypes AS l WHERE 'TestRace' IN l")

        assert len(found) == 1
        with pytest.raises(QueryError):
            connection.make("CREATE INDEX FOR")
    finally:
        connection.make("DROP INDEX test_race_first IF EXISTS")
        connection.close()


@pytest.mark.parametrize("url", ["neo4j://host", "bolt://10.0.0.1:7687", "neo4j+s://x.example:1/"])
def test_the_urls_of_servers_are_accepted(url: str):
    check_url(url)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://host:7474", "names no Neo4j server"),
        ("neo4j://", "names no Neo4j server"),
        ("bolt://host:port", "names no Neo4j server"),
        ("bolt://host:7687/db", "more than a server's host and port"),
        ("bolt://neo4j:hunter2@host:7687", "must not hold a user or password"),
        ("bolt://neo4j:hunter2@[host", "must not hold a user or password"),
        ("neo4j:hunter2@host", "must not hold a user or password"),
    ],
)
def test_other_urls_are_refused_and_no_password_is_repeated(url: str, says: str):
    with pytest.raises(ParamValidationError, match=says) as caught:
        check_url(url)

    assert "hunter2" not in str(caught.value)
