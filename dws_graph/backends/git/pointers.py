"""What git has in the place of large files: lines that name content which is kept elsewhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.git import fat
from dws_graph.backends.git.command import LITERAL, Git, decoded

LFS, FAT = "lfs", fat.DRIVER
DRIVERS = (LFS, FAT)
LIMIT = 1024  # bytes; git-lfs takes what is larger for content
ATTRIBUTES = ".gitattributes"
_LFS = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize ([0-9]+)\n"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Stands for content.

    Attributes:
        driver: The filter that knows it: `lfs` or `fat`.
        oid: Its SHA-256 or SHA-1.
    """

    driver: str
    oid: str


def pointer_in(data: bytes) -> Pointer | None:
    """The pointer that a file's bytes are; None for others."""
    if found := _LFS.match(data):
        return Pointer(LFS, found[1].decode("ascii"))
    digest = fat.digest_in(data)
    return Pointer(FAT, digest) if digest else None


def is_pointer(path: Path) -> bool:
    """Whether a file on disk is one."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > LIMIT:
        return False
    return pointer_in(path.read_bytes()) is not None


def drivers_in(git: Git, tree: str) -> tuple[str, ...]:
    """The large-file filters that the attributes of a commit or tree name."""
    raw = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", tree)
    paths = [decoded(name) for name in raw.split(b"\0")[:-1]]
    found = git.cats(tree, _attribute_files(paths))
    return _named([data for data in found.values() if data is not None])


def drivers_on_disk(git: Git, folders: Iterable[str] = ()) -> tuple[str, ...]:
    """Those that the attributes on disk name: of tracked files, and of these folders' own."""
    wanted = (":(top,glob)**/" + ATTRIBUTES,)
    raw = git.run("ls-files", "-z", "--full-name", "--cached", "--", *wanted)
    names = {decoded(name) for name in raw.split(b"\0")[:-1]}
    names |= {os.path.join(folder, ATTRIBUTES) for folder in ("", *folders)}
    files = [git.root / name for name in sorted(names)]
    return _named([f.read_bytes() for f in files if f.is_file() and not f.is_symlink()])


def _attribute_files(paths: Iterable[str]) -> list[str]:
    return [path for path in paths if path.rpartition("/")[2] == ATTRIBUTES]


def _named(attributes: Sequence[bytes]) -> tuple[str, ...]:
    words = {word for data in attributes for line in data.splitlines() for word in line.split()}
    return tuple(driver for driver in DRIVERS if f"filter={driver}".encode() in words)


def pointers_in(git: Git, tree: str, subdir: str = "") -> dict[str, Pointer]:
    """The pointers in a commit or tree, below `subdir`, by path."""
    listed = ("ls-tree", "-r", "-l", "-z", "--full-tree", tree, "--", subdir)
    raw = git.run(*(listed if subdir else listed[:-2]), env=LITERAL)
    ids: dict[str, str] = {}
    for entry in raw.split(b"\0")[:-1]:
        about, name = entry.split(b"\t", 1)
        mode, _, oid, size = about.decode("ascii").split()
        if mode.startswith("100") and int(size) <= LIMIT:
            ids[decoded(name)] = oid
    return _read(git, ids)


def pointers_of(git: Git, commits: Sequence[str], *, but: Sequence[str] = ()) -> dict[Pointer, str]:
    """The pointers in commits and all their history, each with a path where it once was.

    Args:
        git: The repository.
        commits: Ids.
        but: What to leave out, as `git rev-list` takes it: `--remotes=origin`.
    """
    excluded = ("--not", *but) if but else ()
    listed = git.run("rev-list", "--objects", *commits, *excluded, "--")
    names = dict(line.partition(b" ")[::2] for line in listed.splitlines())
    asked = b"".join(oid + b"\n" for oid in names)
    checked = git.run("cat-file", "--batch-check", input=asked) if asked else b""
    about = [line.split() for line in checked.splitlines()]
    small = [oid for oid, kind, size in about if kind == b"blob" and int(size) <= LIMIT]
    found = _read(git, {decoded(oid): decoded(oid) for oid in small})
    return {pointer: decoded(names[oid.encode()]) for oid, pointer in found.items()}


def _read(git: Git, ids: dict[str, str]) -> dict[str, Pointer]:
    found: dict[str, Pointer] = {}
    for name, (_, data) in zip(ids, git.each_object(list(ids.values())), strict=True):
        if pointer := pointer_in(bytes(data)):
            found[name] = pointer
    return found
