"""`dws init`."""

from __future__ import annotations

from pathlib import Path

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import confirm_verbose, say, tell
from dws_graph.errors import ConfigurationError
from dws_graph.render.text import clean
from dws_graph.resources.terms import RESOURCE_ROLE_CHOICES
from dws_graph.workspace.adding import full_role
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.large_files import large_files

EPILOG = """
\b
Examples:
  dws init
  dws init my-project --create-resources all
  dws init --create-resources code,results --hostname laptop
  dws init --git-lfs-attributes '*.gz,*.zip'
  dws init --git-fat-remote server:/home/fat/store --git-fat-attributes '*.gz'
"""


def _roles(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    names = [part.strip() for part in (value or "").split(",") if part.strip()]
    if "all" in names:
        return list(RESOURCE_ROLE_CHOICES)
    try:
        return list(dict.fromkeys(full_role(name) for name in names))
    except ConfigurationError as e:
        raise click.BadParameter(f"{e.message}. {e.hint}") from e


@click.command("init", cls=Command, workspace=False, epilog=EPILOG)
@click.option(
    "--hostname", metavar="NAME", help="What to call this machine.  [default: its own name]"
)
@click.option(
    "--create-resources",
    metavar="ROLES",
    callback=_roles,
    help="Make and add a folder for each of these roles: 'all', or a list with commas of "
    "source-data, intermediate-data, code, results (or s,i,c,r).",
)
@click.option(
    "--scratch-directory",
    metavar="DIR",
    help="Where temporary files go.  [default: scratch, in the workspace]",
)
@click.option(
    "--git-fat-remote",
    metavar="PLACE",
    help="Keep large files of the workspace's repository with git-fat, in this folder: HOST:/PATH.",
)
@click.option("--git-fat-user", metavar="USER", help="For ssh to that host.  [default: ssh's own]")
@click.option(
    "--git-fat-port",
    type=click.IntRange(1, 65535),
    help="Of ssh on that host.  [default: ssh's own, 22]",
)
@click.option(
    "--git-fat-attributes",
    metavar="PATTERNS",
    help="Which files git-fat keeps, a list with commas: '*.gz,*.zip'. Without it, say so in "
    ".gitattributes later.",
)
@click.option(
    "--git-lfs-attributes",
    metavar="PATTERNS",
    help="Keep these files of the workspace's repository with git-lfs, a list with commas: "
    "'*.gz,*.zip'.",
)
@click.argument("name", required=False)
@pass_session
def command(
    session: Session,
    hostname: str | None,
    create_resources: list[str],
    scratch_directory: str | None,
    git_fat_remote: str | None,
    git_fat_user: str | None,
    git_fat_port: int | None,
    git_fat_attributes: str | None,
    git_lfs_attributes: str | None,
    name: str | None,
) -> None:
    """Make a workspace of this folder.

    The folder becomes a git repository, if it is none. NAME is the workspace's; without it, the
    folder's name is. No file of yours is changed but .gitignore, which gets a few lines, and
    .gitattributes, when you name large files.
    """
    large = large_files(
        git_fat_remote=git_fat_remote,
        git_fat_user=git_fat_user,
        git_fat_port=git_fat_port,
        git_fat_attributes=git_fat_attributes,
        git_lfs_attributes=git_lfs_attributes,
    )
    here = Path.cwd()
    confirm_verbose(session, f"Make a workspace of {here}")
    with initialize(
        here,
        name,
        hostname=hostname,
        create_resources=create_resources,
        scratch_dir=scratch_directory,
        large=large,
        batch=not session.can_ask,
        verbose=session.verbose,
        notify=note,
    ) as ws:
        say(f"Made workspace {clean(ws.name)} in {clean(str(ws.root))}.")
        for resource in create_resources:
            say(f"Added resource {resource} (git-subdirectory), the folder {resource}.")
    if not create_resources:
        tell("Next, add data and code: dws add git PATH, or dws add local-files PATH.")
    else:
        tell("Next, put files there, and keep their state: dws snapshot TAG.")
