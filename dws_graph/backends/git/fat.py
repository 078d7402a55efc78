"""git-fat's own format: a line in git stands for content, which lies in a folder by its SHA-1.

Both are those of the git-fat of 2012, in whose repositories this reads and writes on. The filter
runs once a file, so this module imports nothing that is slow. Source: docs/formats.md, "git-fat".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dws_graph.errors import GitError

DRIVER = "fat"
LONGEST = 74  # bytes of a placeholder; the first git-fat wrote no size, which makes 53
BLOCK = 1 << 20
TEMPORARY = ".~"
_PLACEHOLDER = re.compile(rb"#\$# git-fat ([0-9a-f]{40})(?: +([0-9]+))?\n")
_DIGEST = re.compile(r"[0-9a-f]{40}")


class DamagedError(GitError):
    """What lies under a SHA-1 in the store has another one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is damaged: its content has not the SHA-1 of its name",
            hint="Delete that file, then bring it anew: git fat pull.",
        )
        self.path = path


def store_of(git_folder: Path) -> Path:
    """Where a repository keeps content."""
    return git_folder / "fat" / "objects"


def placeholder(digest: str, size: int) -> bytes:
    """What git has in the place of content."""
    return f"#$# git-fat {digest} {size:20d}\n".encode("ascii")


def digest_in(data: bytes) -> str | None:
    """The SHA-1 of the content that a placeholder stands for; None for what is none."""
    found = _PLACEHOLDER.fullmatch(data)
    return found[1].decode("ascii") if found else None


def is_digest(name: str) -> bool:
    """Whether a name in the store is one of content, not of something begun."""
    return _DIGEST.fullmatch(name) is not None


def stored(store: Path) -> set[str]:
    """The SHA-1 of all content that is in a store."""
    return {name for name in os.listdir(store) if is_digest(name)} if store.is_dir() else set()


def sha1_of(path: Path) -> str:
    """The SHA-1 of a file, read in blocks."""
    digest = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        for block in _blocks(file):
            digest.update(block)
    return digest.hexdigest()


def clean(source: BinaryIO, target: BinaryIO, store: Path) -> None:
    """Keep content and write its placeholder; a placeholder stays as it is."""
    head = source.read(LONGEST + 1)
    if digest_in(head):
        target.write(head)
        return
    digest, size = hashlib.sha1(usedforsecurity=False), 0
    store.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(prefix=TEMPORARY, dir=store)
    try:
        with os.fdopen(fd, "wb") as file:
            for block in _blocks(source, head):
                digest.update(block)
                size += len(block)
                file.write(block)
            file.flush()
            os.fsync(fd)
        keep(Path(name), store / digest.hexdigest())
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    target.write(placeholder(digest.hexdigest(), size))


def keep(made: Path, path: Path) -> None:
    """Give a file its place in the store, unless the same content is there; it is read-only."""
    if path.is_file():
        return
    made.chmod(0o444 & ~_umask())
    os.replace(made, path)
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def smudge(source: BinaryIO, target: BinaryIO, store: Path) -> str | None:
    """Write the content that a placeholder stands for, or what was read when it is none.

    Returns:
        The SHA-1 of content that is not here: then the placeholder is written.

    Raises:
        DamagedError: The content in the store is not what it was.
    """
    head = source.read(LONGEST + 1)
    digest = digest_in(head)
    path = store / digest if digest else None
    if path is None or not path.is_file():
        for block in _blocks(source, head):
            target.write(block)
        return digest
    found = hashlib.sha1(usedforsecurity=False)
    with path.open("rb") as file:
        for block in _blocks(file):
            found.update(block)
            target.write(block)
    if found.hexdigest() != digest:
        raise DamagedError(path)
    return None


def _blocks(source: BinaryIO, head: bytes = b"") -> Iterator[bytes]:
    block = head or source.read(BLOCK)
    while block:
        yield block
        block = source.read(BLOCK)


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
