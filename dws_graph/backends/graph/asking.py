"""What is asked of single things: steps, snapshots, refs and their certificates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from dws_graph.backends.decoding import (
    Certificates,
    as_certificate,
    as_environment,
    as_retraction,
    as_snapshot,
    as_step,
    by_ref,
)
from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.views import UNKNOWN, EnvironmentInfo, Retraction, SnapshotInfo, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import (
    environment_id,
    ref_id,
    retraction_id,
    snapshot_id,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json

Read = Callable[..., list[Json]]
"""Runs a text with its parameters in a transaction that only reads; returns the rows."""
PAGE = 5_000  # ids a text is given at a time


def each(read: Read, text: str, ids: Iterable[str]) -> Iterator[Json]:
    """The rows of a text that is asked about many ids, so many at a time."""
    wanted = list(dict.fromkeys(ids))
    for at in range(0, len(wanted), PAGE):
        yield from read(text, ids=wanted[at : at + PAGE])


def certificates(read: Read, ids: Iterable[str]) -> dict[str, Certificate]:
    """Those of the ids that are described certificates."""
    rows = each(read, texts.CERTIFICATES, ids)
    found = (as_certificate(row["id"], row["properties"]) for row in rows)
    return {cert.id: cert for cert in found if cert.ref != UNKNOWN}


def certificates_of(read: Read, workspace: str, ref: ResourceRef) -> list[Certificate]:
    """All versions of a ref, newest first."""
    rows = read(texts.CERTIFICATES_OF, ref=ref_id(workspace, ref))
    return [as_certificate(row["id"], row["properties"]) for row in rows]


def current(read: Read, workspace: str, instance: str) -> list[Certificate]:
    """What is current in an instance."""
    rows = read(texts.CURRENT, workspace=workspace, instance=instance)
    return [
        as_certificate(row["id"], row["properties"], ResourceRef(row["resource"], row["subpath"]))
        for row in rows
    ]


def current_by_ref(read: Read, workspace: str, instance: str) -> dict[ResourceRef, Certificate]:
    """What is current in an instance, by ref, sorted."""
    found = by_ref(current(read, workspace, instance))
    return {certificate.ref: certificate for certificate in found}


def workspace_names(read: Read, ids: Iterable[str]) -> dict[str, str]:
    """The names of workspaces by id, as far as they are known."""
    return {row["id"]: row["name"] for row in each(read, texts.WORKSPACE_NAMES, ids)}


def producers(read: Read, ids: Iterable[str]) -> dict[str, str]:
    """The step that wrote each certificate; those that none wrote are left out."""
    return {row["id"]: row["step"] for row in each(read, texts.PRODUCERS, ids)}


def retracted_producers(read: Read, ids: Iterable[str]) -> dict[str, str]:
    """The retracted step that wrote each certificate; those of no such step are left out."""
    return {row["id"]: row["step"] for row in each(read, texts.RETRACTED_PRODUCERS, ids)}


def step(read: Read, key: str) -> StepInfo | None:
    """One step in full; None also where nothing but its retraction is known."""
    found = steps_in_full(read, [key])
    return found[0] if found else None


def steps_in_full(read: Read, keys: Collection[str]) -> list[StepInfo]:
    """Steps with the certificates around them, in the order of the keys."""
    found = {}
    for row in each(read, texts.STEPS, keys):
        around = (_around(row[name]) for name in ("inputs", "code", "outputs"))
        inputs, code, outputs = around
        info = as_step(row["properties"], inputs, code, outputs)
        found[info.id] = info
    return [found[key] for key in keys if key in found]


def _around(nodes: Sequence[Json]) -> Certificates:
    return by_ref(as_certificate(node["id"], node) for node in nodes)


def step_keys(read: Read, workspace: str, prefix: str, limit: int) -> list[str]:
    """The ids of steps that begin so, sorted; at most so many."""
    rows = read(texts.STEP_KEYS, workspace=workspace, prefix=prefix, limit=limit)
    return [row["id"] for row in rows]


def retraction(read: Read, workspace: str, step: str) -> Retraction | None:
    """Why a step was retracted; None when it was not."""
    node = _node(read, texts.RETRACTION, retraction_id(workspace, step))
    return None if node is None else as_retraction(node)


def environment(read: Read, workspace: str, env: str) -> EnvironmentInfo | None:
    """What the environment of this hash holds; None where no fact here says so."""
    node = _node(read, texts.ENVIRONMENT, environment_id(workspace, env))
    return None if node is None else as_environment(node)


def snapshots(read: Read, workspace: str) -> list[SnapshotInfo]:
    """The workspace's snapshots, oldest first."""
    rows = read(texts.SNAPSHOTS, workspace=workspace)
    found = (as_snapshot(row["properties"]) for row in rows)
    return [snapshot for snapshot in found if snapshot]


def snapshot(read: Read, workspace: str, snapshot_hash: str) -> SnapshotInfo | None:
    """One snapshot, by its full hash."""
    node = _node(read, texts.SNAPSHOT, snapshot_id(workspace, snapshot_hash))
    return None if node is None else as_snapshot(node)


def _node(read: Read, text: str, key: str) -> dict[str, Any] | None:
    rows = read(text, id=key)
    return rows[0]["properties"] if rows else None
