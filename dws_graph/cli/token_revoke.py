"""`dws token revoke`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, say
from dws_graph.cli.tokens import store, token_file_option
from dws_graph.model.secrets import scrub_text
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws token revoke 0192f0c12f0b
"""


@click.command("revoke", cls=Command, workspace=False, epilog=EPILOG)
@token_file_option
@click.argument("token_id", metavar="ID")
@pass_session
def command(session: Session, path: Path | None, token_id: str) -> None:
    """Take a token back: services that run refuse it from now on.

    ID is what 'dws token list' shows; a token as a whole does too.
    """
    confirm_verbose(session, f"Revoke {clean(scrub_text(token_id))}")
    gone = store(path).revoke(token_id)
    called = f" ({clean(gone.name)})" if gone.name else ""
    say(f"Token {gone.id}{called} is revoked.")
