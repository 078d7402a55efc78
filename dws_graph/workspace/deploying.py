"""An image with the workspace, its Python environment and `dws`; and a container of it.

What is in it: docs/deploy.md.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.containers import (
    Image,
    Told,
    build_image,
    check_engine,
    find_image,
    remove_image,
    run_command,
)
from dws_graph.errors import ConfigurationError
from dws_graph.resources.cloning import appearing
from dws_graph.workspace import environment
from dws_graph.workspace.carrying import HOME, place_in_image
from dws_graph.workspace.image_files import LABEL, put_files
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.planning_images import Wish, image_name, plan_image
from dws_graph.workspace.telling_of_images import build_args, left_out

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_READABLE = "the keys in {} are not mounted: user {} in the container could not read them"


@dataclass(frozen=True, slots=True)
class Built:
    """What came of a wish for an image.

    Attributes:
        name: Of the image.
        new: Whether it was built now; else it was there.
        notes: For people.
    """

    name: str
    new: bool
    notes: tuple[str, ...] = ()


def deploy_build(ws: OpenWorkspace, wish: Wish, *, force: bool = False, told: Told) -> Built:
    """Build an image of the workspace as it was last committed.

    Args:
        ws: The workspace.
        wish: What it is to be.
        force: Also where there is such an image, which it replaces.
        told: Told what is under way, and each line that the engine prints.

    Raises:
        ConfigurationError: Something of the wish, or of the workspace, does not fit.
        EngineError: There is no engine, or it could not build.
    """
    name = image_name(ws, wish.image_name)
    check_engine()
    before = find_image(name)
    if before is not None:
        _check_ours(ws, name, before)
        if not force:
            return Built(name, new=False)
    plan = plan_image(ws, wish)
    notes = left_out(ws, plan)
    with tempfile.TemporaryDirectory(prefix="dws-deploy-") as made:
        folder = Path(made)
        notes += put_files(ws, plan, folder, told)
        told("building the image")
        build_image(folder, name, told, args=build_args())
    return Built(name, new=True, notes=(*notes, *_replaced(name, before)))


def deploy_files(ws: OpenWorkspace, wish: Wish, folder: Path, *, told: Told) -> Built:
    """Write the files that `docker build` makes the image from; no engine is needed.

    Args:
        ws: The workspace.
        wish: What the image is to be.
        folder: Where to, which must be new or empty; it appears when it is whole.
        told: Told what is under way.

    Raises:
        ConfigurationError: Something of the wish, the workspace or the folder does not fit.
    """
    _check_folder(ws, folder)
    plan = plan_image(ws, wish)
    notes = left_out(ws, plan)
    with appearing(folder) as target:
        target.mkdir()
        (target / ".gitignore").write_text("*\n")  # where it lies in a repository
        notes += put_files(ws, plan, target, told)
    return Built(plan.name, new=True, notes=notes)


def deploy_run(
    ws: OpenWorkspace,
    image: str | None,
    command: Sequence[str],
    *,
    mount_ssh_keys: bool = True,
    mount: Collection[str] = (),
    env: Collection[str] = (),
    terminal: bool = False,
) -> tuple[list[str], tuple[str, ...]]:
    """The command line that runs a command in a container of the image.

    Args:
        ws: The workspace.
        image: Its name; else as the workspace.
        command: What to run; nothing for a shell.
        mount_ssh_keys: Let the container read `~/.ssh`, for git.
        mount: Resources whose folders here the container reads in place of its own.
        env: Environment variables that the command has there as here.
        terminal: Whether it has a terminal.

    Returns:
        The command line, and notes for people.

    Raises:
        ConfigurationError: There is no such image, resource or variable.
        EngineError: There is no engine.
    """
    name = image_name(ws, image)
    mounts = [_mounted(ws, resource) for resource in mount]
    _check_variables(env)
    check_engine()
    found = find_image(name)
    if found is None:
        raise ConfigurationError(f"there is no image {name}", hint="Type: dws deploy build.")
    _check_ours(ws, name, found)
    notes: list[str] = []
    keys = Path(os.path.expanduser("~/.ssh"))
    if mount_ssh_keys and keys.is_dir():
        owner, user = keys.stat().st_uid, found.user.partition(":")[0]
        if str(owner) == user:
            mounts.append((keys.resolve(), f"{HOME}/.ssh"))
        else:
            notes.append(_NOT_READABLE.format(keys, user))
    return run_command(name, command, mounts, env, terminal=terminal), tuple(notes)


def _check_folder(ws: OpenWorkspace, folder: Path) -> None:
    path = folder.resolve()
    if os.path.lexists(folder) and (not path.is_dir() or any(path.iterdir())):
        raise ConfigurationError(
            f"{folder} is there already", hint="Give a folder that is new, or empty."
        )
    for resource in ws.get_resources():
        place = resource.local_path
        if place is not None and path.is_relative_to(place.resolve()):
            raise ConfigurationError(
                f"{folder} lies in {resource}", hint="Give a folder outside of the resources."
            )


def _check_ours(ws: OpenWorkspace, name: str, image: Image) -> None:
    """Refuse to take, or to replace, an image that is not of this workspace."""
    if image.labels.get(LABEL) != ws.id:
        raise ConfigurationError(
            f"the image {name} is not one of this workspace: 'dws deploy build' did not make it",
            hint="Give another name: --image-name NAME.",
        )


def _replaced(name: str, before: Image | None) -> list[str]:
    """Remove the image that had the name before; a note where the engine keeps it."""
    now = find_image(name)
    if before is None or now is None or now.id == before.id:
        return []
    why = remove_image(before.id)
    return [f"the image that was {name} before is still there: {why}"] if why else []


def _check_variables(names: Collection[str]) -> None:
    known = environment.of_program()
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise ConfigurationError(
                "what --env names has to be the name of an environment variable, no value",
                hint="Type: export NAME=VALUE; dws deploy run --env NAME.",
            )
        if name not in known:
            raise ConfigurationError(
                f"the environment variable {name} is not set here", hint=f"Type: export {name}=..."
            )


def _mounted(ws: OpenWorkspace, name: str) -> tuple[Path, str]:
    resource = ws.get_resource(name)
    path = resource.local_path
    if resource.is_in_workspace() or path is None or not path.is_dir():
        raise ConfigurationError(
            f"{resource} has no folder of its own here that could be mounted",
            hint="Leave it out of --mount.",
        )
    return path.resolve(), place_in_image(ws, resource)
