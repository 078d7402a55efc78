"""`dws graph`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws graph status
  dws graph rebuild --view index
"""


@click.group(
    "graph",
    cls=Group,
    sections={
        "Views": [
            Entry("status", "graph_status", "Where each view is, and what it lacks."),
            Entry("sync", "graph_sync", "Apply the facts that wait."),
            Entry("rebuild", "graph_rebuild", "Fold a view anew from the journal."),
            Entry("drop", "graph_drop", "Take this workspace's part out of a view."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Look after the databases that answer about lineage.

    All of lineage is in the journal, in git. Views are made from it: 'index' answers the
    questions of dws itself, 'cypher' those of 'dws lineage query', and 'neo4j' is the team's,
    where the parameter graph.url names one. Nothing is lost with a view.
    """
