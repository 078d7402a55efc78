"""Pages: versions of a ref, readers of a certificate, snapshots and what they contain."""

from __future__ import annotations

from dws_graph.backends.decoding import as_certificate, as_snapshot
from dws_graph.backends.graph import page_texts as texts
from dws_graph.backends.graph.asking import Read, steps_in_full
from dws_graph.backends.overviews import NEWEST, Held, Place, Reader, Version
from dws_graph.backends.views import SnapshotInfo, StepInfo
from dws_graph.model.folding import ref_id, snapshot_id
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json


def versions(
    read: Read, workspace: str, ref: ResourceRef, limit: int, after: Place | None
) -> list[Version]:
    """A page of the versions of a ref, newest first."""
    rows = read(texts.VERSIONS, ref=ref_id(workspace, ref), **_page(limit, after))
    return [
        Version(certificate=as_certificate(row["id"], row["properties"], ref), rank=row["rank"])
        for row in rows
    ]


def readers(read: Read, certificate: str, limit: int, after: Place | None) -> list[Reader]:
    """A page of the steps that read a certificate, newest first."""
    rows = read(texts.READERS, certificate=certificate, **_page(limit, after))
    return [Reader(**row) for row in rows]


def newest_snapshots(
    read: Read, workspace: str, limit: int, after: Place | None
) -> list[SnapshotInfo]:
    """A page of the workspace's snapshots, newest first."""
    rows = read(texts.SNAPSHOTS, workspace=workspace, **_page(limit, after))
    found = (as_snapshot(row["properties"]) for row in rows)
    return [snapshot for snapshot in found if snapshot]


def snapshot_certificates(read: Read, workspace: str, snapshot_hash: str) -> list[Held]:
    """What a snapshot contains, by ref."""
    rows = read(texts.CONTAINED, snapshot=snapshot_id(workspace, snapshot_hash))
    found = [
        Held(certificate=as_certificate(row["id"], row["properties"]), output=row["output"])
        for row in rows
    ]
    return sorted(found, key=_by_ref)


def _by_ref(held: Held) -> tuple[str, str, str]:
    cert = held.certificate
    return cert.ref.name, cert.ref.subpath or "", cert.id


def snapshot_steps(
    read: Read, workspace: str, snapshot_hash: str, limit: int, after: Place | None
) -> list[StepInfo]:
    """A page of the steps that wrote what a snapshot contains, newest first."""
    asked = {"snapshot": snapshot_id(workspace, snapshot_hash), **_page(limit, after)}
    return steps_in_full(read, [row["id"] for row in read(texts.WRITERS, **asked)])


def _page(limit: int, after: Place | None) -> Json:
    return {**(after or NEWEST)._asdict(), "limit": limit}
