"""Files of a git repository brought to those of a commit, and what would be lost by it.

What git tracks, or would track if asked to add all, becomes exactly what the commit holds; what
git ignores stays. A file that is already right is not written.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.errors import ConfigurationError

SAVED = "refs/dws/saved"
SUBMODULE = "160000"
_TICK = 20_000_000  # ns; file systems tell times by the kernel's, of some ms
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
        if name not in current and (found := in_the_way(base, name, current)):
            raise ConfigurationError(
                f"{what} would be restored over {os.fsdecode(found)}, which git ignores",
                hint="Move that file elsewhere first.",
            )


def in_the_way(base: bytes, name: bytes, current: set[bytes]) -> bytes | None:
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


def restore_files(
    git: Git, commit: str, subdir: str, what: str, kept: str | None, instead: str | None = None
) -> str | None:
    """Bring the files below `subdir` to those of a commit; the user's index is left alone.

    Each file that goes is looked at again just before: nothing is lost that `kept` has not.

    Args:
        git: The repository.
        commit: Its id.
        subdir: From the repository's root; empty for all.
        what: What to call it in a message.
        kept: The commit that holds what was there a moment ago.
        instead: The commit to which they were being brought, when that is taken back.

    Returns:
        The commit that now keeps what was written since; None when nothing was.

    Raises:
        ConfigurationError: A file that git ignores is in the way, and nothing was changed; or
            somebody writes files meanwhile, and some were changed.
    """
    wanted = files_of(git, commit, subdir)
    seen = look(git, subdir)
    with ScratchIndex(git) as index:
        index.add([subdir])
        current = index.entries(subdir)
        _refuse(git.root, wanted, set(current), what)
        gone = [name for name in current.keys() - wanted.keys() if current[name][0] != SUBMODULE]
        other = {
            name: about
            for name, about in wanted.items()
            if current.get(name) != about and about[0] != SUBMODULE
        }
        replaced = [*gone, *(name for name in other if name in current)]
        before = files_of(git, kept, subdir) if kept else {}
        since = None
        if any(current[name] != before.get(name) for name in replaced):
            since = _keep_index(git, index, subdir, kept)
        for name in replaced:
            check_unchanged(git.root, name, seen, what)
            delete_file(git.root, name, subdir, folders=name not in other)
        remove_left_folders(git, commit, subdir, instead)
        index.remove([decoded(name) for name in gone])
        if other:
            index.put_ids(other)
            if left := index.check_out(other):
                raise _meanwhile(git.root, left[0], what)
    return since


def keep_files(git: Git, head: str | None, subdirs: Sequence[str], message: str) -> str | None:
    """Keep what is in these folders now as a commit that a ref below `refs/dws/saved` names.

    Args:
        git: The repository.
        head: The commit that it follows.
        subdirs: From the repository's root; an empty one stands for all of it.
        message: Of the commit.

    Returns:
        The commit; None when `head` holds the files as they are.
    """
    with ScratchIndex(git) as index:
        index.reset_outside(subdirs, git.head())
        index.add(list(subdirs))
        tree = index.write_tree()
    if head is not None and tree == git.tree_of(head):
        return None
    return keep_commit(git, git.commit_tree(tree, [head] if head else [], message))


def keep_commit(git: Git, commit: str) -> str:
    """Give a commit a ref, so that git never throws it away."""
    ref = f"{SAVED}/{commit}"
    if git.object_id(ref) is None:
        git.update_ref(ref, commit, None)
    return commit


def _keep_index(git: Git, index: ScratchIndex, subdir: str, parent: str | None) -> str:
    index.reset_outside([subdir], git.head())
    message = "What was written while a restore was under way"
    return keep_commit(
        git, git.commit_tree(index.write_tree(), [parent] if parent else [], message)
    )


Seen = dict[bytes, tuple[int, ...] | None]


def look(git: Git, subdir: str) -> Seen:
    """What the file system says of each file; any later change of one will show."""
    base = os.path.join(os.fsencode(git.root), b"")
    seen = {name: stat_of(base + name) for name in git.ls_files(subdir)}
    newest = max((stat[-1] for stat in seen.values() if stat), default=0)
    if newest > time.time_ns() - _TICK:  # a change in the same tick of the clock would not show
        time.sleep(_TICK / 1e9)
    return seen


def stat_of(path: bytes) -> tuple[int, ...] | None:
    """What the file system says of a file; None where there is none."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return (found.st_mode, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def check_unchanged(root: Path, name: bytes, seen: Seen, what: str) -> None:
    """Refuse to go on where a file is another than when it was looked at."""
    if stat_of(os.path.join(os.fsencode(root), name)) != seen.get(name):
        raise _meanwhile(root, name, what)


def _meanwhile(root: Path, name: bytes, what: str) -> ConfigurationError:
    path = root / os.fsdecode(name)
    return ConfigurationError(
        f"{path} was written while {what} was being restored",
        hint="Close what writes it, and try again.",
    )


def delete_file(root: Path, name: bytes, subdir: str, *, folders: bool) -> None:
    """Remove a file, and `folders` above it that are left empty, but for `subdir` itself."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        fault("restoring: unlink")
        os.unlink(os.path.join(os.fsencode(root), name))
    if folders:
        remove_empty_folders(root, name, subdir)


def remove_left_folders(git: Git, commit: str, subdir: str, instead: str | None) -> None:
    """Remove the folders of which one killed in `delete_file` has deleted the last file only.

    Args:
        git: The repository.
        commit: To which the files below `subdir` are brought.
        subdir: From the repository's root; empty for all.
        instead: The commit to which they were being brought before; None: nothing is to be done.
    """
    if instead is None:
        return
    base = os.fsencode(git.root)
    for name in files_of(git, instead, subdir).keys() - files_of(git, commit, subdir).keys():
        if not os.path.lexists(os.path.join(base, name)):
            remove_empty_folders(git.root, name, subdir)


def remove_empty_folders(root: Path, name: bytes, subdir: str) -> None:
    """Remove the folders above a file that is gone, as far as they are empty."""
    base, stop = os.fsencode(root), os.fsencode(subdir)
    folder = os.path.dirname(name)
    while folder and folder != stop:
        try:
            fault("restoring: rmdir")
            os.rmdir(os.path.join(base, folder))
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = os.path.dirname(folder)
