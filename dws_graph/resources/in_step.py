"""What a folder held when it was last the same as its remote, so that edits since are known.

Kept beside the workspace's other local state: it is of this copy and this machine alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.files import as_file_name, make_folder, write_atomic
from dws_graph.errors import JsonError
from dws_graph.model.values import parse_json, take
from dws_graph.resources.walking import IGNORE_FILE, ignored_by, walk

FOLDER = ".dataworkspace/local/rclone"

Stamp = tuple[int, int]
"""A file's size and mtime_ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InStep:
    """A folder, as it was when it was last the same as its remote.

    Attributes:
        folder: Its path.
        remote: `name:path`.
        files: {path: stamp}.
        under_way: A copy has begun since, and was not finished.
    """

    folder: str
    remote: str
    files: Mapping[str, Stamp]
    under_way: bool = False


def note_path(root: Path, name: str) -> Path:
    """Where it is noted of a resource, in a workspace."""
    return root / FOLDER / f"{as_file_name(name)}.json"


def read_note(path: Path, folder: Path, remote: str) -> InStep | None:
    """What was noted of a folder and a remote; None: nothing, or of others."""
    try:
        obj = parse_json(path.read_bytes(), file=str(path))
        noted = InStep(
            folder=take(obj, "folder", str),
            remote=take(obj, "remote", str),
            files={name: (size, time) for name, (size, time) in take(obj, "files", dict).items()},
            under_way=take(obj, "under_way", bool),
        )
    except (FileNotFoundError, JsonError, TypeError, ValueError):
        return None  # then nothing is known: all that differs from the remote counts as an edit
    return noted if (noted.folder, noted.remote) == (str(folder), remote) else None


def write_note(path: Path, noted: InStep) -> None:
    """Note it."""
    obj = {
        "folder": noted.folder,
        "remote": noted.remote,
        "under_way": noted.under_way,
        "files": noted.files,
    }
    make_folder(path.parent)
    write_atomic(path, json.dumps(obj).encode())


def stamps_in(root: Path) -> dict[str, Stamp]:
    """The files of a folder that are content, with their stamps.

    Raises:
        ConfigurationError: Something cannot be read, or a link leads to a folder that holds it.
    """
    return {
        os.fsdecode(entry.name): (entry.stat.st_size, entry.stat.st_mtime_ns)
        for entry in walk(root)
        if entry.stat is not None and not entry.name.endswith(b"/")
    }


def links_in(root: Path) -> list[str]:
    """The links in a folder, to files or to folders."""
    return [os.fsdecode(e.name.rstrip(b"/")) for e in walk(root) if e.link is not None]


def ignored_in(root: Path) -> Iterator[str]:
    """What the folder's `.dwsignore` leaves out and is there; of a folder's content, the folder."""
    if not os.path.lexists(root / IGNORE_FILE):
        return
    ignored = ignored_by(root)
    base = os.fsencode(root)
    for top, folders, files in os.walk(base):
        prefix = b"" if top == base else os.path.relpath(top, base) + b"/"
        left = [name for name in folders if ignored(prefix + name + b"/")]
        folders[:] = [name for name in folders if name not in left]
        for name in (*left, *(name for name in files if ignored(prefix + name))):
            yield os.fsdecode(prefix + name)
