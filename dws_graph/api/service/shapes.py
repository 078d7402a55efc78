"""What the HTTP API answers, as OpenAPI describes it. Times are UTC, durations are in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, field_validator

from dws_graph.api.differences import flat
from dws_graph.api.service import results
from dws_graph.api.service.comparison import Side, contents_of, differing, parameters_of
from dws_graph.api.service.retractions import Retracted
from dws_graph.api.service.slicing import Rerun
from dws_graph.api.version_files import ChangedFiles
from dws_graph.backends import views
from dws_graph.model import certificates, impact, refs, subgraph

T = TypeVar("T")
DEEPEST = 32  # of a query's parameters; an engine takes 64


class Page(BaseModel, Generic[T]):
    """A part of a list; `next` is the cursor of the part that follows."""

    items: list[T]
    next: str | None = None


class Ref(BaseModel):
    """A resource, or a path in it."""

    resource: str = Field(examples=["intermediate-data"])
    subpath: str | None = Field(None, examples=["clean/train.csv"])
    name: str = Field(description="As people write it.", examples=["intermediate-data:/clean"])

    @classmethod
    def of(cls, ref: refs.ResourceRef) -> Ref:
        """As it is answered."""
        return cls(resource=ref.name, subpath=ref.subpath, name=str(ref))


class Certificate(BaseModel):
    """The state of a ref at one time; `hash` is null until a snapshot has hashed it."""

    id: str
    ref: Ref
    hash: str | None
    subpath_hash: str | None
    version: int | None
    superseded: bool
    comment: str

    @classmethod
    def of(cls, cert: certificates.Certificate) -> Certificate:
        """As it is answered."""
        return cls(
            id=cert.id,
            ref=Ref.of(cert.ref),
            hash=cert.hash,
            subpath_hash=cert.subpath_hash,
            version=cert.version,
            superseded=cert.superseded,
            comment=cert.comment,
        )


def certificates_of(found: Iterable[certificates.Certificate]) -> list[Certificate]:
    """Several of them."""
    return [Certificate.of(cert) for cert in found]


class StepRow(BaseModel):
    """A recorded step, as lists have it."""

    id: str
    workspace: str
    instance: str
    name: str
    status: Literal["completed", "failed", "retracted"]
    start_time: str
    execution_time_seconds: float | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    error: str | None

    @classmethod
    def of(cls, step: views.StepInfo) -> StepRow:
        """As it is answered."""
        return cls(**_row(step))


class Retraction(BaseModel):
    """Why a step is no longer part of lineage, since when, and on which machine that was said."""

    reason: str = Field(description="Empty where none was given.")
    time: str
    hostname: str | None


class Step(StepRow):
    """A recorded step in full; `retraction` is null where it is not retracted."""

    description: str | None
    command_line: list[str] | None
    run_from: str | None
    commit: str | None
    environment: str | None
    producer: str | None = Field(description="The program outside that told of it.")
    run: str | None = Field(description="That program's own id of the run.")
    inputs: list[Certificate]
    code: list[Certificate]
    outputs: list[Certificate]
    changed_while_running: list[str]
    retraction: Retraction | None

    @classmethod
    def of_whole(cls, step: views.StepInfo, retracted: Retracted | None) -> Step:
        """As it is answered."""
        return cls(
            **_row(step),
            description=step.description,
            command_line=step.command_line,
            run_from=_run_from(step),
            commit=step.commit,
            environment=step.environment,
            producer=step.producer,
            run=step.producer_run,
            inputs=certificates_of(step.inputs),
            code=certificates_of(step.code),
            outputs=certificates_of(step.outputs),
            changed_while_running=list(step.changed_while_running),
            retraction=Retraction(**retracted._asdict()) if retracted else None,
        )


def _run_from(step: views.StepInfo) -> str | None:
    at = step.run_from
    return None if not at else f"{at[0]}:/{at[1]}" if at[1] else str(at[0])


def _row(step: views.StepInfo) -> dict[str, Any]:
    return {
        "id": step.id,
        "workspace": step.workspace,
        "instance": step.instance,
        "name": step.name,
        "status": "retracted" if step.retracted else step.status,
        "start_time": step.start_time,
        "execution_time_seconds": step.execution_time_seconds,
        "parameters": step.parameters,
        "metrics": step.metrics,
        "error": step.error,
    }


class Environment(BaseModel):
    """What a step ran in; packages are `name==version`."""

    hash: str
    python: str
    platform: str
    packages: list[str]


class Snapshot(BaseModel):
    """A snapshot of a workspace; `number` counts those of its instance."""

    id: str
    workspace: str
    hash: str
    number: int
    tags: list[str]
    message: str
    timestamp: str
    hostname: str
    instance: str
    metrics: dict[str, Any]

    @classmethod
    def of(cls, snapshot: views.SnapshotInfo) -> Snapshot:
        """As it is answered."""
        return cls(
            id=snapshot.id,
            workspace=snapshot.workspace,
            hash=snapshot.hash,
            number=snapshot.number,
            tags=list(snapshot.tags),
            message=snapshot.message,
            timestamp=snapshot.timestamp,
            hostname=snapshot.hostname,
            instance=snapshot.instance,
            metrics=snapshot.metrics,
        )


class Result(BaseModel):
    """A version of a result that a snapshot holds, the step that wrote it, and its metrics."""

    snapshot: str = Field(description="The snapshot's hash.")
    tags: list[str]
    timestamp: str
    certificate: Certificate
    step: StepRow | None
    metrics: dict[str, Any]

    @classmethod
    def of(cls, result: results.Result) -> Result:
        """As it is answered."""
        return cls(
            snapshot=result.snapshot.hash,
            tags=list(result.snapshot.tags),
            timestamp=result.snapshot.timestamp,
            certificate=Certificate.of(result.certificate),
            step=StepRow.of(result.step) if result.step else None,
            metrics=dict(result.metrics),
        )


class Changed(BaseModel):
    """Something that two snapshots say differently; null where one says nothing."""

    name: str
    a: Any
    b: Any


class ChangedParameter(Changed):
    """A parameter of a step."""

    step: str


class ChangedSteps(BaseModel):
    """Names of steps that one side has, and of those that both have, in another run."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class Files(BaseModel):
    """Paths in a resource that differ."""

    added: list[str]
    changed: list[str]
    removed: list[str]


class Diff(BaseModel):
    """In what two snapshots differ; `content` are hashes by ref, `files` null where not known."""

    content: list[Changed]
    files: dict[str, Files] | None
    metrics: list[Changed]
    parameters: list[ChangedParameter]
    steps: ChangedSteps

    @classmethod
    def of(cls, a: Side, b: Side, files: Mapping[str, ChangedFiles] | None) -> Diff:
        """As it is answered."""
        one, two = parameters_of(a), parameters_of(b)
        both = a.steps.keys() & b.steps.keys()
        return cls(
            content=_changed(*contents_of([a, b])),
            files=None if files is None else {n: Files(**found) for n, found in files.items()},
            metrics=_changed(flat(a.snapshot.metrics), flat(b.snapshot.metrics)),
            parameters=[
                ChangedParameter(step=key[0], name=key[1], a=one.get(key), b=two.get(key))
                for key in differing(one, two)
            ],
            steps=ChangedSteps(
                added=sorted(b.steps.keys() - both),
                removed=sorted(a.steps.keys() - both),
                changed=sorted(n for n in both if a.steps[n].id != b.steps[n].id),
            ),
        )


def _changed(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Changed]:
    return [Changed(name=name, a=a.get(name), b=b.get(name)) for name in differing(a, b)]


class Node(BaseModel):
    """A node of a piece of the graph."""

    key: str
    kind: Literal["step", "certificate", "snapshot"]
    name: str
    properties: dict[str, Any]


class Edge(BaseModel):
    """An arrow, the way data flows."""

    source: str
    target: str
    type: str
    change: str | None = None


class Graph(BaseModel):
    """A piece of the lineage graph.

    `complete` is false where something in it is not kept or unknown; `left_out` says how many nodes
    a limit has left out, `filtered` how many a filter. An edge `VIA` stands for ways over what a
    filter has left out.
    """

    root: str
    complete: bool
    nodes: list[Node]
    edges: list[Edge]
    left_out: int = 0
    filtered: int = 0

    @classmethod
    def of(cls, found: subgraph.Subgraph, left_out: int = 0, filtered: int = 0) -> Graph:
        """As it is answered."""
        return cls(**found.to_json(), left_out=left_out, filtered=filtered)


class AgainStep(BaseModel):
    """A step to run again; `line` does, in a shell; null: its command line is not recorded."""

    id: str
    name: str
    workspace: str
    run_from: str | None
    line: str | None


class Slice(Graph):
    """What lies between two nodes.

    `command` runs its steps again, in a shell, from the folder of the workspace; where that cannot
    be, it is null, and `why_not` says why.
    """

    steps: list[AgainStep]
    command: str | None
    why_not: str

    @classmethod
    def of_rerun(cls, found: subgraph.Subgraph, rerun: Rerun) -> Slice:
        """As it is answered."""
        steps = [
            AgainStep(
                id=one.step.id,
                name=one.step.name,
                workspace=one.step.workspace,
                run_from=_run_from(one.step),
                line=one.line,
            )
            for one in rerun.steps
        ]
        told: dict[str, Any] = {"command": rerun.command, "why_not": rerun.why_not}
        return cls(**found.to_json(), steps=steps, **told)


class ImpactRow(BaseModel):
    """Something downstream, with all its versions, or runs, that are; the newest is `key`.

    `away` counts steps; `time` is when the newest was written, or ran, by `step`.
    """

    key: str
    kind: Literal["step", "data", "code", "snapshot"]
    name: str
    workspace: str
    workspace_name: str
    resource: str | None
    away: int
    versions: int
    stale: list[str]
    time: str | None
    step: str | None
    step_name: str | None

    @classmethod
    def of(cls, row: impact.Reached) -> ImpactRow:
        """As it is answered."""
        return cls(**{**asdict(row), "stale": list(row.stale)})


class StaleReason(BaseModel):
    """Why a step is stale: a ref that it read or wrote, and what is the matter with it."""

    ref: str
    reason: str


class StaleStep(BaseModel):
    """A step to run again, after those before it in the list."""

    step: StepRow
    outputs: list[str]
    reasons: list[StaleReason]


class Hit(BaseModel):
    """Something that a search found; `key` is its id.

    `matched` is what of it has the text, where that is not its name: a hash, a message, a
    description, or a parameter as `name=value`. `hash` is that of a snapshot or a certificate.
    """

    kind: views.HitKind
    key: str
    name: str
    workspace: str
    time: str
    matched: str
    hash: str

    @classmethod
    def of(cls, hit: views.Hit) -> Hit:
        """As it is answered."""
        return cls(**hit._asdict())


class Workspace(BaseModel):
    """A workspace; `time` is when its last step began, or its last snapshot was taken."""

    id: str
    name: str | None
    resources: int
    steps: int
    snapshots: int
    time: str | None


class Resource(BaseModel):
    """A resource; `time` is when the last step began that read or wrote any of it."""

    name: str
    role: str | None
    type: str | None
    removed: bool
    refs: int
    time: str | None


class Instance(BaseModel):
    """A copy of a workspace, what it calls its machine, and when its last fact was made."""

    id: str
    hostname: str | None
    time: str | None


class Table(BaseModel):
    """The rows of a query; `truncated`: there were more."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


class Query(BaseModel):
    """A Cypher query that only reads."""

    cypher: str = Field(max_length=20_000, examples=["MATCH (s:Step) RETURN s.name LIMIT 5"])
    parameters: dict[str, Any] = Field(default_factory=dict)
    limit: int = Field(1_000, ge=1, le=10_000, description="At most so many rows.")
    timeout: float = Field(10.0, gt=0, le=30, description="Seconds.")

    @field_validator("parameters")
    @classmethod
    def _shallow(cls, given: dict[str, Any]) -> dict[str, Any]:
        if _is_deeper(given, DEEPEST):
            raise ValueError(f"lists and objects may be nested {DEEPEST} deep")
        return given


def _is_deeper(value: Any, most: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return most < 0 or any(_is_deeper(one, most - 1) for one in inner)


class Health(BaseModel):
    """Whether the service can answer."""

    status: Literal["ok"]
    view: Literal["index", "neo4j"]


class ProblemBody(BaseModel):
    """An error. Source: RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    hint: str | None = None
