"""Segments of other instances: each copied once it is there, so that no checkout takes it away.

A segment that is not as git has it is never copied, and a copy that is not what git has now is
made anew: nothing that was damaged on disk outlives its repair.

Source: docs/formats.md, "The journal on disk".
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping
from pathlib import Path

from dws_graph.backends.files import make_folder, write_atomic
from dws_graph.backends.git.checking import is_blob
from dws_graph.backends.git.index import tracked_blobs
from dws_graph.backends.journal.lines import check_lines
from dws_graph.backends.mending import how_to_mend
from dws_graph.errors import JournalError

TAKEN_IN = "taken-in"
SETTLED = 2_000_000_000  # nanoseconds after which a folder's time tells of each later change


def take_in(source: Path, kept: Path, *, in_git: bool, anew: bool = False) -> bool:
    """Keep a copy of each segment of an instance that is new, longer, or was repaired.

    Args:
        source: The instance's folder in the work tree.
        kept: The folder of the copies.
        in_git: Whether they lie in a repository, which knows what each is to be.
        anew: Look at all, whatever their times say.

    Returns:
        Whether copies can be written; in a read-only workspace segments are read where they are.

    Raises:
        JournalError: A segment is damaged, and there is no good copy of it; names the file.
    """
    found = os.stat(source).st_mtime_ns
    mark = f"{found} {len(segments(kept))}\n"
    try:
        if not anew and _read(kept / TAKEN_IN) == mark:  # no look at each of thousands of files
            return True
        _copy_new(source, kept, in_git, anew)
        if time.time_ns() - found > SETTLED:
            mark = f"{found} {len(segments(kept))}\n"
            write_atomic(kept / TAKEN_IN, mark.encode(), fsync=False)
    except PermissionError:
        return False
    except OSError as e:
        if e.errno == errno.EROFS:
            return False
        raise
    return True


def damaged_copies(source: Path, kept: Path) -> list[Path]:
    """The copies that are neither what git has now nor begin with it."""
    have = segments(kept)
    if not have or not source.is_dir():
        return []
    found = []
    for name, oid in tracked_blobs(source).items():
        copy = (kept / name).read_bytes() if name in have else b""
        if copy and not is_blob(oid, copy) and not copy.startswith((source / name).read_bytes()):
            found.append(kept / name)
    return found


def segments(folder: Path) -> list[str]:
    """The names of the segments in a folder, in their order."""
    return [name for name in file_names(folder) if name.endswith(".jsonl")]


def file_names(folder: Path) -> list[str]:
    """What is in a folder, sorted; nothing where there is none."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _copy_new(source: Path, kept: Path, in_git: bool, anew: bool) -> None:
    have = _stats(kept)
    changed = {
        name: about
        for name, about in sorted(_stats(source).items())
        # a file that is written again, to repair it, is not older than its copy
        if anew
        or name not in have
        or about.st_size > have[name].st_size
        or _not_older(about, have[name])
    }
    if not changed:
        return
    tracked = tracked_blobs(source) if in_git else {}
    for name in changed:
        raw = (source / name).read_bytes()
        copy = (kept / name).read_bytes() if name in have else None
        if copy is not None and copy.startswith(raw):
            continue
        if _is_good(source / name, raw, copy, tracked):
            make_folder(kept)
            write_atomic(kept / name, raw)


def _is_good(path: Path, raw: bytes, copy: bytes | None, tracked: Mapping[str, str]) -> bool:
    """Whether a segment may replace its copy; where it may not, and the copy is bad, an error."""
    oid = tracked.get(path.name)
    if oid is None:  # git does not know it yet
        check_lines(path)
        return copy is None or raw.startswith(copy)
    if is_blob(oid, raw):
        return True
    if copy is not None and is_blob(oid, copy):
        return False
    raise JournalError(
        f"{path} is damaged: it is not as it was committed",
        hint=how_to_mend(path),
    )


def _not_older(one: os.stat_result, other: os.stat_result) -> bool:
    return one.st_mtime_ns >= other.st_mtime_ns


def _stats(folder: Path) -> dict[str, os.stat_result]:
    """The segments in a folder that are files, no links."""
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat(follow_symlinks=False)
                for entry in entries
                if entry.name.endswith(".jsonl") and not entry.is_symlink()
            }
    except (FileNotFoundError, NotADirectoryError):
        return {}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return ""
