"""`dws add local-files`."""

from __future__ import annotations

import click

from dws_graph.cli.adding import add, resource_options, sharing_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session

EPILOG = """
\b
Examples:
  dws add local-files --role source-data --compute-hash ~/data/images
  dws add local-files --role intermediate-data --export ./features
  dws add local-files --imported /data/features
"""


@click.command("local-files", cls=Command, epilog=EPILOG)
@resource_options
@click.option(
    "--compute-hash",
    is_flag=True,
    help="Hash the content of all files; without it, their sizes alone are compared.",
)
@sharing_options
@click.argument("path")
@pass_session
def command(
    session: Session,
    role: str | None,
    name: str | None,
    compute_hash: bool,
    export: bool,
    imported: bool,
    path: str,
) -> None:
    """Add a folder of files that git does not manage.

    A snapshot keeps the hashes of the files, not the files: lineage knows them again, but
    'dws restore' leaves them as they are.
    """
    add(
        session,
        "file",
        role,
        name,
        path,
        compute_hash=compute_hash,
        export=export,
        imported=imported,
    )
