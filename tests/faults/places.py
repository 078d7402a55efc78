"""A folder brought back, in place, to what it was: no file that is still right is touched.

Inodes and times of what is right stay, so that the workspace is the same copy, and its
fingerprints hold.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def bring_back(place: Path, kept: Path) -> None:
    """Make a folder what a copy of it is."""
    have, want = _entries(place), _entries(kept)
    for name in sorted(have, reverse=True):
        if want.get(name, "")[:1] != have[name][:1]:
            path = place / name
            path.rmdir() if have[name][0] == "d" else path.unlink()
    for name, kind in sorted(want.items()):
        source, target = kept / name, place / name
        if kind[0] == "d":
            target.mkdir(exist_ok=True)
        elif have.get(name) != kind or not _same(source, target):
            target.unlink(missing_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    for name, kind in want.items():
        if kind[0] == "d" and have.get(name) != kind:
            shutil.copystat(kept / name, place / name)


def _entries(root: Path) -> dict[str, str]:
    """Kind and mode of all below a folder, by path."""
    found = {}
    for top, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(top, name)
            kind = "l" if path.is_symlink() else "d" if path.is_dir() else "f"
            found[str(path.relative_to(root))] = f"{kind}{path.lstat().st_mode:o}"
    return found


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink():
        return os.readlink(one) == os.readlink(other)
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
