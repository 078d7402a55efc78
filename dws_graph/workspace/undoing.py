"""Taking back what an operation did before its commit.

What a user has written since is kept first. Source: docs/formats.md, "Write order".
"""

from __future__ import annotations

from pathlib import Path

from dws_graph.backends.files import make_folder
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.index import reset_index
from dws_graph.errors import ConfigurationError
from dws_graph.resources.base import Resource
from dws_graph.resources.moving import copy_again, move_again, undo_moves
from dws_graph.resources.restoring import (
    keep_commit,
    keep_files,
    remove_left_folders,
    restore_files,
)
from dws_graph.workspace import layout
from dws_graph.workspace.intent import Intent, drop_intent
from dws_graph.workspace.kept_content import as_kept
from dws_graph.workspace.opened import OpenWorkspace

UNDONE = "What was there when an interrupted restore was undone"


def undo(ws: OpenWorkspace, intent: Intent) -> None:
    """Take back what an operation did before its commit."""
    kept = take_back_files(ws, intent)
    for name, state in intent.states.items() if intent.instance == ws.instance else ():
        try:
            for said in _take_back(ws.get_resource(name), state):
                ws.notify(said)
        except ConfigurationError as e:  # it may be away: its lineage is then that of an edit
            ws.notify(f"'{name}' is left as it is: {e.message}")
    drop_intent(ws.root / layout.INTENT)
    for root, found in kept:
        ws.notify(f"{root}: what was there until now is kept in commit {found[:8]}")


def _take_back(resource: Resource, state: str) -> tuple[str, ...]:
    """Notes for people; of kept content, none: `dws undo` brings nothing of this back."""
    kept = as_kept(resource)
    if kept is None:
        return resource.restore(state)
    kept.bring_to(state)
    return ()


def take_back_files(ws: OpenWorkspace, intent: Intent) -> list[tuple[Path, str]]:
    """Bring the files of resources back to what they were before an operation.

    Returns:
        Commits that keep what would have been lost, each with the folder that it is of.
    """
    for folder, moves in intent.moves.items():
        if not is_ours(ws, intent, folder):
            continue
        root = ws.root / folder
        copied = folder in intent.copied
        if intent.back:
            (copy_again if copied else move_again)(root, moves)
            continue
        undo_moves(root, moves, copied=copied)
        for below in intent.kept_folders.get(folder, ()):
            make_folder(root / below)
    kept: list[tuple[Path, str | None]] = []
    for folder, commit in intent.repositories.items():
        if is_ours(ws, intent, folder):
            root = ws.root / folder
            instead = intent.targets.get(folder)
            kept += [(root, found) for found in _undo_repository(Git(root), commit, instead)]
    if intent.save is not None and intent.folders:
        since = keep_files(ws.git, intent.save, intent.folders, UNDONE)
        for folder in intent.folders:
            what, instead = f"the folder {folder}", intent.targets.get(folder)
            again = restore_files(ws.git, intent.save, folder, what, since or intent.save, instead)
            kept.append((ws.root, again))
        kept.append((ws.root, since))
    return [(root, found) for root, found in kept if found is not None]


def is_ours(ws: OpenWorkspace, intent: Intent, path: str) -> bool:
    """Whether what an operation did to a path is to be finished, or undone, from here.

    In a copied folder, only what was copied with it is: the rest is the original's.
    """
    if intent.instance == ws.instance:
        return True
    real, here = (ws.root / path).resolve(), ws.root.resolve()
    if real.is_relative_to(here) and _git_folder_of(real).is_relative_to(here):
        return True
    ws.notify(f"{real} was left as it is: it belongs to the folder that this one is a copy of")
    return False


def _git_folder_of(folder: Path) -> Path:
    """Where the repository of a folder keeps its data: a linked work tree's may be elsewhere."""
    git = Git(folder)
    return git.folder.resolve() if (folder / ".git").exists() else folder


def _undo_repository(git: Git, commit: str, instead: str | None) -> list[str | None]:
    """Bring a repository back to a commit; the commits that keep what was there until now."""
    head = git.head()
    since = keep_files(git, head, [""], UNDONE)
    if head == commit and since is None:
        remove_left_folders(git, commit, "", instead)
        return []
    moved = None
    if since is None and head is not None and not git.is_ancestor(head, commit):
        moved = keep_commit(git, head)
    what = f"the repository {git.root}"
    again = restore_files(git, commit, "", what, since or head, instead)
    reset_index(git, commit, [""])  # before the branch: who goes on here, killed, looks at that
    if head != commit:
        git.update_ref("HEAD", commit, head, reason="dws undo")
    return [moved, since, again]
