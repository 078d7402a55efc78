"""What resources are told by and tell: roles, contents, snapshots, and their workspace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dws_graph.backends.locks import Notify
from dws_graph.resources.digests import StatCache
from dws_graph.resources.fingerprints import Look

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


def joined(entries: Mapping[bytes, tuple[str, str]]) -> Listing:
    """A listing of git's modes and ids: a file that became executable changed."""
    return {name: f"{mode} {oid}" for name, (mode, oid) in entries.items()}


def told_of_nested(resource: object, names: Iterable[str]) -> tuple[str, ...]:
    """Notes for people: repositories within a resource, whose files no snapshot holds."""
    return tuple(
        f"{resource}: {name} is a git repository of its own, of which the snapshot holds the "
        "commit that it is at, and no file. To keep its files, move it elsewhere and add it as a "
        "resource (dws add git PATH), or delete its .git"
        for name in names
    )
