"""Filters of the user's git configuration, git-lfs for example: they run once he has said so.

In repositories that we cloned, and as the local parameter `git.filters` says. Others are the
user's own. Source: docs/formats.md, "What comes from elsewhere".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dws_graph.backends.git import lfs
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.filters import (
    DEFINITIONS,
    allow_filters,
    allowed_filters,
    filtered_files,
    known_filters,
)
from dws_graph.backends.git.large import bring_content, fill_in
from dws_graph.backends.git.pointers import LFS
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.resources.git import GitResource
from dws_graph.workspace.arriving import arrive, arrived_names
from dws_graph.workspace.intent import as_path
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.params import FILTERS


def check_known(git: Git, drivers: Sequence[str]) -> None:
    """Refuse to allow a filter that git does not know; `lfs` and `fat` are set up where missing.

    Raises:
        ConfigurationError: Names it.
    """
    known = known_filters(git) | DEFINITIONS.keys()
    for driver in drivers:
        if driver == LFS:
            lfs.check_installed(git)
        if driver not in known:
            raise ConfigurationError(
                f"git's configuration has no filter '{driver}'",
                hint=f"There are: {', '.join(sorted(known))}. To set up another: git config "
                f"--global filter.{driver}.clean COMMAND, and filter.{driver}.smudge.",
            )


def filter_as(ws: OpenWorkspace, allowed: Collection[str]) -> None:
    """Let these filters run, and no others, and bring files to what they make of them.

    Args:
        ws: The workspace, locked by the caller.
        allowed: The drivers.

    Raises:
        GitError: One failed, or content cannot be brought; all is as before.
    """
    for folder, git in _cloned(ws):
        bring_content(git, "HEAD", _what(folder), ask=not ws.batch, allowing=allowed)
    done: list[tuple[Git, tuple[str, ...]]] = []
    names: list[str] = []
    for folder, git in _cloned(ws):
        before = allowed_filters(git)
        try:
            written = allow_filters(git, allowed)
        except GitError:
            for other, was in done:
                allow_filters(other, was)
            raise
        done.append((git, before or ()))
        names += _touched(ws, folder, written)
    if names:
        arrive(ws, names)


def _touched(ws: OpenWorkspace, folder: str, written: Collection[str]) -> list[str]:
    """The resources that have files which were written anew."""
    if folder:
        return arrived_names(ws, (), {folder: ""}) if written else []
    return arrived_names(ws, [path.encode("utf-8", "surrogateescape") for path in written], {})


def fill_in_all(ws: OpenWorkspace) -> None:
    """Bring the content of files that are here as pointers, wherever the filter may run.

    In the user's own repositories git-lfs and git-fat are set up first, where they are not.

    Args:
        ws: The workspace, locked by the caller.

    Raises:
        GitError: It cannot be brought; no file was changed.
    """
    names: list[str] = []
    for folder, git in _repositories(ws):
        names += _touched(ws, folder, fill_in(git, _what(folder), ask=not ws.batch))
    if names:
        arrive(ws, names)


def _what(folder: str) -> str:
    return folder or "the workspace"


def filter_as_set(ws: OpenWorkspace) -> None:
    """The same as the workspace's parameter says; what git knows may have changed since."""
    filter_as(ws, ws.get_local_param(FILTERS))


def _repositories(ws: OpenWorkspace) -> Iterator[tuple[str, Git]]:
    """The workspace's own, with an empty name, and those of resources, by their folders."""
    yield "", ws.git
    for resource in ws.get_resources():
        if isinstance(resource, GitResource) and not resource.needs_cloning():
            yield as_path(ws.root, resource.folder), resource.git


def _cloned(ws: OpenWorkspace) -> Iterator[tuple[str, Git]]:
    """Those of them that we cloned."""
    return ((name, git) for name, git in _repositories(ws) if allowed_filters(git) is not None)


def told_of_pointers(ws: OpenWorkspace) -> list[str]:
    """A line that says which files are here without their content, and what brings it."""
    waiting: dict[str, list[str]] = {}
    for folder, git in _cloned(ws):
        allowed = allowed_filters(git) or ()
        for driver, paths in filtered_files(git).items():
            if driver not in allowed:
                below = f"{folder}/" if folder else ""
                waiting.setdefault(driver, []).extend(below + path for path in paths)
    if not waiting:
        return []
    drivers = [*ws.get_local_param(FILTERS), *sorted(waiting)]
    first = next(iter(waiting.values()))[0]
    count = sum(map(len, waiting.values()))
    more = f" and {count - 1} more" if count > 1 else ""
    return [
        f"{first}{more}: as git has it, since filters do not run unasked. To have the content: "
        f"dws config {FILTERS} {','.join(dict.fromkeys(drivers))}"
    ]
