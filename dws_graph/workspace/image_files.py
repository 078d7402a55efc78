"""The folder that an image is built from.

    Dockerfile      what `docker build` goes by
    set_up.py       runs in the image while it is built
    image.json      what that is told: the user, and paths of this machine
    certificates/   what pip and git are to trust beside the base image's own
    python/         what pip installs
    *.tar           the content: see `carrying`

Source: docs/deploy.md.
"""

from __future__ import annotations

import json
import os
import re
from importlib import resources as package_files
from pathlib import Path

from dws_graph.backends.containers import Told
from dws_graph.backends.git.pointers import FAT, LFS
from dws_graph.workspace.carrying import WORKSPACE, Carried, place_in_image, put_content
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.packages import put_packages
from dws_graph.workspace.planning_images import Plan

LABEL = "io.github.dws-graph.workspace"
_NEWEST = 1000  # steps whose interpreters are looked for
# What the filters of large files need, as Debian's packages; git-fat itself comes with dws.
_PACKAGES = {LFS: "git-lfs", FAT: "rsync"}
_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*")


def put_files(ws: OpenWorkspace, plan: Plan, folder: Path, told: Told) -> tuple[str, ...]:
    """Write what `docker build` goes by into a folder; notes on what is not in it.

    Raises:
        ConfigurationError: A file cannot be read, or a package not be built; names it.
        GitError: The content of a large file cannot be brought; names it.
    """
    (folder / "certificates").mkdir()
    if plan.certificates is not None:
        (folder / "certificates" / "ca-bundle.crt").write_bytes(plan.certificates)
    told("collecting the Python packages")
    put_packages(plan.packages, folder / "python")
    told("copying the workspace")
    carried = put_content(
        *(ws, plan.branch, plan.resources, plan.skipped, plan.identity, plan.owner, folder, told)
    )
    template = package_files.files("dws_graph.workspace") / "deployed"
    (folder / "set_up.py").write_bytes((template / "set_up.py").read_bytes())
    about = {
        "uid": plan.owner.uid,
        "gid": plan.owner.gid,
        "links": _links(ws, plan),
        "interpreters": _interpreters(ws),
    }
    (folder / "image.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    dockerfile = (template / "Dockerfile").read_text(encoding="utf-8")
    for key, value in _words(ws, plan, carried).items():
        dockerfile = dockerfile.replace(f"@{key}@", value)
    (folder / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    return carried.notes


def _words(ws: OpenWorkspace, plan: Plan, carried: Carried) -> dict[str, str]:
    """What is filled into the Dockerfile: checked names, numbers and a UUID, no user's text."""
    return {
        "BASE": plan.base,
        "GID": str(plan.owner.gid),
        "LABEL": LABEL,
        "NAME": plan.name,
        "MORE": "".join(f" {_PACKAGES[name]}" for name in sorted(carried.filters)),
        "NO_DEPS": "--no-deps " if plan.packages.complete else "",
        "UID": str(plan.owner.uid),
        "WORKSPACE": ws.id,
    }


def _links(ws: OpenWorkspace, plan: Plan) -> dict[str, str]:
    """{path on this machine: the same in the image}."""
    links = {str(ws.root.resolve()): WORKSPACE}
    for resource in plan.resources:
        place = place_in_image(ws, resource)
        if not place.startswith(f"{WORKSPACE}/"):
            links[str(resource.local_path)] = place
    return links


def _interpreters(ws: OpenWorkspace) -> list[str]:
    """The Pythons that recorded steps name by their path."""
    steps = ws.index.steps(ws.id, limit=_NEWEST)
    programs = {step.command_line[0] for step in steps if step.command_line}
    return sorted(
        path
        for path in programs
        if os.path.isabs(path)
        and os.path.normpath(path) == path
        and _PYTHON.fullmatch(os.path.basename(path))
    )
