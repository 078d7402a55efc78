"""Whether content still is what its certificates name."""

from __future__ import annotations

from typing import TypedDict

from dws_graph.api.checking import check_journal
from dws_graph.api.session import opened
from dws_graph.workspace.committed import not_as_committed
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.verifying import Status, Verified, counted, verify


class VerifiedRef(TypedDict):
    """A ref; `expected` is the hash of its certificate, `found` that of what was read."""

    ref: str
    status: Status
    expected: str | None
    found: str | None
    note: str


class VerifyReport(TypedDict):
    """`ok`: nothing is changed, missing or damaged, and the journal's chain holds."""

    ok: bool
    counts: dict[Status, int]
    refs: list[VerifiedRef]
    journal: list[str]
    metadata: list[str]


def lineage_verify(
    snapshot: str | None = None,
    *,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> VerifyReport:
    """Read content again, and compare it with the certificates; caches are not believed.

    Args:
        snapshot: The content of this snapshot, from where it is kept; else what is on disk
            against what is current.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Returns:
        Each ref as `same`, `changed`, `missing` or `not kept`, what is wrong with the journal's
        chain of hashes, and with other metadata files, a sentence each.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: The name fits none, or several.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_verify_in(ws, snapshot)


def lineage_verify_in(ws: OpenWorkspace, snapshot: str | None = None) -> VerifyReport:
    """See `lineage_verify`."""
    found = verify(ws, snapshot)
    counts = counted(found)
    journal = [finding["what"] for finding in check_journal(ws)]
    metadata = [
        f"{path} is not as it was committed"
        for path in not_as_committed(ws)
        if not any(path in what for what in journal)
    ]
    return VerifyReport(
        ok=not (counts["changed"] or counts["missing"] or journal or metadata),
        counts=dict(counts),
        refs=[_row(one) for one in found],
        journal=journal,
        metadata=metadata,
    )


def _row(one: Verified) -> VerifiedRef:
    return VerifiedRef(
        ref=str(one.ref),
        status=one.status,
        expected=one.expected,
        found=one.found,
        note=one.note,
    )
