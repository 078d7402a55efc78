"""A server that takes too long is slow, and not broken: what asks it may ask again."""

from __future__ import annotations

import pytest

from dws_graph.backends.graph.connecting import Connection, GraphAddress, Patience
from dws_graph.errors import ViewUnavailableError
from tests.neo4j.local import Address

ENDLESS = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*) AS n"


def test_a_question_that_takes_too_long_may_be_asked_again(neo4j_address: Address):
    known = GraphAddress(
        url=neo4j_address.url, user=neo4j_address.user, password=neo4j_address.password
    )
    connection = Connection(known, Patience(transaction=0.1))
    try:
        with pytest.raises(ViewUnavailableError, match="did not answer in time"):
            connection.read(ENDLESS)
    finally:
        connection.close()
