"""Filters of the user's git configuration, git-lfs for example: they run once he has said so.

In repositories that we cloned, and as the local parameter `git.filters` says. Others are the
user's own. Source: docs/formats.md, "What comes from elsewhere".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dws_graph.backends.git.command import Git
from dws_graph.backends.git.filters import (
    allow_filters,
    allowed_filters,
    filtered_files,
    known_filters,
)
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.resources.git import GitResource
from dws_graph.workspace.arriving import arrive, arrived_names
from dws_graph.workspace.intent import as_path
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.params import FILTERS


def check_known(ws: OpenWorkspace, drivers: Iterable[str]) -> None:
    """Refuse to allow a filter that git does not know.

    Raises:
        ConfigurationError: Names it.
    """
    known = known_filters(ws.git)
    for driver in drivers:
        if driver not in known:
            raise ConfigurationError(
                f"git's configuration has no filter '{driver}'",
                hint="For git-lfs: install it, then type: git lfs install.",
            )


def filter_as(ws: OpenWorkspace, allowed: Collection[str]) -> None:
    """Let these filters run, and no others, and bring files to what they make of them.

    Args:
        ws: The workspace, locked by the caller.
        allowed: The drivers.

    Raises:
        GitError: One failed; all is as before.
    """
    done: list[tuple[Git, tuple[str, ...]]] = []
    names: list[str] = []
    for folder, git in _repositories(ws):
        before = allowed_filters(git)
        try:
            written = allow_filters(git, allowed)
        except GitError:
            for other, was in done:
                allow_filters(other, was)
            raise
        done.append((git, before or ()))
        if folder:
            names += arrived_names(ws, (), {folder: ""}) if written else []
        else:
            names += arrived_names(
                ws, [path.encode("utf-8", "surrogateescape") for path in written], {}
            )
    if names:
        arrive(ws, names)


def filter_as_set(ws: OpenWorkspace) -> None:
    """The same as the workspace's parameter says; what git knows may have changed since."""
    filter_as(ws, ws.get_local_param(FILTERS))


def _repositories(ws: OpenWorkspace) -> Iterator[tuple[str, Git]]:
    """Those that we cloned: the workspace's own, with an empty name, and those of resources."""
    if allowed_filters(ws.git) is not None:
        yield "", ws.git
    for resource in ws.get_resources():
        if not isinstance(resource, GitResource) or resource.needs_cloning():
            continue
        if allowed_filters(resource.git) is not None:
            yield as_path(ws.root, resource.folder), resource.git


def told_of_pointers(ws: OpenWorkspace) -> list[str]:
    """A line that says which files are here without their content, and what brings it."""
    waiting: dict[str, list[str]] = {}
    for folder, git in _repositories(ws):
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
