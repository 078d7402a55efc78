"""Snapshots that Data Workspaces 1.6 took: their files become facts, the same in every clone.

Nothing of it is committed: each snapshot, and each tag, is a journal of its own, whose instance's
id says what it tells of. So it makes no difference which of them a copy sees first.
Source: docs/formats.md, "Lineage of 1.6".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from dws_graph.backends.files import write_atomic
from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError, JsonError, JsonValueError
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate, hashed
from dws_graph.model.facts import (
    Contained,
    Current,
    Fact,
    Line,
    SnapshotRecord,
    line_hash,
)
from dws_graph.model.imports import ImportedWorkspace, ImportRecord
from dws_graph.model.lineage_file import FileImport, FileStep, Item, LineageFile
from dws_graph.model.own_lineage import KnownLineage, OwnFile, OwnGraph, own_graph
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, parse_json, parse_utc, take_or, to_plain, utc_text
from dws_graph.resources.terms import ResourceRoles
from dws_graph.workspace import layout
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.of_16 import (
    SEEN_SNAPSHOTS,
    digest,
    has_new_snapshots,
    is_theirs,
    state_of,
    theirs,
)
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import scrubbed_metrics, scrubbed_record, scrubbed_text
from dws_graph.workspace.snapshots import all_metadata, manifest_of, metadata_files, read_metadata


def take_in_snapshots(ws: OpenWorkspace) -> bool:
    """Find what 1.6 did to the snapshots since last time.

    A damaged file is told; nothing is taken in until it is mended.

    Args:
        ws: The workspace, its index up to date.

    Returns:
        Whether there is something to fold now.
    """
    if not has_new_snapshots(ws):
        return False
    ws.catch_up()  # what another process of this project did just now is in the journal by now
    files = metadata_files(ws)
    found = {name.removesuffix("_md.json"): files[name][0] for name in theirs(ws, files)}
    if not found:
        return False
    seen = ws.read_object(SEEN_SNAPSHOTS, missing_ok=True) if ws.writable else {}
    try:
        finder = _Finder(ws, found, take_or(seen, "snapshots", dict) or {})
        news = finder.keep()
    except (JsonError, ConfigurationError) as e:
        ws.notify(f"what Data Workspaces 1.6 did is not taken in: {e.message}. {e.hint}")
        return False
    if ws.writable:
        told = {"state": state_of(files), "snapshots": finder.seen}
        write_atomic(ws.root / SEEN_SNAPSHOTS, json.dumps(told).encode(), fsync=False)
    return news


def current_of_snapshot(ws: OpenWorkspace) -> list[Current]:
    """What is current in a clone that was made when 1.6 had taken the latest snapshot.

    Results are none of it: the snapshot has moved them.
    """
    newest = all_metadata(ws)[-1:]
    moved = {p["name"] for p in ws.resource_params if p["role"] == ResourceRoles.RESULTS}
    found = [
        cert
        for snapshot in newest
        for cert, entry in ws.index.contains(ws.id, snapshot.hashval)
        if entry and cert.hash is not None and cert.ref.name not in moved
    ]
    written = ws.index.producers([cert.id for cert in found])
    return [Current(ref=c.ref, certificate=c.id, output=c.id in written) for c in found]


def read_own_file(path: Path, hint: str, zone: dt.tzinfo | None = None) -> OwnFile:
    """A lineage file of a resource.

    Args:
        path: Of the file.
        hint: How to mend it.
        zone: Of the local times in it; that of this machine where None.

    Raises:
        JsonError: It is damaged; names it.
    """
    try:
        told = LineageFile.from_json(parse_json(path.read_bytes(), file=str(path)))
    except JsonError as e:
        raise type(e)(e.reason, file=str(path), key=e.key, hint=hint) from e
    return OwnFile(told.resource, tuple(_in_zone(item, zone) for item in told.lineages))


def snapshot_files(ws: OpenWorkspace, snapshot: str, zone: dt.tzinfo | None) -> list[OwnFile]:
    """The lineage files of a snapshot.

    Raises:
        JsonError: One is damaged; names it.
    """
    folder = (ws.root / layout.snapshot_lineage(snapshot, "x")).parent
    paths = sorted(folder.glob("*.json"))
    hints = [layout.how_to_mend(path.relative_to(ws.root).as_posix()) for path in paths]
    return [read_own_file(path, hint, zone) for path, hint in zip(paths, hints, strict=True)]


def known_lineage(ws: OpenWorkspace, more: Iterable[OwnFile] = ()) -> KnownLineage:
    """What the lineage files of all snapshots tell.

    Raises:
        JsonError: One is damaged: without it, who wrote what another tells of may not be known.
    """
    zones = zones_of(ws)
    files = list(more)
    for name in metadata_files(ws):
        snapshot = name.removesuffix("_md.json")
        files += snapshot_files(ws, snapshot, zones.get(snapshot))
    return KnownLineage.of(files, ws.id)


def zones_of(ws: OpenWorkspace) -> dict[str, dt.tzinfo]:
    """The time zone of the machine that committed each snapshot first."""
    folder = str(Path(layout.metadata("x")).parent)
    told = ws.git.text(
        "log", "--format=@%cI", "--name-only", "--no-renames", "--diff-filter=A", "--", folder
    )
    zones: dict[str, dt.tzinfo] = {}
    zone: dt.tzinfo | None = None
    for line in told.splitlines():
        if line.startswith("@"):
            zone = dt.datetime.fromisoformat(line[1:].replace("Z", "+00:00")).tzinfo
        elif line.endswith("_md.json") and zone is not None:
            zones[Path(line).name.removesuffix("_md.json")] = zone
    return zones


def own_workspace(ws: OpenWorkspace, manifest: Iterable[Json]) -> ImportedWorkspace:
    """This workspace as the facts of what 1.6 did name it."""
    roles = {str(params["name"]): str(params["role"]) for params in manifest}
    return ImportedWorkspace(id=ws.id, name=ws.name, roles=roles)


@dataclass(slots=True)
class _Found:
    """A snapshot of 1.6: its metadata, and when it was taken."""

    metadata: SnapshotMetadata
    taken: dt.datetime


class _Finder:
    """Makes facts of what 1.6 did."""

    def __init__(
        self, ws: OpenWorkspace, theirs: Mapping[str, Path], seen: Mapping[str, str]
    ) -> None:
        self._ws = ws
        self.seen = dict(seen)  # the digest of each snapshot's lineage files
        self._zones = zones_of(ws)
        # 1.6 commits what is whole
        self._theirs = {name: path for name, path in theirs.items() if name in self._zones}
        self._known = known_lineage(ws)

    def keep(self) -> bool:
        """Keep the facts that are not kept yet; whether there were some."""
        news = False
        beside: list[Line] = []
        found = [self._journals(snapshot, path) for snapshot, path in sorted(self._theirs.items())]
        found.append(self._tags_of_ours())
        for journals in found:
            for instance, lines in journals.items():
                if self._ws.writable:
                    news = self._ws.journal.keep(instance, lines) or news
                else:
                    beside += lines
        self._ws.journal.beside = tuple(beside)
        return news or bool(beside)

    def _journals(self, snapshot: str, path: Path) -> dict[str, list[Line]]:
        metadata = read_metadata(path)
        if metadata.hashval != snapshot:
            raise JsonValueError("names another snapshot", file=str(path), key="hash")
        zone = self._zones[snapshot]
        found = _Found(metadata, _moment(metadata.timestamp, zone, path))
        made: dict[str, list[Line]] = {}
        files = snapshot_files(self._ws, snapshot, zone)
        told = digest(json.dumps(_plain(file)) for file in files)
        if self.seen.get(snapshot) != told:
            self.seen[snapshot] = told
            drafts = self._drafts(found, files, told)
            what = digest([json.dumps(drafts)])
            made |= self._journal(found, drafts, "Snapshot", snapshot, what)
        for tag in metadata.tags:
            body = {"tag": tag, "snapshot": snapshot}
            made |= self._journal(found, [(f.TAGGED, body)], "Tag", snapshot, tag)
        return made

    def _tags_of_ours(self) -> dict[str, list[Line]]:
        """Tags that 1.6 gave to snapshots of this project."""
        known = {info.hash: info for info in self._ws.index.snapshots(self._ws.id)}
        made: dict[str, list[Line]] = {}
        for metadata in all_metadata(self._ws):
            info = known.get(metadata.hashval)
            if info is None or is_theirs(info.instance):
                continue
            for tag in sorted(set(metadata.tags).difference(info.tags)):
                found = _Found(metadata, parse_utc(info.timestamp))
                body = {"tag": tag, "snapshot": metadata.hashval}
                made |= self._journal(found, [(f.TAGGED, body)], "Tag", metadata.hashval, tag)
        return made

    def _journal(self, found: _Found, drafts: list[Draft], *parts: str) -> dict[str, list[Line]]:
        instance = _derived(self._ws.id, "1.6", *parts)
        return {instance: _lines(self._ws.id, instance, found.taken, drafts)}

    def _drafts(self, found: _Found, files: list[OwnFile], digest: str) -> list[Draft]:
        snapshot = found.metadata.hashval
        manifest_of(self._ws, snapshot)  # it is whole; names are amended when facts are folded
        path = self._ws.root / layout.manifest(snapshot)
        manifest = parse_json(path.read_bytes(), file=str(path))
        graph = self._graph(files, manifest, digest)
        return [
            (f.LINEAGE_IMPORTED, scrubbed_record(self._ws, graph.record).to_json()),
            (f.SNAPSHOT_TAKEN, self._record(found, manifest, graph).to_json()),
        ]

    def _graph(self, files: list[OwnFile], manifest: list[Json], digest: str) -> OwnGraph:
        own = own_workspace(self._ws, manifest)
        try:
            return own_graph(files, own, self._known, digest)
        except JsonValueError as e:  # the snapshot is good all the same
            self._ws.notify(f"lineage that Data Workspaces 1.6 wrote is left out: it {e.reason}")
            record = ImportRecord(resource="", digest=digest, workspaces=(own,))
            return OwnGraph({}, {}, record)

    def _record(self, found: _Found, manifest: list[Json], graph: OwnGraph) -> SnapshotRecord:
        hashes = {params["name"]: params.get("hash") for params in manifest}
        named = {ref.name for ref in graph.entries}
        rest = [
            hashed(self._ws.id, ResourceRef(name), hashval, None)
            for name, hashval in hashes.items()
            if hashval and name not in named
        ]
        metadata = found.metadata
        metrics = to_plain(metadata.metrics or {}, "metrics")
        return SnapshotRecord(
            hash=metadata.hashval,
            number=0,  # 1.6 gives none
            tag=None,
            message=scrubbed_text(self._ws, metadata.message),
            hostname=metadata.hostname,
            timestamp=utc_text(found.taken),
            metrics=scrubbed_metrics(self._ws, metrics),
            resources=hashes,
            certificates=tuple(rest),
            contains=tuple(_contained(graph, rest)),
            keep=(),
            merge=(),
            current=(),
            superseded=(),
            read_while_written={},
        )


def _contained(graph: OwnGraph, rest: Iterable[Certificate]) -> Iterable[Contained]:
    for ref, cert in sorted(graph.entries.items(), key=lambda item: str(item[0])):
        yield Contained(certificate=cert.id, ref=ref, entry=True)
    for cert in rest:
        yield Contained(certificate=cert.id, ref=cert.ref, entry=False)


def _plain(file: OwnFile) -> Json:
    """As the file has it: what was read of it, in its own time."""
    return {"resource": file.resource, "lineages": [item.to_json() for item in file.lineages]}


def _in_zone(item: Item, zone: dt.tzinfo | None) -> Item:
    """The same with UTC told from the zone of whoever wrote it."""
    if zone is None:
        return item
    if isinstance(item, FileImport):
        return replace(item, lineages=tuple(_in_zone(one, zone) for one in item.lineages))
    if isinstance(item, FileStep) and not item.id:
        return replace(item, start_time=utc_text(_local(item.local_time, zone)))
    return item


def _moment(text: str, zone: dt.tzinfo | None, path: Path) -> dt.datetime:
    try:
        return _local(text, zone)
    except ValueError as e:
        raise JsonValueError(
            f"'timestamp' is '{text[:40]}', no time", file=str(path), key="timestamp"
        ) from e


def _local(text: str, zone: dt.tzinfo | None) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return (moment.astimezone() if zone is None else moment.replace(tzinfo=zone)).astimezone(
        dt.timezone.utc
    )


def _lines(workspace: str, instance: str, at: dt.datetime, drafts: Iterable[Draft]) -> list[Line]:
    """A journal that is the same from every clone."""
    lines: list[Line] = []
    for seq, (kind, body) in enumerate(drafts, start=1):
        fact = Fact(
            id=_fact_id(instance, seq, at),
            workspace=workspace,
            instance=instance,
            seq=seq,
            kind=kind,
            time=utc_text(at),
            prev=lines[-1].hash if lines else "",
            body=body,
        )
        lines.append(Line(fact, line_hash(fact.to_line()), 0))
    return lines


def _fact_id(instance: str, seq: int, at: dt.datetime) -> str:
    """A UUIDv7 of that time; the bits that are random elsewhere say whose it is."""
    ms = int(at.timestamp() * 1000)
    rest = int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8], "big") >> 2
    return str(uuid.UUID(int=ms << 80 | 0x7 << 76 | seq << 64 | 0b10 << 62 | rest))


def _derived(workspace: str, *parts: str) -> str:
    return str(uuid.uuid5(uuid.UUID(workspace), json.dumps(parts, separators=(",", ":"))))
