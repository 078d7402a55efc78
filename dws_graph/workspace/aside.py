"""What an operation takes away is first moved aside, so that it can be undone.

It lies in a folder of its own on the same file system, and is deleted when the next operation is
done. Source: docs/formats.md, "Undoing and renaming".
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dws_graph.backends.faults import fault
from dws_graph.workspace import layout

PREFIX = ".~aside-"  # such names count in no hash and no fingerprint


def aside_for(root: Path, folder: Path, name: str) -> tuple[Path, Path]:
    """Where something in a folder can be moved by a rename.

    Args:
        root: The workspace's.
        folder: That of a resource, or the one around it.
        name: Of the operation: the folder aside is of it alone.

    Returns:
        The folder from which paths of moves are counted, and the one aside, below it.
    """
    real, here = folder.resolve(), root.resolve()
    local = here / layout.LOCAL
    if real.is_relative_to(here) and real.stat().st_dev == local.stat().st_dev:
        return here, local / f"{PREFIX}{name}"
    own = real / ".git"  # else the next snapshot would commit it
    return real, (own if own.is_dir() else real) / f"{PREFIX}{name}"


def is_aside(path: Path) -> bool:
    """Whether a folder is one that `aside_for` names."""
    return path.name.startswith(PREFIX)


def delete_tree(path: Path) -> None:
    """Delete a folder with all in it, read-only or not; nothing where there is none."""
    if path.is_symlink() or not path.is_dir():
        return
    for top, _, _ in os.walk(path):
        os.chmod(top, stat.S_IRWXU)
    fault("aside: delete")
    shutil.rmtree(path, onerror=_gone)


def _gone(function: Callable[..., Any], path: str, error: Any) -> None:
    if not isinstance(error[1], FileNotFoundError):
        raise error[1]
