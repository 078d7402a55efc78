"""Runs once, as root, while the image of a workspace is built: its user, and paths of before.

Steps were recorded with the paths of the machine where they ran. Those of the workspace, of its
resources and of Python lead to where these are in the image. It needs Python alone.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import site
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ENVIRONMENT = Path("/opt/dws")
HOME = "/home/dws"
USER = "dws"
# A file of its own, since a link to a virtual environment's Python is not in that environment.
WRAPPER = f'#!/bin/sh\nexec {ENVIRONMENT}/bin/python "$@"\n'


def set_up(uid: int, gid: int, links: Mapping[str, str], interpreters: Sequence[str]) -> list[str]:
    """Make the user, the links and the interpreters; which paths could not be had, and why."""
    make_user(uid, gid)
    show_packages()
    left = [link(Path(path), Path(target)) for path, target in links.items()]
    left += [interpret(Path(path)) for path in interpreters]
    return [why for why in left if why]


def make_user(uid: int, gid: int) -> None:
    """The user by number; ssh looks for its home in the list of users, not in the environment."""
    try:
        known = pwd.getpwuid(uid).pw_name
    except KeyError:
        if gid not in (group.gr_gid for group in grp.getgrall()):
            _run("groupadd", "--gid", str(gid), USER)
        what = ["--uid", str(uid), "--gid", str(gid), "--home-dir", HOME, "--shell", "/bin/bash"]
        _run("useradd", "--no-create-home", *what, USER)
    else:
        _run("usermod", "--login", USER, "--home", HOME, known)
    os.chown(HOME, uid, gid)


def show_packages() -> None:
    """Let the image's own Python, which steps may name by its path, find the packages."""
    (packages,) = ENVIRONMENT.glob("lib/python*/site-packages")
    folder = Path(site.getsitepackages()[0])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dws.pth").write_text(f"{packages}\n")


def link(path: Path, target: Path) -> str | None:
    """Let a path of the machine lead to one of the image; why it does not."""
    if os.path.lexists(path):
        return None if path.resolve() == target else f"{path} is something else in the base image"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    except OSError as e:
        return f"{path} cannot be made: {e.strerror}"
    return None


def interpret(path: Path) -> str | None:
    """Let the path of a Python be one; why it is not."""
    if os.path.lexists(path):
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(WRAPPER)
        path.chmod(0o755)
    except OSError as e:
        return f"{path} cannot be made: {e.strerror}"
    return None


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603


if __name__ == "__main__":
    for why in set_up(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))):
        print(f"left out: {why}", file=sys.stderr)  # noqa: T201
