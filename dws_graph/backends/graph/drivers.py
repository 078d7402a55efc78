"""The graph for people's own code: drivers, connected as the workspace is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from dws_graph.backends.graph.connecting import GraphAddress, driver_errors
from dws_graph.errors import ConfigurationError, ViewUnavailableError

CONNECT = 5.0  # seconds
BOLT_PORT = 7687


def neo4j_driver(address: GraphAddress) -> Any:
    """A `neo4j.Driver` that has reached the server; whoever asked for it closes it.

    Raises:
        ViewUnavailableError: The server does not answer, or refuses the user.
    """
    import neo4j  # used where somebody asks for it alone

    auth = None if address.user is None else (address.user, address.password)
    with driver_errors(address):
        driver = neo4j.GraphDatabase.driver(
            address.url, auth=auth, connection_timeout=CONNECT, max_transaction_retry_time=CONNECT
        )
        try:
            driver.execute_query("RETURN 1", database_=address.database)
        except BaseException:
            driver.close()
            raise
    return driver


def py2neo_graph(address: GraphAddress) -> Any:
    """A `py2neo.Graph` that has reached the server.

    Raises:
        ConfigurationError: py2neo is not installed.
        ViewUnavailableError: The server does not answer, or refuses the user.
    """
    try:
        import py2neo
        from py2neo.errors import ConnectionUnavailable, Neo4jError
        from py2neo.wiring import WireError
    except ImportError as e:
        raise ConfigurationError(
            "py2neo is not installed",
            hint="Install it: pip install 'dws-graph[py2neo]'. It is at its end of life: "
            "Workspace.neo4j_driver() gives the official driver.",
        ) from e
    parts = urlsplit(address.url)
    try:
        graph = py2neo.Graph(
            f"{parts.scheme}://{parts.hostname}:{parts.port or BOLT_PORT}",
            auth=None if address.user is None else (address.user, address.password),
            name=address.database,
        )
        graph.run("RETURN 1").evaluate()
    except (ConnectionUnavailable, Neo4jError, WireError, OSError) as e:
        raise ViewUnavailableError(
            f"py2neo cannot use Neo4j at {address.url}: {type(e).__name__}",
            hint="Start it, or look at graph.url, DWS_GRAPH_USER and DWS_GRAPH_PASSWORD.",
        ) from e
    return graph
