"""What programs without a workspace of their own say of a step, as facts hold it.

Source: docs/formats.md, "Recording from outside".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, take, take_or

RunStatus = Literal["running", "completed", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRead:
    """A ref that a step reads, decided when it was first named.

    Attributes:
        ref: What is read.
        hash: Of its content, where the program gave one.
        certificate: The id of what it is; None: what a placeholder is made for at the end.
        before: The id of what was current of the ref.
    """

    ref: ResourceRef
    hash: str | None
    certificate: str | None
    before: str | None

    def to_json(self) -> Json:
        """As facts hold it."""
        return {
            "resource": self.ref.name,
            "subpath": self.ref.subpath,
            "hash": self.hash,
            "certificate": self.certificate,
            "before": self.before,
        }

    @classmethod
    def from_json(cls, obj: Json) -> OutsideRead:
        """From a fact."""
        return cls(
            ref=ResourceRef(take(obj, "resource", str), take_or(obj, "subpath", str)),
            hash=take_or(obj, "hash", str),
            certificate=take_or(obj, "certificate", str),
            before=take_or(obj, "before", str),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideStart:
    """The part of a `StepStarted` that a program outside has told.

    Attributes:
        run: The program's own id of the run.
        request: SHA-256 of what it told, to know the same request again.
        producer: What the program is called.
        inputs, code: What the step reads.
        hashes: {output as text: hash}, of those that were given with one.
        parameters, command_line, description: As of a `StepRecord`.
    """

    run: str
    request: str
    producer: str
    inputs: tuple[OutsideRead, ...]
    code: tuple[OutsideRead, ...]
    hashes: dict[str, str]
    parameters: Json
    command_line: list[str] | None
    description: str | None

    def to_json(self) -> Json:
        """As facts hold it."""
        return {
            "run": self.run,
            "request": self.request,
            "producer": self.producer,
            "inputs": [read.to_json() for read in self.inputs],
            "code": [read.to_json() for read in self.code],
            "hashes": self.hashes,
            "parameters": self.parameters,
            "command_line": self.command_line,
            "description": self.description,
        }

    @classmethod
    def from_json(cls, obj: Json) -> OutsideStart:
        """From a fact."""
        return cls(
            run=take(obj, "run", str),
            request=take(obj, "request", str),
            producer=take(obj, "producer", str),
            inputs=tuple(map(OutsideRead.from_json, take(obj, "inputs", list))),
            code=tuple(map(OutsideRead.from_json, take(obj, "code", list))),
            hashes=take(obj, "hashes", dict),
            parameters=take(obj, "parameters", dict),
            command_line=take_or(obj, "command_line", list),
            description=take_or(obj, "description", str),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEnd:
    """The part of a `StepCompleted` or `StepAborted` that says of which run it is the end."""

    run: str
    request: str
    producer: str

    def to_json(self) -> Json:
        """As facts hold it."""
        return {"run": self.run, "request": self.request, "producer": self.producer}

    @classmethod
    def from_json(cls, obj: Json) -> OutsideEnd:
        """From a fact."""
        return cls(
            run=take(obj, "run", str),
            request=take(obj, "request", str),
            producer=take(obj, "producer", str),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run of a program outside, as it stands.

    Attributes:
        run: The program's own id of it.
        step: The id of the step that it is.
        status: Where it stands.
        name: The step's.
        producer: What the program is called.
        start_time: UTC.
        seconds: How long it took.
        error: Why it failed.
        began: SHA-256 of the request that started it; None: it was told when it had ended.
        ended: The same of the one that ended it.
    """

    run: str
    step: str
    status: RunStatus
    name: str
    producer: str
    start_time: str
    seconds: float | None = None
    error: str | None = None
    began: str | None = None
    ended: str | None = None
