"""`dws add s3`."""

from __future__ import annotations

import click

from dws_graph.cli.adding import add, resource_options
from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, pass_session
from dws_graph.resources.s3 import ROLES, S3

EPILOG = """
\b
Examples:
  dws add s3 --role source-data lab-images
  dws add s3 --role i --endpoint http://minio.lab:9000 features
"""


@click.command("s3", cls=Command, epilog=EPILOG)
@resource_options
@click.option(
    "--endpoint",
    metavar="URL",
    help="The server, on this machine; else as AWS_ENDPOINT_URL or ~/.aws/config say.",
)
@click.argument("bucket")
@pass_session
def command(
    session: Session, role: str | None, name: str | None, endpoint: str | None, bucket: str
) -> None:
    """Add a bucket of S3, or of a server that acts alike; versioning must be on there.

    A snapshot keeps which version each object has; 'dws restore' says which are read here, and
    changes nothing in the bucket. Credentials are those of AWS: the environment, or ~/.aws.
    """
    add(session, S3, role, name, bucket, roles=ROLES, endpoint=endpoint)
