"""What differs between two snapshots, or between one and the workspace as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from dws_graph.api.differences import Comparison, differing
from dws_graph.api.lineage import LineageGraph
from dws_graph.api.refs import parse_ref
from dws_graph.api.session import opened
from dws_graph.api.sides import Side, side_in, side_or_empty_in
from dws_graph.api.version_files import ChangedFiles, changed_files
from dws_graph.backends.ordering import in_order
from dws_graph.errors import LineageNotFoundError
from dws_graph.model.overlay import Difference, Overlay, overlay
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Subgraph
from dws_graph.model.values import to_plain
from dws_graph.workspace.comparing import (
    ResourceChange,
    ResourceDifference,
    compare_states,
    states_in,
    states_now,
)
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.results_files import metrics_meant

PARTS = {"package": "environment"}


class DiffSide(TypedDict):
    """A side: its tag or 7 digits, or `now`; the snapshot's hash, None for now."""

    label: str
    snapshot: str | None


class DiffResource(TypedDict):
    """What became of a resource; `files` is None where that is not known here, as `note` says."""

    name: str
    change: ResourceChange
    files: ChangedFiles | None
    note: str


class DiffParameter(TypedDict):
    """A parameter of a step in both sides; None where a side has none."""

    step: str
    name: str
    a: Any
    b: Any


class DiffCommand(TypedDict):
    """The command line of a step in both sides, each a line for a shell."""

    step: str
    a: str
    b: str


class DiffMetric(TypedDict):
    """A metric that is other; nested ones by their names with dots between."""

    name: str
    a: Any
    b: Any


class DiffSteps(TypedDict):
    """Names of steps, in lineage order."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class DiffStep(TypedDict):
    """A step that changed: its id in each side, and in what it differs.

    `changes` are parameters, command, inputs, code, commit; of a version that is `pending` or `not
    kept` nobody can tell whether it is another. Packages are in `environment`.
    """

    step: str
    a: str
    b: str
    outputs: list[str]
    what: list[str]
    changes: list[dict[str, Any]]


class DiffEnvironment(TypedDict):
    """A package, or `python` or `platform` itself (`kind` says which), that is other."""

    kind: str
    name: str
    a: str | None
    b: str | None


class DiffReport(TypedDict):
    """Of `dws diff`; `a` and `b` stand for the first and the second side throughout."""

    a: DiffSide
    b: DiffSide
    resources: list[DiffResource]
    parameters: list[DiffParameter]
    commands: list[DiffCommand]
    metrics: list[DiffMetric]
    steps: DiffSteps
    changed_steps: list[DiffStep]
    environment: list[DiffEnvironment]
    notes: list[str]


def diff(
    a: str,
    b: str | None = None,
    *,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> DiffReport:
    """What differs between two snapshots: files, parameters, metrics, steps, environment.

    Args:
        a: A snapshot: a tag, a hash, 6 or more digits of it, or `latest`.
        b: Another; None for the workspace as it is now.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: A name fits none, or several.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return diff_in(ws, a, b)


def diff_in(ws: OpenWorkspace, a: str, b: str | None = None) -> DiffReport:
    """See `diff`."""
    one, two = side_in(ws, a, as_it_ran=True), side_in(ws, b, as_it_ran=True)
    laid = overlay(one.subgraph, two.subgraph, Comparison(one, two))
    steps = [pair for pair in laid.pairs if pair.node.kind == "step"]
    order = {node.key: n for n, node in enumerate(_ordered(laid).nodes)}
    steps.sort(key=lambda pair: order[pair.node.key])
    changed = [pair for pair in steps if pair.change == "changed"]
    return DiffReport(
        a=_side(one),
        b=_side(two),
        resources=[_resource(r) for r in _resources(ws, one, two)],
        parameters=[
            DiffParameter(step=pair.node.name, name=d.name, a=d.a, b=d.b)
            for pair in changed
            for d in pair.differences
            if d.what == "parameter"
        ],
        commands=[
            DiffCommand(step=pair.node.name, a=d.a, b=d.b)
            for pair in changed
            for d in pair.differences
            if d.what == "command"
        ],
        metrics=[
            DiffMetric(name=d.name, a=d.a, b=d.b)
            for d in differing("metric", _metrics(ws, one), _metrics(ws, two))
        ],
        steps=DiffSteps(
            added=[pair.node.name for pair in steps if pair.change == "added"],
            removed=[pair.node.name for pair in steps if pair.change == "dropped"],
            changed=[pair.node.name for pair in changed],
        ),
        changed_steps=[
            DiffStep(
                step=pair.node.name,
                a=pair.a.key if pair.a else "",
                b=pair.node.key,
                outputs=list(pair.node.properties["outputs"]),
                what=what(pair.differences),
                changes=[d.to_json() for d in pair.differences if _part(d) != "environment"],
            )
            for pair in changed
        ],
        environment=_environment(d for pair in changed for d in pair.differences),
        notes=list(dict.fromkeys([*one.warnings, *two.warnings])),
    )


def lineage_diff(
    a: str,
    b: str | None = None,
    ref: str | ResourceRef | None = None,
    *,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> LineageGraph:
    """Two versions of the lineage, laid over one another.

    Each node and edge has a `change`: `same`, `added`, `dropped` or `changed`; nodes that changed
    also `changes`, in what. Steps are matched by name and what they wrote, versions of data and
    code by what they are of and the name of the step that wrote them.

    Args:
        a: A snapshot: a tag, a hash, 6 or more digits of it, or `latest`.
        b: Another; None for the workspace as it is now.
        ref: Only what this was made from; None for all that the snapshots contain.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such snapshot or resource.
        LineageNotFoundError: Neither has anything of `ref`.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_diff_in(ws, a, b, ref)


def lineage_diff_in(
    ws: OpenWorkspace, a: str, b: str | None = None, ref: str | ResourceRef | None = None
) -> LineageGraph:
    """See `lineage_diff`."""
    if ref is None:
        one, two = side_in(ws, a, as_it_ran=True), side_in(ws, b, as_it_ran=True)
        of = ""
    else:
        named = ref if isinstance(ref, ResourceRef) else parse_ref(ws, ref)
        one, two = side_or_empty_in(ws, a, named), side_or_empty_in(ws, b, named)
        of = f" of {named}"
        if not one.subgraph.nodes and not two.subgraph.nodes:
            raise LineageNotFoundError(
                f"neither {one.label} nor {two.label} has lineage{of}",
                hint="See what they hold: dws show SNAPSHOT.",
            )
    laid = overlay(one.subgraph, two.subgraph, Comparison(one, two))
    title = f"Lineage{of}: {one.label} → {two.label}"
    return LineageGraph(_ordered(laid, one, two), title, [*one.warnings, *two.warnings])


def what(differences: Iterable[Difference]) -> list[str]:
    """In what a step differs, each once: `parameters`, `inputs`, `code`, `commit`, ..."""
    names = {"parameter": "parameters", "input": "inputs"}
    return list(dict.fromkeys(names.get(_part(d), _part(d)) for d in differences))


def _part(difference: Difference) -> str:
    return PARTS.get(difference.what, difference.what)


def _ordered(laid: Overlay, *sides: Side) -> Subgraph:
    """The overlay as a subgraph: each node after those it was made from, in either version."""
    found = laid.subgraph(_root(laid, sides), complete=all(s.subgraph.complete for s in sides))
    return Subgraph(
        root=found.root,
        complete=found.complete,
        nodes=tuple(in_order(found.nodes, found.edges)),
        edges=found.edges,
    )


def _root(laid: Overlay, sides: Iterable[Side]) -> str:
    roots = {side.subgraph.root for side in sides if side.subgraph.root}
    for pair in laid.pairs:
        if roots & {node.key for node in (pair.a, pair.b) if node}:
            return pair.node.key
    return next(iter(roots), "")


def _side(side: Side) -> DiffSide:
    return DiffSide(label=side.label, snapshot=side.snapshot.hashval if side.snapshot else None)


def _resources(ws: OpenWorkspace, a: Side, b: Side) -> list[ResourceDifference]:
    before, after = (states_in(ws, s.snapshot) if s.snapshot else states_now(ws) for s in (a, b))
    names = dict.fromkeys([*before, *after])
    return [compare_states(ws, name, before.get(name), after.get(name)) for name in names]


def _resource(found: ResourceDifference) -> DiffResource:
    files = found.files
    return DiffResource(
        name=found.name,
        change=found.change,
        files=None if files is None else changed_files(files),
        note=found.note,
    )


def _metrics(ws: OpenWorkspace, side: Side) -> Mapping[str, Any]:
    plain = to_plain(metrics_meant(ws, side.snapshot), "metrics")
    return plain if isinstance(plain, Mapping) else {}


def _environment(differences: Iterable[Difference]) -> list[DiffEnvironment]:
    found: dict[tuple[str, str, Any, Any], DiffEnvironment] = {}
    for d in differences:
        if _part(d) == "environment":
            kind = d.what if d.what == "package" else d.name or "environment"
            row = DiffEnvironment(kind=kind, name=d.name or kind, a=d.a, b=d.b)
            found[kind, d.name, d.a, d.b] = row
    return list(found.values())
