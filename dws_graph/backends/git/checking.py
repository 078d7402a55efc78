"""Whether a repository really holds what a tree names: every object read and hashed again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Literal

from dws_graph.backends.git.command import Git, GitCommandError

Kept = Literal["same", "changed", "missing"]
BATCH = 32 << 20  # bytes of content asked for at once
SUBMODULE = "commit"


def check_tree(git: Git, tree: str) -> tuple[Kept, str]:
    """Read all that is below a tree, or a file's content, and compare it with its ids.

    Args:
        git: The repository.
        tree: Id of a tree, a commit or a blob.

    Returns:
        What is the matter, and the id of the first object with which it is; both `same` and the
        empty text when nothing is.
    """
    try:
        for batch in _batches(git, tree):
            for oid, found in _hashes(git, batch):
                if found is None:
                    return "missing", oid
                if found != oid:
                    return "changed", oid
    except GitCommandError as e:  # a tree that cannot be read, or an object that cannot be inflated
        there = git.succeeds("cat-file", "-e", "--end-of-options", tree)
        return ("changed" if there else "missing"), _named(e.stderr) or tree
    return "same", ""


def is_blob(oid: str, data: bytes) -> bool:
    """Whether this is the content that a blob's id stands for."""
    return _hash_like(oid, "blob", data) == oid


def _batches(git: Git, tree: str) -> Iterator[list[str]]:
    """The ids of all objects, those of one batch not too large together."""
    if git.text("cat-file", "-t", tree) == "blob":
        yield [tree]
        return
    root = git.text("rev-parse", "-q", "--verify", "--end-of-options", f"{tree}^{{tree}}")
    seen = {root.removeprefix("--end-of-options\n")}
    batch, size = list(seen), 0
    raw = git.run("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", tree)
    for entry in raw.split(b"\0")[:-1]:
        _, kind, oid, length = entry.split(b"\t", 1)[0].decode("ascii").split()
        if oid in seen or kind == SUBMODULE:
            continue
        seen.add(oid)
        batch.append(oid)
        size += int(length) if length.isdigit() else 0
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _hashes(git: Git, oids: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each id, with what its content really hashes to; None where there is none."""
    for oid, (kind, data) in zip(oids, git.each_object(oids), strict=True):
        yield oid, None if kind is None else _hash_like(oid, kind, data)


def _hash_like(oid: str, kind: str, data: bytes | memoryview) -> str:
    """What an object of this content hashes to, in the kind of hash that an id is of."""
    digest = hashlib.sha256() if len(oid) == 64 else hashlib.sha1(usedforsecurity=False)
    digest.update(f"{kind} {len(data)}\0".encode())
    digest.update(data)
    return digest.hexdigest()


def _named(stderr: str) -> str:
    """The first id that git names in what it said."""
    words = stderr.replace("'", " ").replace(":", " ").split()
    return next(
        (w for w in words if len(w) in (40, 64) and not set(w) - set("0123456789abcdef")), ""
    )
