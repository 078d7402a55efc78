"""What an image is to be, and whether it can be: all that is refused is refused here."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.containers import as_image_name, check_base_name, check_image_name
from dws_graph.backends.git.command import Git
from dws_graph.errors import ConfigurationError
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.workspace.carrying import Owner, carried_resources
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.packages import (
    Packages,
    installed_packages,
    packages_of,
    python_version,
)

_NO_ROOT = 1000  # who works in the image of one whom root makes
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CERTIFICATE, _KEY = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an image is to be.

    Attributes:
        image_name: What to call it; else as the workspace.
        base: The image it starts from; else `python:3.x-slim-bookworm`, as the Python here.
        git_user_name: Of commits in a container; else as here.
        git_user_email: The same.
        requirements: A file of packages for pip; else those that are installed here.
        ca_bundle: A file of certificates that pip and git are to trust, too.
        skip: Resources that are not copied.
    """

    image_name: str | None = None
    base: str | None = None
    git_user_name: str | None = None
    git_user_email: str | None = None
    requirements: Path | None = None
    ca_bundle: Path | None = None
    skip: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An image that can be made: all that could be refused was.

    Attributes:
        name: Of the image.
        base: The image it starts from.
        branch: Of the workspace.
        resources: That are copied.
        identity: Of git.
        packages: Of Python.
        certificates: In PEM; None for none.
        owner: Who works in it.
        skipped: Resources that are not, as was wished.
    """

    name: str
    base: str
    branch: str
    resources: tuple[Resource, ...]
    identity: dict[str, str]
    packages: Packages
    certificates: bytes | None
    owner: Owner
    skipped: frozenset[str]


def plan_image(ws: OpenWorkspace, wish: Wish) -> Plan:
    """Find out what the image is made of; changes nothing.

    Raises:
        ConfigurationError: Something of the wish, or of the workspace, does not fit.
    """
    for name in wish.skip:
        ws.validate_resource_name(name)
    branch = ws.git.branch()
    if branch is None or ws.git.head() is None:
        raise ConfigurationError(
            "the workspace's repository is on no branch, or has no commit",
            hint=f"Type: git -C {ws.root} switch BRANCH.",
        )
    resources = carried_resources(ws, wish.skip)
    for resource in resources:
        _check_resource(resource)
    packages = packages_of(wish.requirements) if wish.requirements else installed_packages()
    return Plan(
        name=image_name(ws, wish.image_name),
        base=check_base_name(wish.base or f"python:{python_version()}-slim-bookworm"),
        branch=branch,
        resources=tuple(resources),
        identity=_identity(ws, wish),
        packages=packages,
        certificates=None if wish.ca_bundle is None else _certificates(wish.ca_bundle),
        owner=_owner(),
        skipped=frozenset(wish.skip),
    )


def _check_resource(resource: Resource) -> None:
    if not isinstance(resource, GitResource):
        return
    if resource.git.object_id(f"refs/heads/{resource.branch}^{{commit}}") is None:
        raise ConfigurationError(
            f"the repository of {resource} has no branch '{resource.branch}' with a commit",
            hint=f"Commit something there, or leave it out: --skip {resource.name}.",
        )


def _identity(ws: OpenWorkspace, wish: Wish) -> dict[str, str]:
    """Whom commits in a container are by; what nobody knows is left out."""
    given = {"user.name": wish.git_user_name, "user.email": wish.git_user_email}
    found = {}
    for key, value in given.items():
        text = value if value is not None else _configured(ws.git, key)
        if value is not None and (not value.strip() or _CONTROL.search(value)):
            raise ConfigurationError(f"{value!r} cannot be git's {key}", hint="Give plain text.")
        if text:
            found[key] = text
    return found


def _configured(git: Git, key: str) -> str:
    return git.run("config", "--get", key, ok=(0, 1)).decode("utf-8", "replace").strip()


def _certificates(file: Path) -> bytes:
    try:
        found = file.read_bytes()
    except OSError as e:
        raise ConfigurationError(f"{file} cannot be read: {e.strerror}") from e
    if _CERTIFICATE not in found or _KEY in found:
        raise ConfigurationError(
            f"{file} is not a file of certificates alone, in PEM",
            hint="Give the certificates of those who sign, as in /etc/ssl/certs; no key.",
        )
    return found


def _owner() -> Owner:
    uid, gid = os.getuid(), os.getgid()
    return Owner(uid, gid) if uid else Owner(_NO_ROOT, _NO_ROOT)


def image_name(ws: OpenWorkspace, name: str | None) -> str:
    """The name of the image: the one given, or the workspace's made fit."""
    return as_image_name(ws.name) if name is None else check_image_name(name)
