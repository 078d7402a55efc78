"""`dws deploy`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws deploy build
  dws deploy run -- dws report history
"""


@click.group(
    "deploy",
    cls=Group,
    sections={
        "Images": [
            Entry("build", "deploy_build", "Build a Docker image with the workspace."),
            Entry("run", "deploy_run", "Run a command in a container of it."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Put the workspace, its Python packages and dws into a Docker image, and use it."""
