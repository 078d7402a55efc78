"""Large files, of which git has pointers: their content is brought before they are written.

And sent before the commits that name it. Only where the filter may run: in repositories of the
user's own, and where he has allowed it in those that we cloned. Source: docs/formats.md.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from dws_graph.backends.git import fat, lfs
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.fat_remote import bring, read_remote, send
from dws_graph.backends.git.filters import (
    allowed_filters,
    configure,
    fill,
    known_filters,
    pointers_on_disk,
)
from dws_graph.backends.git.pointers import (
    DRIVERS,
    FAT,
    LFS,
    Pointer,
    drivers_in,
    drivers_on_disk,
    pointers_in,
    pointers_of,
)
from dws_graph.backends.git.remotes import ORIGIN, quiet_environment


def set_up(git: Git, drivers: Iterable[str]) -> None:
    """Set up those of these drivers that git does not know, in a repository of the user's own.

    Where we cloned it, nothing is set up: that is the user's to allow.

    Raises:
        LfsError: git-lfs is not installed.
    """
    wanted = list(drivers)
    if not wanted or allowed_filters(git) is not None:
        return
    for driver in sorted({*wanted} - known_filters(git)):
        if driver == LFS:
            lfs.check_installed(git)
        configure(git, driver)
        if driver == LFS:
            _set_up_hooks(git)


def _set_up_hooks(git: Git) -> None:
    """Let plain `git push` send content, too, where no hook of the user's is in the way."""
    hooks = git.text("rev-parse", "--git-path", "hooks")
    if hooks == os.devnull:  # as we run git
        hooks = str(git.folder / "hooks")
    # one that is there already makes it fail: `dws push` needs none
    git.run("-c", f"core.hooksPath={hooks}", "lfs", "update", ok=(0, 1, 2))


def set_up_for_disk(git: Git, folders: Sequence[str] = ()) -> tuple[str, ...]:
    """The same, of the drivers that attributes on disk name.

    Args:
        git: The repository.
        folders: Whose attributes may not be tracked yet.

    Returns:
        The drivers.
    """
    named = drivers_on_disk(git, folders)
    set_up(git, named)
    return named


def bring_content(
    git: Git,
    commit: str,
    what: str,
    *,
    subdir: str = "",
    ask: bool = True,
    allowing: Collection[str] = (),
) -> None:
    """Have the content of a commit's large files here, before any of them is written.

    Args:
        git: The repository.
        commit: Its id, or that of a tree.
        what: What to call the repository in a message.
        subdir: The part of it that will be written; empty for all.
        ask: Whether git and ssh may ask for a password.
        allowing: Filters that are about to be allowed.

    Raises:
        GitError: The content of some cannot be brought: no file was changed.
    """
    named = drivers_in(git, commit)
    if not named:
        return
    set_up(git, named)
    may = [driver for driver in named if driver in may_run(git, allowing)]
    pointers = pointers_in(git, commit, subdir) if may else {}
    if LFS in may and (some := _of(LFS, pointers)):
        lfs.fetch(git, commit, some, quiet_environment(git, ask=ask), what)
    if FAT in may and (some := _of(FAT, pointers)):
        _bring_fat(git, commit, some, ask=ask)


def fill_in(git: Git, what: str, *, ask: bool) -> list[str]:
    """Write the files that are here as pointers with their content, where filters may do so.

    In the user's own repositories they are set up first.

    Returns:
        The files.

    Raises:
        GitError: The content of some cannot be brought; they are pointers as before.
    """
    named = set_up_for_disk(git)
    paths = pointers_on_disk(git, [d for d in may_run(git) if d in named]) if named else []
    if paths and git.head() is not None:
        bring_content(git, "HEAD", what, ask=ask)
        fill(git, paths)
    return paths


def may_run(git: Git, allowing: Collection[str] = ()) -> tuple[str, ...]:
    """The large-file filters that may write files in a repository, and are not told to skip it."""
    allowed = allowed_filters(git)
    may = [d for d in DRIVERS if allowed is None or d in allowed or d in allowing]
    return tuple(d for d in may if d != LFS or not lfs.skips(git))


def _of(driver: str, pointers: Mapping[str, Pointer]) -> dict[str, Pointer]:
    return {path: pointer for path, pointer in pointers.items() if pointer.driver == driver}


def _bring_fat(git: Git, commit: str | None, pointers: Mapping[str, Pointer], *, ask: bool) -> None:
    there = fat.stored(fat.store_of(git.folder))
    wanted = {p.oid: path for path, p in pointers.items() if p.oid not in there}
    if wanted:
        bring(git, read_remote(git, commit), wanted, ask=ask)


def send_content(git: Git, commits: Sequence[str], what: str, *, ask: bool) -> None:
    """Have the content that commits name where it is kept, before they are pushed to `origin`.

    Raises:
        GitError: It cannot be brought there, or some is neither here nor there.
    """
    allowed = allowed_filters(git)
    may = [driver for driver in DRIVERS if allowed is None or driver in allowed]
    if LFS in may and lfs.store_of(git).is_dir():
        lfs.push(git, commits, quiet_environment(git, ask=ask), what)
    if FAT in may and fat.stored(fat.store_of(git.folder)):
        _send_fat(git, commits, ask=ask)


def _send_fat(git: Git, commits: Sequence[str], *, ask: bool) -> None:
    new = pointers_of(git, commits, but=[f"--remotes={ORIGIN}"])
    fresh = {path: pointer for pointer, path in new.items() if pointer.driver == FAT}
    _bring_fat(git, commits[0], fresh, ask=ask)  # of a file that was committed as a placeholder
    named = {pointer.oid for pointer in pointers_of(git, commits) if pointer.driver == FAT}
    if here := named & fat.stored(fat.store_of(git.folder)):
        send(git, read_remote(git, commits[0]), here, ask=ask)
