"""`dws report`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws report status
  dws report history --limit 10
  dws report lineage --snapshot SVC-1
"""


@click.group(
    "report",
    cls=Group,
    sections={
        "Reports": [
            Entry("status", "report_status", "The resources, and which of them changed."),
            Entry("history", "report_history", "The snapshots, newest first, with metrics."),
            Entry("lineage", "report_lineage", "What each resource was made from."),
            Entry("results", "report_results", "A results file: parameters and metrics."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Show resources, history, lineage and results as tables."""
