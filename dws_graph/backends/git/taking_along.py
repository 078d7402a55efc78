"""Large files of a repository that goes elsewhere: their content goes along, and their filters.

What is brought for that comes to the store here, by the user's own leave and credentials; elsewhere
nobody is asked for any.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dws_graph.backends.files import make_folder
from dws_graph.backends.git import fat, lfs
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.filters import keep_filters_out, let_run
from dws_graph.backends.git.large import bring_content, may_run
from dws_graph.backends.git.pointers import FAT, LFS, drivers_in, pointers_in
from dws_graph.errors import GitError, some_of


@dataclass(frozen=True, slots=True)
class LargeContent:
    """Content that goes along with a copy of a repository.

    Attributes:
        drivers: The filters that write it.
        files: A file here with each content, by its path in the `.git` folder of the copy.
    """

    drivers: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)

    def put(self, git: Git) -> None:
        """Give a new copy the content and its filters, before files are written; no other runs."""
        if not self.drivers:
            keep_filters_out(git)
            return
        let_run(git, self.drivers)
        for name, source in self.files.items():
            target = git.folder / name
            make_folder(target.parent)
            _link_or_copy(source, target)


def large_content(git: Git, commits: Sequence[str], what: str, *, ask: bool) -> LargeContent:
    """Have the content of these commits' large files here, where their filters may run.

    Args:
        git: The repository.
        commits: Ids.
        what: What to call the repository in a message.
        ask: Whether git and ssh may ask for a password.

    Raises:
        GitError: The content of some cannot be brought; names them.
    """
    drivers: set[str] = set()
    files: dict[str, Path] = {}
    lost: list[str] = []
    for commit in commits:
        bring_content(git, commit, what, ask=ask)
        of_commit = {*drivers_in(git, commit)} & {*may_run(git)}
        drivers |= of_commit
        for path, name, source in _stored(git, commit, of_commit):
            files[name] = source
            if not source.is_file():
                lost.append(path)
    if lost:
        raise GitError(
            f"the content of {some_of(lost, 3)} of {what} is not here",
            hint="Is it left out by lfs.fetchexclude? With GIT_LFS_SKIP_SMUDGE=1, files of git-lfs "
            "go along as pointers.",
        )
    return LargeContent(tuple(sorted(drivers)), files)


def _stored(git: Git, commit: str, drivers: set[str]) -> Iterator[tuple[str, str, Path]]:
    """Each large file of a commit: its path, where its content is in `.git`, and where here."""
    if not drivers:
        return
    lfs_store, fat_store = lfs.store_of(git), fat.store_of(git.folder)
    for path, pointer in pointers_in(git, commit).items():
        oid = pointer.oid
        if pointer.driver == LFS and LFS in drivers:
            below = f"{oid[:2]}/{oid[2:4]}/{oid}"
            yield path, f"lfs/objects/{below}", lfs_store / below
        elif pointer.driver == FAT and FAT in drivers:
            yield path, f"fat/objects/{oid}", fat_store / oid


def _link_or_copy(source: Path, target: Path) -> None:
    """Content is never written again once it has its place: a link is as good, for a while."""
    with suppress(OSError):  # another file system, another's file
        os.link(source, target)
        return
    shutil.copyfile(source, target)
