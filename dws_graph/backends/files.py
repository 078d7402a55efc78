"""Files of the product: written whole or not at all, and never outside their root."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO
from urllib.parse import quote

from dws_graph.backends.faults import fault
from dws_graph.errors import ConfigurationError

_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
TEMPORARY = ".~"  # begins names that count in no fingerprint, and that git ignores
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_AT_ONCE, _SYNCING = 200, 8  # files open, and of them synced, at once
_MULTICAST = 1 << 40  # set in what uuid.getnode() made up for want of a network card


def as_file_name(name: str) -> str:
    """A name from a metadata file as one part of a path; plain names stay as they are."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        return quote(name, safe="").replace(".", "%2E")
    return name


def temporary_beside(path: Path) -> Path:
    """Where to write what is to take the place of a file."""
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")


def write_atomic(path: Path, data: bytes, *, fsync: bool = True, mode: int | None = None) -> None:
    """Write a file so that any reader, also after a power cut, sees the old or the new one.

    The folder must exist. The file has `mode` from its first moment on; without one, an existing
    file's mode is kept.
    """
    temporary = temporary_beside(path)
    fault(f"write_atomic: create {path.name}")
    fd = os.open(temporary, _NEW, 0o666 if mode is None else mode)
    try:
        with os.fdopen(fd, "wb") as file:
            if mode is None:
                with contextlib.suppress(FileNotFoundError):
                    os.fchmod(fd, path.stat().st_mode & 0o7777)
            fault(f"write_atomic: write {path.name}")
            file.write(data)
            file.flush()
            if fsync:
                fault(f"write_atomic: fsync {path.name}")
                os.fsync(fd)
        fault(f"write_atomic: rename {path.name}")
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if fsync:
        sync_folder(path.parent)


class Begun:
    """Files whose content is on disk, each under another name until it takes its place.

    Each is then seen old or new, as `write_atomic` has it, also after a power cut. A context
    manager: what has not taken its place at the end is dropped.
    """

    def __init__(self) -> None:
        self._temporary: dict[Path, Path] = {}

    def __enter__(self) -> Begun:
        return self

    def __exit__(self, *_: object) -> None:
        for temporary in self._temporary.values():
            with contextlib.suppress(OSError):  # the disk is gone, say: another error tells so
                os.unlink(temporary)
        self._temporary = {}

    def __contains__(self, path: Path) -> bool:
        return path in self._temporary

    def add(self, files: Mapping[Path, bytes], *, fsync: bool = True) -> None:
        """Write many files; the waiting for the disk is shared.

        Without `fsync` a power cut may leave one of them empty, or half of it.
        """
        waiting = list(files.items())
        for i in range(0, len(waiting), _AT_ONCE):
            self._write_some(waiting[i : i + _AT_ONCE], fsync)

    def _write_some(self, files: Sequence[tuple[Path, bytes]], fsync: bool) -> None:
        with ExitStack() as opened, ThreadPoolExecutor(_SYNCING) as pool:
            fds = []
            for path, data in files:
                self._temporary[path] = temporary = temporary_beside(path)
                fault(f"write_all: create {path.name}")
                file = opened.enter_context(open(os.open(temporary, _NEW, 0o666), "wb"))
                fds.append(file.fileno())
                _write(file, path, data)
            if not fsync:
                return
            fault("write_all: fsync")
            parts = [fds[n::_SYNCING] for n in range(min(_SYNCING, len(fds)))]
            list(pool.map(_sync, parts))  # at once, so that the disk does it together

    def finish(self) -> None:
        """Have each take its place."""
        folders = dict.fromkeys(path.parent for path in self._temporary)
        for path in list(self._temporary):
            fault(f"write_all: rename {path.name}")
            os.replace(self._temporary[path], path)
            del self._temporary[path]
        for folder in folders:
            sync_folder(folder)


def _sync(fds: Iterable[int]) -> None:
    for fd in fds:
        os.fsync(fd)


def _write(file: IO[bytes], path: Path, data: bytes) -> None:
    """Write what is to become `path`, with the mode of what is there."""
    with contextlib.suppress(FileNotFoundError):
        os.fchmod(file.fileno(), path.stat().st_mode & 0o7777)
    fault(f"write_all: write {path.name}")
    file.write(data)
    file.flush()


def sync_file(path: Path) -> None:
    """Make what a file holds durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fault(f"sync_folder: fsync {folder.name}")
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def is_private(found: os.stat_result) -> bool:
    """Whether a file is this user's, and nobody else may read or change it."""
    return found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & 0o077


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where they are missing."""
    if not folder.is_dir():
        make_folder(folder.parent)
        fault(f"make_folder: {folder.name}")
        folder.mkdir(exist_ok=True)


def inside(root: Path, path: str | Path) -> Path:
    """The real path of `path` (relative to `root`, or absolute), which must not leave `root`.

    Raises:
        ConfigurationError: It leads out, by `..`, as an absolute path or through a link.
    """
    try:
        resolved = (root / path).resolve()
    except (ValueError, RuntimeError, OSError) as e:  # a NUL in it; a loop of links
        raise ConfigurationError(f"'{path}' is not a path: {e}") from e
    if not resolved.is_relative_to(root.resolve()):
        raise ConfigurationError(
            f"'{path}' leads out of {root}", hint="Give a path within that folder."
        )
    return resolved


def machine_id() -> str:
    """What tells this machine from others: of the system, else of host name and network card."""
    for name in _MACHINE_ID_FILES:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if text := Path(name).read_text(encoding="ascii").strip():
                return text
    node = uuid.getnode()
    return socket.gethostname() if node & _MULTICAST else f"{socket.gethostname()}-{node:012x}"
