"""Facts: what happened, as immutable JSON records.

A fact says what was decided when it was appended; folding it only writes that down
(`model/folding.py`). Source of the format: docs/formats.md, "Facts".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from dws_graph.errors import JournalError
from dws_graph.model.certificates import Certificate
from dws_graph.model.outside import OutsideEnd, OutsideStart
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, dump_line, parse_json, take, take_or

SCHEMA = 1

WORKSPACE_CREATED = "WorkspaceCreated"
RESOURCE_ADDED = "ResourceAdded"
ENVIRONMENT_SEEN = "EnvironmentSeen"
STEP_STARTED = "StepStarted"
STEP_COMPLETED = "StepCompleted"
STEP_ABORTED = "StepAborted"
STEP_RETRACTED = "StepRetracted"
SNAPSHOT_TAKEN = "SnapshotTaken"
TAGGED = "Tagged"
RESTORED = "Restored"
CURRENT_SET = "CurrentSet"
LINEAGE_IMPORTED = "LineageImported"
SNAPSHOT_DELETED = "SnapshotDeleted"
RESOURCE_REMOVED = "ResourceRemoved"
RESOURCE_RENAMED = "ResourceRenamed"
PARAMETER_SET = "ParameterSet"
UNDONE = "Undone"
VOID = "Void"  # in no journal: what stands for a fact that was undone; see `model.amending`
KINDS = frozenset(
    {
        WORKSPACE_CREATED,
        RESOURCE_ADDED,
        ENVIRONMENT_SEEN,
        STEP_STARTED,
        STEP_COMPLETED,
        STEP_ABORTED,
        STEP_RETRACTED,
        SNAPSHOT_TAKEN,
        TAGGED,
        RESTORED,
        CURRENT_SET,
        LINEAGE_IMPORTED,
        SNAPSHOT_DELETED,
        RESOURCE_REMOVED,
        RESOURCE_RENAMED,
        PARAMETER_SET,
        UNDONE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One record of the journal.

    Attributes:
        id: UUIDv7, greater than that of the line before.
        workspace: UUID.
        instance: UUID of the copy of the workspace that recorded it.
        seq: Counts the instance's facts from 1.
        kind: One of `KINDS`.
        time: UTC, as `values.utc_now`.
        prev: SHA-256 of the line before; empty for the first.
        body: By kind; see docs/formats.md.
    """

    id: str
    workspace: str
    instance: str
    seq: int
    kind: str
    time: str
    prev: str
    body: Json

    def to_line(self) -> str:
        """The line of the journal, without its newline."""
        return dump_line(
            {
                "schema": SCHEMA,
                "id": self.id,
                "workspace": self.workspace,
                "instance": self.instance,
                "seq": self.seq,
                "kind": self.kind,
                "time": self.time,
                "prev": self.prev,
                "body": self.body,
            }
        )

    @classmethod
    def from_line(cls, line: str | bytes) -> Fact:
        """Reads a line of the journal; of a file, `backends.journal.lines` reads and names it.

        Raises:
            JournalError: It comes from a later version of this project.
            JsonKeyError, JsonTypeError, JsonValueError: It is damaged.
        """
        obj = parse_json(line)
        schema = take(obj, "schema", int)
        kind = take(obj, "kind", str)
        if schema > SCHEMA or kind not in KINDS:
            raise JournalError(
                f"a fact '{kind}' of schema {schema} is from a later version of dws-graph "
                f"(this one reads schema {SCHEMA})",
                hint="Upgrade: pip install --upgrade dws-graph.",
            )
        return cls(
            id=take(obj, "id", str),
            workspace=take(obj, "workspace", str),
            instance=take(obj, "instance", str),
            seq=take(obj, "seq", int),
            kind=kind,
            time=take(obj, "time", str),
            prev=take(obj, "prev", str),
            body=take(obj, "body", dict),
        )


class Line(NamedTuple):
    """A fact as it stands in a journal: its line's SHA-256, and the byte offset after it.

    The offset counts in this instance's local journal; it is 0 for a fact of another instance.
    The file is the one it was read from; empty for a line that is not on disk yet. The size is the
    line's in bytes, where it was asked for.
    """

    fact: Fact
    hash: str
    offset: int
    file: str = ""
    size: int = 0


def line_hash(line: str | bytes) -> str:
    """SHA-256 of a journal line (without its newline), as `prev` of the next one holds it."""
    raw = line.encode() if isinstance(line, str) else line
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Tells cheaply whether files changed.

    Attributes:
        digest: Of the files' stats, and of the content of those changed too near `taken`.
        taken: Nanoseconds since the epoch at which it was taken.
    """

    digest: str
    taken: int

    def to_json(self) -> Json:
        """As facts hold it."""
        return {"digest": self.digest, "taken": self.taken}

    @classmethod
    def from_json(cls, obj: Json) -> Fingerprint:
        """From a fact."""
        return cls(take(obj, "digest", str), take(obj, "taken", int))


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """A ref's current certificate from a fact on.

    Attributes:
        ref: The ref.
        certificate: Its id; None when the state is unknown from now on.
        output: Whether a step wrote it (then refs that overlap with it are refused as outputs).
        fingerprint: Of the files now; None where there are none here.
    """

    ref: ResourceRef
    certificate: str | None
    output: bool = False
    fingerprint: Fingerprint | None = None

    def to_json(self) -> Json:
        """As facts hold it."""
        return {
            "resource": self.ref.name,
            "subpath": self.ref.subpath,
            "certificate": self.certificate,
            "output": self.output,
            "fingerprint": self.fingerprint.to_json() if self.fingerprint else None,
        }

    @classmethod
    def from_json(cls, obj: Json) -> Current:
        """From a fact."""
        fingerprint = take_or(obj, "fingerprint", dict)
        return cls(
            ref=ResourceRef(take(obj, "resource", str), take_or(obj, "subpath", str)),
            certificate=take_or(obj, "certificate", str),
            output=take(obj, "output", bool),
            fingerprint=Fingerprint.from_json(fingerprint) if fingerprint else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """A step as its last fact tells it; of `StepCompleted` and `StepAborted`.

    Attributes:
        id: UUIDv7.
        name: The step's name.
        start_time: UTC.
        execution_time_seconds: None when it is not known (its process died).
        parameters, metrics: Plain JSON.
        command_line: With secrets taken out.
        run_from: The directory it ran from, as [resource, subpath].
        description: The run's, given by the user.
        environment: Hash of its `EnvironmentSeen`.
        commit: Of the code resource's repository.
        error: Why it failed.
        inputs, code, outputs: Certificates as they stood when the fact was appended.
        described: Ids of those that this fact describes; the others are named bare.
        current: Refs whose current certificate it changes.
        superseded: Ids of placeholders whose content was replaced before any snapshot.
        read_while_written: {ref: step} of inputs that a running step was writing.
        changed_while_running: Refs of inputs and code that changed while it ran.
        run: Of a step that `dws run` recorded, what it was told: {"inputs", "outputs", "code":
            refs, "metrics": path or None, "results": ref or None}.
        outside: Of a step that a program outside has told of, whose run it was.
    """

    id: str
    name: str
    start_time: str
    execution_time_seconds: float | None
    parameters: Json
    metrics: Json
    command_line: list[str] | None
    run_from: list[str | None] | None
    description: str | None
    environment: str | None
    commit: str | None
    error: str | None
    inputs: tuple[Certificate, ...]
    code: tuple[Certificate, ...]
    outputs: tuple[Certificate, ...]
    described: frozenset[str]
    current: tuple[Current, ...]
    superseded: tuple[str, ...]
    read_while_written: Json
    changed_while_running: tuple[str, ...]
    run: Json | None = None
    outside: OutsideEnd | None = None

    def to_json(self) -> Json:
        """The body of the fact."""
        obj: Json = {name: getattr(self, name) for name in _STEP_PLAIN}
        for name in ("inputs", "code", "outputs", "current"):
            obj[name] = [item.to_json() for item in getattr(self, name)]
        obj["described"] = sorted(self.described)
        obj["superseded"] = list(self.superseded)
        obj["read_while_written"] = self.read_while_written
        obj["changed_while_running"] = list(self.changed_while_running)
        if self.run is not None:
            obj["run"] = self.run
        if self.outside is not None:
            obj["outside"] = self.outside.to_json()
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> StepRecord:
        """From the body of the fact."""
        seconds = obj.get("execution_time_seconds")
        outside = take_or(obj, "outside", dict)
        return cls(
            id=take(obj, "id", str),
            name=take(obj, "name", str),
            start_time=take(obj, "start_time", str),
            execution_time_seconds=None if seconds is None else float(seconds),
            parameters=take(obj, "parameters", dict),
            metrics=take(obj, "metrics", dict),
            command_line=take_or(obj, "command_line", list),
            run_from=take_or(obj, "run_from", list),
            description=take_or(obj, "description", str),
            environment=take_or(obj, "environment", str),
            commit=take_or(obj, "commit", str),
            error=take_or(obj, "error", str),
            inputs=many(obj, "inputs", Certificate.from_json),
            code=many(obj, "code", Certificate.from_json),
            outputs=many(obj, "outputs", Certificate.from_json),
            described=frozenset(take(obj, "described", list)),
            current=many(obj, "current", Current.from_json),
            superseded=tuple(take(obj, "superseded", list)),
            read_while_written=take(obj, "read_while_written", dict),
            changed_while_running=tuple(take(obj, "changed_while_running", list)),
            run=take_or(obj, "run", dict),
            outside=OutsideEnd.from_json(outside) if outside else None,
        )


_STEP_PLAIN = (
    "id",
    "name",
    "start_time",
    "execution_time_seconds",
    "parameters",
    "metrics",
    "command_line",
    "run_from",
    "description",
    "environment",
    "commit",
    "error",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contained:
    """A certificate that a snapshot contains; `entry`: the ref had an entry, not only a hash."""

    certificate: str
    ref: ResourceRef
    entry: bool

    def to_json(self) -> Json:
        """As facts hold it."""
        return {
            "certificate": self.certificate,
            "resource": self.ref.name,
            "subpath": self.ref.subpath,
            "entry": self.entry,
        }

    @classmethod
    def from_json(cls, obj: Json) -> Contained:
        """From a fact."""
        return cls(
            certificate=take(obj, "certificate", str),
            ref=ResourceRef(take(obj, "resource", str), take_or(obj, "subpath", str)),
            entry=take(obj, "entry", bool),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A placeholder that a step wrote and a snapshot hashed: it keeps its id."""

    certificate: str
    hash: str
    subpath_hash: str | None

    def to_json(self) -> Json:
        """As facts hold it."""
        return {
            "certificate": self.certificate,
            "hash": self.hash,
            "subpath_hash": self.subpath_hash,
        }

    @classmethod
    def from_json(cls, obj: Json) -> Kept:
        """From a fact."""
        return cls(
            certificate=take(obj, "certificate", str),
            hash=take(obj, "hash", str),
            subpath_hash=take_or(obj, "subpath_hash", str),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """An input placeholder that a snapshot found to be the content of another certificate."""

    placeholder: str
    certificate: str

    def to_json(self) -> Json:
        """As facts hold it."""
        return {"placeholder": self.placeholder, "certificate": self.certificate}

    @classmethod
    def from_json(cls, obj: Json) -> Merged:
        """From a fact."""
        return cls(
            placeholder=take(obj, "placeholder", str), certificate=take(obj, "certificate", str)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRecord:
    """The body of `SnapshotTaken`.

    Attributes:
        hash: Of the manifest.
        number: The instance's.
        tag: Given with the snapshot, or None.
        message, hostname, metrics: Of its metadata.
        timestamp: UTC.
        resources: {name: compare hash or None}.
        certificates: Hash certificates that this fact describes.
        contains: Every current certificate, and that of each resource without one.
        keep, merge: What the resolver made of the placeholders.
        current, superseded: As in `StepRecord`.
        read_while_written: {ref: step} of refs that a running step was writing.
    """

    hash: str
    number: int
    tag: str | None
    message: str
    hostname: str
    timestamp: str
    metrics: Json
    resources: Json
    certificates: tuple[Certificate, ...]
    contains: tuple[Contained, ...]
    keep: tuple[Kept, ...]
    merge: tuple[Merged, ...]
    current: tuple[Current, ...]
    superseded: tuple[str, ...]
    read_while_written: Json

    def to_json(self) -> Json:
        """The body of the fact."""
        obj: Json = {
            name: getattr(self, name)
            for name in (
                "hash",
                "number",
                "tag",
                "message",
                "hostname",
                "timestamp",
                "metrics",
                "resources",
            )
        }
        for name in ("certificates", "contains", "keep", "merge", "current"):
            obj[name] = [item.to_json() for item in getattr(self, name)]
        obj["superseded"] = list(self.superseded)
        obj["read_while_written"] = self.read_while_written
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> SnapshotRecord:
        """From the body of the fact."""
        return cls(
            hash=take(obj, "hash", str),
            number=take(obj, "number", int),
            tag=take_or(obj, "tag", str),
            message=take(obj, "message", str),
            hostname=take(obj, "hostname", str),
            timestamp=take(obj, "timestamp", str),
            metrics=take(obj, "metrics", dict),
            resources=take(obj, "resources", dict),
            certificates=many(obj, "certificates", Certificate.from_json),
            contains=many(obj, "contains", Contained.from_json),
            keep=many(obj, "keep", Kept.from_json),
            merge=many(obj, "merge", Merged.from_json),
            current=many(obj, "current", Current.from_json),
            superseded=tuple(take(obj, "superseded", list)),
            read_while_written=take(obj, "read_while_written", dict),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStart:
    """The body of `StepStarted`: what other processes must know of a running step.

    No process here stands behind one that a program outside has told of (`outside`): it runs until
    that program says that it ended.
    """

    step: str
    name: str
    start_time: str
    outputs: tuple[ResourceRef, ...]
    pid: int
    pid_started: str  # with `pid`, names the process for good
    outside: OutsideStart | None = None

    def to_json(self) -> Json:
        """The body of the fact."""
        obj: Json = {
            "step": self.step,
            "name": self.name,
            "start_time": self.start_time,
            "outputs": [list(ref) for ref in self.outputs],
            "pid": self.pid,
            "pid_started": self.pid_started,
        }
        if self.outside is not None:
            obj["outside"] = self.outside.to_json()
        return obj

    @classmethod
    def from_json(cls, obj: Json) -> StepStart:
        """From the body of the fact."""
        outside = take_or(obj, "outside", dict)
        return cls(
            step=take(obj, "step", str),
            name=take(obj, "name", str),
            start_time=take(obj, "start_time", str),
            outputs=tuple(ResourceRef(name, sub) for name, sub in take(obj, "outputs", list)),
            pid=take(obj, "pid", int),
            pid_started=take(obj, "pid_started", str),
            outside=OutsideStart.from_json(outside) if outside else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetraction:
    """The body of `StepRetracted`: a step of any instance is no longer part of lineage."""

    step: str
    reason: str

    def to_json(self) -> Json:
        """The body of the fact."""
        return {"step": self.step, "reason": self.reason}

    @classmethod
    def from_json(cls, obj: Json) -> StepRetraction:
        """From the body of the fact."""
        return cls(step=take(obj, "step", str), reason=take(obj, "reason", str))


def currents(body: Json) -> tuple[Current, ...]:
    """The `current` list of a body that has one."""
    return many(body, "current", Current.from_json) if "current" in body else ()


def many(obj: Json, key: str, read: Callable[[Json], Any]) -> tuple[Any, ...]:
    """A list of a body, each item read."""
    return tuple(read(item) for item in take(obj, key, list))
