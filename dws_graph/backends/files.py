"""Files of the product: written whole or not at all, and never outside their root."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import uuid
from pathlib import Path
from urllib.parse import quote

from dws_graph.backends.faults import fault
from dws_graph.errors import ConfigurationError

_MACHINE_ID_FILES = ("/etc/machine-id", "/var/lib/dbus/machine-id")
TEMPORARY = ".~"  # begins names that count in no fingerprint, and that git ignores
_MULTICAST = 1 << 40  # set in what uuid.getnode() made up for want of a network card


def as_file_name(name: str) -> str:
    """A name from a metadata file as one part of a path; plain names stay as they are."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        return quote(name, safe="").replace(".", "%2E")
    return name


def write_atomic(path: Path, data: bytes, *, fsync: bool = True) -> None:
    """Write a file so that any reader, also after a power cut, sees the old or the new one.

    An existing file's mode is kept. The folder must exist.
    """
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    fault(f"write_atomic: create {path.name}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(fd, "wb") as file:
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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fault(f"sync_folder: fsync {folder.name}")
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


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
