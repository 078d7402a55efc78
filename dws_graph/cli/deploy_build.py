"""`dws deploy build`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dws_graph.cli.commands import Command
from dws_graph.cli.options import NAMES
from dws_graph.cli.session import Session, note, pass_session
from dws_graph.cli.terminal import say, tell
from dws_graph.render.text import clean
from dws_graph.workspace.deploying import Built, deploy_build, deploy_files
from dws_graph.workspace.planning_images import Wish

EPILOG = """
\b
Examples:
  dws deploy build
  dws deploy build --image-name digits:v1 --requirements requirements.txt
  dws deploy build --dockerfile-only ../image
"""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = "dws-deploy"


@click.command("build", cls=Command, epilog=EPILOG)
@click.option("--image-name", metavar="NAME", help="[default: the workspace's name]")
@click.option("-f", "--force-rebuild", is_flag=True, help="Replace the image if there is one.")
@click.option(
    "--git-user-email", metavar="EMAIL", help="Of commits in a container.  [default: as here]"
)
@click.option("--git-user-name", metavar="NAME", help="The same.")
@click.option(
    "--base",
    metavar="IMAGE",
    help="The image to start from, of Debian's family, with Python.  "
    "[default: python:3.x-slim-bookworm, x as here]",
)
@click.option(
    "--requirements",
    type=FILE,
    metavar="FILE",
    help="What pip is to install.  [default: what is installed here]",
)
@click.option(
    "--ca-bundle", type=FILE, metavar="FILE", help="Certificates to trust, of a proxy say."
)
@click.option("--skip", type=NAMES, help="Resources that are not copied, a list with commas.")
@click.option(
    "--dockerfile-only",
    is_flag=False,
    flag_value=FOLDER,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="[DIR]",
    help=f"Write what 'docker build DIR' takes, and build nothing.  [default DIR: {FOLDER}]",
)
@pass_session
def command(
    session: Session,
    image_name: str | None,
    force_rebuild: bool,
    git_user_email: str | None,
    git_user_name: str | None,
    base: str | None,
    requirements: Path | None,
    ca_bundle: Path | None,
    skip: Sequence[str] | None,
    dockerfile_only: Path | None,
) -> None:
    """Build a Docker image with the workspace, as it was last committed.

    It holds the workspace's repository with its snapshots and lineage, git resources at their last
    commit, large files and kept content as the last snapshot names them, other folders of data as
    they are, the Python packages, and dws. The steps of the last snapshot can be run again there.
    Passwords, keys and git's configuration stay here.

    An image that is there already is left as it is, but for --force-rebuild.
    """
    wish = Wish(
        image_name=image_name,
        base=base,
        git_user_name=git_user_name,
        git_user_email=git_user_email,
        requirements=requirements,
        ca_bundle=ca_bundle,
        skip=skip or (),
    )
    shown = session.verbose or sys.stderr.isatty()

    def told(text: str) -> None:
        if shown:
            tell(clean(text))

    with session.workspace() as ws:
        if dockerfile_only is None:
            built = deploy_build(ws, wish, force=force_rebuild, told=told)
            _say_built(built)
        else:
            built = deploy_files(ws, wish, dockerfile_only, told=told)
            _notes(built)
            folder = shlex.quote(str(dockerfile_only))
            say(clean(f"Wrote {dockerfile_only}. Next: docker build -t {built.name} {folder}"))


def _say_built(built: Built) -> None:
    _notes(built)
    if built.new:
        say(f"Built image {built.name}. Next: dws deploy run")
    else:
        say(f"There is an image {built.name} already: nothing was done (-f builds it anew).")


def _notes(built: Built) -> None:
    for text in built.notes:
        note(text)
