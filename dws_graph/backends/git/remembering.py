"""What git has said and will not take back, kept for this process: each run of git costs.

An id names content: what `ID:PATH` is, it is for ever. Where a repository has its folders stays as
it is while its `.git` is the same one.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

LIMIT = 20_000  # answers; then all are forgotten

V = TypeVar("V")
_LASTING = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?(?::.*|\^\{(?:tree|commit)\})", re.DOTALL)


class Answers(Generic[V]):
    """Answers by question; None is no answer, and asked again."""

    def __init__(self) -> None:
        self._known: dict[Hashable, V] = {}

    def get(self, question: Hashable | None, ask: Callable[[], V]) -> V:
        """The answer; asked for where it is not known. A question of None is asked each time."""
        if question is None:
            return ask()
        found = self._known.get(question)
        if found is None:
            found = ask()
            if found is not None:
                self.know(question, found)
        return found

    def know(self, question: Hashable | None, answer: V) -> None:
        """Keep an answer that was come by otherwise."""
        if question is None:
            return
        if len(self._known) >= LIMIT:
            self._known.clear()
        self._known[question] = answer


def repository_mark(root: Path) -> Hashable | None:
    """What stands for a repository while it stays the same; None where `root` is not its root."""
    path = os.path.abspath(root)
    try:
        found = os.stat(os.path.join(path, ".git"))
    except OSError:
        return None
    # a file may name another folder now; of a folder the time says nothing
    changed = 0 if stat.S_ISDIR(found.st_mode) else found.st_mtime_ns
    return path, found.st_dev, found.st_ino, changed


def is_lasting(name: str) -> bool:
    """Whether what a name of an object stands for never changes."""
    return _LASTING.fullmatch(name) is not None
