"""Files that rclone brings go beside their folder first, and to their places when they are whole.

Rclone writes a file in its place: killed there, it leaves half of one under the name of the whole,
which nothing tells from an edit.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import TEMPORARY, make_folder


@contextmanager
def beside(folder: Path) -> Iterator[Path | None]:
    """An empty folder for what comes; None where there can be none: `folder` is a mount, say."""
    real = folder.resolve()
    place = real.parent / f"{TEMPORARY}{real.name}"
    same_device = real.parent.stat().st_dev == real.stat().st_dev
    if not same_device or not os.access(real.parent, os.W_OK | os.X_OK):
        yield None
        return
    shutil.rmtree(place, ignore_errors=True)  # of one that was killed
    make_folder(place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def put_in_place(staged: Path, folder: Path) -> None:
    """Give whole files their places; doing it twice is as doing it once.

    What is in the way of a folder, or a folder in the way of a file, is left to rclone.
    """
    for top, _, names in os.walk(staged):
        target = folder / os.path.relpath(top, staged)
        if not _can_be_folder(target, folder):
            continue
        for name in names:
            if not (target / name).is_dir():
                make_folder(target)
                _replace(Path(top, name), target / name)


def _can_be_folder(path: Path, root: Path) -> bool:
    between = [path, *path.parents[: len(path.relative_to(root).parts)]]
    return all(p.is_dir() and not p.is_symlink() for p in between if os.path.lexists(p))


def _replace(made: Path, path: Path) -> None:
    if path.is_file():
        made.chmod(path.stat().st_mode & 0o7777)
    fault("rclone: put in place")
    os.replace(made, path)
