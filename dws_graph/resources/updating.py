"""Files on disk brought from one commit to another, and only those that differ between the two.

A file that is as neither commit has it is somebody's own, and stays. Doing it twice is as doing
it once, so what was interrupted is simply done again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from dws_graph.backends.git.checking import is_blob
from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.backends.git.merging import About, Change, folders_above
from dws_graph.errors import ConfigurationError, some_of
from dws_graph.resources.restoring import (
    SUBMODULE,
    delete_file,
    in_the_way,
    remove_empty_folders,
    stat_of,
)

LINK = "120000"
OnDisk = Literal["before", "after", "gone", "own"]
"""As the first commit has it, as the second has it, not there, or as neither has it."""


def check_free(git: Git, changes: Mapping[bytes, Change], what: str) -> None:
    """Refuse to change files that are not as they were committed.

    Args:
        git: The repository.
        changes: What will differ.
        what: What will change them, in the message.

    Raises:
        ConfigurationError: Names them; nothing was changed.
    """
    disk = _Disk(git, changes)
    own = [decoded(name) for name in changes if disk.state(name) == "own"]
    names = {decoded(name) for name in changes}
    staged = git.run("diff-index", "--cached", "-z", "--name-only", "--no-renames", "HEAD")
    own += [name for name in decoded(staged).split("\0")[:-1] if name in names]
    if own:
        raise ConfigurationError(
            f"{what} would change {some_of(sorted(set(own)))} in {git.root}, where there are "
            "changes that are not committed",
            hint="Commit them: dws snapshot, or git commit. Or move them away.",
        )


def bring_files(git: Git, changes: Mapping[bytes, Change]) -> list[str]:
    """Bring files from what they were to what they are to be; the user's index is left alone.

    Returns:
        Those that were left as they are, since somebody changed them.
    """
    disk = _Disk(git, changes)
    states = {name: disk.state(name) for name in changes}
    left = [name for name, state in states.items() if state == "own"]
    wanted = {name: new for name, (_, new) in changes.items() if new and new[0] != SUBMODULE}
    with ScratchIndex(git) as index:
        for name, state in states.items():
            if state == "after" and changes[name][1] is None and disk.stats[name] is None:
                remove_empty_folders(git.root, name, "")  # one that was killed here left them
            if state != "before":
                continue
            if stat_of(os.path.join(os.fsencode(git.root), name)) != disk.stats[name]:
                states[name] = "own"  # written meanwhile
                left.append(name)
            else:
                delete_file(git.root, name, "", folders=name not in wanted)
        write = {n: a for n, a in wanted.items() if states[n] in ("before", "gone")}
        if write:
            index.remove([decoded(name) for name in changes])
            index.put_ids(wanted)
            left += index.check_out(write)
    return [decoded(name) for name in left]


@dataclass
class _Disk:
    """How the files are on disk, each looked at once."""

    git: Git
    changes: Mapping[bytes, Change]

    def __post_init__(self) -> None:
        self._base = os.path.join(os.fsencode(self.git.root), b"")
        self.stats = {name: stat_of(self._base + name) for name in self.changes}
        before = [name for name, (old, _) in self.changes.items() if old is not None]
        with ScratchIndex(self.git, keep=False) as index:
            self._tracked = set(index.entries())
            index.add([decoded(name) for name in before if name in self._tracked])
            self._found = index.entries()

    def state(self, name: bytes) -> OnDisk:
        """How this one is."""
        old, new = self.changes[name]
        if SUBMODULE in (_mode(old), _mode(new)):
            return "after"  # a repository within: not ours to change
        if any(os.path.islink(self._base + folder) for folder in folders_above(name)):
            return "own"  # nothing is written, or deleted, through a link
        if self.stats[name] is None:
            return self._where_nothing_is(name, new)
        found = self._found.get(name)
        if found is None:
            return self._untracked(name, old, new)
        if found == new:
            return "after"
        return "before" if found == old else "own"

    def _where_nothing_is(self, name: bytes, new: About | None) -> OnDisk:
        if new is None:
            return "after"
        return "own" if in_the_way(self._base, name, self._tracked) else "gone"

    def _untracked(self, name: bytes, old: About | None, new: About | None) -> OnDisk:
        path = self._base + name
        if os.path.isdir(path) and not os.path.islink(path):
            # files of the old commit in it are looked at by themselves
            found = in_the_way(self._base, name, self._tracked)
            return "own" if found else "gone" if new else "after"
        for about, state in ((new, "after"), (old, "before")):
            if about is not None and _holds(path, about):
                return "after" if state == "after" else "before"
        return "own"


def _mode(about: About | None) -> str:
    return about[0] if about else ""


def _holds(path: bytes, about: About) -> bool:
    if os.path.islink(path):
        return about[0] == LINK and is_blob(about[1], os.readlink(path))
    if about[0] == LINK or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return is_blob(about[1], file.read())


def below(changes: Iterable[bytes], folder: str) -> list[bytes]:
    """The paths that lie in a folder."""
    prefix = os.fsencode(folder) + b"/"
    return [name for name in changes if name.startswith(prefix)]
