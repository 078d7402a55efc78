"""REF: how people name a piece of lineage, and which certificates that means.

`resource`, `resource:/sub/path`, or a path on disk inside a resource. Source: docs/cli.md, "REF".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from dws_graph.api.known_paths import check_known
from dws_graph.api.session import opened
from dws_graph.backends.views import Entry
from dws_graph.errors import ConfigurationError, LineageNotFoundError, PathNotAResourceError
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef, normal_subpath
from dws_graph.workspace.half_written import failed_text, half_written, touching
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.moved_results import has_folder, moved_files, snapshots_back
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import is_edited, living, read_entry
from dws_graph.workspace.shell_lines import again_line
from dws_graph.workspace.snapshots import all_metadata, find_snapshot

RESULTS = "results"
BEFORE = "the answer is of the version before"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefTarget:
    """What a REF means.

    Attributes:
        ref: What was named.
        refs: The refs that stand for it: itself, the one that covers it, or those it covers.
        root: The key of its certificate, or of the Ref where several refs stand for it.
        certificates: The versions meant: the current ones, or those of the snapshot.
        snapshot: Hash of the snapshot that was asked for, or that REF is in.
        warnings: For people: edited since, taken from a snapshot, ...
    """

    ref: ResourceRef
    refs: tuple[ResourceRef, ...]
    root: str
    certificates: tuple[Certificate, ...]
    snapshot: str | None = None
    warnings: tuple[str, ...] = ()

    @property
    def starts(self) -> tuple[str, ...]:
        """The ids of the certificates."""
        return tuple(c.id for c in self.certificates)


def resolve_ref(
    ref: str | ResourceRef,
    *,
    snapshot: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> RefTarget:
    """Find what a REF means.

    Args:
        ref: `resource`, `resource:/sub/path`, or a path on disk; a resource's name wins.
        snapshot: As it is in this snapshot (tag, hash, 6 or more digits of it, `latest`).
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource, path or snapshot.
        LineageNotFoundError: Nothing was recorded of it.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return resolve_ref_in(ws, ref, snapshot=snapshot)


def resolve_ref_in(
    ws: OpenWorkspace, ref: str | ResourceRef, *, snapshot: str | None = None
) -> RefTarget:
    """See `resolve_ref`."""
    return find_target(ws, ref, snapshot)


def find_target(
    ws: OpenWorkspace, ref: str | ResourceRef, snapshot: str | None, *, ever: bool = False
) -> RefTarget:
    """See `resolve_ref`; `ever`: what is current of a path that is only in some snapshot, too."""
    named = ref.recorded() if isinstance(ref, ResourceRef) else parse_ref(ws, ref)
    asked = find_snapshot(ws, snapshot) if snapshot is not None else None
    inside = _snapshot_of_path(ws, named)
    if inside is not None:
        wanted, metadata = inside
        if asked is not None and asked.hashval != metadata.hashval:
            raise LineageNotFoundError(
                f"{named} is of snapshot {label(metadata)}, not of {label(asked)}",
                hint="Leave --snapshot out, or name the resource alone.",
            )
        return _in_snapshot(ws, wanted, metadata)
    if asked is not None:
        return _in_snapshot(ws, named, asked)
    return _current(ws, named, all_metadata(ws) if ever else [])


def parse_ref(ws: OpenWorkspace, text: str) -> ResourceRef:
    """The ref that a text names; it need not have lineage.

    Raises:
        ConfigurationError: There is no such resource; PathNotAResourceError: a path in none.
    """
    names = set(ws.get_resource_names())
    for known in (names.__contains__, partial(ws.index.has_refs, ws.id)):
        if known(text):  # one that was removed still has lineage
            return ResourceRef(text)
        name, sep, _ = text.rpartition(":/")
        while sep:  # a name that an earlier program let in may hold `:/` itself
            if known(name):
                return ResourceRef(name, normal_subpath(text[len(name) + 2 :]))
            name, sep, _ = name.rpartition(":/")
    if text.startswith(("/", "./", "../", "~")) or text in (".", "..") or os.path.exists(text):
        return ws.map_local_path_to_resource(text)
    if "/" in text and ":/" not in text:
        try:  # a path that is gone, or was moved into a snapshot
            return ws.map_local_path_to_resource(text)
        except PathNotAResourceError:
            raise ConfigurationError(
                f"there is no path '{text}', and it lies in no resource",
                hint=f"Resources: {_resources(ws)}. See whether the path is mistyped.",
            ) from None
    raise ConfigurationError(
        f"there is no resource '{text.partition(':/')[0]}' in this workspace",
        hint=f"There are: {_resources(ws)}. A path that does not exist begins with ./ or /.",
    )


def _resources(ws: OpenWorkspace) -> str:
    return ", ".join(ws.get_resource_names()) or "none yet"


def label(snapshot: SnapshotMetadata) -> str:
    """A snapshot for people: its last tag, else 7 digits."""
    return snapshot.tags[-1] if snapshot.tags else snapshot.hashval[:7]


def known_refs(ws: OpenWorkspace, target: ResourceRef) -> tuple[ResourceRef, ...]:
    """The refs with versions, old ones too, that stand for a ref."""
    return standing_for(target, ws.index.refs_touching(ws.id, target))


def standing_for(target: ResourceRef, known: Iterable[ResourceRef]) -> tuple[ResourceRef, ...]:
    """Which of the refs that have something recorded stand for `target`.

    The ref itself, with those it covers (who reads `data` reads what steps wrote to `data:/a`);
    else the nearest that covers it; else all that it covers.
    """
    refs = list(dict.fromkeys(known))
    below = [r for r in refs if target.covers(r)]
    if target in refs:
        return (target, *below)
    above = [r for r in refs if r.covers(target)]
    if above:
        return (max(above, key=lambda r: len(r.subpath or "")),)
    return tuple(below)


def _current(
    ws: OpenWorkspace, ref: ResourceRef, snapshots: Sequence[SnapshotMetadata]
) -> RefTarget:
    entries = {e.ref: e for e in ws.index.entries_touching(ws.id, ws.instance, ref)}
    refs = standing_for(ref, entries)
    if not refs:
        return _moved_or_none(ws, ref)
    if refs[0].covers(ref):
        check_known(ws, ref, snapshots)
    warnings = [str(left) for left in touching(half_written(ws), ref)]
    warnings += changed_since(ws, [entries[r] for r in refs])
    return _target(ws, ref, refs, [entries[r].certificate for r in refs], None, warnings)


def changed_since(ws: OpenWorkspace, entries: Iterable[Entry]) -> list[str]:
    """What people should know of refs whose files are not as they were recorded."""
    running = living(ws)[0]
    here = set(ws.get_resource_names())
    warnings: list[str] = []
    for entry in entries:
        if entry.ref.name not in here:
            continue
        if is_edited(ws, entry, running):
            warnings.append(f"{entry.ref} was changed outside any step since: {BEFORE}")
        elif read_entry(ws, entry, running).why == "written":
            warnings.append(f"{entry.ref} is being written by a running step: {BEFORE}")
    return warnings


def _moved_or_none(ws: OpenWorkspace, ref: ResourceRef) -> RefTarget:
    """Nothing is current: of results, a snapshot has moved them, and their lineage is in it."""
    if left := touching(half_written(ws), ref):
        raise LineageNotFoundError(
            f"what {left[0].ref} holds is not known: it was left by {failed_text(left[0].step)}",
            hint=f"Run it again: {again_line(ws, left[0].step) or left[0].step.name}",
        )
    if is_results(ws, ref.name):
        back = snapshots_back(ws, ws.index.base(ws.id, ws.instance))
        newer = [m.hashval for m in reversed(all_metadata(ws)) if m.hashval not in back]
        if (metadata := results_snapshot(ws, ref, [*back, *newer])) is not None:
            note = (
                f"snapshot {label(metadata)} moved {ref} into its folder, and nothing new is "
                f"there: this is of that snapshot (as with --snapshot {label(metadata)})"
            )
            return _in_snapshot(ws, ref, metadata, [note])
    check_known(ws, ref, all_metadata(ws))
    raise LineageNotFoundError(
        f"no lineage of {ref} is known",
        hint="No step has read or written it since its state became unknown. "
        "Record steps with LineageBuilder, or name a snapshot: --snapshot latest.",
    )


def is_results(ws: OpenWorkspace, name: str) -> bool:
    """Whether a resource, if it is still there, is of role results."""
    return name in set(ws.get_resource_names()) and ws.get_resource_role(name) == RESULTS


def results_snapshot(
    ws: OpenWorkspace, ref: ResourceRef, hashes: Iterable[str]
) -> SnapshotMetadata | None:
    """The first of these snapshots that took results at `ref`, made by steps or by hand."""
    known = {m.hashval: m for m in all_metadata(ws)}
    return next((known[h] for h in hashes if h in known and _took(ws, ref, known[h])), None)


def _took(ws: OpenWorkspace, ref: ResourceRef, metadata: SnapshotMetadata) -> bool:
    """Whether a snapshot took results at `ref`: its lineage tells, or its folder."""
    refs = standing_for(ref, _contained(ws, metadata.hashval, recorded=True))
    if refs and not refs[0].covers(ref):
        return True
    resource, folder = ws.get_resource(ref.name), metadata.relative_destination_path
    if not refs:
        by_hand = moved_files(resource, folder, ref.subpath)
        return by_hand and bool(standing_for(ref, _contained(ws, metadata.hashval)))
    if not moved_files(resource, folder) or moved_files(resource, folder, ref.subpath):
        return True
    return ref.subpath is None or resource.does_subpath_exist(
        ref.subpath
    )  # of those that are never moved


def _check_took(ws: OpenWorkspace, ref: ResourceRef, metadata: SnapshotMetadata) -> None:
    """Refuse results of a snapshot that took none: what its folder held is no one's result.

    Raises:
        LineageNotFoundError: It took none here, and the resource is here to tell.
    """
    if not is_results(ws, ref.name) or not has_folder(ws.get_resource(ref.name)):
        return
    if _took(ws, ref, metadata):
        return
    back = snapshots_back(ws, metadata.hashval)
    older = results_snapshot(ws, ref, [h for h in back if h != metadata.hashval])
    raise LineageNotFoundError(
        f"snapshot {label(metadata)} took nothing of {ref}",
        hint=f"The newest before it that did: --snapshot {label(older)}."
        if older
        else f"What it holds: dws show {label(metadata)}.",
    )


def _in_snapshot(
    ws: OpenWorkspace, ref: ResourceRef, metadata: SnapshotMetadata, warnings: Sequence[str] = ()
) -> RefTarget:
    held = _contained(ws, metadata.hashval)
    refs = standing_for(ref, held)
    if not refs:
        raise LineageNotFoundError(
            f"snapshot {label(metadata)} holds no lineage of {ref}",
            hint=f"What it holds: dws show {label(metadata)}.",
        )
    if refs[0].covers(ref):
        check_known(ws, ref, [metadata])
    _check_took(ws, ref, metadata)
    certificates = [c for r in refs for c in held[r]]
    return _target(ws, ref, refs, certificates, metadata.hashval, warnings)


def _contained(
    ws: OpenWorkspace, snapshot_hash: str, *, recorded: bool = False
) -> dict[ResourceRef, list[Certificate]]:
    """What a snapshot contains, by ref; `recorded`: only refs that had lineage then."""
    held: dict[ResourceRef, list[Certificate]] = {}
    for certificate, entry in ws.index.contains(ws.id, snapshot_hash):
        if recorded and not entry:
            continue
        held.setdefault(certificate.ref, []).append(certificate)
    return held


def _target(
    ws: OpenWorkspace,
    ref: ResourceRef,
    refs: tuple[ResourceRef, ...],
    certificates: Sequence[Certificate],
    snapshot: str | None,
    warnings: Sequence[str],
) -> RefTarget:
    root = ref_id(ws.id, ref)
    if ref in refs or refs[0].covers(ref):
        own = [c.id for c in certificates if c.ref == refs[0]]
        if len(own) == 1:  # a snapshot that two copies took may hold two
            root = own[0]
    return RefTarget(
        ref=ref,
        refs=refs,
        root=root,
        certificates=tuple(certificates),
        snapshot=snapshot,
        warnings=tuple(warnings),
    )


def _snapshot_of_path(
    ws: OpenWorkspace, ref: ResourceRef
) -> tuple[ResourceRef, SnapshotMetadata] | None:
    """The result, and the snapshot, of a path below a results resource's snapshot directory."""
    if ref.subpath is None or not ref.subpath.startswith("snapshots/"):
        return None
    if ref.name in set(ws.get_resource_names()) and ws.get_resource_role(ref.name) != RESULTS:
        return None
    best: tuple[ResourceRef, SnapshotMetadata] | None = None
    longest = 0
    for metadata in all_metadata(ws):
        folder = metadata.relative_destination_path.strip("/")
        inside = ref.subpath == folder or ref.subpath.startswith(folder + "/")
        if inside and len(folder) >= longest:
            below = ref.subpath[len(folder) + 1 :]
            longest, best = len(folder), (ResourceRef(ref.name, below or None), metadata)
    return best
