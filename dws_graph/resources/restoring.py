"""Files of a git repository brought to those of a commit, and what would be lost by it.

What git tracks, or would track if asked to add all, becomes exactly what the commit holds; what
git ignores stays. A file that is already right is not written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.errors import ConfigurationError

_SUBMODULE = "160000"
Files = dict[bytes, tuple[str, str]]


def files_of(git: Git, commit: str, subdir: str = "") -> Files:
    """Mode and id of each file that a commit has below `subdir`, by path from the root."""
    tree = git.object_id(f"{commit}:{subdir}") if subdir else commit
    if tree is None:
        return {}
    prefix = os.fsencode(subdir) + b"/" if subdir else b""
    return {prefix + name: about for name, about in git.ls_tree(tree).items()}


def check_nothing_ignored_in_the_way(git: Git, commit: str, subdir: str, what: str) -> None:
    """Refuse a restore that would write over what git ignores, and so has no copy of.

    Args:
        git: The repository.
        commit: To be restored.
        subdir: The part of it.
        what: What to call it in the message.

    Raises:
        ConfigurationError: Names the file.
    """
    wanted = files_of(git, commit, subdir)
    _refuse(git.root, wanted, set(git.ls_files(subdir)), what)


def _refuse(root: Path, wanted: Iterable[bytes], current: set[bytes], what: str) -> None:
    base = os.path.join(os.fsencode(root), b"")
    for name in wanted:
        if name not in current and (found := _in_the_way(base, name, current)):
            raise ConfigurationError(
                f"{what} would be restored over {os.fsdecode(found)}, which git ignores",
                hint="Move that file elsewhere first.",
            )


def _in_the_way(base: bytes, name: bytes, current: set[bytes]) -> bytes | None:
    """A file that git has no copy of, at the place of a wanted one or of a folder above it."""
    place = name
    while place and not os.path.lexists(base + place):
        place = os.path.dirname(place)
    path = base + place
    if not place or place in current:
        return None
    if os.path.isdir(path) and not os.path.islink(path):
        if place != name:
            return None
        inside = (os.path.join(top, f) for top, _, files in os.walk(path) for f in files)
        return next((file for file in inside if file[len(base) :] not in current), None)
    return path


def restore_files(git: Git, commit: str, subdir: str, what: str) -> None:
    """Bring the files below `subdir` to those of a commit; the user's index is left alone.

    Args:
        git: The repository.
        commit: Its id.
        subdir: From the repository's root; empty for all.
        what: What to call it in a message.

    Raises:
        ConfigurationError: A file that git ignores is in the way; nothing was changed.
    """
    wanted = files_of(git, commit, subdir)
    with ScratchIndex(git, keep=False) as index:
        index.add([subdir])
        current = index.entries(subdir)
        _refuse(git.root, wanted, set(current), what)
        gone = current.keys() - wanted.keys()
        other = {
            name: about
            for name, about in wanted.items()
            if current.get(name) != about and about[0] != _SUBMODULE
        }
        for name in gone:
            if current[name][0] != _SUBMODULE:
                _delete(git.root, name, subdir)
        index.remove([decoded(name) for name in gone])
        if other:
            index.put_ids(other)
            index.check_out(other)


def _delete(root: Path, name: bytes, subdir: str) -> None:
    """Remove a file, and the folders above it that are left empty, but for `subdir` itself."""
    base, stop = os.fsencode(root), os.fsencode(subdir)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(os.path.join(base, name))
    folder = os.path.dirname(name)
    while folder and folder != stop:
        try:
            os.rmdir(os.path.join(base, folder))
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = os.path.dirname(folder)
