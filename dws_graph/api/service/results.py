"""Results: what a snapshot holds of the resources of that role, and the step that made it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from dws_graph.backends.overviews import Place
from dws_graph.backends.views import Questions, SnapshotInfo, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef

ROLE = "results"
MOST_RESOURCES = 10_000
MOST_STEPS = 500


class Result(NamedTuple):
    """A version of a result that a snapshot holds.

    Attributes:
        snapshot: The snapshot.
        certificate: The version.
        step: That wrote it; None where no recorded one did.
        metrics: Of that step; else of the snapshot, where it holds no other result.
    """

    snapshot: SnapshotInfo
    certificate: Certificate
    step: StepInfo | None
    metrics: Mapping[str, Any]


def result_resources(q: Questions, workspace: str) -> frozenset[str]:
    """The names of the resources that hold results."""
    found = q.resources(workspace, MOST_RESOURCES)
    return frozenset(one.name for one in found if one.role == ROLE)


def results_in(
    q: Questions, snapshot: SnapshotInfo, names: Collection[str], ref: ResourceRef | None = None
) -> list[Result]:
    """The results in a snapshot: of resources of these names, or of one ref and its parts."""
    held = [
        one.certificate
        for one in q.snapshot_certificates(snapshot.workspace, snapshot.hash)
        if _is_meant(one.certificate.ref, names, ref)
    ]
    held.sort(key=lambda cert: (cert.ref != ref, str(cert.ref)))
    wrote = {
        cert.id: step
        for step in reversed(q.snapshot_steps(snapshot.workspace, snapshot.hash, MOST_STEPS))
        for cert in step.outputs
    }
    alone = len(held) == 1
    return [_result(snapshot, cert, wrote.get(cert.id), alone=alone) for cert in held]


def _is_meant(held: ResourceRef, names: Collection[str], ref: ResourceRef | None) -> bool:
    """Whether it is a result of these names; or the ref, or a part of it."""
    return held.name in names if ref is None else held == ref or ref.covers(held)


def _result(
    snapshot: SnapshotInfo, cert: Certificate, step: StepInfo | None, *, alone: bool
) -> Result:
    own = step.metrics if step else {}
    return Result(snapshot, cert, step, own or (snapshot.metrics if alone else {}))


def results(
    q: Questions, workspace: str, limit: int, after: Place | None, ref: ResourceRef | None = None
) -> list[tuple[SnapshotInfo, list[Result]]]:
    """A page of snapshots, newest first, each with its results, or with that of one ref."""
    names = result_resources(q, workspace) if ref is None else ()
    return [
        (snapshot, results_in(q, snapshot, names, ref))
        for snapshot in q.newest_snapshots(workspace, limit, after)
    ]


def newest_result(q: Questions, workspace: str, ref: ResourceRef) -> Result | None:
    """The newest snapshot's that holds the ref, or a part of it; None where none does."""
    return next((one for _, found in _by_pages(q, workspace, ref) for one in found), None)


def _by_pages(
    q: Questions, workspace: str, ref: ResourceRef
) -> Iterator[tuple[SnapshotInfo, list[Result]]]:
    after, size = None, 20
    while found := results(q, workspace, size, after, ref):
        yield from found
        after = found[-1][0].place
