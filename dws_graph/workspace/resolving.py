"""The resolver: at a snapshot every placeholder of this instance gets the hash it stands for.

What a step wrote keeps its id and gets the hash. What was only read becomes the certificate of
that content: the one already known, if any, else one that any instance would name the same. What
was edited since is a version of its own, never its last writer's output. Source:
docs/formats.md, "The resolver".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dws_graph.backends.views import Entry
from dws_graph.errors import LineagePlaceHolderError
from dws_graph.model.certificates import Certificate, hashed
from dws_graph.model.facts import Contained, Current, Kept, Merged, StepStart
from dws_graph.model.refs import ResourceRef
from dws_graph.resources.base import Resource
from dws_graph.resources.outside import OUTSIDE
from dws_graph.resources.terms import Content, Taken
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading, known_content, read_entry

Readings = Mapping[ResourceRef, tuple[Entry, Reading]]  # what reading each ref reads now


@dataclass(slots=True)
class Resolution:
    """What a snapshot makes of the lineage entries.

    Attributes:
        certificates: Newly described.
        contains, keep, merge, current, superseded: As in the fact.
        read_while_written: {ref: step}.
        became: Every certificate that changed: {id before: certificate now}.
        entries: What each ref with an entry is now.
    """

    certificates: list[Certificate] = field(default_factory=list)
    contains: list[Contained] = field(default_factory=list)
    keep: list[Kept] = field(default_factory=list)
    merge: list[Merged] = field(default_factory=list)
    current: list[Current] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    read_while_written: dict[str, str] = field(default_factory=dict)
    became: dict[str, Certificate] = field(default_factory=dict)
    entries: dict[ResourceRef, Certificate] = field(default_factory=dict)

    def now(self, cert: Certificate) -> Certificate:
        """What a certificate is after the snapshot."""
        return self.became.get(cert.id, cert)


@dataclass(frozen=True, slots=True)
class Hashed:
    """One resource as the snapshot hashed it.

    Attributes:
        resource: The resource.
        taken: Its snapshot.
        moved_to: Where its results were moved (or copied) to, from its root; None when nothing
            was.
        copied: They are still where they were, too.
    """

    resource: Resource
    taken: Taken
    moved_to: str | None = None
    copied: bool = False

    @property
    def is_moved(self) -> bool:
        """Whether nothing is left where its results were."""
        return self.moved_to is not None and not self.copied

    def subpath_hash(self, ref: ResourceRef) -> str | None:
        """The hash of what the ref's content is now, where it is now.

        Of results that were copied in part (some files are excluded) none says both what is
        there and what the snapshot holds.
        """
        here = None if ref.subpath is None else self.taken.subpath_hash(ref.subpath)
        if self.moved_to is None:
            return here
        below = self.moved_to if ref.subpath is None else f"{self.moved_to}/{ref.subpath}"
        there = self.taken.subpath_hash(below)
        if not self.copied:
            return there
        return there if there == (self.known_as() if ref.subpath is None else here) else None

    def content(self, ref: ResourceRef) -> Content:
        """The content of a ref."""
        return Content(self.taken.compare, self.subpath_hash(ref), self.known_as())

    def known_as(self) -> str | None:
        """See `Content`."""
        compare = self.taken.compare
        if compare is None or self.taken.known_as is not None:
            return self.taken.known_as
        return self.resource.known_as(compare)


def read_entries(
    ws: OpenWorkspace, running: Sequence[StepStart]
) -> dict[ResourceRef, tuple[Entry, Reading]]:
    """What reading each ref with an entry reads now; to be asked before results are moved."""
    return {
        entry.ref: (entry, read_entry(ws, entry, running))
        for entry in ws.index.entries(ws.id, ws.instance)
        if entry.ref.name in set(ws.get_resource_names())
    }


def resolve(
    ws: OpenWorkspace,
    readings: Readings,
    resources: Mapping[str, Hashed],
) -> Resolution:
    """Decide what the snapshot's fact says of every ref with an entry.

    Args:
        ws: The workspace; the caller holds the journal's lock.
        readings: Of `read_entries`.
        resources: Every resource as hashed, by name.

    Raises:
        LineagePlaceHolderError: A placeholder's resource has no hash; names step and ref.
    """
    out = Resolution()
    described: set[str] = set()
    for ref, (entry, reading) in readings.items():
        found = resources[ref.name]
        cert = _resolve_one(ws, found, entry, reading, out, described)
        out.entries[ref] = cert
        out.contains.append(Contained(certificate=cert.id, ref=ref, entry=True))
        gone = found.is_moved
        out.current.append(
            Current(
                ref=ref,
                certificate=None if gone else cert.id,
                output=cert.kind == "output",
                fingerprint=None if gone else reading.fingerprint,
            )
        )
    for name, found in resources.items():
        if found.taken.compare is None or any(ref.name == name for ref in readings):
            continue
        ref = ResourceRef(name)
        content = found.content(ref)
        cert = known_content(ws, found.resource, ref, content, None) or _new(
            ws, ref, found, out, described
        )
        out.contains.append(Contained(certificate=cert.id, ref=ref, entry=False))
    return out


def _how_to_hash(resource: Resource, ref: ResourceRef) -> str:
    if resource.resource_type == OUTSIDE:
        return (
            f"The program outside that tells of '{ref}' has to say its hash: tell of a new run "
            'with "hash" in its outputs (docs/http.md). Until then its lineage is in the journal, '
            "which the service commits by itself."
        )
    return f"Run the step again that reads or writes '{ref}'."


def _resolve_one(
    ws: OpenWorkspace,
    found: Hashed,
    entry: Entry,
    reading: Reading,
    out: Resolution,
    described: set[str],
) -> Certificate:
    ref, before = entry.ref, entry.certificate
    compare = found.taken.compare
    same = reading.why in ("current", "known")
    if reading.writer is not None:
        out.read_while_written[str(ref)] = reading.writer
    if same and reading.certificate is not None and reading.certificate.hash is not None:
        return reading.certificate
    if compare is None:
        raise LineagePlaceHolderError(
            f"'{ref}'{_said_by(before)} has no hash that a snapshot could name",
            hint=_how_to_hash(found.resource, ref),
        )
    if same and before.kind == "output":
        sub = found.subpath_hash(ref)
        out.keep.append(Kept(certificate=before.id, hash=compare, subpath_hash=sub))
        kept = Certificate(
            id=before.id,
            ref=ref,
            hash=compare,
            subpath_hash=sub,
            version=before.version,
            kind=before.kind,
            instance=before.instance,
            comment=before.comment,
        )
        out.became[before.id] = kept
        return kept
    content = found.content(ref)
    cert = known_content(ws, found.resource, ref, content, before if before.hash else None)
    if cert is None:
        cert = _new(ws, ref, found, out, described, before.comment if same else "")
    if before.hash is None:
        if same:
            out.merge.append(Merged(placeholder=before.id, certificate=cert.id))
            out.became[before.id] = cert
        else:
            out.superseded.append(before.id)
    return cert


def _new(
    ws: OpenWorkspace,
    ref: ResourceRef,
    found: Hashed,
    out: Resolution,
    described: set[str],
    comment: str = "",
) -> Certificate:
    compare = found.taken.compare or ""
    cert = hashed(ws.id, ref, compare, found.subpath_hash(ref), comment)
    if cert.id not in described:
        described.add(cert.id)
        out.certificates.append(cert)
    return cert


def _said_by(cert: Certificate) -> str:
    return f", of {cert.comment[0].lower()}{cert.comment[1:]}," if cert.comment else ""
