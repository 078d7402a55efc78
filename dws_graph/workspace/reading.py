"""What is really read: the certificate of a ref's content on disk, now.

A ref's current certificate holds while its files' fingerprint does. When it differs, the content
was changed outside any step: it is a version of its own. Where there is no fingerprint here (a
fresh clone), the content is hashed and looked up. Source: docs/formats.md, "What a step reads".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dws_graph.backends.views import Entry
from dws_graph.errors import ConfigurationError
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Fingerprint, StepStart
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import clean_text
from dws_graph.resources.base import Resource
from dws_graph.resources.digests import Progress
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.mixins import FileResourceMixin
from dws_graph.resources.terms import Content
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.processes import is_alive
from dws_graph.workspace.stats import IndexStatCache

Why = Literal["current", "known", "edited", "new", "written"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What reading a ref now reads.

    Attributes:
        ref: The ref whose certificate it is: the one asked for, or one that covers it or that it
            covers.
        certificate: None where the content has none yet.
        why: `current`: unchanged since it became current; `known`: looked up; `edited`: changed
            outside any step; `new`: nothing was known of it; `written`: a running step writes it.
        before: The ref's current certificate until now.
        fingerprint: Of the content now.
        writer: The running step that writes it.
        content: Its hashes, where they had to be computed.
    """

    ref: ResourceRef
    certificate: Certificate | None
    why: Why
    before: Certificate | None
    fingerprint: Fingerprint | None
    writer: str | None = None
    content: Content | None = None


def living(ws: OpenWorkspace) -> tuple[list[StepStart], list[StepStart]]:
    """The steps of this instance that run, and those whose process is gone.

    Behind one that was told of from outside no process stands: it runs until its end is told.
    """
    alive: list[StepStart] = []
    dead: list[StepStart] = []
    for step in ws.index.running(ws.id, ws.instance):
        lives = step.outside is not None or is_alive(step.pid, step.pid_started)
        (alive if lives else dead).append(step)
    return alive, dead


def read_refs(
    ws: OpenWorkspace, refs: Iterable[ResourceRef], running: Sequence[StepStart]
) -> list[Reading]:
    """What reading these refs now reads, each ref once.

    Args:
        ws: The workspace, its index up to date.
        refs: The refs asked for.
        running: Other steps that run now.
    """
    found: dict[ResourceRef, Reading] = {}
    for ref in refs:
        entries = ws.index.entries_touching(ws.id, ws.instance, ref)
        for wanted, entry in _entries_for(ws, ref, entries):
            if wanted not in found:
                found[wanted] = _read(ws, wanted, entry, running)
    return list(found.values())


def read_entry(ws: OpenWorkspace, entry: Entry, running: Sequence[StepStart]) -> Reading:
    """The same for a ref with an entry of its own.

    What is behind an API, and was not looked at on this machine, counts as what it was.
    """
    if nobody_can_tell(ws.get_resource(entry.ref.name)):
        return Reading(
            ref=entry.ref,
            certificate=entry.certificate,
            why="current",
            before=entry.certificate,
            fingerprint=entry.fingerprint,
        )
    return _read(ws, entry.ref, entry, running)


def nobody_can_tell(resource: Resource) -> bool:
    """Whether there is nothing of a resource that could be missed, nor known, on this machine."""
    if resource.local_path is not None or isinstance(resource, FileResourceMixin):
        return False
    return not resource.is_here()


def is_edited(ws: OpenWorkspace, entry: Entry, running: Sequence[StepStart]) -> bool:
    """Whether a ref's content is another than its certificate's; touched is not edited.

    What was never hashed cannot be compared: touched, it counts as edited.
    """
    if read_entry(ws, entry, running).why != "edited":
        return False
    if entry.certificate.hash is None:
        return True
    resource = ws.get_resource(entry.ref.name)
    content = content_now(ws, resource, entry.ref.subpath)
    return with_content(resource, entry.ref, content, [entry.certificate]) is None


def _entries_for(
    ws: OpenWorkspace, ref: ResourceRef, entries: Sequence[Entry]
) -> list[tuple[ResourceRef, Entry | None]]:
    """Which refs stand for `ref`, with their entries."""
    exact = next((e for e in entries if e.ref == ref), None)
    below = [e for e in entries if ref.covers(e.ref)]
    if below:
        pairs: list[tuple[ResourceRef, Entry | None]] = [(e.ref, e) for e in below]
        if _holds_more(ws.get_resource(ref.name), ref, [e.ref for e in below]):
            pairs.append((ref, exact))
        return pairs
    if exact is not None:
        return [(ref, exact)]
    above = [e for e in entries if e.ref.covers(ref)]
    if above:
        nearest = max(above, key=lambda e: len(e.ref.subpath or ""))
        return [(nearest.ref, nearest)]
    return [(ref, None)]


def _holds_more(resource: Resource, ref: ResourceRef, below: Sequence[ResourceRef]) -> bool:
    """Whether a ref holds files that none of the refs below it covers."""
    for name in _names_below(resource, ref):
        file = ResourceRef(ref.name, clean_text(os.fsdecode(name)))
        if not any(b == file or b.covers(file) for b in below):
            return True
    return False


def _names_below(resource: Resource, ref: ResourceRef) -> Iterable[bytes]:
    """The files of a ref, by path in the resource."""
    if not isinstance(resource, FileResource):
        files = [ResourceRef(ref.name, os.fsdecode(name)) for name in resource.files_now() or ()]
        return [
            os.fsencode(file.subpath or "") for file in files if file == ref or ref.covers(file)
        ]
    if resource.local_path is None:
        return []
    return [entry.name for entry in resource.entries(ref.subpath)]


def _read(
    ws: OpenWorkspace, ref: ResourceRef, entry: Entry | None, running: Sequence[StepStart]
) -> Reading:
    resource = ws.get_resource(ref.name)
    before = entry.certificate if entry else None
    writer = next((s.step for s in running if any(o.touches(ref) for o in s.outputs)), None)
    if writer is not None:
        return Reading(
            ref=ref,
            certificate=None,
            why="written",
            before=before,
            fingerprint=resource.fingerprint(ref.subpath),
            writer=writer,
        )
    if entry is not None and entry.fingerprint is not None:
        if resource.unchanged(ref.subpath, entry.fingerprint):
            return Reading(
                ref=ref,
                certificate=before,
                why="current",
                before=before,
                fingerprint=entry.fingerprint,
            )
        fingerprint = resource.fingerprint(ref.subpath)
        return Reading(
            ref=ref, certificate=None, why="edited", before=before, fingerprint=fingerprint
        )
    fingerprint = resource.fingerprint(ref.subpath)
    found, content = _look_up(ws, resource, ref, before)
    why: Why = "known" if found else "edited" if before else "new"
    return Reading(
        ref=ref,
        certificate=found,
        why=why,
        before=before,
        fingerprint=fingerprint,
        content=content,
    )


def _look_up(
    ws: OpenWorkspace, resource: Resource, ref: ResourceRef, first: Certificate | None
) -> tuple[Certificate | None, Content | None]:
    """The certificate of the content on disk, if any is known of the ref."""
    known = ws.index.known(ws.id, ref)
    if not known:
        return None, None  # nothing to compare with: no file need be read
    content = content_now(ws, resource, ref.subpath)
    return known_content(ws, resource, ref, content, first), content


def content_now(
    ws: OpenWorkspace,
    resource: Resource,
    subpath: str | None,
    progress: Progress | None = None,
) -> Content:
    """The hashes of the content on disk; files known unchanged are not read."""
    folder = resource.local_path
    if folder is None:
        here = resource.is_here()
        return resource.content(subpath, None, progress) if here else Content(None, None, None)
    with IndexStatCache(ws.index, folder) as cache:
        return resource.content(subpath, cache, progress)


def is_changed(ws: OpenWorkspace, resource: Resource, before: str | None) -> bool | None:
    """Whether a resource's content is another than the one with this hash."""
    if before is None:
        return None
    try:
        now = content_now(ws, resource, None)
    except ConfigurationError:  # its folder is gone
        return None
    if now.hash == before:
        return False
    if now.known_as is not None and (then := resource.known_as(before)) is not None:
        return now.known_as != then
    if now.hash is None and now.known_as is None and not resource.is_here():
        return None
    return True


def known_content(
    ws: OpenWorkspace,
    resource: Resource,
    ref: ResourceRef,
    content: Content,
    first: Certificate | None,
) -> Certificate | None:
    """The certificate of the ref that has this content: `first` if it does, else the latest."""
    candidates = ws.index.known(ws.id, ref)
    if first is not None and first.hash is not None:
        candidates = [first, *(c for c in candidates if c.id != first.id)]
    return with_content(resource, ref, content, candidates)


def with_content(
    resource: Resource, ref: ResourceRef, content: Content, candidates: Iterable[Certificate]
) -> Certificate | None:
    """The first of a ref's hashed certificates that has this content."""
    candidates = list(candidates)
    alike: dict[str | None, Content] = {None: content}
    for cert in candidates:
        if cert.hash not in alike:
            alike[str(cert.hash)] = resource.alike(content, str(cert.hash), ref.subpath)
        content = alike[cert.hash]
        if cert.subpath_hash is not None and (ref.subpath or content.subpath_hash):
            if cert.subpath_hash == content.subpath_hash:
                return cert
        elif cert.hash is not None and cert.hash == content.hash:
            return cert
    # what is left of moved results when their snapshots are left out says nothing of what they were
    moved = resource.has_results_role() and not resource.is_exported()
    content = alike[None]
    if ref.subpath is None and content.known_as is not None and not moved:
        asked: dict[str, str | None] = {}
        for cert in candidates:
            if cert.hash is not None:
                # exported, and hashed, without lineage.json; results, as their copy was
                if content.known_as in (cert.hash, cert.subpath_hash):
                    return cert
                if cert.hash not in asked:
                    asked[cert.hash] = resource.known_as(cert.hash)
                if asked[cert.hash] == content.known_as:
                    return cert
    return None
