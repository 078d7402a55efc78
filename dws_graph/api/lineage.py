"""What something was made from, what was made from it, and pictures of that."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dws_graph.api.refs import RefTarget, find_target, known_refs, label, parse_ref, resolve_ref_in
from dws_graph.api.session import log, opened
from dws_graph.errors import ConfigurationError, LineageNotFoundError
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Edge, Node, Subgraph
from dws_graph.render.html import to_html
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import find_snapshot

Self = TypeVar("Self", bound="LineageGraph")


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """A piece of the lineage graph, as it answers a question.

    Attributes:
        subgraph: Its nodes and edges.
        title: What it shows, for people.
        warnings: What people should know of the answer.
    """

    subgraph: Subgraph
    title: str = "Lineage"
    warnings: list[str] = field(default_factory=list)

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
        return self.subgraph.to_json()

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
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Everything that REF was made from.

    Args:
        ref: `resource`, `resource:/sub/path`, or a path on disk.
        snapshot: As it is in this snapshot; else what is current.
        depth: How many steps to go back; None for all.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource or snapshot.
        LineageNotFoundError: Nothing was recorded of it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return upstream_in(ws, ref, snapshot=snapshot, depth=depth)


def upstream_in(
    ws: OpenWorkspace,
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
) -> LineageGraph:
    """See `upstream`."""
    target = resolve_ref_in(ws, ref, snapshot=snapshot)
    found = ws.index.upstream(target.starts, root=target.root, depth=depth)
    title = f"What {_named(ws, target)} was made from"
    return LineageGraph(found, title, list(target.warnings))


def downstream(
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Everything that was made from REF: from any version, or from the one in a snapshot.

    Args, Raises: as `upstream`.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return downstream_in(ws, ref, snapshot=snapshot, depth=depth)


def downstream_in(
    ws: OpenWorkspace,
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    depth: int | None = None,
) -> LineageGraph:
    """See `downstream`."""
    named = ref.recorded() if isinstance(ref, ResourceRef) else parse_ref(ws, ref)
    try:
        target = find_target(ws, named, snapshot, ever=True)
    except LineageNotFoundError:
        if snapshot is not None or not known_refs(ws, named):
            raise
        target = None  # nothing is current, but there are older versions
    if target is not None and target.ref != named:  # a result in a snapshot's directory
        snapshot = target.snapshot
    if snapshot is not None and target is not None:
        found = ws.index.downstream(target.starts, root=target.root, depth=depth)
        title = f"What was made from {_named(ws, target)}"
        return LineageGraph(found, title, list(target.warnings))
    starts = [ref_id(ws.id, r) for r in known_refs(ws, named)]
    root = target.root if target is not None else ref_id(ws.id, named)
    found = ws.index.downstream(starts, root=root, depth=depth)
    warnings = target.warnings if target is not None and target.snapshot is None else ()
    return LineageGraph(found, f"What was made from {named}", list(warnings))


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
    ws: OpenWorkspace, resource: str | ResourceRef | None = None, *, snapshot: str | None = None
) -> LineageGraph:
    """See `lineage_graph`."""
    target = resolve_ref_in(ws, resource or _first_results(ws), snapshot=snapshot)
    found = ws.index.upstream(target.starts, root=target.root)
    return LineageGraph(found, f"Lineage of {_named(ws, target)}", list(target.warnings))


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
    page = to_html(graph.subgraph, title=graph.title, width=width, height=height)
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


def _named(ws: OpenWorkspace, target: RefTarget) -> str:
    if target.snapshot is None:
        return str(target.ref)
    return f"{target.ref} in {label(find_snapshot(ws, target.snapshot))}"
