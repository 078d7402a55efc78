"""`dws add`."""

from __future__ import annotations

import click

from dws_graph.cli.commands import Entry, Group

EPILOG = """
\b
Examples:
  dws add git --role code ./code
  dws add local-files --role source-data ~/data/images
"""


@click.group(
    "add",
    cls=Group,
    sections={
        "Types of resources": [
            Entry("git", "add_git", "A git repository, or a folder of the workspace."),
            Entry("local-files", "add_local_files", "A folder of files that git does not manage."),
            Entry("api-resource", "add_api_resource", "Data that a program gets from an API."),
        ]
    },
    epilog=EPILOG,
)
def command() -> None:
    """Add data, code or results as a resource.

    A resource is a folder with a name and a role: source-data, intermediate-data, code or
    results. Small files and code go well into git; large ones stay as local files, of which a
    snapshot keeps the hashes.
    """
