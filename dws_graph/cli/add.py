"""`dws add`."""

from __future__ import annotations

import click

from dws_graph.cli.add_other import command_for
from dws_graph.cli.commands import Entry, Group
from dws_graph.errors import NotSupportedError
from dws_graph.resources import registry

EPILOG = """
\b
Examples:
  dws add git --role code ./code
  dws add local-files --role source-data ~/data/images
"""


class AddGroup(Group):
    """The types of this package, each a module, and those of others, each made from its factory."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All types."""
        return [*super().list_commands(ctx), *self._others()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command that adds a resource of a type."""
        if (own := super().get_command(ctx, cmd_name)) is not None or (
            cmd_name not in self._others()
        ):
            return own
        return command_for(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The types of this package, then those of others."""
        super().format_commands(ctx, formatter)
        if others := self._others():
            with formatter.section("Types of other packages"):
                formatter.write_dl([(name, _summary(name)) for name in others])

    def _others(self) -> list[str]:
        return [name for name in registry.types_of_others() if name not in self.entries]


def _summary(resource_type: str) -> str:
    try:
        return registry.factory(resource_type).summary
    except NotSupportedError as e:
        return f"({e.message})"


@click.group(
    "add",
    cls=AddGroup,
    sections={
        "Types of resources": [
            Entry("git", "add_git", "A git repository, or a folder of the workspace."),
            Entry("local-files", "add_local_files", "A folder of files that git does not manage."),
            Entry("rclone", "add_rclone", "A folder that rclone copies to or from a remote."),
            Entry("s3", "add_s3", "A bucket of S3 that keeps the versions of its objects."),
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
