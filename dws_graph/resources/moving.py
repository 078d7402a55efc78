"""Moving, or copying, the files of results to their snapshot's folder: planned, done, and undone.

A plan is made before anything moves, so that it can be written down first; undoing one that was
carried out in part, or not at all, is safe.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dws_graph.backends.faults import fault
from dws_graph.backends.files import make_folder, sync_file, sync_folder
from dws_graph.errors import ConfigurationError

SNAPSHOTS = "snapshots"
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Move(NamedTuple):
    """One file's way, relative to the resource's root; names as Python has them (PEP 383).

    Attributes:
        source: Where it is.
        destination: Where it goes.
        mode: Its permissions before, since a moved file is read-only.
    """

    source: str
    destination: str
    mode: int


def plan_moves(
    root: Path,
    rel_dest_root: str,
    exclude_files: Collection[str] = (),
    exclude_dirs_re: re.Pattern[str] | None = None,
) -> list[Move]:
    """Which files would go where; changes nothing.

    All of them, but for `.git`, what is below `snapshots/`, and what is excluded.

    Args:
        root: The resource's folder.
        rel_dest_root: Where they go, relative to it.
        exclude_files: Paths, relative to it.
        exclude_dirs_re: Matches the relative paths of folders to leave as they are.

    Raises:
        ConfigurationError: The destination exists already, or is no folder within the resource.
    """
    destination = os.path.normpath(rel_dest_root)
    if os.path.isabs(destination) or destination.split(os.sep)[0] in ("", os.curdir, os.pardir):
        raise ConfigurationError(f"'{rel_dest_root}' is no folder within {root}")
    if os.path.lexists(root / destination):
        raise ConfigurationError(
            f"{root / destination} exists already",
            hint="Take the snapshot with another tag, or change results.dir_template.",
        )
    left = frozenset(os.path.normpath(name) for name in exclude_files)
    moves = []
    for source, mode in _files(root, "", destination, exclude_dirs_re):
        if source not in left:
            moves.append(Move(source, os.path.join(destination, source), mode))
    return moves


def _files(
    root: Path, folder: str, destination: str, exclude: re.Pattern[str] | None
) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(root / folder) as found:
            entries = sorted(found, key=lambda e: e.name)
    except OSError as e:
        raise ConfigurationError(f"{root / folder} cannot be read: {e.strerror}") from e
    for entry in entries:
        path = os.path.join(folder, entry.name)
        if entry.name == ".git":
            continue
        if not entry.is_dir(follow_symlinks=False):
            yield path, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
        elif path not in (SNAPSHOTS, destination) and not (exclude and exclude.match(path)):
            yield from _files(root, path, destination, exclude)


def move_files(root: Path, moves: Sequence[Move]) -> None:
    """Carry out a plan; folders left empty are removed."""
    for move in moves:
        target = root / move.destination
        make_folder(target.parent)
        fault("moving: rename")
        os.rename(root / move.source, target)
        _make_read_only(target)
    remove_empty(root, {os.path.dirname(move.source) for move in moves})


def move_again(root: Path, moves: Sequence[Move]) -> None:
    """Make the moves of a plan that were taken back, as far as they are not made yet."""
    for move in moves:
        source, target = root / move.source, root / move.destination
        if os.path.lexists(target):
            _make_read_only(target)
        elif os.path.lexists(source):
            make_folder(target.parent)
            fault("moving: rename again")
            os.rename(source, target)
            _make_read_only(target)
    remove_empty(root, {os.path.dirname(move.source) for move in moves})


def copy_files(root: Path, moves: Sequence[Move]) -> None:
    """As `move_files`, with the files left where they are too; on disk when it returns."""
    for move in moves:
        _copy(root, move)
    _sync_folders(root, moves)


def copy_again(root: Path, moves: Sequence[Move]) -> None:
    """Make the copies of a plan that were taken back, as far as they are not made yet."""
    for move in moves:
        target = root / move.destination
        if os.path.lexists(target) and (target.is_symlink() or not target.stat().st_mode & _WRITE):
            continue  # read-only: it is whole
        if os.path.lexists(root / move.source):
            _copy(root, move)
    _sync_folders(root, moves)


def _copy(root: Path, move: Move) -> None:
    """Copy one file; its mode says when it is whole."""
    target = root / move.destination
    make_folder(target.parent)
    fault("moving: copy")
    shutil.copy2(root / move.source, target, follow_symlinks=False)
    if target.is_symlink():
        return
    fault("moving: fsync")
    sync_file(target)
    _make_read_only(target)


def _sync_folders(root: Path, moves: Sequence[Move]) -> None:
    parents = {parent for move in moves for parent in Path(move.destination).parents}
    for folder in sorted(parents, reverse=True):
        if (root / folder).is_dir():
            sync_folder(root / folder)


def undo_moves(root: Path, moves: Sequence[Move], *, copied: bool = False) -> None:
    """Bring back what a plan moved so far (or drop what it copied); what is at home stays."""
    for move in reversed(moves):
        source, target = root / move.source, root / move.destination
        if not os.path.lexists(target):
            continue
        if copied:
            fault("moving: unlink")
            target.unlink()
        elif not os.path.lexists(source):
            make_folder(source.parent)
            if not target.is_symlink():  # first, or a file at home would stay read-only
                fault("moving: chmod back")
                target.chmod(move.mode)
            fault("moving: rename back")
            os.rename(target, source)
    remove_empty(root, {os.path.dirname(move.destination) for move in moves})


def _make_read_only(path: Path) -> None:
    if not path.is_symlink():
        fault("moving: chmod")
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_WRITE)


def stamps(root: Path, paths: Iterable[str]) -> list[list[int]]:
    """Size and time of files, by which one that was written since is known; [] for one not there.

    Of a folder nothing: a file in it may change at any time.
    """
    found: list[list[int]] = []
    for path in paths:
        try:
            status = (root / path).lstat()
        except FileNotFoundError:
            found.append([])
            continue
        is_folder = stat.S_ISDIR(status.st_mode)
        found.append([] if is_folder else [status.st_size, status.st_mtime_ns])
    return found


def remove_empty(root: Path, folders: set[str]) -> None:
    """Remove these folders and those above them where nothing is left; never the root."""
    for folder in sorted(folders, key=len, reverse=True):
        while folder:
            fault("moving: rmdir")
            try:
                os.rmdir(root / folder)
            except FileNotFoundError:
                pass  # removed before, by one that was interrupted: those above it may not be
            except OSError:
                break
            folder = os.path.dirname(folder)
