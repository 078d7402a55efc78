"""What a view of the graph offers, whatever keeps it: index, Neo4j, embedded Cypher.

A `View` takes facts in and can be dumped; `Questions` are what the product asks. The answers are
the frozen dataclasses below. A view may lag behind the journal, never lead it.
Source: docs/formats.md, "Views".
"""

from __future__ import annotations

import itertools
import json
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, TypedDict, final, get_args

from dws_graph.backends.mending import how_to_mend
from dws_graph.backends.overviews import (
    Held,
    InstanceInfo,
    Moment,
    Place,
    Reader,
    ResourceInfo,
    Version,
    WorkspaceInfo,
)
from dws_graph.errors import (
    ApiParamError,
    InternalError,
    JournalMisfitError,
    ViewAmendedError,
)
from dws_graph.model import facts as f
from dws_graph.model.amending import undone_facts
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Fact, Fingerprint, Line
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Edge, Subgraph

CHUNK = 1_000  # facts a transaction
UNKNOWN = ResourceRef("(unknown)")  # of a certificate that only an absent segment describes

Progress = Callable[[int], None]
"""Called with the number of facts looked at since the last call."""


class Applied(NamedTuple):
    """The last fact of an instance that a view holds."""

    seq: int
    hash: str
    offset: int


AppliedMap = dict[tuple[str, str], Applied]
"""By (workspace, instance)."""


@final
class DumpNode(TypedDict):
    """A node of a dump; its `id` is one of its properties."""

    labels: list[str]
    properties: dict[str, Any]


@final
class DumpEdge(TypedDict):
    """An edge of a dump; `source` and `target` are ids of nodes."""

    type: str
    source: str
    target: str
    properties: dict[str, Any]


DumpItem = DumpNode | DumpEdge


class Dump(TypedDict):
    """All that a view holds of the graph, in one canonical form: equal from every view."""

    nodes: list[DumpNode]
    edges: list[DumpEdge]


class View(Protocol):
    """A fold of the journal."""

    @property
    def name(self) -> str:
        """`index`, `neo4j` or `cypher`."""

    def apply(self, lines: Iterable[Line], *, progress: Progress | None = None) -> int:
        """Folds facts in, each exactly once; returns how many were applied now."""

    def applied(self) -> AppliedMap:
        """The last fact applied of each instance."""

    def dump(self) -> Dump:
        """All nodes and edges, none of the view's own records."""

    def items(self) -> Iterator[DumpItem]:
        """The same one by one, in no order: not all are held in memory."""

    def close(self) -> None:
        """Lets go of files and connections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is current for a ref in an instance.

    Attributes:
        ref: The ref.
        certificate: Its certificate now.
        output: Whether a step wrote it.
        fingerprint: Of the files when it became current; None where there were none.
        via: Kind of the fact that made this certificate current.
    """

    ref: ResourceRef
    certificate: Certificate
    output: bool
    fingerprint: Fingerprint | None
    via: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkRow:
    """A certificate that rule 2.1 meets, and the step through which (None: asked for)."""

    certificate: Certificate
    reader: str | None
    workspace: str | None = None  # that the certificate belongs to


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A completed step that read or wrote a certificate, and the fact that says so."""

    step: str
    instance: str
    fact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInfo:
    """A recorded step in full; the fields are those of `model.facts.StepRecord`."""

    id: str
    workspace: str
    instance: str
    name: str
    status: str  # completed, failed
    start_time: str
    execution_time_seconds: float | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    command_line: list[str] | None
    run_from: list[str | None] | None
    description: str | None
    environment: str | None
    commit: str | None
    error: str | None
    read_while_written: dict[str, Any]
    changed_while_running: tuple[str, ...]
    inputs: tuple[Certificate, ...]
    code: tuple[Certificate, ...]
    outputs: tuple[Certificate, ...]
    retracted: bool = False
    run: dict[str, Any] | None = None
    producer: str | None = None  # the program outside that told of it
    producer_run: str | None = None  # its own id of that run

    @property
    def place(self) -> Place:
        """Where a page that ends here ends."""
        return Place(self.start_time, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction:
    """That a step is no longer part of lineage: since when (UTC), who said so, and why."""

    step: str
    reason: str
    time: str
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentInfo:
    """What steps ran in; `packages` are `name==version`."""

    hash: str
    python: str
    platform: str
    packages: tuple[str, ...]


Comparison = Literal["<", "<=", "=", ">=", ">"]


@dataclass(frozen=True, slots=True)
class MetricIs:
    """What a metric must be: a number, so compared; NaN, infinities and texts are none."""

    name: str
    comparison: Comparison
    number: float

    def __post_init__(self) -> None:
        """Refuses what cannot be compared.

        Raises:
            ApiParamError: It is no number, or compared in no known way.
        """
        if self.comparison not in get_args(Comparison):
            raise ApiParamError(
                f"'{self.comparison}' is no way to compare metric '{self.name}'",
                hint=f"Give one of {' '.join(get_args(Comparison))}.",
            )
        if isinstance(self.number, bool) or not is_finite(self.number):
            raise ApiParamError(
                f"metric '{self.name}' cannot be compared with what is no number",
                hint="Give a finite number.",
            )

    def holds(self, metrics: Mapping[str, Any]) -> bool:
        """Whether the metrics of a step, as JSON has them, are so."""
        value = metrics.get(self.name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        return COMPARE[self.comparison](value, self.number)


COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}


def is_finite(number: float) -> bool:
    """Whether a number, however long, is one that databases hold."""
    try:
        return math.isfinite(number)
    except (OverflowError, TypeError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFilter:
    """Which steps are meant; None and nothing mean all.

    Attributes:
        workspace: Of this workspace; needed with `refs`.
        name: With this name.
        text: With this in their name; upper and lower case are the same.
        status: `completed` or `failed`, and not retracted; or `retracted`.
        refs: That read or wrote a version of one of them.
        parameters: Whose parameters have these values, all of them, compared as JSON values.
        metrics: Whose metrics are so, all of them.
        since: Started then (UTC text) or later.
        until: Started before then (UTC text).
    """

    workspace: str | None = None
    name: str | None = None
    text: str | None = None
    status: str | None = None
    refs: tuple[ResourceRef, ...] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[MetricIs, ...] = ()
    since: str | None = None
    until: str | None = None

    def ref_ids(self) -> list[str]:
        """The ids of the refs' nodes.

        Raises:
            ApiParamError: The workspace is not given, which tells whose refs they are.
        """
        if self.workspace is None:
            raise ApiParamError("steps of a ref need its workspace", hint="Give the workspace too.")
        return [ref_id(self.workspace, ref) for ref in self.refs or ()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotInfo:
    """A snapshot; `number` is its instance's, `timestamp` UTC, `recorded` the fact's id."""

    id: str
    workspace: str
    hash: str
    number: int
    tags: tuple[str, ...]
    message: str
    timestamp: str
    hostname: str
    instance: str
    metrics: dict[str, Any]
    recorded: str = ""

    @property
    def place(self) -> Place:
        """Where a page that ends here ends, of those that are newest first."""
        return Place(self.timestamp, self.id)


Reason = Literal[
    "input changed",
    "code changed",
    "upstream stale",
    "output changed outside a step",
    "input not kept",
    "step failed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleStep:
    """A step whose outputs no longer follow from what is on disk.

    Attributes:
        step: The step; a failed one where that wrote last.
        outputs: Its outputs that are current; of a failed step what it left.
        reasons: (ref, reason), at most one of its inputs and code, and one of its outputs, a ref.
    """

    step: StepInfo
    outputs: tuple[ResourceRef, ...]
    reasons: tuple[tuple[ResourceRef, Reason], ...]


HitKind = Literal["workspace", "resource", "ref", "certificate", "snapshot", "step"]


class Hit(NamedTuple):
    """Something that a search found.

    Attributes:
        kind: What it is.
        key: Its id.
        name: As people know it: of a snapshot its tags, or its hash; of a certificate its ref.
        workspace: Whose it is.
        time: When a step began, a snapshot was taken (UTC); else empty.
        matched: What of it has the text, where that is not its name: a hash, a message, a
            description, or a parameter as `NAME=VALUE`.
        hash: Of a snapshot or a certificate; else empty.
    """

    kind: HitKind
    key: str
    name: str
    workspace: str
    time: str
    matched: str = ""
    hash: str = ""

    @property
    def place(self) -> Place:
        """Where a page that ends here ends, of those that have only hits of this kind."""
        if self.kind == "ref":
            return Place(self.name, self.workspace)
        if self.kind in ("workspace", "resource"):
            return Place(self.name, self.key)
        return Place(self.matched if self.kind == "certificate" else self.time, self.key)


class Links(NamedTuple):
    """What some nodes are joined to, whether or not that is among them.

    Attributes:
        into: The arrows that lead into them, sorted: a node has few, however often it is read.
        leaving: How many arrows lead away from each, by its id.
    """

    into: tuple[Edge, ...]
    leaving: Mapping[str, int]


class Questions(Protocol):
    """What can be asked of the index, and of Neo4j across workspaces.

    Attributes:
        visited: How many edges the last `upstream` or `downstream` read to find its answer.
    """

    visited: int

    def certificates(self, ids: Iterable[str]) -> dict[str, Certificate]:
        """Those of the ids that are known certificates."""

    def certificates_of(self, workspace: str, ref: ResourceRef) -> list[Certificate]:
        """All versions of a ref, newest first."""

    def versions(
        self, workspace: str, ref: ResourceRef, limit: int, after: Place | None = None
    ) -> list[Version]:
        """A page of the versions of a ref, newest first."""

    def readers(self, certificate: str, limit: int, after: Place | None = None) -> list[Reader]:
        """A page of the steps that read a certificate, newest first; retracted ones did not."""

    def workspaces(self, limit: int, after: Place | None = None) -> list[WorkspaceInfo]:
        """A page of the workspaces that are known, by name, then id; those of no name first."""

    def resources(self, workspace: str, limit: int, after: str = "") -> list[ResourceInfo]:
        """A page of the resources of a workspace, by name; `after` is the last name before."""

    def instances(self, workspace: str) -> list[InstanceInfo]:
        """The copies of a workspace that recorded anything, the last active first."""

    def current(self, workspace: str, instance: str) -> dict[ResourceRef, Certificate]:
        """What is current in an instance, by ref."""

    def refs(
        self,
        workspace: str,
        resource: str | None = None,
        *,
        limit: int | None = None,
        after: ResourceRef | None = None,
    ) -> list[ResourceRef]:
        """The refs that lineage names, sorted."""

    def workspace_names(self, ids: Iterable[str]) -> dict[str, str]:
        """The names of workspaces by id; those of no known name are left out."""

    def producers(self, ids: Iterable[str]) -> dict[str, str]:
        """The step that wrote each certificate; those that none wrote are left out."""

    def retracted_producers(self, ids: Iterable[str]) -> dict[str, str]:
        """The retracted step that wrote each certificate; those of no such are left out."""

    def walk(self, ids: Collection[str]) -> list[WalkRow]:
        """The certificates that rule 2.1 looks at."""

    def step(self, step: str) -> StepInfo | None:
        """One step in full."""

    def steps(
        self,
        workspace: str | None = None,
        *,
        name: str | None = None,
        status: str | None = None,
        ref: ResourceRef | None = None,
        since: str | None = None,
        limit: int | None = None,
    ) -> list[StepInfo]:
        """Steps, newest first."""

    def chosen_steps(
        self, chosen: StepFilter, limit: int | None = None, after: Place | None = None
    ) -> list[StepInfo]:
        """Steps by all that they can be chosen by, newest first."""

    def count_steps(self, chosen: StepFilter) -> int:
        """How many steps are meant."""

    def step_keys(self, workspace: str, prefix: str, limit: int) -> list[str]:
        """The ids of steps that begin so, sorted; at most so many."""

    def retraction(self, workspace: str, step: str) -> Retraction | None:
        """Why a step was retracted; None when it was not."""

    def environment(self, workspace: str, env: str) -> EnvironmentInfo | None:
        """What the environment of this hash holds; None where that is not known."""

    def upstream(
        self, starts: Collection[str], *, root: str = "", depth: int | None = None
    ) -> Subgraph:
        """All that the starts were made from."""

    def downstream(
        self, starts: Collection[str], *, root: str = "", depth: int | None = None
    ) -> Subgraph:
        """All that was made from the starts."""

    def neighbourhood(
        self, starts: Collection[str], *, root: str = "", depth: int = 1, limit: int = 200
    ) -> Subgraph:
        """What lies around the starts, both ways: at most `limit` nodes, the nearest."""

    def lineage_then(
        self,
        starts: Collection[str],
        moment: Moment,
        *,
        root: str = "",
        up: bool = True,
        down: bool = True,
        depth: int | None = None,
    ) -> Subgraph:
        """What the starts were made from, and what was made from them, as of a past moment.

        Steps that were recorded later are not there; those retracted later are. What became of
        content since (its hash, that it was not kept) is told as it is known now.

        Args:
            starts: Ids of certificates or steps, or of refs, which mean all their certificates.
            moment: As of when.
            root: The id that was asked for.
            up: What they were made from.
            down: What was made from them.
            depth: How many steps to go; None for all.
        """

    def known_then(self, ids: Collection[str], moment: Moment) -> set[str]:
        """Those of the ids of steps and certificates that anything was known of at a moment."""

    def links(self, ids: Collection[str]) -> Links:
        """The arrows into steps and certificates, and how many lead away from each."""

    def stale(
        self, workspace: str, instance: str, changed: Collection[ResourceRef] = ()
    ) -> list[StaleStep]:
        """The steps to run again in an instance, in an order in which they can be.

        Args:
            workspace: Of this workspace.
            instance: By what is current there.
            changed: Refs whose files are others than those of what is current, as the one who
                can look at the disk says. What has no current version holds unless named here.
        """

    def search(
        self,
        text: str,
        workspace: str | None = None,
        limit: int = 50,
        *,
        kind: HitKind | None = None,
        after: Place | None = None,
    ) -> list[Hit]:
        """All that has a text: workspaces, resources, refs, certificates, snapshots, steps.

        Args:
            text: Part of a name, a ref, a tag, a message, a description or a step's parameter
                (its name, its value, or `NAME=VALUE`); or the first digits of the hash of a
                snapshot, or, at least four, of a certificate. Upper and lower case are the same.
            workspace: Of this workspace alone.
            limit: At most so many of each kind: steps and snapshots newest first, certificates by
                their hashes, the others by name.
            kind: Of this kind alone.
            after: The last hit's place on the page before; needs a kind.
        """

    def snapshots(self, workspace: str) -> list[SnapshotInfo]:
        """The workspace's snapshots, oldest first."""

    def newest_snapshots(
        self, workspace: str, limit: int, after: Place | None = None
    ) -> list[SnapshotInfo]:
        """A page of the workspace's snapshots, newest first."""

    def snapshot(self, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
        """One snapshot, by its full hash."""

    def snapshot_certificates(self, workspace: str, snapshot_hash: str) -> list[Held]:
        """What a snapshot contains, by ref; that never changes.

        The ref of one that no fact here describes may be `UNKNOWN`.
        """

    def snapshot_steps(
        self, workspace: str, snapshot_hash: str, limit: int, after: Place | None = None
    ) -> list[StepInfo]:
        """A page of the steps that wrote what a snapshot contains, newest first."""


def chunks(
    lines: Iterable[Line], size: int = CHUNK, weight: int | None = None, first: int | None = None
) -> Iterator[list[Line]]:
    """The lines, so many at a time; fewer where facts are big.

    Args:
        lines: In order.
        size: At most so many.
        weight: With the line by which they come to so many bytes, none follows.
        first: At most so many in the first, where something else waits for that one alone.
    """
    rest, most = iter(lines), size if first is None else first
    while chunk := list(itertools.islice(_upto(rest, weight), most)):
        yield chunk
        most = size


def _upto(lines: Iterator[Line], weight: int | None) -> Iterator[Line]:
    total = 0
    for line in lines:
        yield line
        if weight is not None:
            total += line.size
            if total >= weight:
                return


class Pass:
    """One pass of folding lines into a view: what of it was amended on the way.

    Attributes:
        anew: The view was empty when it began.
    """

    def __init__(self, *, anew: bool) -> None:
        self.anew = anew
        self._void: set[str] = set()

    def takes(self, fact: Fact) -> bool:
        """Whether a fact can be folded; not one that amends facts folded before this pass."""
        if fact.kind == f.VOID:
            self._void.add(fact.id)
        if fact.kind == f.UNDONE:
            return undone_facts(fact) <= self._void
        return fact.kind != f.RESOURCE_RENAMED or self.anew


def next_facts(
    applied: Mapping[tuple[str, str], Applied], lines: Iterable[Line], one: Pass
) -> tuple[list[Line], AppliedMap, InternalError | None]:
    """Which lines a view must fold now.

    Args:
        applied: What the view holds.
        lines: In order per instance.
        one: The pass that they are part of.

    Returns:
        The lines to fold; what is applied then, of the instances they are of; and, where a line
        does not fit, the error to raise once the lines before it are folded.
    """
    fresh: list[Line] = []
    news: AppliedMap = {}
    for line in lines:
        fact = line.fact
        key = (fact.workspace, fact.instance)
        last = news.get(key) or applied.get(key) or Applied(0, "", 0)
        if fact.seq <= last.seq:
            if fact.seq == last.seq and line.hash != last.hash:
                return fresh, news, _misfit(line, "is another line than the one applied before")
            continue
        if fact.seq != last.seq + 1:
            return fresh, news, _misfit(line, f"follows fact {last.seq}: those between are missing")
        if fact.prev != last.hash:
            return fresh, news, _misfit(line, f"does not name fact {last.seq} as the one before it")
        if not one.takes(fact):
            return (
                fresh,
                news,
                ViewAmendedError(
                    "the view holds what was undone or renamed since",
                    hint="Fold it anew: dws graph rebuild.",
                ),
            )
        fresh.append(line)
        news[key] = Applied(fact.seq, line.hash, line.offset)
    return fresh, news, None


def _misfit(line: Line, what: str) -> JournalMisfitError:
    where = line.file or f"the journal of instance {line.fact.instance}"
    return JournalMisfitError(
        f"{where} is damaged: fact {line.fact.seq} {what}",
        hint=how_to_mend(Path(line.file)) if line.file else "Check the journal: dws doctor.",
        instance=line.fact.instance,
    )


def as_dump(items: Iterable[DumpItem]) -> Dump:
    """All of a view's items as a dump."""
    nodes: list[DumpNode] = []
    edges: list[DumpEdge] = []
    for item in items:
        if "source" in item:
            edges.append(item)
        else:
            nodes.append(item)
    return canonical(nodes, edges)


def canonical(nodes: Iterable[DumpNode], edges: Iterable[DumpEdge]) -> Dump:
    """A dump in its canonical form: sorted, no None values."""
    plain_nodes = [
        DumpNode(labels=sorted(n["labels"]), properties=_plain(n["properties"])) for n in nodes
    ]
    plain_edges = [
        DumpEdge(
            type=e["type"],
            source=e["source"],
            target=e["target"],
            properties=_plain(e["properties"]),
        )
        for e in edges
    ]
    plain_nodes.sort(key=lambda n: (n["labels"], str(n["properties"].get("id"))))
    plain_edges.sort(
        key=lambda e: (e["type"], e["source"], e["target"], json.dumps(e["properties"]))
    )
    return Dump(nodes=plain_nodes, edges=plain_edges)


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: properties[key] for key in sorted(properties) if properties[key] is not None}


def to_lines(dump: Dump) -> list[str]:
    """A dump as lines of JSON, a node or an edge each."""
    return [json.dumps(item, ensure_ascii=False) for item in (*dump["nodes"], *dump["edges"])]


def diff_dumps(
    a: Dump, b: Dump, *, limit: int = 20, names: tuple[str, str] = ("the first", "the second")
) -> list[str]:
    """How two dumps differ, for people: at most `limit` lines; none when they are equal."""
    found: list[str] = []
    nodes_a = {str(n["properties"].get("id")): n for n in a["nodes"]}
    nodes_b = {str(n["properties"].get("id")): n for n in b["nodes"]}
    for key in sorted(nodes_a.keys() | nodes_b.keys()):
        found += _node_differences(key, nodes_a.get(key), nodes_b.get(key), names)
    lines_a = {json.dumps(e, ensure_ascii=False) for e in a["edges"]}
    lines_b = {json.dumps(e, ensure_ascii=False) for e in b["edges"]}
    found += [f"edge only in {names[0]}: {line}" for line in sorted(lines_a - lines_b)]
    found += [f"edge only in {names[1]}: {line}" for line in sorted(lines_b - lines_a)]
    if not found and to_lines(a) != to_lines(b):
        found.append("the same nodes and edges, but some more than once or in another order")
    if len(found) > limit:
        found[limit:] = [f"... and {len(found) - limit} more differences"]
    return found


def _node_differences(
    key: str, a: DumpNode | None, b: DumpNode | None, names: tuple[str, str]
) -> list[str]:
    if a is None or b is None:
        node, which = (a, names[0]) if a is not None else (b, names[1])
        return [f"node only in {which}: {json.dumps(node, ensure_ascii=False)}"]
    name = f"{':'.join(a['labels'])} {key}"
    found = []
    if a["labels"] != b["labels"]:
        found.append(f"{name}: labels {a['labels']} and {b['labels']}")
    left, right = a["properties"], b["properties"]
    for prop in sorted(left.keys() | right.keys()):
        one, two = left.get(prop), right.get(prop)
        if type(one) is not type(two) or one != two:
            found.append(f"{name}: {prop} is {one!r} and {two!r}")
    return found
