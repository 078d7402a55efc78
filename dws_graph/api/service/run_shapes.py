"""What programs outside send to record steps, within limits, and what they are answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from dws_graph.lineage.outside import Named, Told
from dws_graph.model import outside
from dws_graph.model.refs import ResourceRef, normal_subpath
from dws_graph.model.values import utc_text

MOST_REFS = 1_000
MOST_VALUES = 1_000
DEEPEST = 20
AHEAD = dt.timedelta(hours=1)  # that a program's clock may be ahead of the service's


def _sound(text: str) -> str:
    if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("a text may not hold the character NUL, nor half of a character")
    return text


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values that are not nested without end, and are sound; without recursion."""
    waiting: list[tuple[Any, int]] = [(values, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise ValueError(f"values may be nested {DEEPEST} deep")
        if isinstance(value, str):
            _sound(value)
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
    return values


def _moment(value: Any) -> Any:
    """A time is a text: a number could be seconds or milliseconds."""
    if not isinstance(value, (str, dt.datetime)):
        raise ValueError("a time is a text, such as 2026-11-28T12:00:00Z")
    return value


def _sensible(moment: dt.datetime) -> dt.datetime:
    """A time that can have been."""
    try:
        found = moment.astimezone(dt.timezone.utc)
    except OverflowError as e:
        raise ValueError("a time must lie within the years 1970 to 9999") from e
    if found.year < 1970:
        raise ValueError("a time must lie within the years 1970 to 9999")
    if found > dt.datetime.now(dt.timezone.utc) + AHEAD:
        raise ValueError("a time may not lie in the future")
    return found


Text = Annotated[str, AfterValidator(_sound)]
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Long = Annotated[Text, StringConstraints(max_length=10_000)]
Hash = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-fA-F]{8,128}$", to_lower=True),
    Field(description="Of what the ref names, in hex.", examples=["3f2a91c0d4e5b6a7"]),
]
Values = Annotated[dict[str, Any], Field(max_length=MOST_VALUES), AfterValidator(_plain)]
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    AfterValidator(_sensible),
    Field(examples=["2026-11-28T12:00:00Z"]),
]


class OutsideRef(BaseModel):
    """A resource, or a path in it; a resource that is named for the first time is added."""

    model_config = ConfigDict(extra="forbid")

    resource: Annotated[
        Text, StringConstraints(min_length=1, max_length=100), Field(examples=["raw"])
    ]
    subpath: Annotated[Text, StringConstraints(max_length=2_000)] | None = Field(
        None, examples=["2026/orders.csv"]
    )
    hash: Hash | None = None

    def named(self) -> Named:
        """As recording takes it.

        Raises:
            ConfigurationError: The path leads out of the resource.
        """
        return ResourceRef(self.resource, normal_subpath(self.subpath or "")), self.hash


Refs = Annotated[list[OutsideRef], Field(max_length=MOST_REFS)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inputs: Refs = Field(default_factory=list, description="What the step reads.")
    code: Refs = Field(default_factory=list, description="The code that it runs.")
    outputs: Refs = Field(default_factory=list, description="What it writes.")
    parameters: Values = Field(default_factory=dict, examples=[{"alpha": 0.1}])
    command_line: Annotated[list[Long], Field(max_length=10_000)] | None = Field(
        None, examples=[["spark-submit", "clean.py"]]
    )
    description: Long | None = None
    producer: Annotated[Text, StringConstraints(max_length=200)] = Field(
        "", description="What tells of the step.", examples=["airflow"]
    )
    started: Moment | None = Field(None, description="None: now.")

    def told(self) -> Told:
        """As recording takes it."""
        return Told(
            inputs=_named(self.inputs),
            code=_named(self.code),
            outputs=_named(self.outputs),
            parameters=self.parameters,
            command_line=self.command_line,
            description=self.description,
            producer=self.producer,
            started=_utc(self.started),
        )


def _named(refs: Sequence[OutsideRef]) -> tuple[Named, ...]:
    return tuple(ref.named() for ref in refs)


def _utc(moment: dt.datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)


class RunStart(_Told):
    """A step that begins."""

    name: Name = Field(description="The step's.", examples=["clean"])

    def told(self) -> Told:
        """As recording takes it."""
        return replace(super().told(), name=self.name)


class RunEnd(_Told):
    """A step that has ended; what was told when it began need not be told again."""

    name: Name | None = Field(None, description="Of one that was not started.", examples=["clean"])
    metrics: Values = Field(default_factory=dict, examples=[{"rows": 1200}])
    ended: Moment | None = Field(None, description="None: now.")

    def told(self) -> Told:
        """As recording takes it."""
        return replace(
            super().told(), name=self.name or "", metrics=self.metrics, ended=_utc(self.ended)
        )


class RunFailed(RunEnd):
    """A step that has failed."""

    error: Long | None = Field(None, description="Why.", examples=["out of memory"])

    def told(self) -> Told:
        """As recording takes it."""
        return replace(super().told(), error=self.error)


class Run(BaseModel):
    """A run as it stands; its step is in the graph once it has ended."""

    run: str
    workspace: str
    step: str
    status: Literal["running", "completed", "failed"]
    name: str
    producer: str
    start_time: str
    execution_time_seconds: float | None
    error: str | None

    @classmethod
    def of(cls, run: outside.Run, workspace: str) -> Run:
        """As it is answered."""
        return cls(
            run=run.run,
            workspace=workspace,
            step=run.step,
            status=run.status,
            name=run.name,
            producer=run.producer,
            start_time=run.start_time,
            execution_time_seconds=run.seconds,
            error=run.error,
        )
