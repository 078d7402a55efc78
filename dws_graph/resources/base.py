"""What every resource type offers, and what a type may need of its workspace.

A resource type is a module with a `FACTORY`, named by an entry point of the group
`dws_graph.resources` (`registry.py`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from dws_graph.backends.files import as_file_name, inside, make_folder, write_atomic
from dws_graph.backends.locks import Notify
from dws_graph.errors import ConfigurationError, JsonError, JsonValueError, NotSupportedError
from dws_graph.model.facts import Fingerprint
from dws_graph.model.values import Json, parse_json, take, take_or
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.fingerprints import Look, unchanged
from dws_graph.resources.fingerprints import take as take_fingerprint
from dws_graph.resources.mixins import (
    FileResourceMixin,
    LocalStateResourceMixin,
    SnapshotResourceMixin,
)
from dws_graph.resources.moving import SNAPSHOTS, Move, copy_files, move_files, plan_moves
from dws_graph.resources.naming import path_on_disk
from dws_graph.resources.walking import Entry, Excluded

LINEAGE_FILE = "lineage.json"
KEPT = ".dataworkspace/kept"

Ask = Callable[[str, str], str]
"""Asks a person a question, and says what is taken where nobody is there."""

Watch = Callable[[str, int, int], None]
"""Told what is under way, how much of it is done, and how much there is (0: nobody knows)."""


def default_answer(question: str, default: str) -> str:
    """Answers for those who are not to be asked: with what is taken without an answer."""
    return default


Listing = Mapping[bytes, str]
"""What tells each file's content (and mode) from others', by its path in the resource."""


class ResourceRoles:
    """The four roles."""

    SOURCE_DATA_SET = "source-data"
    INTERMEDIATE_DATA = "intermediate-data"
    CODE = "code"
    RESULTS = "results"


RESOURCE_ROLE_CHOICES = [
    ResourceRoles.SOURCE_DATA_SET,
    ResourceRoles.INTERMEDIATE_DATA,
    ResourceRoles.CODE,
    ResourceRoles.RESULTS,
]


class ResourceWorkspace(Protocol):
    """What resources need of the workspace they are in."""

    @property
    def name(self) -> str:
        """Its short name."""

    @property
    def root(self) -> Path:
        """Its folder, which is the root of its git repository."""

    @property
    def id(self) -> str:
        """UUID of the workspace, the same in every copy."""

    @property
    def instance(self) -> str:
        """UUID of this copy."""

    @property
    def batch(self) -> bool:
        """Whether nobody may be asked."""

    @property
    def notify(self) -> Notify:
        """Told, in a line, what a person should know."""

    @property
    def progress(self) -> Watch:
        """Told how far something long is."""

    def stat_cache(self, folder: Path) -> AbstractContextManager[StatCache]:
        """The hashes of a folder's files that were seen before."""

    def names_before(self, name: str) -> list[str]:
        """The earlier names of a resource that was renamed, sorted."""

    def known_hashes(self, name: str) -> Collection[str]:
        """The hashes under which the content of a resource was ever recorded."""

    def validate_local_path_for_resource(
        self, proposed_resource_name: str, proposed_local_path: str
    ) -> None:
        """Refuse a folder that overlaps with another resource or is the workspace itself.

        Raises:
            ConfigurationError: Names the resource it overlaps with.
        """


@dataclass(frozen=True, slots=True)
class Content:
    """What the files on disk hash to now; nothing was changed to find out.

    Attributes:
        hash: As a snapshot would find it; None where only a commit could tell (a git repository
            with changes).
        subpath_hash: Of the subpath alone; None when there is none, or nothing there.
        known_as: What content is recognised by: the hash of all but what the product itself
            wrote (`lineage.json`, results' snapshots), as `Resource.known_as` has it.
    """

    hash: str | None
    subpath_hash: str | None
    known_as: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot of one resource.

    Attributes:
        compare: The hash for the manifest.
        restore: The hash to restore by; None where that cannot be done.
        files: To be committed with the snapshot: content by path from the workspace's root.
        notes: For people.
        subpath_hash: The hash of a subpath in this snapshot.
        known_as: As in `Content`, where `Resource.known_as` cannot tell before `files` are there.
        seen: What the files looked like when they were hashed, where the type keeps it.
    """

    compare: str | None
    restore: str | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    subpath_hash: Callable[[str | None], str | None] = lambda _subpath: None
    known_as: str | None = None
    seen: Look | None = None


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
            f"the parameters of {self} cannot be changed: snapshots and lineage rely on them",
            hint="Add the folder once more under another name: dws add.",
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


class FileResource(Resource, FileResourceMixin, LocalStateResourceMixin):
    """A resource with a folder here; what all types of these have in common."""

    def is_here(self) -> bool:
        """See `Resource`: its folder is."""
        return self.local_path is not None and self.local_path.is_dir()

    @abstractmethod
    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """What counts for the fingerprint of a ref, by stats alone."""

    @property
    def not_content(self) -> Excluded:
        """What the product itself writes into it."""
        return Excluded([LINEAGE_FILE, *([f"{SNAPSHOTS}/"] if self._holds_snapshots() else [])])

    @property
    def not_content_at_root(self) -> tuple[str, ...]:
        """The same as entries of the root folder."""
        return (LINEAGE_FILE, SNAPSHOTS) if self._holds_snapshots() else (LINEAGE_FILE,)

    def _holds_snapshots(self) -> bool:
        """Whether it is one of results, here or in the workspace that exported it."""
        if self.has_results_role():
            return True
        root = self.local_path
        if root is None or not self.is_imported() or not (root / SNAPSHOTS).is_dir():
            return False
        return exported_role(root / LINEAGE_FILE, self.name) == ResourceRoles.RESULTS

    @property
    def folder(self) -> Path:
        """Its folder here.

        Raises:
            ConfigurationError: It has none, or it is not there.
        """
        path = self.local_path
        if path is None:
            raise ConfigurationError(f"{self} is not on this machine", hint="Type: dws pull.")
        if not path.is_dir():
            raise ConfigurationError(
                f"the folder of {self}, {path}, does not exist",
                hint="Bring it back, or say where it is now in resource_local_params.json.",
            )
        return path

    def fingerprint(self, subpath: str | None = None) -> Fingerprint | None:
        """See `Resource`; a ref that is not there has one too."""
        root = self.local_path
        if root is None:
            return None
        real = self.real_subpath(subpath)
        return take_fingerprint(root, real, lambda: self.entries(real))

    def unchanged(self, subpath: str | None, fingerprint: Fingerprint) -> bool:
        """See `Resource`."""
        root = self.local_path
        if root is None:
            return False
        real = self.real_subpath(subpath)
        return unchanged(root, real, lambda: self.entries(real), fingerprint)

    def real_subpath(self, subpath: str | None) -> str | None:
        r"""The path on disk of one as facts hold it, where `\xNN` may stand for a byte."""
        if subpath is None or self.local_path is None:
            return subpath
        return path_on_disk(self.local_path, subpath)

    # Results

    @abstractmethod
    def results_hash(self, folder: str) -> str | None:
        """The hash of a snapshot's folder of results, every file read; None: it is not there.

        As a snapshot hashed it: before it wrote `lineage.json` there.
        """

    def plan_results(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """The moves that a snapshot makes, copies when exported; see `moving.plan_moves`."""
        own = (LINEAGE_FILE,) if self.is_exported() else ()
        return plan_moves(self.folder, rel_dest_root, (*exclude_files, *own), exclude_dirs_re)

    def results_move_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """Move the current files to a snapshot's folder; what was moved."""
        moves = self.plan_results(rel_dest_root, exclude_files, exclude_dirs_re)
        move_files(self.folder, moves)
        return moves

    def results_copy_current_files(
        self,
        rel_dest_root: str,
        exclude_files: Collection[str] = (),
        exclude_dirs_re: re.Pattern[str] | None = None,
    ) -> list[Move]:
        """Copy the current files to a snapshot's folder; what was copied."""
        moves = self.plan_results(rel_dest_root, exclude_files, exclude_dirs_re)
        copy_files(self.folder, moves)
        return moves

    def delete_snapshot(
        self, workspace_snapshot_hash: str, resource_restore_hash: str | None, relative_path: str
    ) -> None:
        """Remove a snapshot's folder from results."""
        path = inside(self.folder, relative_path)
        if path == self.folder.resolve():
            raise ConfigurationError(f"'{relative_path}' is not the folder of a snapshot")
        if path.is_dir():
            shutil.rmtree(path)

    # Files

    def add_results_file(self, data: Json | list[Any], rel_dest_path: str) -> None:
        """Write JSON to a file in the resource."""
        path = self._writable(rel_dest_path)
        write_atomic(path, json.dumps(data, indent=2).encode())

    def read_results_file(self, subpath: str) -> Json:
        """Read an object from a JSON file in the resource.

        Raises:
            ConfigurationError: There is no such file.
            JsonValueError: It does not hold a JSON object; the hint says what to do.
        """
        path = inside(self.folder, path_on_disk(self.folder, subpath))
        if not path.is_file():
            raise ConfigurationError(f"{self} has no file '{subpath}'")
        hint = f"Mend {path}, or move it out of {self}; then run the command again."
        data = parse_json(path.read_bytes(), file=str(path), hint=hint)
        if not isinstance(data, dict):
            raise JsonValueError("does not hold a JSON object", file=str(path), hint=hint)
        return data

    def does_subpath_exist(
        self, subpath: str, must_be_file: bool = False, must_be_directory: bool = False
    ) -> bool:
        """See `Resource`."""
        if self.local_path is None:
            return False
        path = inside(self.local_path, path_on_disk(self.local_path, subpath))
        if must_be_file:
            return path.is_file()
        return path.is_dir() if must_be_directory else path.exists()

    def upload_file(self, src_local_path: str, rel_dest_path: str) -> None:
        """Copy a file of this machine into the resource."""
        if not os.path.isfile(src_local_path):
            raise ConfigurationError(f"there is no file {src_local_path}")
        shutil.copyfile(src_local_path, self._writable(rel_dest_path))

    def delete_file(self, rel_path: str) -> None:
        """Remove a file from the resource."""
        path = self._writable(rel_path)
        if not os.path.lexists(path):
            raise ConfigurationError(f"{self} has no file '{rel_path}'")
        path.unlink()

    def check_writable(self) -> None:
        """Refuse to write where that is not allowed.

        Raises:
            NotSupportedError: The resource is read-only.
        """
        if self.get_params().get("read_only") or self.is_imported():
            raise NotSupportedError(f"{self} is read-only")

    def _writable(self, rel_path: str) -> Path:
        self.check_writable()
        parent, name = os.path.split(path_on_disk(self.folder, os.path.normpath(rel_path)))
        if name in ("", os.curdir, os.pardir):
            raise ConfigurationError(f"'{rel_path}' is no file of {self}")
        folder = inside(self.folder, parent)
        make_folder(folder)
        return folder / name


@dataclass(frozen=True, slots=True)
class Argument:
    """What `dws add TYPE` takes of the user, and gives to `from_command_line`.

    Attributes:
        name: In the help, and of the keyword: `table_name` is the option `--table-name`.
        help: What it is, in a sentence.
        kind: A `positional` one, which must be given; an `option` with a value, a text; a `flag`.
        default: Of an option that was not given; None where there is none.
    """

    name: str
    help: str
    kind: Literal["positional", "option", "flag"] = "positional"
    default: str | None = None


class ResourceFactory(ABC):
    """Makes the resources of one type.

    Attributes:
        summary: What the type is, in a line for the help of `dws add`.
        arguments: What `dws add TYPE` takes besides `--role` and `--name`.
        roles: Those that its resources can have.
    """

    summary: str = ""
    arguments: Sequence[Argument] = ()
    roles: Sequence[str] = RESOURCE_ROLE_CHOICES

    @abstractmethod
    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> Resource:
        """A new one, from the arguments of `dws add`.

        Raises:
            ConfigurationError: They do not fit.
        """

    @abstractmethod
    def from_json(self, params: Json, local_params: Json, workspace: ResourceWorkspace) -> Resource:
        """One of resources.json.

        Raises:
            JsonError: A parameter is missing, or of another type.
        """

    def has_local_state(self) -> bool:
        """Whether its resources have something here, which a clone must bring or find first."""
        return False

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> Resource:
        """Bring a resource of resources.json to this machine.

        Args:
            params: Of resources.json.
            workspace: That it is in.
            ask: Asked for what cannot be known, with a question and what is taken without an
                answer.

        Returns:
            The resource; its `get_local_params` say where it is.

        Raises:
            ConfigurationError: It cannot be brought; nothing is left of the attempt.
        """
        return self.from_json(params, {}, workspace)

    def suggest_name(self, workspace: ResourceWorkspace, role: str, *args: Any) -> str:
        """A name for one that was given none: the last part of its path."""
        return os.path.basename(os.path.abspath(str(args[0]))) if args else role


def joined(entries: Mapping[bytes, tuple[str, str]]) -> Listing:
    """A listing of git's modes and ids: a file that became executable changed."""
    return {name: f"{mode} {oid}" for name, (mode, oid) in entries.items()}


def check_imported(path: Path, name: str, role: str) -> None:
    """Refuse to import from a folder that no workspace exported, or under another name.

    Raises:
        ConfigurationError: Its role is not source-data, it has no `lineage.json`, or that is
            about a resource of another name.
    """
    if role != ResourceRoles.SOURCE_DATA_SET:
        raise ConfigurationError(
            f"an imported resource has the role source-data, not {role}",
            hint="Add it with --role source-data.",
        )
    file = path / LINEAGE_FILE
    if not file.is_file():
        raise ConfigurationError(
            f"{path} has no {LINEAGE_FILE}",
            hint="Add it with --export in the workspace that makes it, and take a snapshot there.",
        )
    exported = take(parse_json(file.read_bytes(), file=str(file)), "resource_name", str)
    if exported != name:
        raise ConfigurationError(
            f"{file} is about a resource '{exported}', not '{name}'",
            hint=f"Add it with --name {exported}.",
        )


def exported_role(file: Path, name: str) -> str | None:
    """The role that a resource has where it was exported, as a `lineage.json` tells it."""
    try:
        told = take_or(parse_json(file.read_bytes(), file=str(file)), "roles", dict) or {}
    except (OSError, JsonError):  # who imports it says what is wrong with it
        return None
    role = told.get(name)
    return role if isinstance(role, str) else None


def check_exportable(path: Path, name: str, *, read_only: bool) -> None:
    """Refuse to export a folder into which a snapshot cannot, or must not, write `lineage.json`.

    Raises:
        ConfigurationError: It is read-only, or has a `lineage.json` that is not about this
            resource.
    """
    if read_only:
        raise ConfigurationError(
            f"a read-only or imported resource cannot be exported: no {LINEAGE_FILE} could be "
            "written into it"
        )
    file = path / LINEAGE_FILE
    if not os.path.lexists(file):
        return
    try:
        about = take(parse_json(file.read_bytes(), file=str(file)), "resource_name", str)
    except (OSError, JsonError):
        about = ""
    if about != name:
        raise ConfigurationError(
            f"{file} is there already, and is not about '{name}': a snapshot would overwrite it",
            hint="Move the file away, or leave --export out.",
        )
