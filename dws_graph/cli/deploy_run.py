"""`dws deploy run`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.lineage.commands import KILLED, child
from dws_graph.workspace import environment
from dws_graph.workspace.deploying import deploy_run

EPILOG = """
\b
Examples:
  dws deploy run
  dws deploy run -- dws report history
  dws deploy run --mount images -- sh -c 'python code/train.py && dws push'
  dws deploy run --env AWS_PROFILE,AWS_REGION -- python code/train.py
"""


@click.command(
    "run", cls=Command, epilog=EPILOG, context_settings={"allow_interspersed_args": False}
)
@click.option("--image-name", metavar="NAME", help="[default: the workspace's name]")
@click.option(
    "--no-mount-ssh-keys",
    is_flag=True,
    help="Do not let the container read ~/.ssh, which git needs there to pull and push.",
)
@click.option(
    "--mount",
    type=NAMES,
    help="Resources that the container reads from their folders here, a list with commas.",
)
@click.option(
    "--env",
    type=NAMES,
    help="Environment variables that COMMAND has there as here, a list of names with commas.",
)
@click.argument("command_line", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@pass_session
def command(
    session: Session,
    image_name: str | None,
    no_mount_ssh_keys: bool,
    mount: Sequence[str] | None,
    env: Sequence[str] | None,
    command_line: Sequence[str],
) -> int:
    """Run COMMAND, or a shell, in a container of the image that 'dws deploy build' made.

    It has the streams of dws, and its exit status is that of dws. What it changes in the container
    is gone when it ends, but for what was pushed.
    """
    with session.workspace() as ws:
        program, notes = deploy_run(
            ws,
            image_name,
            command_line,
            mount_ssh_keys=not no_mount_ssh_keys,
            mount=mount or (),
            env=env or (),
            terminal=sys.stdin.isatty() and sys.stdout.isatty(),
        )
    for text in notes:
        note(text)
    with child(pass_signals=True) as process:
        process.start(program, environment.of_program())
        status = process.wait()
    return status if status >= 0 else KILLED - status
