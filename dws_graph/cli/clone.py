"""`dws clone`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.sharing import asker
from dws_graph.cli.terminal import say, warn
from dws_graph.render.text import clean, clean_lines
from dws_graph.workspace.cloning import clone_missing, clone_repository
from dws_graph.workspace.filtering import told_of_pointers
from dws_graph.workspace.opening import open_workspace

EPILOG = """
\b
Examples:
  dws clone git@github.com:ann/digits.git
  dws clone --hostname laptop https://github.com/ann/digits.git digits-2
"""


@click.command("clone", cls=Command, workspace=False, epilog=EPILOG)
@click.option(
    "--hostname", metavar="NAME", help="What to call this machine.  [default: asks, its own name]"
)
@click.argument("repository")
@click.argument("directory", required=False)
@pass_session
def command(session: Session, hostname: str | None, repository: str, directory: str | None) -> None:
    """Bring a workspace and all its resources to this machine.

    REPOSITORY is a URL or a path, DIRECTORY the folder to be; without it, it gets the
    repository's name. Resources that cannot be brought are named; 'dws pull' tries them again.
    """
    ask = asker(session)
    cloned = clone_repository(
        repository, directory, hostname=hostname, ask=ask, batch=not session.can_ask
    )
    with open_workspace(
        cloned.root, batch=not session.can_ask, verbose=session.verbose, notify=note
    ) as ws:
        say(clean(f"Cloned workspace {ws.name} to {ws.root}."))
        brought, missing = clone_missing(ws, ask)
        for name, where in brought.items():
            say(clean(f"Resource {name} is in {where}."))
        for name, why in missing.items():
            warn(clean_lines(f"resource {name} is not here: {why}"))
        for text in told_of_pointers(ws):
            note(text)
