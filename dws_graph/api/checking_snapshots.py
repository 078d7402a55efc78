"""What `dws doctor` finds of snapshots: their manifests, their metadata, their lineage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from dws_graph.api.findings import REBUILD, Finding, error, from_git, note
from dws_graph.errors import InternalError
from dws_graph.model.values import parse_json
from dws_graph.resources.git import GitResource
from dws_graph.workspace import layout
from dws_graph.workspace.metadata import SnapshotMetadata, blob_hash
from dws_graph.workspace.of_16 import is_theirs
from dws_graph.workspace.opened import OpenWorkspace


def check_snapshots(ws: OpenWorkspace) -> Iterator[Finding]:
    """Each snapshot has a manifest of its hash, metadata, and lineage."""
    folder = ws.root / layout.FOLDER
    manifests = {
        path.stem.removeprefix("snapshot-"): path
        for path in sorted((folder / "snapshots").glob("snapshot-*.json"))
    }
    metadata = {
        path.name.removesuffix("_md.json"): path
        for path in sorted((folder / "snapshot_metadata").glob("*_md.json"))
    }
    known = {s.hash for s in ws.index.snapshots(ws.id) if not is_theirs(s.instance)}
    for name in sorted(manifests.keys() | metadata.keys() | known):
        yield from _manifest(ws, name, manifests.get(name))
        yield from _metadata(ws, name, metadata.get(name))
        lineage = folder / "snapshot_lineage" / name
        if name not in known and not lineage.is_dir():
            yield note(f"snapshot {name[:7]} has no lineage", "It was taken without any.")
    for name in sorted(manifests):
        yield from _lineage_hashes(ws, name, manifests[name], ours=name in known)


def _manifest(ws: OpenWorkspace, name: str, path: Path | None) -> Iterator[Finding]:
    if path is None:
        yield error(
            f"snapshot {name[:7]} has no manifest", from_git(ws, ws.root / layout.manifest(name))
        )
        return
    raw = path.read_bytes()
    if (found := blob_hash(raw)) != name:
        yield error(f"{path}: this manifest's content has the hash {found[:7]}", from_git(ws, path))
    try:
        entries = parse_json(raw, file=str(path))
    except InternalError as e:
        yield error(e.message, from_git(ws, path))
        return
    if not isinstance(entries, list):
        yield error(f"{path}: must be a list of objects", from_git(ws, path))


def _metadata(ws: OpenWorkspace, name: str, path: Path | None) -> Iterator[Finding]:
    if path is None:
        expected = ws.root / layout.metadata(name)
        yield error(f"snapshot {name[:7]} has no metadata", from_git(ws, expected))
        return
    try:
        found = SnapshotMetadata.from_json(parse_json(path.read_bytes(), file=str(path)))
    except InternalError as e:
        file = "" if str(path) in e.message else f"{path}: "
        yield error(f"{file}{e.message}", from_git(ws, path))
        return
    if found.hashval != name:
        yield error(f"{path}: is of snapshot {found.hashval[:7]}", from_git(ws, path))


def _lineage_hashes(
    ws: OpenWorkspace, name: str, manifest: Path, *, ours: bool
) -> Iterator[Finding]:
    """The lineage of a whole resource names the hash of the manifest; 1.6's does not always.

    That of a part may be older: it stays as it was while the rest of its resource changes.
    """
    try:
        hashes = {p["name"]: p["hash"] for p in json.loads(manifest.read_bytes())}
    except (ValueError, TypeError, KeyError):
        return  # said above
    places: dict[tuple[str, str], str] = {}  # how to mend it, by resource and hash
    for certificate, _ in ws.index.contains(ws.id, name) if ours else ():
        if certificate.ref.subpath is None and certificate.hash:
            places[certificate.ref.name, certificate.hash] = REBUILD.format("index")
    for path in sorted((ws.root / layout.FOLDER / "snapshot_lineage" / name).glob("*.json")):
        for resource, hashval in _hashes_in(path):
            places.setdefault((resource, hashval), from_git(ws, path))
    for (resource, hashval), mend in places.items():
        expected = hashes.get(resource)
        if not expected or hashval == expected:
            continue
        equal = _is_equal(ws, resource, hashval, expected)
        what = (
            f"in the lineage of snapshot {name[:7]}, {resource} has the hash {hashval[:8]}; "
            f"in its manifest {expected[:8]}"
        )
        if not ours:
            if not equal:
                yield note(what, "Nothing to do: Data Workspaces 1.6 wrote it so.")
        elif equal is None:
            yield note(what, "Nothing to do where the content was equal; it is not kept here.")
        elif not equal:
            yield error(what, mend)


def _hashes_in(path: Path) -> Iterator[tuple[str, str]]:
    """The hashes of whole resources that a lineage file says were written, or are sources."""
    try:
        found = json.loads(path.read_bytes())
        name, lineages = found["resource_name"], found["lineages"]
        certificates = [c for one in lineages for c in one.get("output_resources", [one])]
        for certificate in certificates:
            hashval = certificate.get("certificate", {}).get("hashval")
            if certificate["resource_name"] != name or certificate.get("subpath") is not None:
                continue
            if isinstance(hashval, str):
                yield str(name), hashval
    except (ValueError, TypeError, KeyError, AttributeError):
        return  # no lineage: what is no JSON is told of with the other files


def _is_equal(ws: OpenWorkspace, resource: str, one: str, other: str) -> bool | None:
    """Whether two hashes are of equal content; None: nobody can tell."""
    if resource not in set(ws.get_resource_names()):
        return None
    found = ws.get_resource(resource)
    known = [found.known_as(hashval) for hashval in (one, other)]
    if None in known:  # what another repository holds may be missing here
        return None if isinstance(found, GitResource) else False
    return known[0] == known[1]
