"""Fault points: the moments between two changes of what is on disk.

`fault` is called just before each write, rename, fsync, removal, git command and transaction that
changes a workspace, and where an operation has come a step further. It does nothing, unless a
test has put a function in `hook`: the suite `tests/faults` kills the process at each of them.
"""

from __future__ import annotations

from collections.abc import Callable

Hook = Callable[[str], None]

hook: Hook | None = None
"""Called with the name of each point; set by tests alone."""


def fault(point: str) -> None:
    """Mark a moment.

    Args:
        point: What is about to happen (`journal: fsync`), or where an operation is
            (`branch moved`).
    """
    if hook is not None:
        hook(point)
