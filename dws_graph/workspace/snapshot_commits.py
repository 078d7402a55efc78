"""The commit of a snapshot: manifest, metadata, the fact of it, and lineage files.

Nothing names it yet: until then, everything is as before.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from dws_graph.backends.files import Begun
from dws_graph.backends.git.command import encoded
from dws_graph.backends.git.importing import author_and_committer, commit_with
from dws_graph.backends.views import SnapshotInfo
from dws_graph.errors import ConfigurationError, UserAbort
from dws_graph.model import facts as f
from dws_graph.model.facts import Contained, Line, SnapshotRecord
from dws_graph.model.values import from_plain, local_text
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.terms import LINEAGE_FILE
from dws_graph.workspace import layout
from dws_graph.workspace.committing import begin, sealed_segments
from dws_graph.workspace.hashing_all import Caches
from dws_graph.workspace.intent import as_path
from dws_graph.workspace.lineage_files import LineageFiles
from dws_graph.workspace.metadata import SnapshotMetadata, blob_hash, manifest_bytes
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.planning_snapshots import Confirm, Plan, files_of
from dws_graph.workspace.resolving import Hashed, Readings, Resolution, resolve
from dws_graph.workspace.snapshots import manifest_of


class Made(NamedTuple):
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


def make_commit(
    ws: OpenWorkspace,
    plan: Plan,
    content: str,
    readings: Readings,
    resources: Mapping[str, Hashed],
    caches: Caches,
    begun: Begun,
    confirm: Confirm,
) -> Made:
    """The snapshot's commit; the caller holds the journal's lock."""
    hashes = {name: h.taken.compare for name, h in resources.items()}
    manifest, earlier = manifest_now(ws, plan, resources)
    ask_once(plan, earlier, confirm)
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
    who = author_and_committer(ws.git)
    with ThreadPoolExecutor(1, thread_name_prefix="dws-commit") as pool:
        committing = pool.submit(_commit_with, ws, content, files, trees, message, who)
        caches.write()  # git works long enough for that
        begin(ws, trees, begun)
        commit = committing.result()
    notes = [*plan.notes, *(note for h in resources.values() for note in h.taken.notes)]
    for ref in resolution.read_while_written:
        notes.append(f"'{ref}' was being written by a running step while it was hashed")
    is_new = earlier is None
    return Made(commit, is_new, record, metadata, lines, files, dict(outside), tuple(notes))


def _commit_with(
    ws: OpenWorkspace,
    content: str,
    files: Mapping[str, bytes],
    trees: Collection[str],
    message: str,
    who: Sequence[str],
) -> str:
    """The commit with these files, too; hash trees that it has stay as they are."""
    # it may have them as executable, from 1.6
    seen = any(os.path.exists(f"{ws.root}/{path}") for path in trees)
    held = ws.git.ls_tree(content, layout.HASH_TREES) if seen else {}
    there = [path for path in trees if encoded(path) in held]
    same = {p for p in there if held[encoded(p)][1] == ws.git.blob_id(files[p])}
    new = {path: data for path, data in files.items() if path not in same}
    return commit_with(ws.git, content, new, message, who)


def manifest_now(
    ws: OpenWorkspace, plan: Plan, resources: Mapping[str, Hashed]
) -> tuple[bytes, SnapshotMetadata | None]:
    """The manifest, and the snapshot that holds all this already."""
    hashes = {name: h.taken.compare for name, h in resources.items()}
    manifest = manifest_bytes([r.get_params() for r in ws.get_resources()], hashes)
    return manifest, _earlier(ws, plan, manifest, resources)


def _earlier(
    ws: OpenWorkspace, plan: Plan, manifest: bytes, resources: Mapping[str, Hashed]
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
    ws: OpenWorkspace, plan: Plan, manifest: bytes, resources: Mapping[str, Hashed]
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


def ask_once(plan: Plan, earlier: SnapshotMetadata | None, confirm: Confirm) -> None:
    """Ask, once, before the tag goes to an earlier snapshot."""
    if earlier is None:
        return
    named = ", ".join(earlier.tags) or earlier.hashval[:8]
    if plan.tag is not None:
        question = f"Nothing changed since snapshot {named}. Add the tag '{plan.tag}' to it?"
        if not confirm(question):
            raise UserAbort("no snapshot was taken: nothing changed since " + named)


def _fresh(ws: OpenWorkspace, readings: Readings, plan: Plan) -> Readings:
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
    plan: Plan,
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
    plan: Plan,
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
    ws: OpenWorkspace, resolution: Resolution, plan: Plan
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
        resource = files_of(ws, name)
        data = make(name)
        if data is None:
            continue
        if isinstance(resource, GitSubdirectoryResource):
            within[f"{resource.relative_path}/{below}"] = data
        else:
            outside[f"{as_path(ws.root, resource.folder)}/{below}"] = data
    return within, outside
