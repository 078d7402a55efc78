"""`dws clone`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.backends.git.command import Git
from dws_graph.cli.commands import Command
from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.sharing import asker, watched
from dws_graph.cli.terminal import say, warn
from dws_graph.errors import GitError
from dws_graph.render.text import clean, clean_lines
from dws_graph.workspace.cloning import clone_missing, clone_repository, told_of_folders
from dws_graph.workspace.configuring import set_param
from dws_graph.workspace.filtering import check_known, told_of_pointers
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.params import FILTERS, param
from dws_graph.workspace.workspace import Workspace

EPILOG = """
\b
Examples:
  dws clone git@github.com:ann/digits.git
  dws clone --hostname laptop https://github.com/ann/digits.git digits-2
  dws clone --filters lfs https://github.com/ann/digits.git
"""


@click.command("clone", cls=Command, workspace=False, epilog=EPILOG)
@click.option(
    "--hostname", metavar="NAME", help="What to call this machine.  [default: asks, its own name]"
)
@click.option(
    "--filters",
    type=NAMES,
    help="Filters that may run in what is cloned, a list with commas: 'lfs' and 'fat' bring the "
    "content of large files. As 'dws config git.filters' has it.",
)
@click.argument("repository")
@click.argument("directory", required=False)
@pass_session
def command(
    session: Session,
    hostname: str | None,
    filters: list[str] | None,
    repository: str,
    directory: str | None,
) -> None:
    """Bring a workspace and all its resources to this machine.

    REPOSITORY is a URL or a path, DIRECTORY the folder to be; without it, it gets the
    repository's name. Resources that cannot be brought are named; 'dws pull' tries them again.
    """
    ask = asker(session)
    wanted = param(FILTERS).validate(filters or [])
    check_known(Git(Path.cwd()), wanted)
    cloned = clone_repository(
        repository, directory, hostname=hostname, ask=ask, batch=not session.can_ask
    )
    with open_workspace(
        cloned.root, batch=not session.can_ask, verbose=session.verbose, notify=note
    ) as ws:
        say(clean(f"Cloned workspace {ws.name} to {ws.root}."))
        with watched(session, ws, "Copying"):
            brought, missing = clone_missing(ws, ask)
        for name, where in brought.items():
            say(clean(f"Resource {name} is in {where}."))
        for text in told_of_folders(ws, brought):
            note(clean_lines(text))
        for name, why in missing.items():
            warn(clean_lines(f"resource {name} is not here: {why}"))
        if wanted:
            _allow(ws, wanted)
        for text in told_of_pointers(ws):
            note(text)


def _allow(ws: Workspace, filters: list[str]) -> None:
    """Let filters run, or say how to try again: the workspace is here by then."""
    try:
        set_param(ws, FILTERS, filters)
    except GitError as e:
        hint = (
            f"The workspace is here, without that. When it is mended, in {ws.root}: "
            f"dws config {FILTERS} {','.join(filters)}."
        )
        raise GitError(e.message, hint=hint) from e
