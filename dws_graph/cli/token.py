"""`dws token`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws token create --name ann --expires 90d
  dws token list
  dws token revoke 0192f0c12f0b
"""


@click.group(
    "token",
    cls=Group,
    workspace=False,
    sections={
        "Tokens": [
            Entry("create", "token_create", "Make a token, and print it this once."),
            Entry("list", "token_list", "Who may do what, and until when."),
            Entry("revoke", "token_revoke", "Take a token back."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Let programs and people into the lineage service, and keep them out again.

    A token is a secret text that the service is shown. Its scope says what it is good for: 'read'
    asks, 'write' records too, and 'admin' does all. Only a hash of it is kept, in a file of yours.
    """
