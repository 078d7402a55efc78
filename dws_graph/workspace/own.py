"""The service's own workspace: made where there is none, and sealed into its git."""

from __future__ import annotations

import os
from pathlib import Path

from dws_graph.backends.files import TEMPORARY
from dws_graph.backends.git.command import Git, check_git
from dws_graph.backends.locks import Lock, Notify, quiet
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.pushing import SEALED_MESSAGE

LOCK = "dws-serve.lock"
AUTHOR = {"user.name": "dws serve", "user.email": "dws-serve@localhost"}
_BEGUN = frozenset({".git", ".gitignore", layout.FOLDER})  # what a killed one may have left


def own_workspace(folder: Path, *, notify: Notify = quiet) -> Path:
    """The root of the service's workspace in a folder; made where there is none.

    Args:
        folder: Made where it is missing.
        notify: Told, in a line, what a person should know.

    Raises:
        ConfigurationError: Something else is in the folder, or it cannot be written.
        GitError: Git is missing or too old.
    """
    check_git()
    root = folder.expanduser().resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not _is_workspace(root):
            _make(root, notify)
    except OSError as e:
        raise ConfigurationError(
            f"{root} cannot be used: {e.strerror}", hint="Give a folder that you may write to."
        ) from e
    with open_workspace(root, batch=True, notify=notify) as ws:
        ws.check_writable()
        ws.git.check_identity()
    return root


def _is_workspace(root: Path) -> bool:
    """Whether there is one that a commit holds: else its making was interrupted."""
    if not (root / layout.CONFIG).is_file():
        return False
    return Git(root).is_repo_root() and bool(Git(root).object_id(f"HEAD:{layout.CONFIG}"))


def _make(root: Path, notify: Notify) -> None:
    git = Git(root)
    made = not git.is_repo_root()
    others = [n for n in os.listdir(root) if n not in _BEGUN and not n.startswith(TEMPORARY)]
    if others or not (made or git.object_id("HEAD") is None):
        raise ConfigurationError(
            f"{root} is no workspace, and something else is in it",
            hint="Give an empty folder, or one that is not there yet.",
        )
    if made:
        git.run("init", "-q")
    with Lock(root / ".git" / LOCK, "makes the workspace", notify).held():
        if not _is_workspace(root):  # another service has not made it meanwhile
            _name_author(git)
            initialize(root, batch=True, notify=notify).close()


def _name_author(git: Git) -> None:
    """A server has no user whom commits could be by."""
    try:
        git.check_identity()
    except GitError:
        for key, value in AUTHOR.items():
            git.run("config", "--local", key, value)


def seal(ws: OpenWorkspace) -> None:
    """Commit the facts that no commit holds yet; nothing where there are none.

    Raises:
        GitError: The repository cannot be committed to; the facts wait in the journal.
    """
    commit_change(ws, SEALED_MESSAGE, {}, operation="seal")
