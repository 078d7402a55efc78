"""What publish, push, pull and clone have in common: which resources, and the shared branch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dws_graph.backends.git.remotes import Remote, shown
from dws_graph.errors import ApiParamError, ConfigurationError, GitError
from dws_graph.resources.base import Resource
from dws_graph.resources.sharing import Shared, check_on
from dws_graph.workspace.committing import check_repository
from dws_graph.workspace.opened import OpenWorkspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What was shared.

    Attributes:
        url: Of the workspace's origin, without a password; empty where it has none.
        changed: Resources of which something was pushed or pulled.
        same: Resources that were the same on both sides.
        left: {resource: why it was left out}.
        workspace: Whether something of the workspace itself was.
        notes: For people.
        places: {resource: its own origin, for people}; of those in `changed` that say it.
    """

    url: str
    changed: tuple[str, ...]
    same: tuple[str, ...]
    left: dict[str, str]
    workspace: bool
    notes: tuple[str, ...] = ()
    places: dict[str, str] = field(default_factory=dict)


def chosen(
    ws: OpenWorkspace,
    only: Sequence[str] | None,
    skip: Sequence[str] | None,
    only_workspace: bool = False,
) -> tuple[list[Resource], dict[str, str]]:
    """The resources that are meant, and why each other is not.

    Raises:
        ApiParamError: Two of the choices exclude one another.
        ConfigurationError: There is no resource of a name given.
    """
    given = [bool(only), bool(skip), only_workspace]
    if sum(given) > 1:
        raise ApiParamError("--only, --skip and --only-workspace exclude one another")
    for name in (*(only or ()), *(skip or ())):
        ws.get_resource(name)
    meant: list[Resource] = []
    left: dict[str, str] = {}
    for name in ws.get_resource_names():
        if only_workspace or (only and name not in only) or (skip and name in skip):
            left[name] = "not asked for"
        else:
            meant.append(ws.get_resource(name))
    return meant, left


def shared_branch(ws: OpenWorkspace) -> Shared:
    """The branch of the workspace's repository that is shared, checked out now.

    Raises:
        GitError: Another is, or something is under way in the repository.
    """
    branch = check_repository(ws).removeprefix("refs/heads/")
    check_on(ws.git, str(ws.get_global_param("dws_git_branch")), "the workspace")
    return Shared(ws.git, branch, "the workspace")


def origin_of(ws: OpenWorkspace) -> Remote:
    """The workspace's origin.

    Raises:
        ConfigurationError: It has none.
    """
    if ws.git.remote_url() is None:
        raise ConfigurationError(
            "the workspace has no origin yet",
            hint="Give it one: dws publish URL, with the URL of an empty repository. "
            "A resource with a remote or store of its own can go alone: --only NAME.",
        )
    try:
        return Remote(ws.git, "the workspace", ask=not ws.batch)
    except GitError as e:
        raise GitError(
            f"the origin of the workspace is not usable: {e.message}",
            hint="Set another: git remote set-url origin URL.",
        ) from e


def origin_unless(ws: OpenWorkspace, only: Sequence[str] | None) -> Remote | None:
    """The workspace's origin; None where it has none, and resources alone were asked for.

    Raises:
        ConfigurationError: It has none, and is to be shared itself.
    """
    return None if only and ws.git.remote_url() is None else origin_of(ws)


def places_of(ws: OpenWorkspace, names: Iterable[str]) -> dict[str, str]:
    """Where these resources come from or go to, as far as they say."""
    found = {name: ws.get_resource(name).shared_at() for name in names}
    return {name: place for name, place in found.items() if place is not None}


def shown_origin(ws: OpenWorkspace) -> str:
    """The URL of the workspace's origin, without a password."""
    return shown(ws.git.remote_url() or "")
