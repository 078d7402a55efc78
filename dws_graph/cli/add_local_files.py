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
  dws add local-files --role source-data --keep ~/data/images
  dws add local-files --role s --keep --store s3://bucket/kept ~/images
"""


@click.command("local-files", cls=Command, epilog=EPILOG)
@resource_options
@click.option(
    "--compute-hash",
    is_flag=True,
    help="Hash the content of all files; without it, their sizes alone are compared.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the content of the files at each snapshot, so that 'dws restore' brings it back. "
    "Implies --compute-hash.",
)
@click.option(
    "--store",
    metavar="URL",
    help="Where content is kept, for all copies of the workspace: file:///FOLDER, s3://BUCKET/..., "
    "gs://..., sftp://...  [default: the workspace's folder, for this copy alone]",
)
@sharing_options
@click.argument("path")
@pass_session
def command(
    session: Session,
    role: str | None,
    name: str | None,
    compute_hash: bool,
    keep: bool,
    store: str | None,
    export: bool,
    imported: bool,
    path: str,
) -> None:
    """Add a folder of files that git does not manage.

    A snapshot keeps the hashes of the files: lineage knows them again. With --keep it keeps the
    files too, each content once, and 'dws restore' brings them back; without, that leaves them as
    they are.
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
        keep=keep,
        store=store,
    )
