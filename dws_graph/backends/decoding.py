"""Nodes, as the views keep them, as the dataclasses of the model and of the answers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dws_graph.backends.views import (
    UNKNOWN,
    EnvironmentInfo,
    Retraction,
    SnapshotInfo,
    StepInfo,
    WalkRow,
)
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json

Certificates = tuple[Certificate, ...]


def as_certificate(key: str, obj: Json, ref: ResourceRef = UNKNOWN) -> Certificate:
    """A certificate from its node; `ref` is what is known of one that is only named."""
    if "resource" not in obj:
        return Certificate(id=key, ref=ref)
    return Certificate(
        id=key,
        ref=ResourceRef(obj["resource"], obj.get("subpath")),
        hash=obj.get("hash"),
        subpath_hash=obj.get("subpath_hash"),
        version=obj.get("version"),
        kind=obj.get("kind"),
        superseded=bool(obj.get("superseded", False)),
        instance=obj.get("instance"),
        comment=obj.get("comment", ""),
    )


def as_walk_row(key: str, obj: Json, reader: str | None) -> WalkRow:
    """A certificate that rule 2.1 meets, from its node."""
    cert = as_certificate(key, obj)
    return WalkRow(certificate=cert, reader=reader, workspace=obj.get("workspace"))


def as_step(obj: Json, inputs: Certificates, code: Certificates, outputs: Certificates) -> StepInfo:
    """A step from its node and the certificates around it."""
    return StepInfo(
        id=obj["id"],
        workspace=obj["workspace"],
        instance=obj.get("instance", ""),  # an imported one's is not known
        name=obj["name"],
        status=obj["status"],
        start_time=obj["start_time"],
        execution_time_seconds=obj.get("execution_time_seconds"),
        parameters=parsed(obj.get("parameters")) or {},
        metrics=parsed(obj.get("metrics")) or {},
        command_line=parsed(obj.get("command_line")),
        run_from=parsed(obj.get("run_from")),
        description=obj.get("description"),
        environment=obj.get("environment"),
        commit=obj.get("commit"),
        error=obj.get("error"),
        read_while_written=parsed(obj.get("read_while_written")) or {},
        changed_while_running=tuple(obj.get("changed_while_running") or ()),
        retracted=bool(obj.get("retracted", False)),
        run=parsed(obj.get("run")),
        producer=obj.get("producer"),
        producer_run=obj.get("producer_run"),
        inputs=inputs,
        code=code,
        outputs=outputs,
    )


def as_retraction(obj: Json) -> Retraction:
    """A retraction from its node."""
    return Retraction(
        step=obj["step"], reason=obj["reason"], time=obj["time"], instance=obj["instance"]
    )


def as_environment(obj: Json) -> EnvironmentInfo | None:
    """An environment from its node; None for one that is only named (by a step)."""
    if "python" not in obj:
        return None
    return EnvironmentInfo(
        hash=obj["hash"],
        python=obj["python"],
        platform=obj["platform"],
        packages=tuple(obj.get("packages") or ()),
    )


def as_snapshot(obj: Json) -> SnapshotInfo | None:
    """A snapshot from its node; None for one that is only named (by a tag)."""
    if "number" not in obj:
        return None
    return SnapshotInfo(
        id=obj["id"],
        workspace=obj["workspace"],
        hash=obj["hash"],
        number=obj["number"],
        tags=tuple(obj.get("tags") or ()),
        message=obj["message"],
        timestamp=obj["timestamp"],
        hostname=obj["hostname"],
        instance=obj["instance"],
        metrics=parsed(obj.get("metrics")) or {},
        recorded=obj.get("at", ""),
    )


def by_ref(certificates: Iterable[Certificate]) -> Certificates:
    """Those around a step, in the order in which people read them."""
    return tuple(sorted(certificates, key=lambda c: (c.ref.name, c.ref.subpath or "", c.id)))


def parsed(text: Any) -> Any:
    """A property that holds JSON text, as its value."""
    return json.loads(text) if isinstance(text, str) else text
