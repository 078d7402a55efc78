"""Users' read-only Cypher on Neo4j.

The engine says, before it runs a query, what kind it is and what it would call (`EXPLAIN`): only
what reads the graph alone goes on, in a transaction that cannot write and that the server ends.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from dws_graph.backends.graph.connecting import Connection, first_line
from dws_graph.backends.graph.reading import QueryResult, as_result, refuse_files
from dws_graph.errors import QueryError

# Procedures that only read this graph; any other may write, or reach files and the network.
PROCEDURES = frozenset(
    {
        *("db.labels", "db.propertyKeys", "db.relationshipTypes", "db.schema.visualization"),
        *("db.schema.nodeTypeProperties", "db.schema.relTypeProperties"),
        *("db.index.fulltext.queryNodes", "db.index.fulltext.queryRelationships"),
        *("db.index.vector.queryNodes", "db.index.vector.queryRelationships"),
    }
)
EXPLAIN = "EXPLAIN "
PLACE = re.compile(r"\(line (\d+), column (\d+) \(offset: \d+\)\)")
WRITES = "the query would change the graph, and queries may only read"
ASK_ELSE = "The labels, types and properties there are: docs/formats.md, 'The graph'."


def read_only(
    connection: Connection,
    query: str,
    params: Mapping[str, Any],
    *,
    timeout: float,
    max_rows: int,
) -> QueryResult:
    """Answers a user's query.

    Args:
        connection: To the server.
        query: Cypher.
        params: Its `$parameters`.
        timeout: Seconds after which the server ends it.
        max_rows: At most so many rows.

    Raises:
        QueryError: It would write, calls what is not allowed, is no valid Cypher, or took too
            long.
        ViewUnavailableError: The server does not answer.
    """
    import neo4j  # used where a Neo4j is configured alone

    refuse_files(query)
    with connection.session("READ") as session, _query_errors(timeout):
        _check(session, query, params)
        asked = neo4j.Query(query, timeout=timeout)
        result = session.run(asked, dict(params))
        columns = result.keys()
        rows = [
            dict(zip(columns, map(_plain, row.values()), strict=True))
            for row in islice(result, max_rows + 1)
        ]
    return as_result(columns, rows, max_rows)


def _check(session: Any, query: str, params: Mapping[str, Any]) -> None:
    """Asks the engine what the query is."""
    summary = session.run(EXPLAIN + query, dict(params)).consume()
    if summary.query_type != "r":
        raise QueryError(
            WRITES,
            hint="The graph follows from the journal: record steps and take snapshots instead.",
        )
    for operator in _operators(summary.plan or {}):
        name = operator["operatorType"].partition("@")[0]
        details = str(operator.get("args", {}).get("Details", ""))
        if name == "ProcedureCall":
            called = details.partition("(")[0].strip().strip("`")
            if called not in PROCEDURES:
                raise QueryError(
                    f"the query calls {called}, which may do more than read the graph",
                    hint=f"It may call {', '.join(sorted(PROCEDURES))}.",
                )
        elif name.startswith(REFUSED) or "apoc." in details:
            raise QueryError(
                f"the query would do more than read the graph ({name})",
                hint="Ask for nodes and relationships: MATCH ... RETURN.",
            )


# Reads files; tells of, or ends, what the server does.
REFUSED = ("LoadCSV", "Show", "Terminate", "Administration", "System", "DatabaseManagement")


def _operators(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if plan:
        yield plan
    for child in plan.get("children", ()):
        yield from _operators(child)


@contextlib.contextmanager
def _query_errors(timeout: float) -> Iterator[None]:
    from neo4j import exceptions as e

    try:
        yield
    except e.ClientError as error:
        code = error.code or ""
        if "Transaction.TransactionTimedOut" in code:
            raise QueryError(
                f"the query took longer than {timeout:g} s",
                hint="Start from a node's id, bound every *, or give more time: --timeout SECONDS.",
            ) from error
        if code.endswith("Statement.AccessMode"):
            raise QueryError(WRITES, hint="Take the writing clause out.") from error
        if code.startswith(("Neo.ClientError.Statement", "Neo.ClientError.Procedure")):
            raise QueryError(
                f"the query cannot be answered: {_as_written(first_line(error))}", hint=ASK_ELSE
            ) from error
        raise
    except (TypeError, ValueError, OverflowError) as error:  # a parameter that Neo4j cannot hold
        raise QueryError(
            f"the query cannot be answered: {first_line(error)}", hint=ASK_ELSE
        ) from error


def _as_written(message: str) -> str:
    """With the place that an error names as it is in the user's text, not in ours."""

    def place(found: re.Match[str]) -> str:
        line, column = int(found[1]), int(found[2])
        return f"(line {line}, column {max(1, column - len(EXPLAIN)) if line == 1 else column})"

    return PLACE.sub(place, message)


def _plain(value: Any) -> Any:
    """A node, relationship or path as answers show it; what is in them is made plain later."""
    from neo4j import graph

    if isinstance(value, graph.Node):
        return {"labels": sorted(value.labels), "properties": dict(value)}
    if isinstance(value, graph.Relationship):
        return {"type": value.type, "properties": dict(value)}
    if isinstance(value, graph.Path):
        return {
            "nodes": [_plain(node) for node in value.nodes],
            "relationships": [_plain(one) for one in value.relationships],
        }
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if hasattr(value, "iso_format"):  # of neo4j.time
        return value.iso_format()
    return value
