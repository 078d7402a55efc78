"""What a branch or HEAD is, where a plain file of the repository says so: no run of git needed.

All else (a linked work tree, packed refs, a store of refs of another kind, a detached HEAD) git is
asked for. Source: gitrepository-layout(5), "HEAD" and "refs".
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_HEAD = re.compile(rb"ref: (refs/heads/[^\s.][^\s]*)\n?")  # .invalid: with reftable, git knows
_TIP = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?)\n?")
_NAMED = re.compile(r"(HEAD|refs/heads/[\w./-]+)\^\{commit\}", re.ASCII)


def head_ref(root: Path) -> str | None:
    """The full name of the branch checked out; None: ask git."""
    found = _HEAD.fullmatch(_read(root, "HEAD"))
    name = os.fsdecode(found[1]) if found else None
    # a branch that stands for another is in a file of its own, always
    return None if name is None or _read(root, name).startswith(b"ref:") else name


def tip_named(root: Path, name: str) -> str | None:
    """The commit that `HEAD^{commit}` or `refs/heads/NAME^{commit}` names; None: ask git."""
    named = _NAMED.fullmatch(name)
    ref = named[1] if named else None
    if ref == "HEAD":
        ref = head_ref(root)
    if ref is None or ".." in ref:
        return None
    found = _TIP.fullmatch(_read(root, ref))
    return found[1].decode() if found else None


def _read(root: Path, name: str) -> bytes:
    """A file of a repository's `.git` folder; nothing where it cannot be had."""
    try:
        return (root / ".git" / name).read_bytes()
    except (OSError, ValueError):
        return b""
