"""The lineage of each resource as a table: what it is, and what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from dws_graph.api.refs import changed_since
from dws_graph.api.session import opened
from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Node
from dws_graph.model.values import local_text
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace.half_written import failed_text, half_written, left_by
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import find_snapshot
from dws_graph.workspace.telling import log

LineageTuple = tuple[str, str, str, list[str] | None]
STEP, SOURCE, CODE = "Step", "Source Data", "Code"
RETRACTED = "written by a step that was retracted"


class LineageInput(TypedDict):
    """An input of a step; `current`: it is the ref's current version (that snapshot's)."""

    ref: str
    hash: str | None
    status: str
    current: bool


class LineageRow(TypedDict):
    """A ref's lineage; `step` is the name of the step that wrote it, `inputs` what that read."""

    ref: str
    type: str
    details: str
    step: str | None
    hash: str | None
    status: str
    inputs: list[LineageInput]


def make_lineage_table(
    workspace_uri_or_path: str | None = None,
    tag_or_hash: str | None = None,
    verbose: bool = False,
) -> Iterable[LineageTuple]:
    """A table of the lineage of each resource.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        tag_or_hash: Of this snapshot; else what is current.
        verbose: Tell more.

    Returns:
        Rows of ref, type of lineage, details, inputs (None for what no step wrote).
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        _warn(lineage_warnings_in(ws, tag_or_hash))
        return make_lineage_table_in(ws, tag_or_hash)


def make_lineage_table_in(ws: OpenWorkspace, tag_or_hash: str | None = None) -> list[LineageTuple]:
    """See `make_lineage_table`."""
    return [as_tuple(row, made) for row, made in _rows(ws, tag_or_hash)]


def report_lineage(
    snapshot: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[LineageRow]:
    """The same rows as JSON has them; what was changed on disk since is logged as a warning.

    Args:
        snapshot: Of this snapshot (tag, hash, 6 or more digits of it, `latest`).
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        _warn(lineage_warnings_in(ws, snapshot))
        return report_lineage_in(ws, snapshot)


def report_lineage_in(ws: OpenWorkspace, snapshot: str | None = None) -> list[LineageRow]:
    """See `report_lineage`."""
    return [row for row, _ in _rows(ws, snapshot)]


def lineage_warnings_in(ws: OpenWorkspace, snapshot: str | None = None) -> list[str]:
    """What people should know of the rows: of the current state, what was changed on disk since."""
    if snapshot is not None:
        return []
    left = [str(one) for one in half_written(ws)]
    return left + changed_since(ws, ws.index.entries(ws.id, ws.instance))


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        log.warning("%s", warning)


def as_tuple(row: LineageRow, made: tuple[Certificate, ...] = ()) -> LineageTuple:
    """A row as the table shows it."""
    if row["type"] != STEP:
        return row["ref"], row["type"], row["details"], None
    versions = {str(c.ref): c for c in made}
    return row["ref"], STEP, row["details"], [_input_text(i, versions) for i in row["inputs"]]


def _input_text(item: LineageInput, versions: Mapping[str, Certificate]) -> str:
    if item["current"]:
        return f"{item['ref']} (current)"
    certificate = versions.get(item["ref"])
    return f"{item['ref']} ({_version(certificate)})" if certificate else item["ref"]


def _version(certificate: Certificate) -> str:
    if certificate.hash is not None:
        return f"Hash:{certificate.hash[:8]}"
    if certificate.status == "not kept":
        return "not kept"
    return f"Placeholder:version={certificate.version}"


def _rows(
    ws: OpenWorkspace, snapshot: str | None
) -> list[tuple[LineageRow, tuple[Certificate, ...]]]:
    """Each row, with the inputs' certificates of its step."""
    current = _certificates(ws, snapshot)
    order = {name: n for n, name in enumerate(ws.get_resource_names())}
    refs = sorted(current, key=lambda r: (order.get(r.name, len(order)), r.name, r.subpath or ""))
    seen: set[str] = set()
    found = []
    for ref in refs:
        nested = _nested(ws, current[ref], seen) if _is_imported(ws, ref.name) else []
        seen.add(current[ref].id)
        if not any(certificate.ref == ref for certificate in nested):  # it stands for this one
            found.append(_row(ws, current[ref], current))
        found += [_row(ws, certificate, current) for certificate in nested]
    return found


def _certificates(ws: OpenWorkspace, snapshot: str | None) -> dict[ResourceRef, Certificate]:
    """What is current here, or was in a snapshot, by ref."""
    if snapshot is None:
        return {e.ref: e.certificate for e in ws.index.entries(ws.id, ws.instance)}
    held = ws.index.contains(ws.id, find_snapshot(ws, snapshot).hashval)
    recorded = [c for c, entry in held if entry]
    written = ws.index.producers([c.id for c in recorded])
    found: dict[ResourceRef, Certificate] = {}
    for certificate in recorded:  # of a ref's several, one that a step wrote
        if certificate.ref not in found or certificate.id in written:
            found[certificate.ref] = certificate
    return found


def _row(
    ws: OpenWorkspace, certificate: Certificate, current: Mapping[ResourceRef, Certificate]
) -> tuple[LineageRow, tuple[Certificate, ...]]:
    producer = ws.index.producers([certificate.id]).get(certificate.id)
    step = ws.index.step(producer) if producer is not None else None
    details = _details(step) if step else _version(certificate)
    if not step and ws.index.retracted_producers([certificate.id]):
        details += f", {RETRACTED}"
    elif not step and (failed := left_by(ws, [certificate.id])):
        details += f", left by {failed_text(failed[certificate.id])}"
    row = LineageRow(
        ref=str(certificate.ref),
        type=STEP if step else _kind(ws, certificate),
        details=details,
        step=step.name if step else None,
        hash=certificate.hash,
        status=certificate.status,
        inputs=[_input(c, current) for c in step.inputs] if step else [],
    )
    return row, step.inputs if step else ()


def _details(step: StepInfo) -> str:
    return f"{step.name} at {local_text(step.start_time).replace('T', ' ')}"


def _input(certificate: Certificate, current: Mapping[ResourceRef, Certificate]) -> LineageInput:
    now = current.get(certificate.ref)
    return LineageInput(
        ref=str(certificate.ref),
        hash=certificate.hash,
        status=certificate.status,
        current=now is not None and now.same_version(certificate),
    )


def _kind(ws: OpenWorkspace, certificate: Certificate) -> str:
    if certificate.ref.name in set(ws.get_resource_names()):
        is_code = ws.get_resource_role(certificate.ref.name) == ResourceRoles.CODE
        return CODE if is_code else SOURCE
    found = ws.index.upstream([certificate.id], depth=0).nodes
    return CODE if any(n.properties.get("role") == "code" for n in found) else SOURCE


def _is_imported(ws: OpenWorkspace, name: str) -> bool:
    return name in set(ws.get_resource_names()) and ws.get_resource(name).is_imported()


def _nested(ws: OpenWorkspace, certificate: Certificate, seen: set[str]) -> list[Certificate]:
    """The certificates of other workspaces that an imported one goes back to, nearest first."""

    def is_new(node: Node) -> bool:
        other = node.properties.get("workspace") != ws.id
        return node.kind == "certificate" and other and node.key not in seen

    keys = [n.key for n in reversed(ws.index.upstream([certificate.id]).nodes) if is_new(n)]
    seen.update(keys)
    known = ws.index.certificates(keys)
    return [known[key] for key in keys if key in known]
