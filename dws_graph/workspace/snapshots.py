"""The snapshots of a workspace: finding one by name, reading what is kept of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

from dws_graph.errors import (
    SHOWN,
    AmbiguousSnapshotError,
    ConfigurationError,
    JsonValueError,
    SnapshotNotFoundError,
)
from dws_graph.model.values import Json, parse_json
from dws_graph.workspace import layout
from dws_graph.workspace.metadata import SnapshotMetadata, Stat, blob_hash
from dws_graph.workspace.names import FULL_HASH, TAG
from dws_graph.workspace.opened import OpenWorkspace

DIGITS = 6  # of a hash, by which a snapshot can be named
_PREFIX = re.compile(rf"[0-9a-fA-F]{{{DIGITS},40}}")
_SHORT = re.compile(rf"[0-9a-fA-F]{{1,{DIGITS - 1}}}")


def all_metadata(ws: OpenWorkspace) -> list[SnapshotMetadata]:
    """The metadata of every snapshot, oldest first: by time, then by its instance's number.

    A command may ask several times: a file that is as it was is read once.

    Raises:
        JsonError: A file is damaged; names it.
    """
    seen, now = ws.metadata_seen, dict[str, tuple[Stat, SnapshotMetadata]]()
    for name, (path, stat) in metadata_files(ws).items():
        before = seen.get(name)
        now[name] = before if before and before[0] == stat else (stat, read_metadata(path))
    ws.metadata_seen = now
    names = ws.names_now()
    found = [metadata.under_names(names) for _, metadata in now.values()]
    numbers: dict[str, int] = {}
    if len({m.timestamp for m in found}) < len(found):
        numbers = {info.hash: info.number for info in ws.index.snapshots(ws.id)}
    return sorted(found, key=lambda m: (m.timestamp, numbers.get(m.hashval, 0), m.hashval))


def metadata_files(ws: OpenWorkspace) -> dict[str, tuple[Path, Stat]]:
    """The files by name, with what tells whether one is as it was: a change is a new inode."""
    folder = (ws.root / layout.metadata("x")).parent
    if not folder.is_dir():
        return {}
    with os.scandir(folder) as entries:
        stats = {e.name: e.stat() for e in entries if e.name.endswith("_md.json")}
    return {
        name: (folder / name, (s.st_ino, s.st_mtime_ns, s.st_size))
        for name, s in sorted(stats.items())
    }


def read_metadata(path: Path) -> SnapshotMetadata:
    """The metadata in a file."""
    return SnapshotMetadata.from_json(parse_json(path.read_bytes(), file=str(path)))


def latest(ws: OpenWorkspace) -> SnapshotMetadata | None:
    """The newest snapshot; None when there is none."""
    found = all_metadata(ws)
    return found[-1] if found else None


def find_snapshot(ws: OpenWorkspace, name: str) -> SnapshotMetadata:
    """The snapshot of this name.

    Args:
        ws: The workspace.
        name: A tag, a hash, 6 or more digits of one, or `latest`. A tag wins.

    Raises:
        SnapshotNotFoundError: There is none; the hint names some that there are.
        AmbiguousSnapshotError: The digits fit several.
    """
    if FULL_HASH.fullmatch(name):  # as other files name it: no tag looks so
        path = ws.root / layout.metadata(name.lower())
        if path.is_file():
            return read_metadata(path).under_names(ws.names_now())
    found = all_metadata(ws)
    if name == "latest" and found:
        return found[-1]
    for metadata in found:
        if metadata.has_tag(name):
            return metadata
    if _PREFIX.fullmatch(name):
        fits = [m for m in found if m.matches_partial_hash(name)]
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise AmbiguousSnapshotError(name, [_label(m) for m in fits])
    hint = "Take one: dws snapshot TAG."
    if found:
        hint = f"There are: {', '.join(map(_label, found))}."
        if len(found) > SHOWN:
            newest = ", ".join(map(_label, reversed(found[-SHOWN:])))
            hint = f"There are {len(found)}, the newest {newest}; all: dws report history."
        if _SHORT.fullmatch(name) or not TAG.fullmatch(name):
            hint = f"Give a tag, or {DIGITS} or more digits of a hash. {hint}"
    raise SnapshotNotFoundError(f"there is no snapshot '{name}'", hint=hint)


def _label(metadata: SnapshotMetadata) -> str:
    return ", ".join(metadata.tags) or metadata.hashval[:12]


def manifest_of(ws: OpenWorkspace, snapshot_hash: str) -> list[Json]:
    """The manifest: each resource's parameters, with its hash.

    Raises:
        ConfigurationError: It is missing.
        JsonError: It is damaged: its hash, which is its name, is another.
    """
    path = ws.root / layout.manifest(snapshot_hash)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"the manifest of snapshot {snapshot_hash[:12]}, {path}, is missing",
            hint=layout.how_to_mend(layout.manifest(snapshot_hash)),
        ) from None
    if blob_hash(raw) != snapshot_hash:
        raise JsonValueError(
            "is damaged: its content does not have the hash that is its name",
            file=str(path),
            hint=layout.how_to_mend(layout.manifest(snapshot_hash)),
        )
    names = ws.names_now()
    manifest = parse_json(raw, file=str(path))
    return [{**params, "name": names.get(params["name"], params["name"])} for params in manifest]
