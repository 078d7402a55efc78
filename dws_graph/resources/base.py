"""What every resource type offers, and what a type may need of its workspace.

A resource type is a module with a `FACTORY`, named by an entry point of the group
`dws_graph.resources` (`registry.py`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dws_graph.backends.files import as_file_name
from dws_graph.errors import ConfigurationError, NotSupportedError
from dws_graph.model.facts import Fingerprint
from dws_graph.model.values import Json
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.mixins import (
    SnapshotResourceMixin,
)
from dws_graph.resources.terms import (
    KEPT,
    Content,
    Listing,
    ResourceRoles,
    ResourceWorkspace,
    Taken,
)


class Resource(SnapshotResourceMixin):
    """A named collection with a role and a type.

    Attributes:
        resource_type: As in resources.json: `git`, `git-subdirectory`, `file`, ...
        name: Unique within the workspace.
        role: One of `ResourceRoles`.
        workspace: The workspace it is in.
    """

    keeps: ClassVar[bool] = False
    """Whether its snapshots commit files of its own into the workspace: see `kept_files`."""

    def __init__(
        self, resource_type: str, name: str, role: str, workspace: ResourceWorkspace
    ) -> None:
        self.resource_type = resource_type
        self.name = name
        self.role = role
        self.workspace = workspace

    @property
    def changeable(self) -> Sequence[str]:
        """The parameters that can have another value."""
        return ()

    def __str__(self) -> str:
        return f"resource '{self.name}'"

    # What it is

    @abstractmethod
    def get_params(self) -> Json:
        """What resources.json holds, in its order."""

    def get_local_params(self) -> Json:
        """What resource_local_params.json holds."""
        return {}

    def with_param(self, name: str, value: Any) -> Json:
        """What resources.json is to hold once a parameter of it has another value.

        Args:
            name: Of the parameter.
            value: As text, or None to take the setting away.

        Raises:
            ConfigurationError: It cannot be changed, or may not have this value.
        """
        raise NotSupportedError(
            f"'{name}' of {self} cannot be changed",
            hint=f"What can be: {', '.join(self.changeable) or 'nothing'}.",
        )

    def has_results_role(self) -> bool:
        """Whether its role is `results`."""
        return self.role == ResourceRoles.RESULTS

    def is_exported(self) -> bool:
        """Whether a snapshot writes `lineage.json` into it."""
        return bool(self.get_params().get("export", False))

    def is_imported(self) -> bool:
        """Whether another workspace wrote the `lineage.json` in it."""
        return bool(self.get_params().get("imported", False))

    @property
    def local_path(self) -> Path | None:
        """Its folder here; None for one without files, or not cloned yet."""
        return None

    def get_local_path_if_any(self) -> str | None:
        """`local_path` as text."""
        return None if self.local_path is None else str(self.local_path)

    def kept_below(self, name: str) -> str | None:
        """The folder, from the workspace's root, for what its snapshots commit there.

        Args:
            name: That it has, or had: the folder of a resource that is renamed goes with it.

        Returns:
            None for a type that commits nothing of its own, which is one that does not say
            `keeps = True`.
        """
        if not self.keeps:
            return None
        return "/".join([KEPT, *map(as_file_name, (self.resource_type, self.role, name))])

    def kept_files(self, contents: Mapping[str, bytes]) -> dict[str, bytes]:
        """Files for `Taken.files`, by path from the workspace's root: content by its name there.

        Raises:
            NotSupportedError: The type does not say that it keeps files.
        """
        below = self.kept_below(self.name)
        if below is None:
            raise NotSupportedError(f"{self}, of type {self.resource_type}, keeps no files")
        return {f"{below}/{as_file_name(name)}": data for name, data in contents.items()}

    def kept_file(self, file_name: str) -> bytes | None:
        """What a snapshot has kept under this name; None: it is not in the workspace here."""
        for name in (self.name, *self.workspace.names_before(self.name)):
            path = self.workspace.root / (self.kept_below(name) or "") / as_file_name(file_name)
            if self.keeps and path.is_file():
                return path.read_bytes()
        return None

    # What state it is in

    def is_here(self) -> bool:
        """Whether what it holds can be told on this machine."""
        return not self.needs_cloning()

    def look_again(self) -> None:  # nothing to do where nothing is remembered
        """Forget what was remembered of a look elsewhere, over a network: it may have changed.

        Called before a step starts and when it ends, and when a snapshot or `verify` begins.
        """

    def fingerprint(self, subpath: str | None = None) -> Fingerprint | None:
        """Tells cheaply whether the ref changes; None for a resource without any."""
        return None

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        """Whether the ref is as it was when this fingerprint was taken."""
        return False

    @abstractmethod
    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """What the content hashes to now; changes nothing.

        Args:
            subpath: Hash this part too.
            cache: Hashes of files seen before.
            progress: Called with files done and files in all.
            reread: Read every file, whatever git or the cache know of it.
        """

    def known_as(self, hashval: str) -> str | None:
        """What `Content.known_as` was when the resource had this hash; None: nobody can tell."""
        return None

    def alike(self, content: Content, hashval: str, subpath: str | None) -> Content:
        """The content on disk hashed as it was for this hash: the same, where only one way is."""
        return content

    def files_at(self, hashval: str) -> Listing | None:
        """Its files when it had this hash; None where nobody can tell here."""
        return None

    def files_now(self, cache: StatCache | None = None) -> Listing | None:
        """Its files as they are on disk, those that a snapshot would take; changes nothing."""
        return None

    def held(self, hashval: str, subpath: str) -> bool | None:
        """Whether there was such a path when the resource had this hash; None: nobody can tell."""
        return None

    def check_kept(self, hashval: str, subpath: str | None = None) -> tuple[bool, str] | None:
        """Whether the content of this hash is kept somewhere else than in what is there now.

        Returns:
            Whether it is whole, and a note; None for a type that keeps none, or keeps it in git.
        """
        return None

    def output_precheck(self) -> None:  # most can be written at any time
        """Refuse, before a step runs, that it writes here.

        Raises:
            ConfigurationError: Names the resource and what is in the way.
        """

    # Snapshots

    @abstractmethod
    def snapshot_precheck(self) -> None:
        """Refuse, before anything changes, what would make a snapshot fail.

        Raises:
            ConfigurationError: Names the resource and what is in the way.
        """

    @abstractmethod
    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """Take the snapshot of this resource; its content is found again by the hashes."""

    def snapshot(self) -> tuple[str | None, str | None]:
        """As `take_snapshot`: the hash to compare and the hash to restore by."""
        taken = self.take_snapshot()
        return taken.compare, taken.restore

    def restore_precheck(self, restore_hashval: str) -> None:
        """Refuse, before anything changes, what would make a restore fail.

        Raises:
            ConfigurationError: Names the resource and what is in the way.
        """
        raise NotSupportedError(f"{self}, of type {self.resource_type}, cannot be restored")

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """Bring the files to the state with this restore hash; notes for people."""
        raise NotSupportedError(f"{self}, of type {self.resource_type}, cannot be restored")

    def save_uncommitted(self) -> str | None:
        """Keep what is there now, before it is changed; `restore` with this hash brings it back.

        Returns:
            None where nothing can be kept: then a restore of it cannot be undone.
        """
        return None

    def delete_snapshot(
        self, workspace_snapshot_hash: str, resource_restore_hash: str | None, relative_path: str
    ) -> None:
        """Remove what is kept of a snapshot in the resource itself."""

    # Sharing

    def is_in_workspace(self) -> bool:
        """Whether its files are part of the workspace's own repository, and shared with it."""
        return False

    def shared_at(self) -> str | None:
        """Its origin, for people, without secrets; None where it has none, or does not say."""
        return None

    def not_pushed(self) -> str | None:
        """Why a push leaves it out, in words; None where it has an origin to push to."""
        return "it has no remote"

    def not_pulled(self) -> str | None:
        """Why a pull leaves it out, in words; None where it has an origin to pull from."""
        return self.not_pushed()

    def push_precheck(self) -> None:  # nothing to do where there is no origin
        """Refuse, before anything is pushed, what would make a push fail.

        Raises:
            ConfigurationError: It has changes that are not committed, or its origin has what is
                not here.
        """

    def push(self) -> bool:
        """Bring what is here to its origin; whether anything was new there."""
        raise NotSupportedError(f"{self} is not pushed: {self.not_pushed()}")

    def pull_precheck(self) -> None:  # nothing to do where there is no origin
        """Refuse, before anything is pulled, what would make a pull fail.

        Raises:
            ConfigurationError: It has changes that are not committed, or both sides changed the
                same files.
        """

    def tells_incoming(self) -> bool:
        """Whether `incoming` tells what a pull would bring; else `pull` alone can find out."""
        return True

    def incoming(self) -> str | None:
        """The restore hash of what a pull would bring; None for nothing. No file is changed.

        Raises:
            ConfigurationError: As in `pull_precheck`.
        """
        return None

    def pull(self) -> tuple[str, ...]:
        """Bring what its origin has here; notes for people."""
        target = self.incoming()
        return () if target is None else self.pull_to(target)

    def pull_to(self, target: str) -> tuple[str, ...]:
        """The same, where `incoming` has told what would be brought."""
        notes = self.restore(target)
        self.pulled()
        return notes

    def came_by_hand(self) -> bool:
        """Whether the user has merged himself what its origin had."""
        return False

    def pulled(self) -> None:  # nothing to do where there is no origin
        """Note that what the origin had is here now."""

    def needs_cloning(self) -> bool:
        """Whether it has local state that is not on this machine yet."""
        return False

    def bring(self, restore_hashval: str | None) -> None:  # nothing to do where it is elsewhere
        """Bring its content here, of a resource that was just cloned.

        Args:
            restore_hashval: That of the newest snapshot; None where it has none.

        Raises:
            ConfigurationError: It cannot be brought; nothing is left of the attempt.
        """

    def take_along(self, copy: Path, restore_hashval: str | None) -> tuple[str, ...]:
        """Give a copy of the workspace, which may ask nobody, what is kept here of a snapshot.

        Its folder goes along without that, and so does what git has.

        Args:
            copy: The root of the copy.
            restore_hashval: Of the newest snapshot that has one.

        Returns:
            What the copy will lack, for people.
        """
        if self.local_path is not None:
            return ()
        return (f"{self} has no folder here: its content is not in the image",)

    # Paths in it

    def validate_subpath_exists(self, subpath: str) -> None:
        """Refuse a subpath that is not there.

        Raises:
            ConfigurationError: It is not, or leads out of the resource.
        """
        if not self.does_subpath_exist(subpath):
            raise ConfigurationError(f"{self} has no '{subpath}'")

    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        """Whether the subpath is there (as a file, as a folder)."""
        return False
