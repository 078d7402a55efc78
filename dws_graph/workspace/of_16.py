"""What Data Workspaces 1.6 leaves in a workspace, and whether it did something since last time.

Each command asks; what takes it in (`taken_with_16`, `current_of_16`) is loaded when there is news.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable
from pathlib import Path

from dws_graph.workspace import layout
from dws_graph.workspace.metadata import Stat
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import metadata_files

SEEN_SNAPSHOTS = f"{layout.LOCAL}/seen-1.6"
SEEN_CURRENT = f"{layout.LOCAL}/seen-current"


def is_theirs(instance: str | None) -> bool:
    """Whether an instance stands for a snapshot, or a tag, of 1.6."""
    return instance is not None and uuid.UUID(instance).version == 5


def theirs(ws: OpenWorkspace, files: Iterable[str]) -> list[str]:
    """The metadata files, of these, of snapshots that this project did not take."""
    taken = {f"{name}_md.json": instance for name, instance in ws.index.taken_by(ws.id).items()}
    return [n for n in files if taken.get(n) is None or is_theirs(taken[n])]


def has_new_snapshots(ws: OpenWorkspace) -> bool:
    """Whether a file of a snapshot may tell of what 1.6 did, and this copy has not seen it."""
    files = metadata_files(ws)
    if not theirs(ws, files) or (ws.root / layout.INTENT).exists():
        return False
    seen = ws.read_object(SEEN_SNAPSHOTS, missing_ok=True) if ws.writable else {}
    return seen.get("state") != state_of(files)


def state_of(files: dict[str, tuple[Path, Stat]]) -> str:
    """What tells that the metadata files are as they were."""
    return digest(f"{name} {stat}" for name, (_, stat) in files.items())


def digest(parts: Iterable[str]) -> str:
    """SHA-256 of lines."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def current_files(ws: OpenWorkspace) -> list[Path]:
    """The files in which 1.6 records; none where it never ran here."""
    folder = ws.root / layout.CURRENT_LINEAGE
    return sorted(folder.glob("*.json")) if folder.is_dir() else []


def stats_of(ws: OpenWorkspace, paths: Iterable[Path]) -> bytes:
    """What tells that the files are as they were, and that this copy has seen them."""
    stats = [(p.name, p.stat().st_ino, p.stat().st_mtime_ns, p.stat().st_size) for p in paths]
    return json.dumps([ws.instance, stats]).encode()


def has_new_current(ws: OpenWorkspace) -> bool:
    """Whether 1.6 recorded, or took back, something since this copy looked."""
    if not ws.writable:
        return False
    paths = current_files(ws)
    if not paths and ws.index.imports(ws.id, ws.instance).get("") is None:
        return False
    return ws.file_content(SEEN_CURRENT) != stats_of(ws, paths)
