"""Two commits that went apart from a third, merged as trees: nothing on disk changes.

A path that one side alone changed is as that side has it. Where both did, whoever asks says what
becomes of it; a text may be merged line by line.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.git.command import Git, GitCommandError, decoded
from dws_graph.backends.git.index import EXECUTABLE, FILE, ScratchIndex
from dws_graph.errors import GitError

About = tuple[str, str]  # mode and id
Change = tuple[About | None, About | None]  # before and after; None: not there


@dataclass(frozen=True, slots=True, kw_only=True)
class BothChanged:
    """A path that both sides changed, each in another way; None: not there."""

    path: str
    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


Settle = Callable[[BothChanged], bytes | None]
"""What becomes of a path: its content, or None to leave it out.

Raises:
    UnsettledError: Only a person can tell.
"""


class UnsettledError(Exception):
    """Both sides changed a file, and only a person can tell what becomes of it."""


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge as a tree; paths that only a person can settle."""

    tree: str
    conflicts: tuple[str, ...]


def changes(git: Git, old: str, new: str) -> dict[bytes, Change]:
    """What differs between two commits or trees, by path."""
    raw = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-ext-diff", old, new)
    fields = raw.split(b"\0")[:-1]
    found: dict[bytes, Change] = {}
    for about, name in zip(fields[::2], fields[1::2], strict=True):
        mode_a, mode_b, oid_a, oid_b, _ = about.decode("ascii").lstrip(":").split(" ")
        before = None if set(mode_a) == {"0"} else (mode_a, oid_a)
        found[name] = (before, None if set(mode_b) == {"0"} else (mode_b, oid_b))
    return found


def merge_base(git: Git, ours: str, theirs: str) -> str | None:
    """The commit that two have in common; None when there is none.

    Raises:
        GitError: There are several, which git must be asked to merge.
    """
    found = git.run("merge-base", "--all", ours, theirs, ok=(0, 1)).decode("ascii").split()
    if len(found) > 1:
        raise GitError(
            f"the histories of {git.root} and of its origin were merged both ways",
            hint=f"Merge by hand: git -C {git.root} merge {theirs[:12]}. Then: dws pull.",
        )
    return found[0] if found else None


def merge_commits(git: Git, base: str, ours: str, theirs: str, settle: Settle) -> Merge:
    """The tree that two commits make together.

    Args:
        git: The repository.
        base: The commit they have in common.
        ours: One.
        theirs: The other.
        settle: Asked where both changed a path.
    """
    mine, other = changes(git, base, ours), changes(git, base, theirs)
    taken: dict[bytes, About | None] = {}
    conflicts: list[str] = []
    for name, (before, after) in other.items():
        if name not in mine:
            taken[name] = after
        elif mine[name][1] != after:
            try:
                taken[name] = _settled(git, name, (before, mine[name][1], after), settle)
            except UnsettledError:
                conflicts.append(decoded(name))
    conflicts += _folders_in_the_way(git, ours, taken)
    with ScratchIndex(git) as index:
        index.put_tree(ours)
        index.remove([decoded(name) for name, about in taken.items() if about is None])
        index.put_ids({name: about for name, about in taken.items() if about is not None})
        return Merge(index.write_tree(), tuple(sorted(set(conflicts))))


def _settled(
    git: Git, name: bytes, sides: tuple[About | None, About | None, About | None], settle: Settle
) -> About | None:
    for about in sides:
        if about is not None and about[0] not in (FILE, EXECUTABLE):
            raise UnsettledError  # a link or a submodule has no content to merge
    base, ours, theirs = (None if a is None else git.run("cat-file", "blob", a[1]) for a in sides)
    if ours == theirs and ours is not None:
        data: bytes | None = ours  # only the modes differ
    else:
        data = settle(BothChanged(path=decoded(name), base=base, ours=ours, theirs=theirs))
    if data is None:
        return None
    modes = {about[0] for about in sides[1:] if about is not None}
    before = sides[0][0] if sides[0] is not None else FILE
    mode = modes.pop() if len(modes) == 1 else EXECUTABLE if before == FILE else FILE
    return (mode, git.write_blob(data))


def _folders_in_the_way(git: Git, ours: str, taken: Mapping[bytes, About | None]) -> list[str]:
    """Paths that would be a file on one side and a folder on the other."""
    have = {name for name in git.ls_tree(ours) if taken.get(name, ("", "")) is not None}
    new = {name for name, about in taken.items() if about is not None}
    return [
        decoded(name)
        for names, others in ((new, have | new), (have, new))
        for name in names
        if any(above in others for above in folders_above(name))
    ]


def folders_above(name: bytes) -> list[bytes]:
    """The folders that a path lies in, the outermost first."""
    parts = name.split(b"/")
    return [b"/".join(parts[:n]) for n in range(1, len(parts))]


def merge_lines(git: Git, found: BothChanged) -> bytes:
    """Merge a text line by line.

    Raises:
        UnsettledError: The same lines were changed, it is no text, or one side took it away.
    """
    if found.ours is None or found.theirs is None:
        raise UnsettledError
    sides = (found.ours, found.base or b"", found.theirs)
    if any(b"\0" in side for side in sides):
        raise UnsettledError
    with tempfile.TemporaryDirectory(prefix="dws-") as folder:
        paths = [str(Path(folder, name)) for name in ("ours", "base", "theirs")]
        for path, data in zip(paths, sides, strict=True):
            Path(path).write_bytes(data)
        try:
            return git.run("merge-file", "-p", "-q", *paths)
        except GitCommandError as e:
            if 0 < e.status < 128:  # the number of conflicts
                raise UnsettledError from e
            raise


def merge_sets(base: list[str], ours: list[str], theirs: list[str]) -> list[str]:
    """Lines or names that each side may add to or take from: theirs first, each once."""
    gone = {item for item in base if item not in ours or item not in theirs}
    return [item for item in dict.fromkeys([*theirs, *ours]) if item not in gone]
