"""The fold: a fact's rows, for any view.

Pure: the same fact gives the same rows everywhere, so that every view and every clone hold the
same graph. Source: docs/formats.md, "Folding".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current, Fact, Merged
from dws_graph.model.ids import node_id
from dws_graph.model.imports import ImportedStep, ImportRecord
from dws_graph.model.refs import ResourceRef
from dws_graph.model.rows import CurrentRow, EdgeRow, NodeRow, Rows, once
from dws_graph.model.values import Json, as_property, scalar_properties, take, take_or

IMPORTED = "-"  # sorts before every id: what another workspace told never replaces what one knows


def ref_id(workspace: str, ref: ResourceRef) -> str:
    """The id of a Ref node."""
    return node_id(workspace, "Ref", ref.name, ref.subpath)


def resource_id(workspace: str, name: str) -> str:
    """The id of a Resource node."""
    return node_id(workspace, "Resource", name)


def snapshot_id(workspace: str, snapshot_hash: str) -> str:
    """The id of a Snapshot node."""
    return node_id(workspace, "Snapshot", snapshot_hash)


def tag_id(workspace: str, tag: str) -> str:
    """The id of a Tag node."""
    return node_id(workspace, "Tag", tag)


def retraction_id(workspace: str, step: str) -> str:
    """The id of a Retraction node."""
    return node_id(workspace, "Retraction", step)


def environment_id(workspace: str, environment: str) -> str:
    """The id of an Environment node."""
    return node_id(workspace, "Environment", environment)


def fold(facts: Iterable[Fact]) -> Rows:
    """The rows of some facts in order, each node and edge once."""
    rows = Rows()
    for fact in facts:
        _WRITERS[fact.kind](fact, rows)
    return once(rows)


def _workspace(fact: Fact, rows: Rows) -> None:
    rows.identities.append(_workspace_row(fact.workspace))


@lru_cache(maxsize=64)
def _workspace_row(ws: str) -> NodeRow:
    return NodeRow("Workspace", ws, {"id": ws})


class _RefRows(NamedTuple):
    """What a ref is in a graph; each fact that names it has the same."""

    id: str
    nodes: tuple[NodeRow, ...]
    edges: tuple[EdgeRow, ...]


@lru_cache(maxsize=1 << 14)
def _ref_rows(ws: str, name: str, subpath: str | None) -> _RefRows:
    rid, res = ref_id(ws, ResourceRef(name, subpath)), resource_id(ws, name)
    identity: Json = {"id": rid, "workspace": ws, "resource": name}
    if subpath is not None:
        identity["subpath"] = subpath
    resource = {"id": res, "workspace": ws, "name": name}
    nodes = (NodeRow("Ref", rid, identity), NodeRow("Resource", res, resource), _workspace_row(ws))
    return _RefRows(rid, nodes, (EdgeRow("PART_OF", rid, res), EdgeRow("IN", res, ws)))


def _ref(ws: str, ref: ResourceRef, rows: Rows) -> str:
    """The Ref, Resource and Workspace nodes that a ref needs, with their edges; the ref's id."""
    found = _ref_rows(ws, *ref)
    if found.id not in rows.refs:
        rows.refs.add(found.id)
        rows.identities += found.nodes
        rows.edges += found.edges
    return found.id


def _describe(fact: Fact, rows: Rows, cert: Certificate) -> None:
    """A certificate that this fact is the first to describe, and its ref."""
    ws = fact.workspace
    rid = _ref(ws, cert.ref, rows)
    props: Json = {"id": cert.id, "workspace": ws, "resource": cert.ref.name}
    if cert.ref.subpath is not None:
        props["subpath"] = cert.ref.subpath
    if cert.comment:
        props["comment"] = cert.comment
    if cert.hash is not None:
        props["hash"] = cert.hash
        if cert.subpath_hash is not None:
            props["subpath_hash"] = cert.subpath_hash
        props["at"] = fact.id
        rows.shared.append(NodeRow("HashCertificate", cert.id, props))
    else:
        props |= {"instance": fact.instance, "version": cert.version, "kind": cert.kind}
        props |= {"superseded": cert.superseded, "at": None}
        rows.placeholders.append(NodeRow("PlaceholderCertificate", cert.id, props))
    rows.edges.append(EdgeRow("STATE_OF", cert.id, rid))


def _currents(fact: Fact, rows: Rows, currents: Iterable[Current]) -> None:
    for c in currents:
        rid = _ref(fact.workspace, c.ref, rows)
        if c.certificate is not None:
            rows.bare.append(c.certificate)
        rows.current.append(CurrentRow(rid, fact.instance, c.certificate))


def _workspace_created(fact: Fact, rows: Rows) -> None:
    name = take(fact.body, "name", str)
    props = {"id": fact.workspace, "name": name, "at": fact.id}
    rows.shared.append(NodeRow("Workspace", fact.workspace, props))


def _resource_added(fact: Fact, rows: Rows) -> None:
    _workspace(fact, rows)
    name = take(fact.body, "name", str)
    rid = resource_id(fact.workspace, name)
    props: Json = {"id": rid, "workspace": fact.workspace, "name": name, "at": fact.id}
    props |= {"role": take(fact.body, "role", str), "type": take(fact.body, "type", str)}
    rows.shared.append(NodeRow("Resource", rid, props))
    rows.edges.append(EdgeRow("IN", rid, fact.workspace))


def _environment_seen(fact: Fact, rows: Rows) -> None:
    env = take(fact.body, "hash", str)
    eid = environment_id(fact.workspace, env)
    props: Json = {"id": eid, "workspace": fact.workspace, "hash": env, "at": fact.id}
    for key in ("python", "platform"):
        props[key] = take(fact.body, key, str)
    props["packages"] = take(fact.body, "packages", list)
    rows.shared.append(NodeRow("Environment", eid, props))


def _step_started(fact: Fact, rows: Rows) -> None:
    """Makes no node: only the index keeps who is running."""


def _step_ended(fact: Fact, rows: Rows) -> None:
    """Reads the body itself, not as a `StepRecord`: there are more steps than all else."""
    body, ws = fact.body, fact.workspace
    step = take(body, "id", str)
    _workspace(fact, rows)
    rows.own.append(NodeRow("Step", step, _step_properties(fact)))
    if environment := take_or(body, "environment", str):
        eid = environment_id(ws, environment)
        identity = {"id": eid, "workspace": ws, "hash": environment}
        rows.identities.append(NodeRow("Environment", eid, identity))
        rows.edges.append(EdgeRow("RAN_IN", step, eid))
    described = frozenset(take(body, "described", list))
    for name, kind in (("inputs", "READ_BY"), ("code", "CODE_OF"), ("outputs", "WROTE")):
        for cert in take(body, name, list):
            key = take(cert, "id", str)
            ends = (step, key) if kind == "WROTE" else (key, step)
            rows.edges.append(EdgeRow(kind, *ends))
            if key in described:
                _describe(fact, rows, Certificate.from_json(cert))
            else:
                rows.bare.append(key)
    _currents(fact, rows, f.currents(body))
    rows.superseded.extend(take(body, "superseded", list))


def _step_properties(fact: Fact) -> Json:
    body = fact.body
    parameters, metrics = take(body, "parameters", dict), take(body, "metrics", dict)
    seconds = body.get("execution_time_seconds")
    props: Json = {
        "id": take(body, "id", str),
        "workspace": fact.workspace,
        "instance": fact.instance,
        "name": take(body, "name", str),
        "status": "completed" if fact.kind == f.STEP_COMPLETED else "failed",
        "start_time": take(body, "start_time", str),
        "execution_time_seconds": None if seconds is None else float(seconds),
        "command_line": as_property(take_or(body, "command_line", list)),
        "run_from": as_property(take_or(body, "run_from", list)),
        "parameters": as_property(parameters),
        "metrics": as_property(metrics),
        "recorded": fact.id,
        "at": None,
    }
    for key in ("description", "environment", "commit", "error"):
        props[key] = take_or(body, key, str)
    if meanwhile := take(body, "read_while_written", dict):
        props["read_while_written"] = as_property(meanwhile)
    if changed := take(body, "changed_while_running", list):
        props["changed_while_running"] = list(changed)
    if (run := take_or(body, "run", dict)) is not None:
        props["run"] = as_property(run)
    if (outside := take_or(body, "outside", dict)) is not None:
        props["producer"] = take(outside, "producer", str) or None
        props["producer_run"] = take(outside, "run", str)
    props |= scalar_properties("param_", parameters)
    props |= scalar_properties("metric_", metrics)
    return props


def _step_retracted(fact: Fact, rows: Rows) -> None:
    """May come before the step itself, which then is known by its id alone."""
    _workspace(fact, rows)
    body = f.StepRetraction.from_json(fact.body)
    known: Json = {"id": body.step, "workspace": fact.workspace}
    rows.identities.append(NodeRow("Step", body.step, known))
    rows.own.append(NodeRow("Step", body.step, {"id": body.step, "retracted": True}))
    rid = retraction_id(fact.workspace, body.step)
    props: Json = {"id": rid, "workspace": fact.workspace, "step": body.step}
    props |= {"reason": body.reason, "time": fact.time, "instance": fact.instance, "at": fact.id}
    rows.shared.append(NodeRow("Retraction", rid, props))
    rows.edges.append(EdgeRow("RETRACTS", rid, body.step))
    rows.retracted.append(body.step)


def _snapshot_taken(fact: Fact, rows: Rows) -> None:
    snap = f.SnapshotRecord.from_json(fact.body)
    ws, sid = fact.workspace, snapshot_id(fact.workspace, snap.hash)
    _workspace(fact, rows)
    props: Json = {
        "id": sid,
        "workspace": ws,
        "hash": snap.hash,
        "number": snap.number,
        "message": snap.message,
        "timestamp": snap.timestamp,
        "hostname": snap.hostname,
        "instance": fact.instance,
        "metrics": as_property(snap.metrics),
        "at": fact.id,
    }
    props |= scalar_properties("metric_", snap.metrics)
    rows.shared.append(NodeRow("Snapshot", sid, props))
    rows.edges.append(EdgeRow("OF", sid, ws))
    if snap.tag:
        _tag(fact, rows, snap.tag, sid)
    for cert in snap.certificates:
        _describe(fact, rows, cert)
    for item in snap.contains:
        rows.bare.append(item.certificate)
        rows.edges.append(EdgeRow("CONTAINS", sid, item.certificate))
    _currents(fact, rows, snap.current)
    rows.superseded.extend(snap.superseded)
    for kept in snap.keep:
        props = {"id": kept.certificate, "hash": kept.hash}
        if kept.subpath_hash is not None:
            props["subpath_hash"] = kept.subpath_hash
        rows.keep.append(props)
    _merge(rows, snap.merge)


def _merge(rows: Rows, merge: Iterable[Merged]) -> None:
    """What became of placeholders."""
    for merged in merge:
        rows.bare.append(merged.certificate)
        rows.merge.append((merged.placeholder, merged.certificate))


def _tag(fact: Fact, rows: Rows, tag: str, snapshot: str) -> None:
    tid = tag_id(fact.workspace, tag)
    props = {"id": tid, "workspace": fact.workspace, "tag": tag, "snapshot": snapshot}
    rows.shared.append(NodeRow("Tag", tid, {**props, "at": fact.id}))


def _tagged(fact: Fact, rows: Rows) -> None:
    """A tag given (or, where `snapshot` is null, taken away)."""
    _workspace(fact, rows)
    snap = take_or(fact.body, "snapshot", str)
    sid = snapshot_id(fact.workspace, snap) if snap else ""
    if snap:
        identity = {"id": sid, "workspace": fact.workspace, "hash": snap}
        rows.identities.append(NodeRow("Snapshot", sid, identity))
    _tag(fact, rows, take(fact.body, "tag", str), sid)


def _snapshot_deleted(fact: Fact, rows: Rows) -> None:
    """Its node stays, bare and marked, since facts name it; its tags name nothing any more."""
    _workspace(fact, rows)
    deleted = take(fact.body, "snapshot", str)
    sid = snapshot_id(fact.workspace, deleted)
    props: Json = {"id": sid, "workspace": fact.workspace, "hash": deleted, "deleted": True}
    rows.shared.append(NodeRow("Snapshot", sid, {**props, "at": fact.id}))
    rows.edges.append(EdgeRow("OF", sid, fact.workspace))
    for tag in take(fact.body, "tags", list):
        _tag(fact, rows, tag, "")


def _resource_removed(fact: Fact, rows: Rows) -> None:
    _workspace(fact, rows)
    name = take(fact.body, "name", str)
    rid = resource_id(fact.workspace, name)
    props: Json = {"id": rid, "workspace": fact.workspace, "name": name, "at": fact.id}
    for key in ("role", "type"):
        props[key] = take(fact.body, key, str)
    rows.shared.append(NodeRow("Resource", rid, {**props, "removed": True}))
    rows.edges.append(EdgeRow("IN", rid, fact.workspace))
    _currents(fact, rows, f.currents(fact.body))


def _nothing(fact: Fact, rows: Rows) -> None:
    """Makes no node: it is for the log, or says how other facts count (`model.amending`)."""


def _current_changed(fact: Fact, rows: Rows) -> None:
    _workspace(fact, rows)
    _currents(fact, rows, f.currents(fact.body))
    rows.superseded.extend(fact.body.get("superseded", ()))


def _lineage_imported(fact: Fact, rows: Rows) -> None:
    """Nodes of other workspaces, which may describe them in the same view, too."""
    record = ImportRecord.from_json(fact.body)
    _workspace(fact, rows)
    at = f"{IMPORTED}{fact.id}"
    for other in record.workspaces:
        rows.identities.append(NodeRow("Workspace", other.id, {"id": other.id}))
        if other.name is not None:
            known: Json = {"id": other.id, "name": other.name, "at": at}
            rows.imported.append(NodeRow("Workspace", other.id, known))
        for name, role in other.roles.items():
            rid = resource_id(other.id, name)
            known = {"id": rid, "workspace": other.id, "name": name, "role": role, "at": at}
            rows.imported.append(NodeRow("Resource", rid, known))
            rows.edges.append(EdgeRow("IN", rid, other.id))
    for item in record.certificates:
        _imported_certificate(item.workspace, item.certificate, at, rows)
    for cert in record.own:
        _describe(fact, rows, cert)
    for step in record.steps:
        _imported_step(step, at, rows)
    for source, target in record.imported_as:
        rows.bare += [source, target]
        rows.edges.append(EdgeRow("IMPORTED_AS", source, target))
    _currents(fact, rows, record.current)
    rows.superseded.extend(record.superseded)
    _merge(rows, record.merge)


def _imported_certificate(ws: str, cert: Certificate, at: str, rows: Rows) -> None:
    rid = _ref(ws, cert.ref, rows)
    props: Json = {"id": cert.id, "workspace": ws, "resource": cert.ref.name}
    props |= {"subpath": cert.ref.subpath, "comment": cert.comment or None, "at": at}
    if cert.hash is not None:
        props |= {"hash": cert.hash, "subpath_hash": cert.subpath_hash}
    else:
        props |= {"version": cert.version, "kind": cert.kind, "superseded": cert.superseded}
    label = "PlaceholderCertificate" if cert.hash is None else "HashCertificate"
    rows.imported.append(NodeRow(label, cert.id, props))
    rows.edges.append(EdgeRow("STATE_OF", cert.id, rid))


def _imported_step(step: ImportedStep, at: str, rows: Rows) -> None:
    props: Json = {
        "id": step.id,
        "workspace": step.workspace,
        "name": step.name,
        "status": "completed",
        "start_time": step.start_time,
        "execution_time_seconds": step.execution_time_seconds,
        "command_line": as_property(step.command_line),
        "run_from": as_property(step.run_from),
        "parameters": as_property(step.parameters),
        "metrics": as_property({}),
        "at": at,
    }
    props |= scalar_properties("param_", step.parameters)
    rows.imported.append(NodeRow("Step", step.id, props))
    for kind, ids in (("READ_BY", step.inputs), ("CODE_OF", step.code)):
        rows.bare += ids
        rows.edges += [EdgeRow(kind, key, step.id) for key in ids]
    rows.bare += step.outputs
    rows.edges += [EdgeRow("WROTE", step.id, key) for key in step.outputs]


_WRITERS: dict[str, Callable[[Fact, Rows], None]] = {
    f.WORKSPACE_CREATED: _workspace_created,
    f.RESOURCE_ADDED: _resource_added,
    f.ENVIRONMENT_SEEN: _environment_seen,
    f.STEP_STARTED: _step_started,
    f.STEP_COMPLETED: _step_ended,
    f.STEP_ABORTED: _step_ended,
    f.STEP_RETRACTED: _step_retracted,
    f.SNAPSHOT_TAKEN: _snapshot_taken,
    f.TAGGED: _tagged,
    f.RESTORED: _current_changed,
    f.CURRENT_SET: _current_changed,
    f.LINEAGE_IMPORTED: _lineage_imported,
    f.SNAPSHOT_DELETED: _snapshot_deleted,
    f.RESOURCE_REMOVED: _resource_removed,
    f.RESOURCE_RENAMED: _nothing,
    f.PARAMETER_SET: _nothing,
    f.UNDONE: _current_changed,
    f.VOID: _nothing,
}
