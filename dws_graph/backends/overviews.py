"""What lists and overviews hold a row of: workspaces, resources, instances, versions, readers.

A list that can be long is asked for by pages: at most so many rows, after the place where the page
before ended. A place is what rows are sorted by, not a number of rows, so what others record
meanwhile neither shifts a row out of the next page nor shows one twice. (Names are in the order of
their code points; in Neo4j of their UTF-16 units, which is another for emoji and the like.)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Fact, Line
from dws_graph.model.ids import uuid7_time
from dws_graph.model.values import take_or

LAST = "\U0010ffff"  # above every id, name and time
OF_INSTANCE = (f.WORKSPACE_CREATED, f.CURRENT_SET, f.RESOURCE_REMOVED, f.UNDONE)


class Place(NamedTuple):
    """Where a page ended: what its last row is sorted by (a time, a name), and the row's id."""

    by: str
    id: str


FIRST = Place("", "")  # before all rows of an ascending list
NEWEST = Place(LAST, LAST)  # before all rows of one that is newest first


class Moment(NamedTuple):
    """A moment in the past: all facts up to `fact`, the id of one.

    Of a step that imports alone tell of, what counts is whether it had ended by `time` (UTC).
    """

    fact: str
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceInfo:
    """A workspace that a graph knows, its own or one that lineage was imported from.

    Attributes:
        id: Its UUID.
        name: None where nothing told it.
        resources: How many it has, without those that were removed.
        steps: How many were recorded, failed and retracted ones too.
        snapshots: How many there are.
        time: When the last step began, or the last snapshot was taken (UTC); None before that.
    """

    id: str
    name: str | None
    resources: int
    steps: int
    snapshots: int
    time: str | None

    @property
    def place(self) -> Place:
        """Where a page that ends here ends."""
        return Place(self.name or "", self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceInfo:
    """A resource as the graph knows it.

    Attributes:
        name: Its name.
        role: None where only refs name it.
        type: The same.
        removed: It is no longer in the workspace.
        refs: How many refs of it lineage names.
        time: When the last step began that read or wrote any of it (UTC).
    """

    name: str
    role: str | None
    type: str | None
    removed: bool
    refs: int
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceInfo:
    """A copy of a workspace: what it calls its machine, and when its last fact was made (UTC)."""

    id: str
    hostname: str | None
    time: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A certificate of a ref among its others; `rank` is greater for a newer one."""

    certificate: Certificate
    rank: str

    @property
    def place(self) -> Place:
        """Where a page that ends here ends."""
        return Place(self.rank, self.certificate.id)

    @property
    def time(self) -> str | None:
        """When the fact was made that told of it last (UTC)."""
        return uuid7_time(self.rank.removeprefix("-"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A step that read a certificate, as an input, as code, or both."""

    step: str
    workspace: str
    name: str
    status: str  # completed, failed
    start_time: str
    as_input: bool
    as_code: bool

    @property
    def place(self) -> Place:
        """Where a page that ends here ends."""
        return Place(self.start_time, self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A certificate that a snapshot contains; `output`: a step wrote it, not retracted since."""

    certificate: Certificate
    output: bool


class Told(NamedTuple):
    """What the last facts of an instance tell of itself."""

    time: str
    hostname: str | None


def of_this_project(instance: str) -> bool:
    """Whether an instance is a copy of a workspace: those of 1.6 stand for what it took."""
    return uuid.UUID(instance).version != 5


def told_of_instances(lines: Iterable[Line]) -> dict[tuple[str, str], Told]:
    """By (workspace, instance): what lines in their order tell; no hostname where none does."""
    found: dict[tuple[str, str], Told] = {}
    for line in lines:
        key = (line.fact.workspace, line.fact.instance)
        before = found.get(key)
        name = hostname_in(line.fact) or (before.hostname if before else None)
        found[key] = Told(line.fact.time, name)
    return found


def hostname_in(fact: Fact) -> str | None:
    """The name that an instance gives its machine in a fact."""
    return take_or(fact.body, "hostname", str) if fact.kind in OF_INSTANCE else None
