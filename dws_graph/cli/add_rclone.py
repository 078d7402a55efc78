"""`dws add rclone`."""

from __future__ import annotations

import click

from dws_graph.cli.adding import add, resource_options, sharing_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.resources.rclone_resource import COPY, MASTERS, NONE, RCLONE, SYNC_MODES

EPILOG = """
\b
Examples:
  dws add rclone --role source-data s3bucket:mybucket ./s3files
  dws add rclone --role s --master remote --sync-mode sync store:raw raw
  dws add rclone --role r --master local --config ~/lab.conf drive:out out
"""


@click.command("rclone", cls=Command, epilog=EPILOG)
@resource_options
@click.option(
    "--config",
    metavar="FILE",
    help="Configuration file for rclone, outside the workspace.  [default: rclone's own]",
)
@click.option(
    "--compute-hash",
    is_flag=True,
    help="Hash the content of all files; without it, their sizes alone are compared.",
)
@sharing_options
@click.option(
    "--master",
    type=click.Choice(MASTERS),
    default=NONE,
    show_default=True,
    help="Which side is copied to the other: 'remote' is pulled from, 'local' pushed to the "
    "remote; with 'none' you copy with rclone yourself.",
)
@click.option(
    "--sync-mode",
    type=click.Choice(SYNC_MODES),
    default=COPY,
    show_default=True,
    help="'copy' adds and overwrites files; 'sync' also deletes what the master does not have.",
)
@click.option(
    "--size-only",
    is_flag=True,
    help="Take files of the same size for the same: much faster with many files, far away.",
)
@click.argument("remote")
@click.argument("local_path")
@pass_session
def command(
    session: Session,
    role: str | None,
    name: str | None,
    config: str | None,
    compute_hash: bool,
    export: bool,
    imported: bool,
    master: str,
    sync_mode: str,
    size_only: bool,
    remote: str,
    local_path: str,
) -> None:
    """Add a folder that rclone copies to, or from, a remote.

    REMOTE is NAME:PATH, with a name that 'rclone listremotes' shows. Where there is no folder
    LOCAL_PATH yet, it is made, with what is at the remote, unless the master is 'local'. A
    snapshot keeps the hashes of the files, not the files.
    """
    add(
        session,
        RCLONE,
        role,
        name,
        remote,
        local_path,
        config=config,
        compute_hash=compute_hash,
        export=export,
        imported=imported,
        master=master,
        sync_mode=sync_mode,
        size_only=size_only,
    )
