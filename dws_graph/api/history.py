"""Snapshots: their history, one in full, taking and restoring them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypedDict

from dws_graph.api.session import opened
from dws_graph.model.subgraph import Node
from dws_graph.model.values import to_plain
from dws_graph.resources.base import Resource
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.restoring import restore_snapshot
from dws_graph.workspace.snapshots import all_metadata, find_snapshot, manifest_of
from dws_graph.workspace.taking import take_snapshot as take
from dws_graph.workspace.telling import log

MOST_COLUMNS = 8
Confirm = Callable[[str], bool]


class SnapshotInfo(NamedTuple):
    """A snapshot, as `get_snapshot_history` tells of it; `timestamp` is local time."""

    snapshot_number: int
    hashval: str
    tags: list[str]
    timestamp: str
    message: str
    metrics: dict[str, Any] | None


class HistoryRow(TypedDict):
    """A snapshot, as `dws report history` tells of it."""

    number: int
    hash: str
    tags: list[str]
    timestamp: str
    message: str
    metrics: dict[str, Any]


class ShownResource(TypedDict):
    """A resource in a snapshot; `note` says why it cannot be restored."""

    name: str
    role: str
    type: str
    hash: str | None
    restore_hash: str | None
    restorable: bool
    note: str


class ShownStep(TypedDict):
    """A step upstream of what a snapshot contains."""

    key: str
    name: str
    start_time: str
    execution_time_seconds: float | None
    parameters: dict[str, Any]
    metrics: dict[str, Any]


class ShownSnapshot(HistoryRow):
    """Everything about a snapshot, as `dws show` tells of it; steps in lineage order.

    `results_here`: a results resource has the snapshot's results directory on this machine.
    """

    hostname: str
    results_directory: str
    results_here: bool
    resources: list[ShownResource]
    steps: list[ShownStep]


def get_snapshot_history(
    workspace_uri_or_path: str | None = None,
    reverse: bool = False,
    max_count: int | None = None,
    verbose: bool = False,
) -> Iterable[SnapshotInfo]:
    """The snapshots, oldest first and numbered from 1.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        reverse: Newest first, with the same numbers.
        max_count: At most so many.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return get_snapshot_history_in(ws, reverse, max_count)


def get_snapshot_history_in(
    ws: OpenWorkspace, reverse: bool = False, max_count: int | None = None
) -> list[SnapshotInfo]:
    """See `get_snapshot_history`."""
    found = [
        SnapshotInfo(number, m.hashval, list(m.tags), m.timestamp, m.message, m.metrics)
        for number, m in enumerate(all_metadata(ws), start=1)
    ]
    if reverse:
        found.reverse()
    return found if max_count is None else found[: max(0, max_count)]


def report_history(
    limit: int | None = None,
    metrics: Sequence[str] | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[HistoryRow]:
    """The snapshots, newest first.

    Args:
        limit: The newest so many.
        metrics: These metrics alone, in this order; None for all.
        sort: By this metric, largest first; snapshots without it last.
        reverse: The other way round; numbers stay.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return report_history_in(ws, limit, metrics, sort=sort, reverse=reverse)


def report_history_in(
    ws: OpenWorkspace,
    limit: int | None = None,
    metrics: Sequence[str] | None = None,
    *,
    sort: str | None = None,
    reverse: bool = False,
) -> list[HistoryRow]:
    """See `report_history`."""
    newest = list(enumerate(all_metadata(ws), start=1))[::-1]
    if limit is not None:
        newest = newest[: max(0, limit)]
    rows = [(_row(number, m), m.metrics or {}) for number, m in newest]
    if sort is not None:
        with_it = [r for r in rows if _number(r[1].get(sort)) is not None]
        without = [r for r in rows if _number(r[1].get(sort)) is None]
        with_it.sort(key=lambda r: _number(r[1].get(sort)) or 0.0, reverse=not reverse)
        rows = with_it + without
    elif reverse:
        rows.reverse()
    found = [row for row, _ in rows]
    if metrics is not None:
        for row in found:
            row["metrics"] = {m: row["metrics"][m] for m in metrics if m in row["metrics"]}
    return found


def commonest_metrics(rows: Iterable[HistoryRow], count: int = 2) -> list[str]:
    """The names of the scalar metrics that most snapshots have.

    Those of several results files (`forest/accuracy`, `svm/accuracy`) count as one metric: all of
    them are named, or none, but for more than `MOST_COLUMNS`.
    """
    counted: Counter[str] = Counter()
    named: dict[str, dict[str, None]] = {}
    for row in rows:
        names = [n for n, v in row["metrics"].items() if not isinstance(v, (dict, list))]
        for name in names:
            named.setdefault(name.rpartition("/")[2], {})[name] = None
        counted.update({name.rpartition("/")[2] for name in names})
    order = {name: n for n, name in enumerate(named)}
    common = sorted(counted, key=lambda name: (-counted[name], order[name]))[:count]
    return [name for metric in common for name in named[metric]][: max(count, MOST_COLUMNS)]


def number_in(ws: OpenWorkspace, snapshot_hash: str) -> int:
    """The number by which the history lists a snapshot, those of all copies in one row."""
    return [m.hashval for m in all_metadata(ws)].index(snapshot_hash) + 1


def _row(number: int, m: SnapshotMetadata) -> HistoryRow:
    return HistoryRow(
        number=number,
        hash=m.hashval,
        tags=list(m.tags),
        timestamp=m.timestamp,
        message=m.message,
        metrics=to_plain(m.metrics or {}, "metrics"),
    )


def _number(value: Any) -> float | None:
    """A metric to sort by; NaN counts as none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    return value  # as it is: an integer may be larger than any float


def show_snapshot(
    name: str, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> ShownSnapshot:
    """Everything about a snapshot.

    Args:
        name: A tag, a hash, 6 or more digits of it, or `latest`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: The name fits none, or several.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return show_snapshot_in(ws, name)


def show_snapshot_in(ws: OpenWorkspace, name: str) -> ShownSnapshot:
    """See `show_snapshot`."""
    found = find_snapshot(ws, name)
    row = _row(number_in(ws, found.hashval), found)
    held = [c.id for c, _ in ws.index.contains(ws.id, found.hashval)]
    upstream = ws.index.upstream(held) if held else None
    here = set(ws.get_resource_names())
    results_here = any(_has_results(r, found) for r in ws.get_resources())
    return ShownSnapshot(
        **row,
        hostname=found.hostname,
        results_directory=found.relative_destination_path,
        results_here=results_here,
        resources=[_resource(ws, p, found, here) for p in manifest_of(ws, found.hashval)],
        steps=[_step(n) for n in (upstream.nodes if upstream else ()) if n.kind == "step"],
    )


def _has_results(resource: Resource, m: SnapshotMetadata) -> bool:
    """Whether a snapshot's results are in this resource, on this machine."""
    path = m.relative_destination_path
    return resource.has_results_role() and resource.does_subpath_exist(path, must_be_directory=True)


def _resource(
    ws: OpenWorkspace, params: dict[str, Any], m: SnapshotMetadata, here: set[str]
) -> ShownResource:
    name, role = params["name"], params["role"]
    by = m.restore_hashes.get(name)
    note = ""
    if role == "results":
        note = "results stay as they are"
        if name in here and _has_results(ws.get_resource(name), m):
            note += f"; the snapshot's are in {m.relative_destination_path}"
    elif name not in here:
        note = "it is not in the workspace any more"
    elif by is None:
        note = "its content is not kept"
    return ShownResource(
        name=name,
        role=role,
        type=params["resource_type"],
        hash=params.get("hash"),
        restore_hash=by,
        restorable=not note,
        note=note,
    )


def _step(node: Node) -> ShownStep:
    p = node.properties
    return ShownStep(
        key=node.key,
        name=node.name,
        start_time=str(p.get("start_time") or ""),
        execution_time_seconds=p.get("execution_time_seconds"),
        parameters=dict(p.get("parameters") or {}),
        metrics=dict(p.get("metrics") or {}),
    )


def take_snapshot(
    workspace_uri_or_path: str | None = None,
    tag: str | None = None,
    message: str = "",
    verbose: bool = False,
) -> str:
    """Take a snapshot of the workspace.

    Args:
        workspace_uri_or_path: The workspace; else the enclosing one.
        tag: A name for it.
        message: What it is.
        verbose: Tell more.

    Returns:
        Its hash, by which it can be restored.

    Raises:
        ConfigurationError: The tag is in use, or a resource is in no state to be taken; nothing
            has changed.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return take(ws, tag, message).hash


def restore(
    tag_or_hash: str,
    workspace_uri_or_path: str | None = None,
    only: list[str] | None = None,
    leave: list[str] | None = None,
    verbose: bool = False,
) -> int:
    """Bring resources back to a snapshot.

    Args:
        tag_or_hash: The snapshot: a tag, a hash, 6 or more digits of it, or `latest`.
        workspace_uri_or_path: The workspace; else the enclosing one.
        only: These resources alone; each must be restorable.
        leave: All but these; not together with `only`.
        verbose: Tell more.

    Returns:
        How many resources were restored.

    Raises:
        ConfigurationError: The names do not fit, or a resource cannot be restored; nothing has
            changed.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        report = restore_snapshot(ws, tag_or_hash, only=only, leave=leave)
    for warning in report.warnings:
        log.warning("%s", warning)
    return report.count
