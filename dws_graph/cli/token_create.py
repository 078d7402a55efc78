"""`dws token create`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.api.service.token_file import SCOPES
from dws_graph.cli.commands import Command
from dws_graph.cli.options import seconds
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import confirm_verbose, format_option, say, show_json, tell
from dws_graph.cli.tokens import store, token_file_option, token_row, until
from dws_graph.render.text import clean

EPILOG = """
\b
Examples:
  dws token create --name ann
  dws token create --scope write --name nightly --expires 90d
  dws token create --name dashboard --token-file /srv/dws/tokens.json
"""


@click.command("create", cls=Command, workspace=False, epilog=EPILOG)
@click.option(
    "--scope", type=click.Choice(SCOPES), default=SCOPES[0], show_default=True, help="What it may."
)
@click.option("--name", metavar="NAME", default="", help="Whose it is, or what for.")
@click.option(
    "--expires",
    metavar="TIME",
    callback=seconds,
    help="After how long: 90d, 12h.  [default: never]",
)
@token_file_option
@format_option("text", "json")
@pass_session
def command(
    session: Session, scope: str, name: str, expires: float | None, path: Path | None, fmt: str
) -> None:
    """Make a token for the lineage service.

    It alone is printed on stdout, this once: nobody can tell it again.
    """
    confirm_verbose(session, f"Make a token of scope {scope}")
    made = store(path).create(scope, name, expires=expires)
    if fmt == "json":
        show_json({**token_row(made.token), "token": made.text})
        return
    say(made.text)
    called = f" ({clean(made.token.name)})" if made.token.name else ""
    ends = "never expires" if expires is None else f"expires at {until(made.token)} UTC"
    tell(f"Token {made.token.id}{called} is of scope {scope}, and {ends}.")
    tell("Keep it now: it is not shown again.")
