"""The graph in Neo4j: many workspaces, many instances of each, one property graph.

Source: docs/formats.md, "Views".
"""

from __future__ import annotations

from typing import Any

from dws_graph.backends.graph.connecting import Connection, GraphAddress, Patience
from dws_graph.model.values import Json


class Neo4jGraph:
    """The team's graph on a server; the network is used when something is asked.

    Args:
        address: Of the server.
        workspace: UUID of the workspace whose part this is.
        patience: How long to try.
    """

    name = "neo4j"

    def __init__(
        self, address: GraphAddress, workspace: str, patience: Patience | None = None
    ) -> None:
        self.address = address
        self.workspace = workspace
        self.connection = Connection(address, patience)

    def close(self) -> None:
        """Lets go of the connections."""
        self.connection.close()

    def read(self, text: str, **parameters: Any) -> list[Json]:
        """The rows of a text's answer, in a transaction that cannot write.

        Raises:
            ViewUnavailableError: The server does not answer.
        """
        return self.connection.read(text, **parameters)
