"""What was done to a workspace, command by command; and taking the last back."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TypedDict

from dws_graph.api.session import opened
from dws_graph.model import facts as f
from dws_graph.model.amending import AMENDING, Amendments
from dws_graph.model.facts import Fact
from dws_graph.model.values import Json, local_text
from dws_graph.workspace.collecting import GRACE, Garbage, collect
from dws_graph.workspace.deleting import delete_snapshot as delete
from dws_graph.workspace.intent import PULL
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.removing import remove_resource as remove
from dws_graph.workspace.renaming import rename_resource as rename
from dws_graph.workspace.taking_back import plan_undo, undo_last


class LogRow(TypedDict):
    """One thing that was done; `time` is local, `undone` tells whether it was taken back since."""

    time: str
    what: str
    details: str
    hostname: str
    instance: str
    undone: bool


def log(
    limit: int | None = None, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> list[LogRow]:
    """What was done to the workspace, in all its copies, newest first.

    Args:
        limit: At most so many; None for all.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return log_in(ws, limit)


def log_in(ws: OpenWorkspace, limit: int | None = None) -> list[LogRow]:
    """See `log`."""
    amending: list[Fact] = []
    names: dict[str, str] = {}

    def told() -> Iterator[Fact]:
        for line in ws.journal.lines():
            fact = line.fact
            if fact.kind in AMENDING:
                amending.append(fact)
            if hostname := fact.body.get("hostname"):
                names[fact.instance] = str(hostname)
            if fact.kind in _TOLD and "undoes" not in fact.body:  # which an `Undone` tells
                yield fact

    by_id: Callable[[Fact], str] = attrgetter("id")
    chosen = (
        sorted(told(), key=by_id, reverse=True)
        if limit is None
        else heapq.nlargest(limit, told(), key=by_id)  # of a long journal few are held
    )
    void = Amendments(amending).void
    return [
        LogRow(
            time=local_text(fact.time),
            what=what,
            details=details,
            hostname=names.get(fact.instance, ""),
            instance=fact.instance,
            undone=fact.id in void,
        )
        for fact in chosen
        for what, details in [_told(fact)]
    ]


def _told(fact: Fact) -> tuple[str, str]:
    """What was done, and with what."""
    if fact.kind == f.CURRENT_SET and fact.seq > 1:  # else it is where a copy begins
        return PULL, ", ".join(sorted({current.ref.name for current in f.currents(fact.body)}))
    what, details = _TOLD[fact.kind]
    return what, details(fact.body)


def undo(
    dry_run: bool = False, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> str:
    """Take back the last command of this copy; one that was taken back is done again.

    Args:
        dry_run: Only say what would be done.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Returns:
        What was taken back, in words.

    Raises:
        ConfigurationError: There is nothing to undo, or something since depends on it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return undo_in(ws, dry_run)


def undo_in(ws: OpenWorkspace, dry_run: bool = False) -> str:
    """See `undo`."""
    return (plan_undo(ws) if dry_run else undo_last(ws)).what


def delete_snapshot(
    tag_or_hash: str,
    include_resources: bool = True,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> None:
    """Delete a snapshot: its metadata and tags; its lineage stays.

    Args:
        tag_or_hash: A tag, a hash, 6 or more digits of one, or `latest`.
        include_resources: Delete its results directories, too.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such snapshot.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        delete(ws, tag_or_hash, include_resources=include_resources)


def remove_resource(
    name: str,
    delete_files: bool = False,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> None:
    """Take a resource out of the workspace; snapshots that hold it, and its lineage, stay.

    Args:
        name: The resource's.
        delete_files: Delete its folder here.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource, or a step is writing to it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        remove(ws, name, delete_files=delete_files)


def rename_resource(
    old: str, new: str, workspace_uri_or_path: str | None = None, verbose: bool = False
) -> None:
    """Give a resource a new name, under which its lineage and snapshots are found.

    Args:
        old: Its name.
        new: The name from now on.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource, or it cannot be named so.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        rename(ws, old, new)


class GarbageRow(TypedDict):
    """What went, or would go, from one store of kept content: `bytes` in all."""

    store: str
    states: int
    files: int
    bytes: int
    younger: int


def collect_garbage(
    grace: float = GRACE,
    dry_run: bool = False,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> list[GarbageRow]:
    """Drop kept content that no snapshot, and nothing that can be undone, names.

    Args:
        grace: How many seconds what nobody names is left alone.
        dry_run: Say what would go, and drop nothing.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Returns:
        A row for each store; `younger` counts what the grace period alone keeps.

    Raises:
        ConfigurationError: A store cannot be used.
        JsonError: What a store says of its content is damaged: nothing was dropped.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return [garbage_row(found) for found in collect(ws, grace=grace, dry_run=dry_run)]


def garbage_row(found: Garbage) -> GarbageRow:
    """As it is shown."""
    return GarbageRow(
        store=found.where,
        states=len(found.names),
        files=len(found.contents),
        bytes=found.size,
        younger=found.younger,
    )


def _snapshot(body: Json) -> str:
    return ", ".join(str(part) for part in (body.get("tag"), body["hash"][:7]) if part)


def _tag(body: Json) -> str:
    at = body.get("snapshot")
    return f"{body['tag']}: {at[:7]}" if at else f"{body['tag']} taken away"


def _restored(body: Json) -> str:
    return f"{body['snapshot'][:7]}: {', '.join(body['resources'])}"


def _set(body: Json) -> str:
    return f"{body['name']} {'unset' if body['unset'] else 'set'}"


def _imported(body: Json) -> str:
    return str(body["resource"]) or "by Data Workspaces 1.6"


def _deleted(body: Json) -> str:
    return ", ".join([*body["tags"], body["snapshot"][:7]])


def _undone(body: Json) -> str:
    return f"{body['operation']} done again" if body["again"] else f"{body['operation']} undone"


_TOLD: dict[str, tuple[str, Callable[[Json], str]]] = {
    f.WORKSPACE_CREATED: ("init", lambda body: str(body["name"])),
    f.CURRENT_SET: ("new copy", lambda body: str(body.get("hostname") or "")),
    f.RESOURCE_ADDED: ("add", lambda body: f"{body['name']} ({body['role']}, {body['type']})"),
    f.RESOURCE_REMOVED: ("remove", lambda body: str(body["name"])),
    f.RESOURCE_RENAMED: ("rename", lambda body: f"{body['old']}: {body['new']}"),
    f.STEP_COMPLETED: ("step", lambda body: str(body["name"])),
    f.STEP_ABORTED: ("failed step", lambda body: str(body["name"])),
    f.STEP_RETRACTED: ("steps retract", lambda body: str(body["step"])),
    f.SNAPSHOT_TAKEN: ("snapshot", _snapshot),
    f.SNAPSHOT_DELETED: ("delete-snapshot", _deleted),
    f.TAGGED: ("tag", _tag),
    f.RESTORED: ("restore", _restored),
    f.PARAMETER_SET: ("config", _set),
    f.LINEAGE_IMPORTED: ("lineage imported", _imported),
    f.UNDONE: ("undo", _undone),
}
