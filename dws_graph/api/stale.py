"""What no longer follows from what is on disk, in the order to run it again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypedDict

from dws_graph.api.refs import known_refs, parse_ref
from dws_graph.api.session import opened
from dws_graph.backends.views import Reason, StaleStep
from dws_graph.errors import LineageNotFoundError
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.half_written import failed_at
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.staleness import find_stale


class StaleReason(TypedDict):
    """Why: a ref that the step read or wrote, and what is the matter with it."""

    ref: str
    reason: Reason


class StaleRow(TypedDict):
    """A step to run again; `key` is its id, `outputs` what is there of it.

    `failed`: of a failed step, when, and how.
    """

    step: str
    key: str
    outputs: list[str]
    reasons: list[StaleReason]
    failed: str | None


def lineage_stale(
    refs: Iterable[str | ResourceRef] = (),
    *,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[StaleRow]:
    """Find which outputs no longer follow from what is on disk.

    An output is stale when its step read another version of data or code than there is now, when
    something that it was made from is stale, or when it was changed outside any step.

    Args:
        refs: Only these, with what they were made from; else all.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Returns:
        The steps to run again, each after those whose outputs it reads.

    Raises:
        ConfigurationError: There is no such resource.
        LineageNotFoundError: Nothing was recorded of a ref.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_stale_in(ws, refs)


def lineage_stale_in(ws: OpenWorkspace, refs: Iterable[str | ResourceRef] = ()) -> list[StaleRow]:
    """See `lineage_stale`."""
    wanted = [ref if isinstance(ref, ResourceRef) else parse_ref(ws, ref) for ref in refs]
    for ref in wanted:
        if not known_refs(ws, ref):
            raise LineageNotFoundError(
                f"no lineage of {ref} is known", hint="See what is: dws report lineage."
            )
    return [_row(step) for step in find_stale(ws, wanted or None)]


def stale_marks_in(
    ws: OpenWorkspace, refs: Collection[ResourceRef] | None = None
) -> dict[str, list[str]]:
    """For pictures: {id of a step or of what it wrote: reasons, for people}.

    Args:
        ws: The workspace.
        refs: Only these, with what they were made from; None for all.
    """
    marks: dict[str, list[str]] = {}
    for found in find_stale(ws, refs):
        texts = [f"{reason}: {ref}" for ref, reason in found.reasons]
        marks[found.step.id] = texts
        for certificate in found.step.outputs:
            if certificate.ref in found.outputs:
                marks[certificate.id] = texts
    return marks


def _row(found: StaleStep) -> StaleRow:
    return StaleRow(
        step=found.step.name,
        key=found.step.id,
        outputs=[str(ref) for ref in found.outputs],
        reasons=[StaleReason(ref=str(ref), reason=reason) for ref, reason in found.reasons],
        failed=failed_at(found.step) if found.step.status == "failed" else None,
    )
