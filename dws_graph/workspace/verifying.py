"""Whether content still is what its certificates name: read again, no cache is believed.

Source: docs/formats.md, "Verifying".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dws_graph.backends.git.checking import check_tree
from dws_graph.backends.git.command import Git
from dws_graph.errors import some_of
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json
from dws_graph.resources.base import Resource
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.git import GIT
from dws_graph.resources.git_subdirectory import GIT_SUBDIRECTORY
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.resources.terms import Content
from dws_graph.workspace.kept_content import as_kept
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.moved_results import moved_results
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import nobody_can_tell
from dws_graph.workspace.snapshots import find_snapshot, manifest_of

Status = Literal["same", "changed", "missing", "not kept"]
NOT_HERE = "it is not on this machine"
NO_HASH = "no snapshot has hashed it yet: compared by its files' stats"
WHOLE = "the hashes are those of the whole of {}"
LOST = "it was overwritten before any snapshot"
UNSEEN = "no program has got its data on this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """One ref, compared with its certificate.

    Attributes:
        ref: The ref.
        status: `same`, `changed`, `missing` (it should be here), `not kept` (it need not be).
        expected: The hash that the certificate names; None when it has none.
        found: That of the content read; None when there is none, or it was not hashed.
        note: More, for people.
    """

    ref: ResourceRef
    status: Status
    expected: str | None
    found: str | None
    note: str = ""


def verify(ws: OpenWorkspace, snapshot: str | None = None) -> list[Verified]:
    """Read content again, and compare it with the certificates.

    Args:
        ws: The workspace, its index up to date.
        snapshot: The content of this snapshot, wherever it is kept; else what is on disk
            against what is current.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: The name fits none, or several.
    """
    ws.look_again()
    if snapshot is None:
        return list(_current(ws))
    return list(_Kept(ws, find_snapshot(ws, snapshot)).verified())


def _current(ws: OpenWorkspace) -> Iterator[Verified]:
    reader = _Reader()
    names = set(ws.get_resource_names())
    for entry in ws.index.entries(ws.id, ws.instance):
        cert, ref = entry.certificate, entry.ref
        if ref.name not in names:
            continue
        resource = ws.get_resource(ref.name)
        if cert.status == "not kept":
            yield Verified(ref=ref, status="not kept", expected=None, found=None, note=LOST)
        elif nobody_can_tell(resource):
            yield _not_kept(cert, UNSEEN)
        elif not resource.is_here():
            yield _missing(cert, NOT_HERE if resource.local_path is None else "its folder is gone")
        elif not _exists(resource, ref.subpath):
            yield _missing(cert, "there is nothing at this path")
        elif cert.hash is None:
            same = entry.fingerprint is not None and resource.unchanged(
                ref.subpath, entry.fingerprint
            )
            status: Status = "same" if same else "changed"
            unhashed = Verified(ref=ref, status=status, expected=None, found=None, note=NO_HASH)
            yield _unless_emptied(resource, cert, unhashed)
        else:
            found = _compared(resource, cert, reader.content(resource, ref.subpath))
            yield _unless_emptied(resource, cert, found)
    for resource in ws.get_resources():
        if resource.has_results_role():
            yield from _moved(ws, resource.name)


def _moved(ws: OpenWorkspace, name: str) -> Iterator[Verified]:
    """Results that a snapshot moved away are current as long as there are no newer ones."""
    moved = moved_results(ws, name)
    if moved is not None:
        yield from _Kept(ws, find_snapshot(ws, moved.snapshot)).these(name, moved.certificates)


def _unless_emptied(resource: Resource, cert: Certificate, found: Verified) -> Verified:
    """The same, but for a folder in which nothing is left: that is gone, not changed."""
    if found.status != "changed" or not isinstance(resource, FileResource):
        return found
    if resource.entries(cert.ref.subpath):
        return found
    return _missing(cert, "no file is left in it")


def _expected(cert: Certificate) -> str | None:
    """The hash of the ref itself; None for a part whose certificate names the whole's alone."""
    return cert.subpath_hash or (cert.hash if cert.ref.subpath is None else None)


def _missing(cert: Certificate, note: str) -> Verified:
    return Verified(ref=cert.ref, status="missing", expected=_expected(cert), found=None, note=note)


def _not_kept(cert: Certificate, note: str) -> Verified:
    return Verified(
        ref=cert.ref, status="not kept", expected=_expected(cert), found=None, note=note
    )


def _by_what_is_kept(cert: Certificate, is_whole: bool, note: str) -> Verified:
    if not is_whole:
        return _missing(cert, note)
    expected = _expected(cert)
    return Verified(ref=cert.ref, status="same", expected=expected, found=expected, note=note)


def _exists(resource: Resource, subpath: str | None) -> bool:
    return subpath is None or resource.does_subpath_exist(subpath)


def _compared(resource: Resource, cert: Certificate, content: Content) -> Verified:
    """By the subpath's own hash where there is one, else by that of the whole resource."""
    note = ""
    if cert.hash is not None:
        content = resource.alike(content, cert.hash, cert.ref.subpath)
    if cert.subpath_hash is not None and cert.ref.subpath is not None:
        expected: str | None = cert.subpath_hash
        found = content.subpath_hash
        same = found == expected
    else:
        expected, found = cert.hash, content.hash
        same = found == expected
        note = WHOLE.format(cert.ref.name) if cert.ref.subpath is not None else ""
        if not same and expected is not None and content.known_as is not None:
            # all but what the product itself wrote there
            same = resource.known_as(expected) == content.known_as
            found = expected if same else found or content.known_as
    return Verified(
        ref=cert.ref,
        status="same" if same else "changed",
        expected=expected,
        found=found,
        note=note,
    )


class _Reader:
    """Content as it is on disk, each ref read once."""

    def __init__(self) -> None:
        self._contents: dict[tuple[str, str | None], Content] = {}

    def content(self, resource: Resource, subpath: str | None) -> Content:
        key = (resource.name, subpath)
        if key not in self._contents:
            self._contents[key] = resource.content(subpath, reread=True)
        return self._contents[key]


class _Kept:
    """The content of one snapshot, wherever it is."""

    def __init__(self, ws: OpenWorkspace, snapshot: SnapshotMetadata) -> None:
        self._ws = ws
        self._snapshot = snapshot
        self._names = set(ws.get_resource_names())
        self._reader = _Reader()
        self._checked: dict[tuple[str, str], tuple[Status, str]] = {}

    def verified(self) -> Iterator[Verified]:
        hashval = self._snapshot.hashval
        contained = [c for c, _ in self._ws.index.contains(self._ws.id, hashval)]
        for params in manifest_of(self._ws, hashval):
            name = params["name"]
            certs = [c for c in contained if c.ref.name == name]
            whole = Certificate(id="", ref=ResourceRef(name), hash=params.get("hash"))
            if params.get("hash") is not None and not any(c.ref == whole.ref for c in certs):
                certs.insert(0, whole)
            for cert in certs:
                yield self._one(params, cert)

    def these(self, name: str, certs: Sequence[Certificate]) -> Iterator[Verified]:
        """What the snapshot holds of a resource, as far as these certificates name it."""
        for params in manifest_of(self._ws, self._snapshot.hashval):
            if params["name"] == name:
                yield from (self._one(params, cert) for cert in certs)

    def _one(self, params: Json, cert: Certificate) -> Verified:
        if cert.hash is None:
            return _not_kept(cert, LOST)
        if params["role"] == "results" and cert.subpath_hash is not None:
            return self._results(cert)
        if params["resource_type"] in (GIT, GIT_SUBDIRECTORY):
            return self._in_git(params, cert)
        if cert.ref.name not in self._names:
            return _not_kept(cert, "its resource is not in the workspace any more")
        resource = self._ws.get_resource(cert.ref.name)
        if (kept := as_kept(resource)) is not None:
            found = self._in_store(kept, cert)
            if found is not None:
                return found
        if not resource.is_here():
            return _not_kept(cert, NOT_HERE)
        held = resource.check_kept(cert.hash, cert.ref.subpath)
        if held is not None:
            return _by_what_is_kept(cert, *held)
        compared = _compared(resource, cert, self._reader.content(resource, cert.ref.subpath))
        if compared.status == "same":
            return compared
        return _not_kept(cert, "what is on disk is another version")

    def _results(self, cert: Certificate) -> Verified:
        """Results are where the snapshot moved them."""
        folder = self._snapshot.relative_destination_path.strip("/")
        below = folder if cert.ref.subpath is None else f"{folder}/{cert.ref.subpath}"
        if cert.ref.name not in self._names:
            return _not_kept(cert, "its resource is not in the workspace any more")
        resource = self._ws.get_resource(cert.ref.name)
        if not resource.is_here():
            return _not_kept(cert, NOT_HERE)
        if not resource.does_subpath_exist(below):
            return _missing(cert, f"{below} is gone")
        if cert.ref.subpath is None and isinstance(resource, FileResource):
            found = resource.results_hash(below)
        else:
            found = self._reader.content(resource, below).subpath_hash
        same = found == cert.subpath_hash
        return Verified(
            ref=cert.ref,
            status="same" if same else "changed",
            expected=cert.subpath_hash,
            found=found,
            note=f"in {below}",
        )

    def _in_store(self, resource: LocalFileResource, cert: Certificate) -> Verified | None:
        """From the kept store, every byte read; None where nothing was kept at that time."""
        root = self._snapshot.restore_hashes.get(resource.name)
        if root is None:
            return None
        status, files = resource.kept_content.check(root, cert.ref.subpath)
        if status is None:
            return self._kept_elsewhere(resource, cert)
        note = f"kept content: {some_of(files, 3)}" if files else "kept content"
        found = _expected(cert) if status == "same" else None
        return Verified(
            ref=cert.ref, status=status, expected=_expected(cert), found=found, note=note
        )

    def _kept_elsewhere(self, resource: LocalFileResource, cert: Certificate) -> Verified | None:
        """Of content that is in no store here: missing where it must be in one."""
        taken = self._ws.index.taken_by(self._ws.id).get(self._snapshot.hashval)
        if resource.store is None and taken != self._ws.instance:
            return None  # it is where the snapshot was taken
        return _missing(cert, "its kept content is in no store here")

    def _in_git(self, params: Json, cert: Certificate) -> Verified:
        git = self._repository(params)
        if git is None:
            return _not_kept(cert, NOT_HERE)
        hashval = str(cert.hash)
        wanted: str | None = hashval
        if cert.ref.subpath is not None and cert.subpath_hash is not None:
            wanted = cert.subpath_hash
        status, note = self._checked_tree(git, cert.ref.name, str(wanted))
        found = wanted if status == "same" else None
        if cert.ref.subpath is not None and wanted == hashval:
            note = f"{note}; {WHOLE.format(cert.ref.name)}"
        return Verified(ref=cert.ref, status=status, expected=wanted, found=found, note=note)

    def _checked_tree(self, git: Git, name: str, tree: str) -> tuple[Status, str]:
        key = (name, tree)
        if key not in self._checked:
            status, oid = check_tree(git, tree)
            note = f"git object {oid[:12]}" if oid else "in git"
            self._checked[key] = (status, note)
        return self._checked[key]

    def _repository(self, params: Json) -> Git | None:
        if params["resource_type"] == GIT_SUBDIRECTORY:
            return self._ws.git
        if params["name"] not in self._names:
            return None
        folder = self._ws.get_resource(params["name"]).local_path
        git = Git(folder) if folder is not None and folder.is_dir() else None
        return git if git is not None and git.is_repo_root() else None


def counted(found: Sequence[Verified]) -> dict[Status, int]:
    """How many refs have each status."""
    order: tuple[Status, ...] = ("same", "changed", "missing", "not kept")
    return {status: sum(v.status == status for v in found) for status in order}
