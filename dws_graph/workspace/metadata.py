"""Snapshot metadata and the manifest, in the format of Data Workspaces 1.6."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dws_graph.model.values import Json, take, take_or

Stat = tuple[int, int, int]
"""Inode, time of change in nanoseconds, and size of a file."""


@dataclass(frozen=True, slots=True)
class SnapshotMetadata:
    """What a workspace keeps of a snapshot beside its manifest.

    Attributes:
        hashval: Of the manifest.
        tags: Its names.
        message: Of the user.
        hostname: Of the machine it was taken on.
        timestamp: Local time, six digits.
        relative_destination_path: Where results resources keep its results.
        restore_hashes: {resource: hash to restore by, or None}.
        metrics: Of the results.
        updated_timestamp: Local time of the last change of these data.
    """

    hashval: str
    tags: list[str]
    message: str
    hostname: str
    timestamp: str
    relative_destination_path: str
    restore_hashes: dict[str, str | None]
    metrics: dict[str, Any] | None = None
    updated_timestamp: str | None = None

    def has_tag(self, tag: str) -> bool:
        """Whether this is one of its tags."""
        return tag in self.tags

    def matches_partial_hash(self, partial_hash: str) -> bool:
        """Whether its hash begins so; upper and lower case are the same."""
        return self.hashval.startswith(partial_hash.lower())

    def with_tags(self, tags: Sequence[str], updated: str) -> SnapshotMetadata:
        """The same with other tags."""
        return replace(self, tags=list(tags), updated_timestamp=updated)

    def under_names(self, names: Mapping[str, str]) -> SnapshotMetadata:
        """The same, with resources that were renamed since under their names of now."""
        if not names:
            return self
        hashes = {names.get(name, name): found for name, found in self.restore_hashes.items()}
        return replace(self, restore_hashes=hashes)

    def to_json(self) -> Json:
        """As its file holds it."""
        obj: Json = {
            "hash": self.hashval,
            "tags": self.tags,
            "message": self.message,
            "hostname": self.hostname,
            "timestamp": self.timestamp,
            "relative_destination_path": self.relative_destination_path,
            "restore_hashes": self.restore_hashes,
            "metrics": self.metrics,
        }
        if self.updated_timestamp is not None:
            obj["updated_timestamp"] = self.updated_timestamp
        return obj

    @classmethod
    def from_json(cls, data: Json) -> SnapshotMetadata:
        """From its file."""
        return cls(
            hashval=take(data, "hash", str),
            tags=list(take(data, "tags", list)),
            message=take(data, "message", str),
            hostname=take(data, "hostname", str),
            timestamp=take(data, "timestamp", str),
            relative_destination_path=take(data, "relative_destination_path", str),
            restore_hashes=dict(take(data, "restore_hashes", dict)),
            metrics=take_or(data, "metrics", dict),
            updated_timestamp=take_or(data, "updated_timestamp", str),
        )


def manifest_bytes(resources: Sequence[Json], hashes: Mapping[str, str | None]) -> bytes:
    """The manifest: each resource's parameters with its hash."""
    entries = [{**params, "hash": hashes[params["name"]]} for params in resources]
    return json.dumps(entries, indent=2).encode()


def blob_hash(data: bytes) -> str:
    """The id that git gives to a blob: SHA-1 over `blob SIZE NUL` and the bytes."""
    head = f"blob {len(data)}\0".encode()
    return hashlib.sha1(head + data, usedforsecurity=False).hexdigest()
