"""What something was made from, what was made from it, and pictures of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dws_graph.api.refs import RefTarget, find_target, known_refs, label, parse_ref, resolve_ref_in
from dws_graph.api.session import opened
from dws_graph.api.stale import stale_marks_in
from dws_graph.api.team import team_questions
from dws_graph.backends.views import Questions
from dws_graph.errors import ConfigurationError, LineageNotFoundError
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.render.html import to_html
from dws_graph.workspace.half_written import with_failed
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import find_snapshot
from dws_graph.workspace.telling import log

Self = TypeVar("Self", bound="LineageGraph")


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """A piece of the lineage graph, as it answers a question.

    Attributes:
        subgraph: Its nodes and edges.
        title: What it shows, for people.
        warnings: What people should know of the answer.
        marks: Why nodes are stale, by their keys: of the state on disk, so empty of a snapshot.
        workspaces: The names, by id, of those that the nodes are of, where all were asked.
    """

    subgraph: Subgraph
    title: str = "Lineage"
    warnings: list[str] = field(default_factory=list)
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    workspaces: Mapping[str, str] | None = None

    @property
    def root(self) -> str:
        """The key that was asked for."""
        return self.subgraph.root

    @property
    def complete(self) -> bool:
        """False when something in it is not kept or unknown."""
        return self.subgraph.complete

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes, each after those it was made from."""
        return self.subgraph.nodes

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The edges, the way data flows."""
        return self.subgraph.edges

    def to_json(self) -> dict[str, Any]:
        """As `--format json` prints it."""
        told = {} if self.workspaces is None else {"workspaces": dict(self.workspaces)}
        return {**self.subgraph.to_json(), **told}

    def for_people(self) -> Subgraph:
        """The subgraph as it is drawn: of several workspaces, each node names its own."""
        names = self.workspaces or {}
        return self.subgraph.naming_workspaces(names) if len(names) > 1 else self.subgraph

    def to_networkx(self) -> Any:
        """The same as a `networkx.MultiDiGraph`: nodes by key, edges keyed by their type."""
        import networkx  # noqa: PLC0415 - only who asks for it pays for it

        graph: Any = networkx.MultiDiGraph(root=self.root, complete=self.complete)
        for node in self.nodes:
            properties = dict(node.properties)
            graph.add_node(node.key, **{**properties, "kind": node.kind, "name": node.name})
        for edge in self.edges:
            graph.add_edge(edge.source, edge.target, key=edge.type, type=edge.type)
        return graph


def upstream(
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
    all_workspaces: bool = False,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Everything that REF was made from.

    Args:
        ref: `resource`, `resource:/sub/path`, or a path on disk.
        snapshot: As it is in this snapshot; else what is current.
        depth: How many steps to go back; None for all.
        all_workspaces: Ask the team's Neo4j, across the borders of workspaces.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource or snapshot.
        LineageNotFoundError: Nothing was recorded of it.
        ViewUnavailableError: All workspaces are asked, and Neo4j does not answer.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return upstream_in(ws, ref, snapshot=snapshot, depth=depth, all_workspaces=all_workspaces)


def upstream_in(
    ws: OpenWorkspace,
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
    all_workspaces: bool = False,
    stale: bool = True,
) -> LineageGraph:
    """See `upstream`; `stale`: whether to find out what is, for the marks."""
    named = _parsed(ws, ref)
    target = resolve_ref_in(ws, named, snapshot=snapshot)
    with _asked(ws, all_workspaces) as questions:
        made_from = questions.upstream(target.starts, root=target.root, depth=depth)
        found = with_failed(ws, made_from)
        names = questions.workspace_names(found.workspaces()) if all_workspaces else None
    title = f"What {_named(ws, target)} was made from"
    marks = _marks_upstream(ws, named, target, snapshot) if stale else {}
    return LineageGraph(found, title, list(target.warnings), marks, names)


def downstream(
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
    all_workspaces: bool = False,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Everything that was made from REF: from any version, or from the one in a snapshot.

    Args, Raises: as `upstream`.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return downstream_in(ws, ref, snapshot=snapshot, depth=depth, all_workspaces=all_workspaces)


def downstream_in(
    ws: OpenWorkspace,
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
    all_workspaces: bool = False,
    stale: bool = True,
) -> LineageGraph:
    """See `downstream`; `stale`: whether to find out what is, for the marks."""
    named = _parsed(ws, ref)
    try:
        target = find_target(ws, named, snapshot, ever=True)
    except LineageNotFoundError:
        if snapshot is not None or not known_refs(ws, named):
            raise
        target = None  # nothing is current, but there are older versions
    if target is not None and target.ref != named:  # a result in a snapshot's directory
        snapshot = target.snapshot
    if snapshot is not None and target is not None:
        starts, root, title = target.starts, target.root, _named(ws, target)
    else:
        starts = tuple(ref_id(ws.id, r) for r in known_refs(ws, named))
        root, title = target.root if target is not None else ref_id(ws.id, named), str(named)
    with _asked(ws, all_workspaces) as questions:
        found = with_failed(ws, questions.downstream(starts, root=root, depth=depth))
        names = questions.workspace_names(found.workspaces()) if all_workspaces else None
    of_now = target is None or snapshot is not None or target.snapshot is None
    warnings = list(target.warnings) if target is not None and of_now else []
    marks = stale_marks_in(ws) if stale and snapshot is None else {}
    return LineageGraph(found, f"What was made from {title}", warnings, marks, names)


def _asked(ws: OpenWorkspace, all_workspaces: bool) -> AbstractContextManager[Questions]:
    """Who answers: the index, or the team's graph."""
    return team_questions(ws) if all_workspaces else nullcontext(ws.index)


def lineage_path(
    a: str | ResourceRef,
    b: str | ResourceRef,
    *,
    snapshot: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Every certificate and step on a way from A to B.

    Args:
        a: Where the ways begin: any version of it.
        b: Where they end: its current version, or the one in a snapshot.
        snapshot: See `b`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource or snapshot.
        LineageNotFoundError: Nothing was recorded of one, or no way leads from A to B.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_path_in(ws, a, b, snapshot=snapshot)


def lineage_path_in(
    ws: OpenWorkspace,
    a: str | ResourceRef,
    b: str | ResourceRef,
    *,
    snapshot: str | None = None,
    stale: bool = True,
) -> LineageGraph:
    """See `lineage_path`; `stale`: whether to find out what is, for the marks."""
    start, end = _parsed(ws, a), _parsed(ws, b)
    target = resolve_ref_in(ws, end, snapshot=snapshot)
    ways = _ways(ws, start, target)
    if ways is None:
        hint = f"What {end} was made from: dws lineage upstream {end}."
        if (back := _current_or_none(ws, start)) is not None and _ways(ws, end, back) is not None:
            hint = f"One leads the other way: dws lineage path {end} {start}."
        raise LineageNotFoundError(f"no way leads from {start} to {_named(ws, target)}", hint=hint)
    title = f"From {start} to {_named(ws, target)}"
    marks = _marks_upstream(ws, end, target, snapshot) if stale else {}
    return LineageGraph(ways, title, list(target.warnings), marks)


def _ways(ws: OpenWorkspace, start: ResourceRef, end: RefTarget) -> Subgraph | None:
    """What lies between the versions of a ref and what another one is; None: no way."""
    refs = known_refs(ws, start)
    if not refs:
        raise LineageNotFoundError(
            f"no lineage of {start} is known", hint="See what is: dws report lineage."
        )
    starts = {c.id for ref in refs for c in ws.index.certificates_of(ws.id, ref)}
    found = ws.index.upstream(end.starts, root=end.root).reached_from(starts - {*end.starts})
    return with_failed(ws, found) if found.edges else None


def _current_or_none(ws: OpenWorkspace, ref: ResourceRef) -> RefTarget | None:
    try:
        return resolve_ref_in(ws, ref)
    except LineageNotFoundError:
        return None


def lineage_graph(
    resource: str | None = None,
    *,
    snapshot: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """The lineage of a resource, to be drawn.

    Args:
        resource: A resource, or any REF; else the first results resource.
        snapshot: As it is in this snapshot; else what is current, and of results that a
            snapshot has moved, that snapshot's, with a warning.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource or snapshot, or no results resource.
        LineageNotFoundError: Nothing was recorded of it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_graph_in(ws, resource, snapshot=snapshot)


def lineage_graph_in(
    ws: OpenWorkspace,
    resource: str | ResourceRef | None = None,
    *,
    snapshot: str | None = None,
    stale: bool = True,
) -> LineageGraph:
    """See `lineage_graph`; `stale`: whether to find out what is, for the marks."""
    named = _parsed(ws, resource or _first_results(ws))
    target = resolve_ref_in(ws, named, snapshot=snapshot)
    found = with_failed(ws, ws.index.upstream(target.starts, root=target.root))
    marks = _marks_upstream(ws, named, target, snapshot) if stale else {}
    return LineageGraph(found, f"Lineage of {_named(ws, target)}", list(target.warnings), marks)


def make_lineage_graph(
    output_file: str,
    workspace_uri_or_path: str | None = None,
    resource_name: str | None = None,
    tag_or_hash: str | None = None,
    width: int = 1024,
    height: int = 800,
    verbose: bool = False,
) -> None:
    """Write a lineage graph as an HTML page that opens from disk.

    Args:
        output_file: Where to.
        workspace_uri_or_path: The workspace; else the enclosing one.
        resource_name: Of this resource; else of the first results resource.
        tag_or_hash: As it is in this snapshot; else what is current.
        width: Of the figure, in pixels.
        height: Likewise.
        verbose: Tell more.

    Raises:
        ConfigurationError, LineageNotFoundError: As `lineage_graph`.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        graph = lineage_graph_in(ws, resource_name, snapshot=tag_or_hash)
    for warning in graph.warnings:
        log.warning("%s", warning)
    page = to_html(
        graph.for_people(), title=graph.title, width=width, height=height, marks=graph.marks
    )
    try:
        Path(output_file).write_text(page, encoding="utf-8", newline="\n")
    except OSError as e:
        raise ConfigurationError(
            f"{output_file} cannot be written: {e.strerror}", hint="Give another file."
        ) from e


def _first_results(ws: OpenWorkspace) -> ResourceRef:
    for name in ws.get_resource_names():
        if ws.get_resource_role(name) == "results":
            return ResourceRef(name)
    raise ConfigurationError(
        "the workspace has no results resource", hint="Name another with --resource."
    )


def _parsed(ws: OpenWorkspace, ref: str | ResourceRef) -> ResourceRef:
    return ref.recorded() if isinstance(ref, ResourceRef) else parse_ref(ws, ref)


def _marks_upstream(
    ws: OpenWorkspace, named: ResourceRef, target: RefTarget, snapshot: str | None
) -> dict[str, list[str]]:
    """What is stale of what a ref is now, or was when a snapshot moved it; of no older state."""
    if snapshot is not None or target.ref != named:  # named by its path in a snapshot's directory
        return {}
    return stale_marks_in(ws, [target.ref])


def _named(ws: OpenWorkspace, target: RefTarget) -> str:
    if target.snapshot is None:
        return str(target.ref)
    return f"{target.ref} in {label(find_snapshot(ws, target.snapshot))}"
