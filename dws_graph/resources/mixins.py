"""What a resource can do beside being one, under the names of Data Workspaces 1.6.

They are for asking, `isinstance(resource, FileResourceMixin)`, and for saying so of a type of
one's own: `class Table(Resource, LocalStateResourceMixin)`, `Resource` first, which brings what
most types have in common. Every `Resource` is a `SnapshotResourceMixin`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any

from dws_graph.model.values import Json


class SnapshotResourceMixin(ABC):
    """A resource that snapshots are taken of."""

    @abstractmethod
    def snapshot_precheck(self) -> None:
        """Refuse, before anything changes, what would make a snapshot fail.

        Raises:
            ConfigurationError: Names the resource and what is in the way.
        """

    @abstractmethod
    def snapshot(self) -> tuple[str | None, str | None]:
        """Take the snapshot of this resource; what the manifest of one is made of is unchanged.

        Returns:
            The hash to compare, and the hash to restore by (None where that cannot be done).
        """

    @abstractmethod
    def restore_precheck(self, restore_hashval: str) -> None:
        """Refuse, before anything changes, what would make a restore fail.

        Raises:
            ConfigurationError: Names the resource and what is in the way.
        """

    @abstractmethod
    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """Bring the content to the state with this restore hash; notes for people."""

    @abstractmethod
    def delete_snapshot(
        self, workspace_snapshot_hash: str, resource_restore_hash: str | None, relative_path: str
    ) -> None:
        """Remove what is kept of a snapshot in the resource itself.

        Args:
            workspace_snapshot_hash: Of the snapshot.
            resource_restore_hash: Of this resource in it.
            relative_path: Where the snapshot has its results.
        """


class LocalStateResourceMixin(ABC):
    """A resource of which something is on this machine, which a clone must bring or find."""

    @abstractmethod
    def get_local_params(self) -> Json:
        """What resource_local_params.json holds of it."""

    @abstractmethod
    def get_local_path_if_any(self) -> str | None:
        """Its folder or file here; None for one without, or not cloned yet."""

    @abstractmethod
    def push_precheck(self) -> None:
        """Refuse, before anything is pushed, what would make a push fail."""

    @abstractmethod
    def push(self) -> bool:
        """Bring what is here to its origin; whether anything was new there."""

    @abstractmethod
    def pull_precheck(self) -> None:
        """Refuse, before anything is pulled, what would make a pull fail."""

    @abstractmethod
    def pull(self) -> tuple[str, ...]:
        """Bring what its origin has here; notes for people."""

    @abstractmethod
    def validate_subpath_exists(self, subpath: str) -> None:
        """Refuse a subpath that is not there."""


class FileResourceMixin(ABC):
    """A resource that is a hierarchy of files: a repository, a folder, a bucket; no database."""

    @abstractmethod
    def add_results_file(self, data: Json | list[Any], rel_dest_path: str) -> None:
        """Write JSON to a file in the resource."""

    @abstractmethod
    def read_results_file(self, subpath: str) -> Json:
        """Read an object from a JSON file in the resource.

        Raises:
            ConfigurationError: There is no such file.
        """

    @abstractmethod
    def upload_file(self, src_local_path: str, rel_dest_path: str) -> None:
        """Copy a file of this machine into the resource."""

    @abstractmethod
    def delete_file(self, rel_path: str) -> None:
        """Remove a file from the resource.

        Raises:
            NotSupportedError: The resource is read-only.
        """

    @abstractmethod
    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        """Whether the subpath is there (as a file, as a folder)."""

    @abstractmethod
    def results_move_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str],
        exclude_dirs_re: re.Pattern[str] | None,
    ) -> object:
        """Move the current files to a snapshot's folder, but those excluded."""

    @abstractmethod
    def results_copy_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str],
        exclude_dirs_re: re.Pattern[str] | None,
    ) -> object:
        """Copy the current files to a snapshot's folder, but those excluded."""
