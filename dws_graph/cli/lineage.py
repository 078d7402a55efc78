"""`dws lineage`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws lineage upstream results
  dws lineage downstream raw:/2024/january.csv
  dws lineage graph --snapshot SVC-1 lineage.html
"""


@click.group(
    "lineage",
    cls=Group,
    sections={
        "Questions": [
            Entry("upstream", "lineage_upstream", "Everything that something was made from."),
            Entry("downstream", "lineage_downstream", "Everything that was made from something."),
            Entry("explain", "lineage_explain", "The story of a result; why it has changed."),
            Entry("path", "lineage_path", "What lies on the ways from one thing to another."),
            Entry("stale", "lineage_stale", "What no longer follows from what is on disk."),
            Entry("verify", "lineage_verify", "Read content again, and compare its hashes."),
            Entry("graph", "lineage_graph", "Draw the lineage of a resource, to a file."),
            Entry("query", "lineage_query", "Ask anything, in Cypher."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Find out what came from what.

    REF, wherever a command takes one, is a resource, a path in one as 'resource:/sub/path', or a
    path on disk inside a resource.
    """
