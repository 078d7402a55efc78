"""`dws version`."""

from __future__ import annotations

import click

from dws_graph import __version__
from dws_graph.cli.commands import Command
from dws_graph.cli.terminal import say


@click.command("version", cls=Command, workspace=False)
def command() -> None:
    """Print the version."""
    say(f"dws-graph {__version__}")
