"""Taking a snapshot: plan, move results, hash, resolve, one commit.

Killed before that commit, everything is as before; after it, the rest is carried out by the next
command. Source: docs/formats.md, "Write order".
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache

from dws_graph.backends.faults import fault
from dws_graph.backends.files import Begun
from dws_graph.backends.kept.store import ContentChangedError
from dws_graph.errors import ChangedMeanwhileError, ConfigurationError, DwsError
from dws_graph.resources import hash_workers
from dws_graph.resources.moving import copy_files, move_files, stamps
from dws_graph.workspace.before import entries_before
from dws_graph.workspace.committing import existing_folders, finish_interrupted, intended, settle
from dws_graph.workspace.hashing_all import (
    Caches,
    changed_since,
    hash_all,
    hire,
    looking_again,
    looks_of,
)
from dws_graph.workspace.intent import Intent
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.planning_snapshots import (
    Confirm,
    Plan,
    Progress,
    files_of,
    folder_of,
    plan_of,
)
from dws_graph.workspace.reading import content_now, living
from dws_graph.workspace.resolving import Readings, read_entries
from dws_graph.workspace.snapshot_commits import Made, ask_once, make_commit, manifest_now
from dws_graph.workspace.snapshots import manifest_of
from dws_graph.workspace.unchanged import note_taken, taken_already

ATTEMPTS = 5
MEANWHILE = (ChangedMeanwhileError, ContentChangedError)


def always(question: str) -> bool:
    """Answers every question with yes."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotTaken:
    """What became of a request for a snapshot.

    Attributes:
        hash: Of the snapshot.
        number: The instance's.
        tags: All of it.
        is_new: False when nothing had changed, and the tag went to an earlier one.
        notes: For people.
    """

    hash: str
    number: int
    tags: tuple[str, ...]
    is_new: bool
    notes: tuple[str, ...]


def take_snapshot(
    ws: OpenWorkspace,
    tag: str | None = None,
    message: str = "",
    *,
    confirm: Confirm = always,
    progress: Progress | None = None,
) -> SnapshotTaken:
    """Take a snapshot of every resource, and of the lineage.

    Args:
        ws: The workspace.
        tag: A name for it.
        message: About it.
        confirm: Asked before the tag is added to an earlier snapshot, since nothing changed.
        progress: Called while files are hashed, with a resource's name and two counts.

    Raises:
        ConfigurationError: It cannot be taken; nothing was changed.
        UserAbort: The user wanted no tag on the earlier one; nothing was changed.
    """
    with ws.locked(), hash_workers.kept():
        if tag is None and (last := taken_already(ws)) is not None:
            return SnapshotTaken(
                hash=last.hash, number=last.number, tags=last.tags, is_new=False, notes=()
            )
        hire(ws)
        ws.catch_up()
        ws.look_again()
        plan = _without_needless_copies(ws, plan_of(ws, tag, message), progress)
        readings = read_entries(ws, plan.running)
        intent = Intent(
            operation="snapshot",
            instance=ws.instance,
            branch=plan.branch,
            old=plan.old,
            moves={folder_of(ws, name): moves for name, moves in plan.moves.items()},
            kept_folders={
                folder_of(ws, name): existing_folders(files_of(ws, name).folder)
                for name in plan.moves
            },
            stamps={
                folder_of(ws, name): stamps(files_of(ws, name).folder, (m.source for m in moves))
                for name, moves in plan.moves.items()
            },
            touched=tuple(plan.moves),
            entries=entries_before(ws, plan.moves),
            copied=tuple(folder_of(ws, name) for name in plan.copied),
        )
        with intended(ws, intent):
            for name, moves in plan.moves.items():
                bring = copy_files if name in plan.copied else move_files
                bring(files_of(ws, name).folder, moves)
                fault("results moved")
            return _seal(ws, plan, intent, readings, confirm, progress)


def _without_needless_copies(ws: OpenWorkspace, plan: Plan, progress: Progress | None) -> Plan:
    """The same without copies of exported results, where nothing at all has changed."""
    if not plan.copied or plan.moved or not plan.snapshots:
        return plan
    before = {p.get("name"): p.get("hash") for p in manifest_of(ws, plan.snapshots[-1].hashval)}
    for name in plan.copied:
        resource, hashval = ws.get_resource(name), before.get(name)
        now = content_now(ws, resource, None).known_as
        if hashval is None or now is None or resource.known_as(hashval) != now:
            return plan
    without = replace(plan, moves={}, copied={})
    with Caches() as caches:
        _, resources = hash_all(ws, without, progress, caches)
    _, earlier = manifest_now(ws, without, resources)
    return plan if earlier is None else replace(without, is_unchanged=True)


def _check_copies(ws: OpenWorkspace, plan: Plan) -> None:
    """Refuse copies of results that are not what the results are.

    Raises:
        ConfigurationError: They were written to since.
    """
    for name, before in plan.copied.items():
        if not ws.get_resource(name).unchanged(None, before):
            raise ConfigurationError(
                f"results '{name}' were written to while they were being copied",
                hint="Take the snapshot again.",
            )


def _seal(
    ws: OpenWorkspace,
    plan: Plan,
    intent: Intent,
    readings: Readings,
    confirm: Confirm,
    progress: Progress | None,
) -> SnapshotTaken:
    """Hash, resolve and commit; once more for what changed meanwhile."""
    confirm = lru_cache(maxsize=None)(confirm)
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1  # then steps that begin or end wait meanwhile
        with ws.journal.locked() if last else nullcontext(), Caches() as caches:
            if last:
                finish_interrupted(ws)
                ws.catch_up()
            if attempt:
                ws.look_again()
            before = looks_of(ws)
            readings = _read_again(ws, readings, plan)
            try:
                content, resources = hash_all(ws, plan, progress, caches)
            except DwsError as e:
                changed = changed_since(before, looks_of(ws))
                if last or not (changed or isinstance(e, MEANWHILE)):
                    raise
                continue  # a file changed, or went away, while it was hashed
            seen = {name: h.taken.seen for name, h in resources.items() if h.taken.seen}
            before |= {name: look.digest for name, look in seen.items()}
            # a person may think about it for long: no step waits for the answer
            _, earlier = manifest_now(ws, plan, resources)
            ask_once(plan, earlier, confirm)
            with ws.journal.locked(), Begun() as begun:
                finish_interrupted(ws)
                ws.catch_up()
                _check_copies(ws, plan)
                with looking_again(ws) as looks:  # while git makes what is to be committed
                    if not (_same_entries(ws, readings) and _as_read(ws, readings, plan)):
                        continue
                    made = make_commit(
                        ws, plan, content, readings, resources, caches, begun, confirm
                    )
                    changed = changed_since(before, looks())
                if last:  # a running step may never stop writing
                    changed -= {ref.name for step in living(ws)[0] for ref in step.outputs}
                if not changed:
                    taken = _settle(ws, plan, intent, made, begun)
                    if not taken.notes and not living(ws)[0]:
                        note_taken(ws, (taken.hash, taken.number, taken.tags), made.commit, seen)
                    return taken
    raise ConfigurationError(
        "files of the workspace keep changing while the snapshot hashes them",
        hint="Take it when the steps that write them have ended.",
    )


def _as_read(ws: OpenWorkspace, readings: Readings, plan: Plan) -> bool:
    """Whether every ref that no running step writes is as it was read, before it was hashed."""
    for ref, (_, reading) in readings.items():
        if ref.name in plan.moved or reading.writer is not None or reading.fingerprint is None:
            continue
        if not ws.get_resource(ref.name).unchanged(ref.subpath, reading.fingerprint):
            return False
    return True


def _same_entries(ws: OpenWorkspace, readings: Readings) -> bool:
    """Whether no step has ended since the entries were read."""
    entries = {e.ref: e.certificate.id for e in ws.index.entries(ws.id, ws.instance)}
    names = set(ws.get_resource_names())
    now = {ref: cert for ref, cert in entries.items() if ref.name in names}
    return now == {ref: entry.certificate.id for ref, (entry, _) in readings.items()}


def _read_again(ws: OpenWorkspace, readings: Readings, plan: Plan) -> Readings:
    """The entries as they are now; those of moved results as they were before the move.

    Raises:
        ConfigurationError: A step has written results since.
    """
    now = read_entries(ws, living(ws)[0])
    for ref in {*now, *readings}:
        if ref.name not in plan.moved:
            continue
        before, after = readings.get(ref), now.get(ref)
        if before is None or after is None or before[0].certificate.id != after[0].certificate.id:
            raise ConfigurationError(
                f"a step wrote to results '{ref}' while they were being moved",
                hint="Take the snapshot again.",
            )
        now[ref] = before
    return now


def _settle(
    ws: OpenWorkspace, plan: Plan, intent: Intent, made: Made, begun: Begun
) -> SnapshotTaken:
    """Make it the branch's, with all that follows; the caller holds the journal's lock."""
    settle(
        ws,
        replace(intent, outside=made.outside),
        made.commit,
        made.lines,
        made.files,
        reset=[*made.files, *plan.folders],
        begun=begun,
    )
    return SnapshotTaken(
        hash=made.record.hash,
        number=made.record.number,
        tags=tuple(made.metadata.tags),
        is_new=made.is_new,
        notes=made.notes,
    )
