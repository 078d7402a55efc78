"""Taking a snapshot: plan, move results, hash, resolve, one commit.

Killed before that commit, everything is as before; after it, the rest is carried out by the next
command. Source: docs/formats.md, "Write order".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from dws_graph.backends.faults import fault
from dws_graph.backends.git.command import encoded
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.backends.git.large import set_up_for_disk
from dws_graph.backends.kept.store import ContentChangedError
from dws_graph.backends.views import Entry, SnapshotInfo
from dws_graph.errors import ChangedMeanwhileError, ConfigurationError, DwsError, UserAbort
from dws_graph.model import facts as f
from dws_graph.model.facts import Contained, Fingerprint, Line, SnapshotRecord, StepStart
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import (
    Json,
    clean_text,
    from_plain,
    local_text,
    parse_utc,
    to_plain,
    utc_now,
)
from dws_graph.resources import hash_workers
from dws_graph.resources.base import LINEAGE_FILE, FileResource, Resource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.resources.many_files import MANY
from dws_graph.resources.moving import Move, copy_files, move_files, stamps
from dws_graph.resources.walking import holds_many
from dws_graph.workspace import environment, layout
from dws_graph.workspace.before import entries_before
from dws_graph.workspace.committing import (
    check_repository,
    content_commit,
    existing_folders,
    finish_interrupted,
    intended,
    sealed_segments,
    settle,
    workspace_folders,
)
from dws_graph.workspace.intent import Intent, as_path
from dws_graph.workspace.lineage_files import LineageFiles
from dws_graph.workspace.metadata import SnapshotMetadata, blob_hash, manifest_bytes
from dws_graph.workspace.names import check_template, fill_template
from dws_graph.workspace.of_16 import is_theirs
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.reading import Reading, content_now, living
from dws_graph.workspace.resolving import Hashed, Resolution, read_entries, resolve
from dws_graph.workspace.results_files import metrics_of, results_files
from dws_graph.workspace.scrubbing import scrubbed_metrics, scrubbed_text
from dws_graph.workspace.snapshots import all_metadata, manifest_of
from dws_graph.workspace.stats import IndexStatCache
from dws_graph.workspace.tagging import check_free
from dws_graph.workspace.unchanged import note_taken, taken_already

Confirm = Callable[[str], bool]
Progress = Callable[[str, int, int], None]  # resource, done, total
Readings = Mapping[ResourceRef, tuple[Entry, Reading]]
ATTEMPTS = 5
MEANWHILE = (ChangedMeanwhileError, ContentChangedError)
_NONE = ("", "")
HIDDEN_IN_MESSAGE = "what looks like a secret in the message is not kept: it became ***"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a snapshot will do, decided before anything changes.

    Attributes:
        moves: Of results, by resource: to the snapshot's folder.
        copied: Those of them that are exported, and stay: as they were before the copies.
        is_unchanged: No copies are made, since nothing has changed since an earlier snapshot.
    """

    branch: str
    old: str
    tag: str | None
    message: str
    number: int
    timestamp: str
    destination: str
    moves: dict[str, list[Move]]
    copied: dict[str, Fingerprint]
    metrics: Json
    folders: list[str]
    running: list[StepStart]
    snapshots: list[SnapshotMetadata]
    notes: list[str] = field(default_factory=list)
    is_unchanged: bool = False

    @property
    def moved(self) -> set[str]:
        """The resources of which nothing is left where it was."""
        return self.moves.keys() - self.copied.keys()


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
        _hire(ws)
        ws.catch_up()
        ws.look_again()
        plan = _without_needless_copies(ws, _plan(ws, tag, message), progress)
        readings = read_entries(ws, plan.running)
        intent = Intent(
            operation="snapshot",
            instance=ws.instance,
            branch=plan.branch,
            old=plan.old,
            moves={_folder(ws, name): moves for name, moves in plan.moves.items()},
            kept_folders={
                _folder(ws, name): existing_folders(_files_of(ws, name).folder)
                for name in plan.moves
            },
            stamps={
                _folder(ws, name): stamps(_files_of(ws, name).folder, (m.source for m in moves))
                for name, moves in plan.moves.items()
            },
            touched=tuple(plan.moves),
            entries=entries_before(ws, plan.moves),
            copied=tuple(_folder(ws, name) for name in plan.copied),
        )
        with intended(ws, intent):
            for name, moves in plan.moves.items():
                bring = copy_files if name in plan.copied else move_files
                bring(_files_of(ws, name).folder, moves)
                fault("results moved")
            return _seal(ws, plan, intent, readings, confirm, progress)


def _hire(ws: OpenWorkspace) -> None:
    """Start the processes that many files are hashed by."""
    local = (r for r in ws.get_resources() if type(r) is LocalFileResource and r.compute_hash)
    if any(holds_many(resource.place, MANY) for resource in local):
        hash_workers.hire()


def _files_of(ws: OpenWorkspace, name: str) -> FileResource:
    resource = ws.get_resource(name)
    if not isinstance(resource, FileResource):
        raise ConfigurationError(f"resource '{name}' has no files")
    return resource


def _folder(ws: OpenWorkspace, name: str) -> str:
    return as_path(ws.root, _files_of(ws, name).folder)


def _plan(ws: OpenWorkspace, tag: str | None, message: str) -> _Plan:
    """Everything that can be refused is refused here."""
    snapshots = all_metadata(ws)
    if tag is not None:
        check_free(tag, snapshots)
    branch = check_repository(ws)
    set_up_for_disk(ws.git, workspace_folders(ws))
    resources = list(ws.get_resources())
    for resource in resources:
        resource.snapshot_precheck()
    old = ws.git.head()
    if old is None:
        raise ConfigurationError("the workspace has no commit yet", hint="Run 'dws doctor'.")
    said = scrubbed_text(ws, message)
    running, _ = living(ws)
    now = utc_now()
    number = next_number(ws, snapshots)
    template = ws.get_global_param("results.dir_template")
    check_template(template)  # the file may have been edited
    destination = fill_template(
        template,
        username=environment.username(),
        hostname=ws.hostname,
        number=number,
        tag=tag,
        at=parse_utc(now).astimezone(),
    )
    moves: dict[str, list[Move]] = {}
    copied: dict[str, Fingerprint] = {}
    for resource in resources:
        if resource.has_results_role() and isinstance(resource, FileResource):
            before = resource.fingerprint() if resource.is_exported() else None
            found = _plan_results(ws, resource, destination, running)
            if found:
                moves[resource.name] = found
            if found and before is not None:
                copied[resource.name] = before
    metrics, notes = metrics_of(results_files(resources))
    if said != clean_text(message):
        notes.insert(0, HIDDEN_IN_MESSAGE)
    return _Plan(
        branch=branch,
        old=old,
        tag=tag,
        message=said,
        number=number,
        timestamp=now,
        destination=destination,
        moves=moves,
        copied=copied,
        metrics=scrubbed_metrics(ws, to_plain(metrics, "metrics")),
        folders=workspace_folders(ws),
        running=running,
        snapshots=snapshots,
        notes=notes,
    )


def next_number(ws: OpenWorkspace, snapshots: Sequence[SnapshotMetadata]) -> int:
    """One above the highest that this copy ever gave; 1.6 gave its snapshots the count of all."""
    taken = ws.index.taken_by(ws.id)
    theirs = any(is_theirs(taken.get(m.hashval)) for m in snapshots if m.hostname == ws.hostname)
    given = ws.index.highest_number(ws.id, ws.instance)
    return max(given, len(snapshots) if theirs else 0) + 1


def _plan_results(
    ws: OpenWorkspace, resource: FileResource, destination: str, running: list[StepStart]
) -> list[Move]:
    for step in running:
        if any(ref.name == resource.name for ref in step.outputs):
            raise ConfigurationError(
                f"step '{step.name}' is writing to results '{resource.name}' now",
                hint="Take the snapshot when it has ended.",
            )
    excluded = ws.get_global_param("results.move_exclude_files")
    if isinstance(resource, GitSubdirectoryResource) and not resource.local_path.is_dir():
        return []  # git keeps no empty folder: a clone has none
    return resource.plan_results(destination, excluded)


def _without_needless_copies(ws: OpenWorkspace, plan: _Plan, progress: Progress | None) -> _Plan:
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
    with _Caches() as caches:
        _, resources = _hash_all(ws, without, progress, caches)
    _, earlier = _manifest(ws, without, resources)
    return plan if earlier is None else replace(without, is_unchanged=True)


def _check_copies(ws: OpenWorkspace, plan: _Plan) -> None:
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
    plan: _Plan,
    intent: Intent,
    readings: Readings,
    confirm: Confirm,
    progress: Progress | None,
) -> SnapshotTaken:
    """Hash, resolve and commit; once more for what changed meanwhile."""
    confirm = lru_cache(maxsize=None)(confirm)
    for attempt in range(ATTEMPTS):
        last = attempt == ATTEMPTS - 1  # then steps that begin or end wait meanwhile
        with ws.journal.locked() if last else nullcontext(), _Caches() as caches:
            if last:
                finish_interrupted(ws)
                ws.catch_up()
            if attempt:
                ws.look_again()
            before = _looks(ws)
            readings = _read_again(ws, readings, plan)
            try:
                content, resources = _hash_all(ws, plan, progress, caches)
            except DwsError as e:
                changed = _changed(before, _looks(ws))
                if last or not (changed or isinstance(e, MEANWHILE)):
                    raise
                continue  # a file changed, or went away, while it was hashed
            seen = {name: h.taken.seen for name, h in resources.items() if h.taken.seen}
            before |= {name: look.digest for name, look in seen.items()}
            # a person may think about it for long: no step waits for the answer
            _, earlier = _manifest(ws, plan, resources)
            _ask(plan, earlier, confirm)
            with ws.journal.locked():
                finish_interrupted(ws)
                ws.catch_up()
                _check_copies(ws, plan)
                with _looking_again(ws) as looks:  # while git makes what is to be committed
                    if not (_same_entries(ws, readings) and _as_read(ws, readings, plan)):
                        continue
                    made = _make_commit(ws, plan, content, readings, resources, caches, confirm)
                    changed = _changed(before, looks())
                if last:  # a running step may never stop writing
                    changed -= {ref.name for step in living(ws)[0] for ref in step.outputs}
                if not changed:
                    taken = _settle(ws, plan, intent, made)
                    if not taken.notes and not living(ws)[0]:
                        note_taken(ws, (taken.hash, taken.number, taken.tags), made.commit, seen)
                    return taken
    raise ConfigurationError(
        "files of the workspace keep changing while the snapshot hashes them",
        hint="Take it when the steps that write them have ended.",
    )


class _Caches(ExitStack):
    """The stat caches of what was hashed; they are written at the end, if not before."""

    def __init__(self) -> None:
        super().__init__()
        self._all: list[IndexStatCache] = []

    def of(self, ws: OpenWorkspace, folder: Path) -> IndexStatCache:
        """That of a folder."""
        self._all.append(cache := self.enter_context(IndexStatCache(ws.index, folder)))
        return cache

    def write(self) -> None:
        """Write what was found so far."""
        for cache in self._all:
            cache.write()


def _hash_all(
    ws: OpenWorkspace, plan: _Plan, progress: Progress | None, caches: _Caches
) -> tuple[str, dict[str, Hashed]]:
    """The commit that holds the content of the workspace's folders, and every resource hashed."""
    stale = [
        f"{r.relative_path}/{LINEAGE_FILE}"
        for r in ws.get_resources()
        if isinstance(r, GitSubdirectoryResource) and r.is_exported()
    ]
    message = _content_message(plan)
    content = content_commit(ws, plan.old, plan.folders, message, but=stale) or plan.old
    fault("content committed")
    return content, {
        r.name: _hash(ws, r, content, plan, progress, caches) for r in ws.get_resources()
    }


def _as_read(ws: OpenWorkspace, readings: Readings, plan: _Plan) -> bool:
    """Whether every ref that no running step writes is as it was read, before it was hashed."""
    for ref, (_, reading) in readings.items():
        if ref.name in plan.moved or reading.writer is not None or reading.fingerprint is None:
            continue
        if not ws.get_resource(ref.name).unchanged(ref.subpath, reading.fingerprint):
            return False
    return True


def _content_message(plan: _Plan) -> str:
    return f"Content of snapshot {plan.tag or plan.number}"


def _looks(ws: OpenWorkspace) -> dict[str, str]:
    """What each resource as a whole looks like, to see whether one changes while it is hashed.

    Of a fingerprint it is what stays the same for files that stay as they are, whenever it is
    taken. Local files say themselves what they looked like when they were hashed (`Taken.seen`),
    so nobody need look before.
    """
    found = {}
    for resource in ws.get_resources():
        if type(resource) is LocalFileResource:
            continue
        if (fingerprint := resource.fingerprint()) is not None:
            found[resource.name] = fingerprint.digest.partition("-")[0]
    return found


@contextmanager
def _looking_again(ws: OpenWorkspace) -> Iterator[Callable[[], dict[str, str]]]:
    """Look at local files in a thread; gives what waits for it, and looks at all others."""
    local = [r for r in ws.get_resources() if type(r) is LocalFileResource]
    with ThreadPoolExecutor(1, thread_name_prefix="dws-look") as pool:
        begun = {
            resource.name: pool.submit(copy_context().run, resource.look) for resource in local
        }
        yield lambda: {
            **_looks(ws),
            **{name: look.result().digest for name, look in begun.items()},
        }


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """The resources that are not as they were."""
    return {name for name in now if before.get(name) != now[name]}


def _same_entries(ws: OpenWorkspace, readings: Readings) -> bool:
    """Whether no step has ended since the entries were read."""
    entries = {e.ref: e.certificate.id for e in ws.index.entries(ws.id, ws.instance)}
    names = set(ws.get_resource_names())
    now = {ref: cert for ref, cert in entries.items() if ref.name in names}
    return now == {ref: entry.certificate.id for ref, (entry, _) in readings.items()}


def _read_again(ws: OpenWorkspace, readings: Readings, plan: _Plan) -> Readings:
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


def _hash(
    ws: OpenWorkspace,
    resource: Resource,
    content: str,
    plan: _Plan,
    progress: Progress | None,
    caches: _Caches,
) -> Hashed:
    moved_to = plan.destination if resource.name in plan.moves else None
    copied = resource.name in plan.copied
    if isinstance(resource, GitSubdirectoryResource):
        return Hashed(resource, resource.at_commit(content), moved_to, copied)
    report = None
    if progress is not None:
        show, name = progress, resource.name

        def report(done: int, total: int, doing: str = "") -> None:
            show(f"{name} ({doing})" if doing else name, done, total)

    if resource.local_path is None:
        return Hashed(resource, resource.take_snapshot(None, report), moved_to, copied)
    cache = caches.of(ws, resource.local_path)
    return Hashed(resource, resource.take_snapshot(cache, report), moved_to, copied)


class _Made(NamedTuple):
    """A commit that nothing names yet, and what goes with it.

    Attributes:
        commit: Its id.
        is_new: Whether there was no such snapshot before.
        record: The fact of the snapshot.
        metadata: Of the snapshot.
        lines: Of the journal.
        files: Of the commit, by path.
        outside: Files of other resources.
        notes: For the user.
    """

    commit: str
    is_new: bool
    record: SnapshotRecord
    metadata: SnapshotMetadata
    lines: list[Line]
    files: dict[str, bytes]
    outside: dict[str, bytes | None]
    notes: tuple[str, ...]


def _make_commit(
    ws: OpenWorkspace,
    plan: _Plan,
    content: str,
    readings: Readings,
    resources: Mapping[str, Hashed],
    caches: _Caches,
    confirm: Confirm,
) -> _Made:
    """The snapshot's commit; the caller holds the journal's lock."""
    hashes = {name: h.taken.compare for name, h in resources.items()}
    manifest, earlier = _manifest(ws, plan, resources)
    _ask(plan, earlier, confirm)
    if earlier is not None:
        manifest = (ws.root / layout.manifest(earlier.hashval)).read_bytes()
    snapshot_hash = blob_hash(manifest)
    resolution = resolve(ws, _fresh(ws, readings, plan), resources)
    info = ws.index.snapshot(ws.id, snapshot_hash) if earlier else None
    record = _record(ws, plan, snapshot_hash, hashes, resolution, info)
    metadata = _metadata(plan, snapshot_hash, resources, ws, earlier)
    within, outside = _lineage_json(ws, resolution, plan)
    trees = {path: data for h in resources.values() for path, data in h.taken.files.items()}
    files = {
        layout.manifest(snapshot_hash): manifest,
        layout.metadata(snapshot_hash): json_bytes(from_plain(metadata.to_json())),
        **_lineage(ws, snapshot_hash, resolution),
        **within,
        **trees,
    }
    lines = ws.journal.draft([(f.SNAPSHOT_TAKEN, record.to_json())])
    files |= sealed_segments(ws, plan.old, lines)
    message = f"Snapshot {plan.tag or snapshot_hash[:8]}" + (
        f"\n\n{plan.message}" if plan.message else ""
    )
    with ThreadPoolExecutor(1, thread_name_prefix="dws-tree") as pool:
        tree = pool.submit(_tree_with, ws, content, files, trees)
        caches.write()  # git works long enough for that
        commit = ws.git.commit_tree(tree.result(), [content], message)
    notes = [*plan.notes, *(note for h in resources.values() for note in h.taken.notes)]
    for ref in resolution.read_while_written:
        notes.append(f"'{ref}' was being written by a running step while it was hashed")
    is_new = earlier is None
    return _Made(commit, is_new, record, metadata, lines, files, dict(outside), tuple(notes))


def _tree_with(
    ws: OpenWorkspace, content: str, files: Mapping[str, bytes], trees: Collection[str]
) -> str:
    """The tree of a commit with these files, too; hash trees that it has stay as they are."""
    with ScratchIndex(ws.git) as index:
        index.put_tree(content)
        held = index.entries(layout.HASH_TREES) if trees else {}  # of 1.6, executable
        same = {p for p in trees if held.get(encoded(p), _NONE)[1] == ws.git.blob_id(files[p])}
        index.add_blobs({path: data for path, data in files.items() if path not in same})
        return index.write_tree()


def _settle(ws: OpenWorkspace, plan: _Plan, intent: Intent, made: _Made) -> SnapshotTaken:
    """Make it the branch's, with all that follows; the caller holds the journal's lock."""
    settle(
        ws,
        replace(intent, outside=made.outside),
        made.commit,
        made.lines,
        made.files,
        reset=[*made.files, *plan.folders],
    )
    return SnapshotTaken(
        hash=made.record.hash,
        number=made.record.number,
        tags=tuple(made.metadata.tags),
        is_new=made.is_new,
        notes=made.notes,
    )


def _manifest(
    ws: OpenWorkspace, plan: _Plan, resources: Mapping[str, Hashed]
) -> tuple[bytes, SnapshotMetadata | None]:
    """The manifest, and the snapshot that holds all this already."""
    hashes = {name: h.taken.compare for name, h in resources.items()}
    manifest = manifest_bytes([r.get_params() for r in ws.get_resources()], hashes)
    return manifest, _earlier(ws, plan, manifest, resources)


def _earlier(
    ws: OpenWorkspace, plan: _Plan, manifest: bytes, resources: Mapping[str, Hashed]
) -> SnapshotMetadata | None:
    """The snapshot that holds all this already: of the same hash, or the latest if unchanged.

    Raises:
        ConfigurationError: It was found before, and is none any more: results are not copied.
    """
    found = _unchanged_since(ws, plan, manifest, resources)
    if found is None and plan.is_unchanged:
        raise ConfigurationError(
            "files of the workspace changed while the snapshot looked at them",
            hint="Take the snapshot again.",
        )
    return found


def _unchanged_since(
    ws: OpenWorkspace, plan: _Plan, manifest: bytes, resources: Mapping[str, Hashed]
) -> SnapshotMetadata | None:
    found = plan.snapshots
    same = next((m for m in found if m.hashval == blob_hash(manifest)), None)
    if same is not None or not found or plan.moves:
        return same
    before = {entry.get("name"): entry for entry in manifest_of(ws, found[-1].hashval)}
    if list(before) != list(resources):
        return None
    for name, hashed in resources.items():
        params, hash_before = dict(before[name]), before[name].get("hash")
        params.pop("hash", None)
        if params != hashed.resource.get_params() or not _same_content(hashed, hash_before):
            return None
    return found[-1]


def _same_content(hashed: Hashed, before: str | None) -> bool:
    """Whether a resource differs from a hash at most by what the product itself wrote into it."""
    now = hashed.taken.compare
    if now is None or before is None or now == before:
        return now == before
    known = hashed.known_as()
    return known is not None and known == hashed.resource.known_as(before)


def _ask(plan: _Plan, earlier: SnapshotMetadata | None, confirm: Confirm) -> None:
    """Ask, once, before the tag goes to an earlier snapshot."""
    if earlier is None:
        return
    named = ", ".join(earlier.tags) or earlier.hashval[:8]
    if plan.tag is not None:
        question = f"Nothing changed since snapshot {named}. Add the tag '{plan.tag}' to it?"
        if not confirm(question):
            raise UserAbort("no snapshot was taken: nothing changed since " + named)


def _fresh(ws: OpenWorkspace, readings: Readings, plan: _Plan) -> Readings:
    """The readings with the fingerprints of now, where files are as they were hashed."""
    fresh = {}
    for ref, (entry, reading) in readings.items():
        if ref.name not in plan.moved and reading.fingerprint is not None:
            resource = ws.get_resource(ref.name)
            now = resource.fingerprint(ref.subpath)
            if resource.unchanged(ref.subpath, reading.fingerprint):
                reading = replace(reading, fingerprint=now)
        fresh[ref] = (entry, reading)
    return fresh


def _record(
    ws: OpenWorkspace,
    plan: _Plan,
    snapshot_hash: str,
    hashes: Mapping[str, str | None],
    resolution: Resolution,
    earlier: SnapshotInfo | None,
) -> SnapshotRecord:
    contains = list(resolution.contains)
    if earlier is not None:  # it stays what it was; what a step has made since the same joins it
        held = ws.index.contains(ws.id, snapshot_hash)
        known = {cert.id for cert, _ in held}
        contains = [
            *(Contained(certificate=cert.id, ref=cert.ref, entry=entry) for cert, entry in held),
            *(c for c in contains if c.entry and c.certificate not in known),
        ]
    named = {c.certificate for c in contains} | {c.certificate for c in resolution.current}
    named |= {m.certificate for m in resolution.merge}
    return SnapshotRecord(
        hash=snapshot_hash,
        number=earlier.number if earlier else plan.number,
        tag=plan.tag,
        message=earlier.message if earlier else plan.message,
        hostname=earlier.hostname if earlier else ws.hostname,
        timestamp=earlier.timestamp if earlier else plan.timestamp,
        metrics=dict(earlier.metrics) if earlier else plan.metrics,
        resources=dict(hashes),
        certificates=tuple(c for c in resolution.certificates if c.id in named),
        contains=tuple(contains),
        keep=tuple(resolution.keep),
        merge=tuple(resolution.merge),
        current=tuple(resolution.current),
        superseded=tuple(resolution.superseded),
        read_while_written=resolution.read_while_written,
    )


def _metadata(
    plan: _Plan,
    snapshot_hash: str,
    resources: Mapping[str, Hashed],
    ws: OpenWorkspace,
    earlier: SnapshotMetadata | None,
) -> SnapshotMetadata:
    if earlier is not None:
        tags = [*earlier.tags, *([plan.tag] if plan.tag else [])]
        return earlier.with_tags(tags, local_text(plan.timestamp))
    restore: dict[str, str | None] = {name: h.taken.restore for name, h in resources.items()}
    return SnapshotMetadata(
        hashval=snapshot_hash,
        tags=[plan.tag] if plan.tag else [],
        message=plan.message,
        hostname=ws.hostname,
        timestamp=local_text(plan.timestamp),
        relative_destination_path=plan.destination,
        restore_hashes=restore,
        metrics=plan.metrics,
    )


def _lineage(ws: OpenWorkspace, snapshot_hash: str, resolution: Resolution) -> dict[str, bytes]:
    """The lineage files that 1.6 looks for, by path from the workspace's root."""
    writer = LineageFiles(ws, resolution)
    files = {}
    for name in ws.get_resource_names():
        if (data := writer.of_snapshot(name)) is not None:
            files[layout.snapshot_lineage(snapshot_hash, name)] = data
    return files


def _lineage_json(
    ws: OpenWorkspace, resolution: Resolution, plan: _Plan
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """`lineage.json` beside the files of results in the snapshot, and in exported resources.

    Returns:
        Those in the workspace's repository, by path from its root; the others, as `as_path`.
    """
    writer = LineageFiles(ws, resolution)
    within: dict[str, bytes] = {}
    outside: dict[str, bytes] = {}
    made = [(name, f"{plan.destination}/{LINEAGE_FILE}", writer.of_results) for name in plan.moves]
    exported = (r.name for r in ws.get_resources() if r.is_exported())
    made += [(name, LINEAGE_FILE, writer.of_export) for name in exported]
    for name, below, make in made:
        resource = _files_of(ws, name)
        data = make(name)
        if data is None:
            continue
        if isinstance(resource, GitSubdirectoryResource):
            within[f"{resource.relative_path}/{below}"] = data
        else:
            outside[f"{as_path(ws.root, resource.folder)}/{below}"] = data
    return within, outside
