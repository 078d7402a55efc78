r"""From the paths that facts hold back to real names.

In facts a byte of a file name that is not UTF-8 is the four characters `\xNN`. Real names hold it
as a lone surrogate (PEP 383). A name that really has these four characters wins. Source:
docs/formats.md, "Values".
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from dws_graph.model.values import clean_text

_ESCAPE = re.compile(r"\\x[0-9a-f]{2}")

NamesIn = Callable[[str], Iterable[str]]
"""The names directly in a folder (the empty path is the root's); none where there is no folder."""


class Trees(Protocol):
    """A repository, or a scratch index with objects of its own."""

    def names_in(self, tree: str, folder: str) -> list[str]:
        """The names directly in a folder of a tree."""

    def object_id(self, name: str) -> str | None:
        """The id of `TREE:PATH`; None when there is none."""


def real_path(subpath: str, names_in: NamesIn) -> str:
    """The real path of a recorded one; the same where nothing fits.

    Args:
        subpath: As a fact holds it; one that is real already stays as it is.
        names_in: What there is.
    """
    parts = subpath.split("/")
    if not _ESCAPE.search(subpath) or parts[0] == "" or ".." in parts:
        return subpath  # nothing outside the root is looked at
    found = [""]
    for part in parts:
        if len(found) == 1 and not _ESCAPE.search(part):
            found = [f"{found[0]}{part}/"]  # one way on: no need to look
        else:
            found = [f"{at}{name}/" for at in found for name in _fitting(part, names_in(at))]
    return found[0][:-1] if found else subpath


def path_on_disk(root: Path, subpath: str) -> str:
    """The real path, below `root`, of a recorded one."""

    def names_in(folder: str) -> list[str]:
        try:
            return os.listdir(root / folder)
        except OSError:  # a file, gone, or not to be read: nothing fits in it
            return []

    return real_path(subpath, names_in)


def id_in_tree(trees: Trees, tree: str, subpath: str) -> str | None:
    """The id of what a git tree holds at a recorded path; None when that is nothing."""
    real = real_path(subpath, lambda folder: trees.names_in(tree, folder))
    return trees.object_id(f"{tree}:{real}")


def _fitting(part: str, names: Iterable[str]) -> list[str]:
    """The names that one part of a recorded path may mean, the likeliest first."""
    fitting = [name for name in names if name == part or clean_text(name) == part]
    return sorted(fitting, key=lambda name: (name != part, os.fsencode(name)))
