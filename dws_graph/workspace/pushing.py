"""Publishing a workspace, and pushing it: resources first, then the workspace that names them.

So whoever clones never finds a snapshot whose content is not at its origin yet; and a push that
stops half-way is finished by the next one. Source: docs/formats.md, "Pushing".
"""

from __future__ import annotations

from collections.abc import Sequence

from dws_graph.backends.faults import fault
from dws_graph.backends.git.remotes import ORIGIN, Remote, check_url, shown
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.resources.base import Resource
from dws_graph.resources.sharing import Shared
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.sharing import (
    Sharing,
    chosen,
    origin_of,
    origin_unless,
    places_of,
    shared_branch,
    shown_origin,
)

SEALED_MESSAGE = "Recorded lineage"


def push_workspace(
    ws: OpenWorkspace,
    *,
    only: Sequence[str] | None = None,
    skip: Sequence[str] | None = None,
    only_workspace: bool = False,
) -> Sharing:
    """Push the resources, then the workspace, to their origins.

    Args:
        ws: The workspace.
        only: Of the resources, these alone.
        skip: All resources but these.
        only_workspace: No resource.

    Raises:
        ApiParamError: The choices exclude one another.
        ConfigurationError: A resource has changes that are not committed, an origin has what is
            not here or cannot be reached: nothing was pushed.
        GitError: An origin refused what was pushed; what was pushed before stays.
    """
    with ws.locked():
        ws.catch_up()
        meant, left = chosen(ws, only, skip, only_workspace)
        shared, remote = shared_branch(ws), origin_unless(ws, only)
        return _push(ws, shared, remote, _with_origin(meant, left), left)


def publish_workspace(ws: OpenWorkspace, url: str, *, skip: Sequence[str] | None = None) -> Sharing:
    """Make an empty repository the workspace's origin, and push everything there.

    Raises:
        ConfigurationError: The workspace has another origin, the repository is not empty or
            cannot be reached: nothing was changed.
    """
    url = check_url(url)
    with ws.locked():
        ws.catch_up()
        before = ws.git.remote_url()
        if before is not None and before != url:
            raise ConfigurationError(
                f"the workspace has an origin already, {shown(before)}",
                hint="Bring news there: dws push. For another one, first type: git remote "
                "set-url origin URL.",
            )
        meant, left = chosen(ws, None, skip)
        shared = shared_branch(ws)
        _check_ours(ws, shared, Remote(ws.git, "the workspace", ask=not ws.batch, url=url))
        resources = _with_origin(meant, left)
        for resource in resources:
            resource.push_precheck()
        if before is None:
            ws.git.run("remote", "add", "--", ORIGIN, url)
        ws.git.run("config", f"branch.{shared.branch}.remote", ORIGIN)
        ws.git.run("config", f"branch.{shared.branch}.merge", f"refs/heads/{shared.branch}")
        return _push(ws, shared, origin_of(ws), resources, left)


def _check_ours(ws: OpenWorkspace, shared: Shared, remote: Remote) -> None:
    """Refuse to publish to where something else is."""
    if remote.is_empty():
        return
    tip, head = remote.tip(shared.branch), ws.git.head()
    if tip and head and ws.git.has_commit(tip) and ws.git.is_ancestor(tip, head):
        return  # an earlier attempt
    raise GitError(
        f"the repository {shown(remote.url)} is not empty",
        hint=f"Make an empty one; or, to work with what is there: dws clone {shown(remote.url)}.",
    )


def _with_origin(meant: Sequence[Resource], left: dict[str, str]) -> list[Resource]:
    """Those that can be pushed; the others are told, and checked as far as that goes."""
    found = []
    for resource in meant:
        if resource.needs_cloning():
            left[resource.name] = "it is not on this machine"
        elif resource.is_in_workspace() or (why := resource.not_pushed()) is None:
            found.append(resource)
        else:
            left[resource.name] = why
    return found


def _push(
    ws: OpenWorkspace,
    shared: Shared,
    remote: Remote | None,
    resources: Sequence[Resource],
    left: dict[str, str],
) -> Sharing:
    for resource in resources:
        resource.push_precheck()
    if remote is not None:
        shared.check_can_push(remote)
    changed: list[str] = []
    same: list[str] = []
    for resource in resources:
        if resource.is_in_workspace():
            continue
        (changed if resource.push() else same).append(resource.name)
        fault("resource pushed")
    if remote is not None:
        commit_change(ws, SEALED_MESSAGE, {}, operation="push")
    return Sharing(
        url=shown_origin(ws),
        changed=tuple(changed),
        same=tuple(same),
        left=left,
        workspace=remote is not None and shared.push(remote),
        places=places_of(ws, changed),
    )
