"""Real folders and repositories for the tests of resources."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.locks import Notify, quiet
from dws_graph.resources.digests import StatCache, StatKey
from dws_graph.resources.terms import Watch
from dws_graph.workspace.opened import unwatched

AWKWARD = [
    b"plain.txt",
    b"quo\"ted 'name'.txt",
    b"new\nline.txt",
    b"tab\tbed.txt",
    b"-leading-dash",
    b"--all",
    "naïve ☃.txt".encode(),
    b"not-utf8-\xff\xfe.bin",
    b":(glob)*",
    b"back\\slash",
    b" spaces ",
    b"*",
    b'"a\\tb"',
]


class NoCache:
    """Forgets every hash."""

    is_empty = True

    def get(self, path: bytes, key: StatKey) -> str | None:
        return None

    def put(self, path: bytes, key: StatKey, sha1: str) -> None:
        """Keeps nothing."""

    def put_piece(self, base: bytes, folder: bytes, stats: bytes, hashes: bytes) -> None:
        """Keeps nothing."""


@dataclass
class Place:
    """What a resource needs of a workspace."""

    root: Path
    name: str = "test"
    batch: bool = True
    id: str = "00000000-0000-4000-8000-000000000000"
    instance: str = "00000000-0000-4000-8000-000000000001"
    notify: Notify = quiet
    progress: Watch = unwatched

    def stat_cache(self, folder: Path) -> AbstractContextManager[StatCache]:
        return nullcontext(NoCache())

    def names_before(self, name: str) -> list[str]:
        return []

    def known_hashes(self, name: str) -> set[str]:
        return set()

    def validate_local_path_for_resource(
        self, proposed_resource_name: str, proposed_local_path: str
    ) -> None:
        """Nothing else is there."""


def git(root: Path, *args: str | bytes) -> str:
    """Git as a user runs it."""
    done = subprocess.run(["git", *args], cwd=root, check=True, capture_output=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def repository(root: Path) -> Path:
    """An empty repository."""
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q")
    return root


def write(folder: Path, name: bytes | str, data: bytes = b"x") -> None:
    """A file in a folder, and the folders it lies in."""
    path = os.path.join(os.fsencode(folder), os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def files(folder: Path) -> dict[bytes, bytes]:
    """All files below a folder, but for git's own."""
    base, found = os.fsencode(folder), {}
    for top, folders, names in os.walk(base):
        folders[:] = [f for f in folders if f != b".git"]
        for name in names:
            path = os.path.join(top, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, base)] = file.read()
    return found


def commit_all(root: Path, message: str = "all") -> str:
    """Everything committed; the commit."""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")
