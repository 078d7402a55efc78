"""Cloning: a workspace, then each resource that can be brought to this machine.

The workspace's folder appears when it is whole; resources follow, each whole or not at all. What
is missing then is named, and brought by the next pull. Source: docs/formats.md, "Cloning".
"""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import make_folder, write_atomic
from dws_graph.backends.git.command import Git, check_git
from dws_graph.backends.git.remotes import check_url, clone, folder_of, shown
from dws_graph.backends.locks import Notify, quiet
from dws_graph.errors import ConfigurationError, DwsError, GitError
from dws_graph.model.values import parse_json
from dws_graph.resources import registry
from dws_graph.resources.cloning import appearing, check_out
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.resources.terms import Ask, default_answer
from dws_graph.workspace import layout
from dws_graph.workspace.filtering import filter_as_set
from dws_graph.workspace.kept_content import fill_cloned
from dws_graph.workspace.names import as_hostname, check_hostname
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.params import FILTERS
from dws_graph.workspace.snapshots import latest
from dws_graph.workspace.trusting import check_files, check_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloned:
    """A workspace that was just brought here.

    Attributes:
        root: Its folder.
        url: Where it came from, without a password.
    """

    root: Path
    url: str


def clone_repository(
    url: str,
    directory: str | None = None,
    *,
    hostname: str | None = None,
    ask: Ask = default_answer,
    batch: bool = False,
) -> Cloned:
    """Bring a workspace here, without its resources of other repositories.

    Args:
        url: Of its repository.
        directory: Where to; else a folder of the repository's name, in the current one.
        hostname: What to call this machine; else it is asked.
        ask: Asked for the hostname.
        batch: Nobody may be asked, by git neither.

    Raises:
        ConfigurationError: There is something at that place, it is no workspace, or it cannot be
            reached: nothing is left of it.
    """
    check_git()
    url = check_url(url)
    if hostname is not None:
        check_hostname(hostname)
    name = directory or folder_of(url)
    if not name:
        raise ConfigurationError(
            f"'{shown(url)}' does not say what to call the folder",
            hint="Name it: dws clone URL DIRECTORY.",
        )
    root = Path(os.path.abspath(os.path.expanduser(name)))
    if os.path.lexists(root) and (not root.is_dir() or any(root.iterdir())):
        raise ConfigurationError(
            f"{root} is there already", hint="Give another folder: dws clone URL DIRECTORY."
        )
    with appearing(root) as target:
        git = clone(url, target, "the repository", ask=not batch)
        branch = _branch(git, url)
        commit = git.object_id(f"refs/remotes/origin/{branch}^{{commit}}") or ""
        check_files(git.ls_tree(commit))
        check_format(parse_json(git.cat(commit, layout.OWN) or b"{}", file=layout.OWN))
        check_out(git, branch, "the workspace")
        if hostname is None:
            mine = as_hostname(socket.gethostname())
            hostname = ask("What is this machine to be called?", mine)
            check_hostname(hostname)
        write_atomic(target / layout.LOCAL_PARAMS, json_bytes({"hostname": hostname}))
        fault("workspace cloned")
    return Cloned(root=root, url=shown(url))


def _branch(git: Git, url: str) -> str:
    """The branch on which the workspace is shared.

    Raises:
        ConfigurationError: There is no workspace on any.
    """
    found = git.text("for-each-ref", "--format=%(refname:lstrip=3)", "refs/remotes/origin").split()
    branches = [branch for branch in found if branch != "HEAD"]
    if not branches:
        raise GitError(
            f"the repository {shown(url)} is empty",
            hint="Push a workspace there first: dws publish URL.",
        )
    head = git.text("for-each-ref", "--format=%(symref:lstrip=3)", "refs/remotes/origin/HEAD")
    order = sorted(branches, key=lambda b: (b != head, b not in ("main", "master"), b))
    for branch in order:
        raw = git.cat(f"refs/remotes/origin/{branch}", layout.CONFIG)
        if raw is not None:
            config = parse_json(raw, file=f"{layout.CONFIG} of branch {branch}")
            params = config.get("global_params") or {} if isinstance(config, dict) else {}
            named = params.get("dws_git_branch")
            return named if named in branches else branch
    raise ConfigurationError(
        f"the repository {shown(url)} is not a workspace: it has no {layout.CONFIG}",
        hint="To bring it here all the same: git clone URL.",
    )


def clone_missing(
    ws: OpenWorkspace,
    ask: Ask = default_answer,
    *,
    only: Collection[str] | None = None,
    skip: Collection[str] = (),
    notify: Notify = quiet,
) -> tuple[dict[str, str], dict[str, str]]:
    """Bring every resource here that is not, and can be.

    Args:
        ws: The workspace.
        ask: Asked for what cannot be known.
        only: These alone; None for all.
        skip: Not these.
        notify: Told which is under way.

    Returns:
        {resource: where it is now}, and {resource: why it is still missing}.
    """
    cloned: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in missing_resources(ws):
        if name in skip or (only is not None and name not in only):
            continue
        notify(f"bringing {name}")
        try:
            cloned[name] = clone_resource(ws, name, ask)
        except (DwsError, OSError) as e:
            text = e if isinstance(e, OSError) else f"{e.message}. {e.hint}"
            missing[name] = str(text).strip()
        fault("resource cloned")
    return cloned, missing


def told_of_folders(ws: OpenWorkspace, brought: Collection[str]) -> list[str]:
    """Lines for people: resources whose folder is the one of another copy on this machine.

    Args:
        ws: The workspace, just cloned or pulled.
        brought: Resources whose place was asked for, or is new, or was known before.
    """
    return [
        f"resource {resource.name} uses {resource.place}, which another copy of the workspace may "
        f"use, too. For another folder: dws config --resource {shlex.quote(resource.name)} "
        "local_path FOLDER"
        for resource in ws.get_resources()
        if isinstance(resource, LocalFileResource)
        and resource.name not in brought
        and resource.is_here()
    ]


def missing_resources(ws: OpenWorkspace) -> list[str]:
    """The names of the resources that are not on this machine."""
    return [resource.name for resource in ws.get_resources() if resource.needs_cloning()]


def clone_resource(ws: OpenWorkspace, name: str, ask: Ask = default_answer) -> str:
    """Bring a resource here; where it is now.

    Raises:
        ConfigurationError: It cannot be brought; nothing is left of it.
    """
    with ws.locked():
        params = next(p for p in ws.resource_params if p["name"] == name)
        factory = registry.factory(ws.get_resource_type(name))
        resource = factory.clone(params, ws, ask)
        if resource.local_path is not None:
            ws.validate_local_path_for_resource(name, str(resource.local_path))
            fill_cloned(ws, resource)
            _ignore_here(ws, resource.local_path)
        newest = latest(ws)
        resource.bring(newest.restore_hashes.get(name) if newest else None)
        ws.keep_local_params(name, resource.get_local_params())
        ws.reload()
        if ws.get_local_param(FILTERS):
            filter_as_set(ws)
    return "place" if resource.local_path is None else str(resource.local_path)


def _ignore_here(ws: OpenWorkspace, path: Path) -> None:
    """Keep a repository within the workspace out of its own, where no .gitignore does so yet."""
    root = ws.root.resolve()
    if not path.resolve().is_relative_to(root):
        return
    relative = path.resolve().relative_to(root).as_posix()
    if ws.git.succeeds("check-ignore", "-q", "--", relative):
        return
    file = ws.git.folder / "info" / "exclude"
    before = file.read_bytes() if file.exists() else b""
    make_folder(file.parent)
    write_atomic(file, before + os.fsencode(f"/{relative}\n"))
