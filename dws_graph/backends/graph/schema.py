"""What the graph in Neo4j needs before facts go in: constraints and indexes, made once.

A node `Schema` says which version the database has; a newer one than ours is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from dws_graph.backends.graph.connecting import Connection
from dws_graph.backends.graph.texts import OWN_LABELS
from dws_graph.errors import ViewError

VERSION = 4
OWN_RECORDS = ("Applied", "Turn", "Schema")

_UNIQUE = "CREATE CONSTRAINT dws_<name>_id IF NOT EXISTS FOR (n:<label>) REQUIRE n.id IS UNIQUE"
_INDEX = "CREATE INDEX dws_<name> IF NOT EXISTS FOR (n:<label>) ON (<properties>)"
INDEXES: tuple[tuple[str, ...], ...] = (
    *((label, "workspace") for label in sorted({*OWN_LABELS, "Applied"} - {"Workspace"})),
    ("Tag", "snapshot"),
    # Steps and snapshots are listed newest first, and from the index in that order.
    ("Step", "start_time"),
    ("Step", "workspace", "start_time"),
    ("Step", "workspace", "name", "start_time"),
    ("Snapshot", "workspace", "timestamp"),
    # Versions are searched by the first digits of their hashes.
    ("Certificate", "hash"),
    ("Certificate", "subpath_hash"),
)

VERSION_THERE = "MATCH (s:Schema {id: 'dws-graph'}) RETURN s.version AS version"
SET_VERSION = """
MERGE (s:Schema {id: 'dws-graph'})
SET s.version = CASE WHEN s.version > $version THEN s.version ELSE $version END
"""
INDEXES_READY = "CALL db.awaitIndexes(300)"


def statements() -> list[str]:
    """The commands that make constraints and indexes, each of which may be there already."""
    labels = [*sorted(OWN_LABELS), *OWN_RECORDS]
    found = [_fill(_UNIQUE, label) for label in labels]
    found += [_index(label, properties) for label, *properties in INDEXES]
    return found


def _index(label: str, properties: Sequence[str]) -> str:
    name = "_".join([label.lower(), *properties])
    listed = ", ".join(f"n.{prop}" for prop in properties)
    return _fill(_INDEX, label, name).replace("<properties>", listed)


def _fill(text: str, label: str, name: str | None = None) -> str:
    return text.replace("<name>", name or label.lower()).replace("<label>", label)


def check_schema(connection: Connection) -> bool:
    """Whether the schema is there.

    Raises:
        ViewError: It is of a later version.
    """
    for row in connection.read(VERSION_THERE):
        if row["version"] > VERSION:
            raise ViewError(
                f"the graph at {connection.address.url} is of a later version of dws-graph "
                f"(schema {row['version']}, this one knows {VERSION})",
                hint="Upgrade dws-graph here: pip install --upgrade dws-graph.",
            )
        return bool(row["version"] == VERSION)
    return False


def ensure_schema(connection: Connection) -> None:
    """Make what is missing; others may do the same at once.

    Raises:
        ViewError: The graph is of a later version.
    """
    if check_schema(connection):
        return
    for text in statements():
        connection.make(text)
    connection.read(INDEXES_READY)
    connection.write(lambda tx: tx.run(SET_VERSION, version=VERSION).consume())
