"""`dws token list`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from dws_graph.cli.cells import when
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.cli.terminal import format_option, say, show, show_json
from dws_graph.cli.tokens import store, token_file_option, token_row, until
from dws_graph.render.tables import table

EPILOG = """
\b
Examples:
  dws token list
  dws token list --format json
"""


@click.command("list", cls=Command, workspace=False, epilog=EPILOG)
@token_file_option
@format_option("table", "json")
@pass_session
def command(session: Session, path: Path | None, fmt: str) -> None:
    """List the tokens of the lineage service: who may do what, and until when.

    The day on which each was used last is by UTC. What has expired stays until it is revoked.
    """
    tokens = store(path).list()
    now = dt.datetime.now(dt.timezone.utc)
    rows = [{**token_row(token), "expired": token.has_expired(now)} for token in tokens]
    if fmt == "json":
        show_json(rows)
    elif rows:
        cells = [
            [
                row["id"],
                row["name"],
                row["scope"],
                when(row["created"]),
                until(token) + (" (expired)" if row["expired"] else ""),
                row["last_used"] or "never",
            ]
            for token, row in zip(tokens, rows, strict=True)
        ]
        columns = ["Id", "Name", "Scope", "Created", "Expires", "Last used"]
        show(session, table(columns, cells), keep=(0, 2, 5))
    else:
        say("There are no tokens.")
