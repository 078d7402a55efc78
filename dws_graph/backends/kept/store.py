"""What a store of kept content offers, and where a store may be.

    objects/ab/cdef...                       content by its sha1
    trees/WORKSPACE/ROOT-INSTANCE            what one copy of a workspace names in it
    clearing                                 while content is being dropped

Whoever adds names first what he needs (`write_tree`), then looks whether somebody drops content,
then puts what is missing. Whoever drops says so first, then looks at the names, and drops what
none needs. So no content is dropped that somebody has just found there. Source: docs/formats.md,
"Kept content".
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urlsplit

from dws_graph.errors import ConfigurationError, ParamValidationError

Progress = Callable[[int, int], None]
CHUNK = 1 << 20
OBJECT = re.compile(r"objects/([0-9a-f]{2})/([0-9a-f]{38})")
TREE = re.compile(r"trees/([0-9a-f-]{36})/([0-9a-f]{40})-([0-9a-f-]{36})")
REMOTE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "sftp", "ssh", "hdfs", "webhdfs", "smb")


class StoreError(ConfigurationError):
    """A store cannot be used now: not reached, refused, or full; nothing is half-written."""


class ContentChangedError(StoreError):
    """A file does not have the content any more by which it was to be kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} changed while it was being kept",
            hint="Run the command again when nothing writes to it.",
        )


class ContentDamagedError(StoreError):
    """A content in a store is not what its name says."""


@dataclass(frozen=True, slots=True)
class TreeName:
    """The name of a kept state: of which workspace, by which copy, and the hash of the whole."""

    workspace: str
    root: str
    instance: str

    @property
    def path(self) -> str:
        """Within the store."""
        return f"trees/{self.workspace}/{self.root}-{self.instance}"


@dataclass(frozen=True, slots=True)
class Held:
    """A file of a store: size in bytes, and when it was written, in seconds since 1970."""

    size: int
    time: float


class Store(Protocol):
    """A folder, on this machine or elsewhere, with content by hash."""

    where: str
    """For people; without secrets."""

    def adding(self) -> AbstractContextManager[None]:
        """Nothing is dropped meanwhile; to be entered after `write_tree`."""

    def clearing(self) -> AbstractContextManager[Callable[[], None]]:
        """Nobody adds meanwhile; what it gives is to be called now and then."""

    def present(self, wanted: Mapping[str, int]) -> set[str]:
        """Which of these contents, {sha1: size}, are there whole."""

    def put(self, sources: Mapping[str, Path], progress: Progress | None = None) -> None:
        """Copy files in, each under the sha1 that it must have; durable when it returns.

        Raises:
            StoreError: One cannot be written, or does not have this content any more.
        """

    def fetch(self, sha1: str, target: Path) -> None:
        """Copy content to a new file, verified.

        Raises:
            StoreError: It is not there, or damaged; nothing is left of it.
        """

    def check(self, sha1: str) -> bool | None:
        """Whether the content is whole, every byte read; None where it is not there."""

    def objects(self) -> Iterator[tuple[str, Held]]:
        """Every content by its sha1."""

    def trees(self, workspace: str | None = None) -> Iterator[tuple[TreeName, Held]]:
        """Every named state, or those of one workspace."""

    def read_tree(self, name: TreeName) -> bytes | None:
        """A named state; None where it is not there."""

    def write_tree(self, name: TreeName, data: bytes) -> None:
        """Name a state."""

    def drop_trees(self, names: Iterable[TreeName]) -> None:
        """Take names away."""

    def drop(self, sha1s: Iterable[str], beat: Callable[[], None]) -> None:
        """Take contents away; `beat` is of `clearing`."""

    def sweep(self, before: float, *, dry_run: bool = False) -> int:
        """Remove what interrupted writes left there before this time; bytes freed, or to be."""


def object_path(sha1: str) -> str:
    """Where content lies in a store."""
    return f"objects/{sha1[:2]}/{sha1[2:]}"


def copy_hashed(source: IO[bytes], target: IO[bytes] | None) -> str:
    """Copy all that can be read, in pieces of 1 MB; the sha1 of it."""
    digest = hashlib.sha1(usedforsecurity=False)
    buffer = memoryview(bytearray(CHUNK))
    while size := source.readinto(buffer):  # type: ignore[attr-defined]  # of every binary file
        digest.update(buffer[:size])
        if target is not None:
            target.write(buffer[:size])
    return digest.hexdigest()


def check_url(url: str) -> str:
    """A store's URL as it is committed.

    Raises:
        ParamValidationError: It is none, holds a password, or is of a kind that is not known.
    """
    parts = urlsplit(url)
    if not parts.scheme and url:
        here = Path(os.path.abspath(os.path.expanduser(url))).as_uri()
        raise ParamValidationError(
            f"'{url}' is a path, and a store is named by a URL", hint=f"Give {here}."
        )
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ParamValidationError(
                f"'{url}' is no folder of this machine", hint="Give file:///FOLDER."
            )
        return url
    if parts.scheme not in REMOTE or "::" in url:
        kinds = ", ".join(f"{kind}://" for kind in ("file", *REMOTE))
        raise ParamValidationError(
            "the store's URL is of no kind that is known here", hint=f"Kinds: {kinds}."
        )
    if parts.password is not None or parts.query:
        raise ParamValidationError(
            "the store's URL holds a password, or options, and would be committed with it",
            hint="Give them by the environment, or the configuration file, of what it is.",
        )
    if not parts.netloc:
        raise ParamValidationError(f"'{url}' names no server or bucket")
    return url
