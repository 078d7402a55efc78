"""The methods of a workspace that are about its snapshots, under the names of 1.6.

Each use case is imported by the method that it is behind: a command pays for its own alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dws_graph.errors import (
    AmbiguousSnapshotError,
    ApiParamError,
    InternalError,
    SnapshotNotFoundError,
)
from dws_graph.resources.base import Resource
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace

if TYPE_CHECKING:
    from dws_graph.resources.mixins import SnapshotResourceMixin


class SnapshotWorkspaceMixin(OpenWorkspace):
    """A workspace of which snapshots are taken: each `Workspace` is one."""

    def supports_lineage(self) -> bool:
        """Whether lineage is recorded: always."""
        return True

    def snapshot(self, tag: str | None = None, message: str = "") -> tuple[SnapshotMetadata, bytes]:
        """Take a snapshot, whole: it is saved and committed when this returns.

        Where nothing has changed, the tag goes to the earlier snapshot, which is returned.

        Args:
            tag: A name for it.
            message: About it.

        Returns:
            Its metadata, and its manifest.

        Raises:
            ConfigurationError: It cannot be taken; nothing was changed.
        """
        from dws_graph.workspace import layout
        from dws_graph.workspace.taking import take_snapshot

        taken = take_snapshot(self, tag, message)
        manifest = (self.root / layout.manifest(taken.hash)).read_bytes()
        return self.get_snapshot_metadata(taken.hash), manifest

    def restore(
        self,
        snapshot_hash: str,
        restore_hashes: Mapping[str, str | None] | None = None,
        restore_resources: Iterable[SnapshotResourceMixin] | None = None,
    ) -> int:
        """Bring resources, and their lineage, back to a snapshot: one commit.

        Args:
            snapshot_hash: Of the snapshot.
            restore_hashes: As its metadata has them; None for those.
            restore_resources: Which; None for all that can be.

        Returns:
            How many were restored.

        Raises:
            ApiParamError: A hash is not the snapshot's: lineage would not be that of the files.
            ConfigurationError: One cannot be restored; nothing was changed.
        """
        from dws_graph.workspace.restoring import restore_snapshot

        metadata = self.get_snapshot_metadata(snapshot_hash)
        names = None if restore_resources is None else _names(restore_resources)
        for name, hashval in (restore_hashes or {}).items():
            meant = names is None or name in names
            if meant and metadata.restore_hashes.get(name) != hashval:
                raise ApiParamError(
                    f"'{name}' has another restore hash in snapshot {snapshot_hash[:8]}",
                    hint="Leave restore_hashes out, or name the snapshot that has it.",
                )
        if names == []:
            return 0
        return restore_snapshot(self, metadata.hashval, only=names).count

    def get_next_snapshot_number(self) -> int:
        """The number that the next snapshot of this copy gets; it has given none so high."""
        from dws_graph.workspace.planning_snapshots import next_number
        from dws_graph.workspace.snapshots import all_metadata

        return next_number(self, all_metadata(self))

    def list_snapshots(
        self, reverse: bool = True, max_count: int | None = None
    ) -> Iterable[SnapshotMetadata]:
        """The snapshots by time.

        Args:
            reverse: The newest first; else the oldest.
            max_count: Of those that come first, so many.
        """
        from dws_graph.workspace.snapshots import all_metadata

        found = all_metadata(self)
        return (found[::-1] if reverse else found)[:max_count]

    def get_most_recent_snapshot(self) -> SnapshotMetadata | None:
        """The newest snapshot; None when there is none."""
        from dws_graph.workspace.snapshots import latest

        return latest(self)

    def get_snapshot_metadata(self, hash_val: str) -> SnapshotMetadata:
        """The snapshot with this hash, given in full.

        Raises:
            SnapshotNotFoundError: There is none.
        """
        return self._only(hash_val, [m for m in self._all() if m.hashval == hash_val.lower()])

    def get_snapshot_by_tag(self, tag: str) -> SnapshotMetadata:
        """The snapshot with this tag.

        Raises:
            SnapshotNotFoundError: There is none.
        """
        return self._only(tag, [m for m in self._all() if m.has_tag(tag)])

    def get_snapshot_by_partial_hash(self, partial_hash: str) -> SnapshotMetadata:
        """The snapshot whose hash begins so, be it with one digit.

        Raises:
            SnapshotNotFoundError, AmbiguousSnapshotError: There is none, or there are several.
        """
        if not partial_hash:
            raise ApiParamError("a hash has at least one digit")
        return self._only(
            partial_hash, [m for m in self._all() if m.matches_partial_hash(partial_hash)]
        )

    def get_snapshot_by_tag_or_hash(self, tag_or_hash: str) -> SnapshotMetadata:
        """The snapshot with this tag, or with a hash that begins with these 6 or more digits.

        Raises:
            SnapshotNotFoundError, AmbiguousSnapshotError: There is none, or there are several.
        """
        from dws_graph.workspace.snapshots import find_snapshot

        return find_snapshot(self, tag_or_hash)

    def get_snapshot_manifest(self, hash_val: str) -> list[Any]:
        """The parameters and the hash of each resource in a snapshot.

        Raises:
            ConfigurationError: There is no such snapshot, or its manifest is missing.
            JsonError: It is damaged.
        """
        from dws_graph.workspace.snapshots import manifest_of

        return list(manifest_of(self, self.get_snapshot_metadata(hash_val).hashval))

    def remove_tag_from_snapshot(self, hash_val: str, tag: str) -> None:
        """Take a tag away from a snapshot, and commit that.

        Raises:
            InternalError: There is no such snapshot, or it has no such tag.
        """
        from dws_graph.workspace.tagging import untag

        found = [m for m in self._all() if m.hashval == hash_val.lower()]
        if not found or not found[0].has_tag(tag):
            raise InternalError(
                f"there is no snapshot {hash_val[:12]}"
                if not found
                else f"snapshot {hash_val[:12]} has no tag '{tag}'",
                hint="See: dws report history.",
            )
        untag(self, tag)

    def delete_snapshot(self, hash_val: str, include_resources: bool = False) -> None:
        """Delete a snapshot.

        Args:
            hash_val: Its hash.
            include_resources: Its results directories go, too.

        Raises:
            ConfigurationError: There is no such snapshot.
        """
        from dws_graph.workspace.deleting import delete_snapshot

        delete_snapshot(self, hash_val, include_resources=include_resources)

    def _all(self) -> list[SnapshotMetadata]:
        from dws_graph.workspace.snapshots import all_metadata

        return all_metadata(self)

    def _only(self, name: str, found: list[SnapshotMetadata]) -> SnapshotMetadata:
        if len(found) > 1:
            raise AmbiguousSnapshotError(name, [", ".join(m.tags) or m.hashval[:12] for m in found])
        if not found:
            raise SnapshotNotFoundError(
                f"there is no snapshot '{name}'", hint="See: dws report history."
            )
        return found[0]


def _names(resources: Iterable[SnapshotResourceMixin]) -> list[str]:
    return [resource.name for resource in resources if isinstance(resource, Resource)]
