"""`dws demo`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose

EPILOG = """
\b
Examples:
  dws demo
  dws demo /tmp/my-first-workspace
"""


@click.command("demo", cls=Command, workspace=False, epilog=EPILOG)
@click.argument("directory", type=click.Path(path_type=Path), default=Path("dws-demo"))
@pass_session
def command(session: Session, directory: Path) -> None:
    """Make a workspace to try everything in.

    In DIRECTORY (dws-demo without one), which must be new or empty: trains twice on the digits
    data set, takes snapshots, prints history and lineage, and draws the graph.
    """
    from dws_graph.cli.demo import run_demo  # noqa: PLC0415  # it needs scikit-learn

    confirm_verbose(session, f"Make a workspace in {directory}")
    run_demo(directory)
