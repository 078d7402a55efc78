"""`dws add api-resource`."""

from __future__ import annotations

import click

from dws_graph.cli.adding import add, resource_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.resources.api_resource import API_RESOURCE, ROLES

EPILOG = """
\b
Examples:
  dws add api-resource --role source-data --name weather
"""


@click.command("api-resource", cls=Command, epilog=EPILOG)
@resource_options
@pass_session
def command(session: Session, role: str | None, name: str | None) -> None:
    """Add data that a program gets from an API, of which there are no files.

    The kits (scikit-learn's, for example) hash the data on their way to a model; a snapshot keeps
    that hash. Its role is source-data or intermediate-data.
    """
    add(session, API_RESOURCE, role, name, roles=ROLES)
