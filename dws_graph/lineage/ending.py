"""What the last fact of a step says of refs and certificates, whoever tells it.

Made under the journal's lock. Source: docs/formats.md, "Recording a step".
"""

from __future__ import annotations

from collections.abc import Iterable

from dws_graph.backends.views import Entry
from dws_graph.model.certificates import Certificate, Kind
from dws_graph.model.facts import Current
from dws_graph.model.ids import uuid7
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import local_text
from dws_graph.workspace.opened import OpenWorkspace


class Ending:
    """The certificates that a step makes, and what becomes of others.

    Attributes:
        ws: The workspace, its index up to date.
        current: What is current from now on.
        superseded: Ids of placeholders that will never have a hash.
        described: Ids of certificates that this fact describes first.
        comment: About the certificates that are made.
    """

    def __init__(self, ws: OpenWorkspace, name: str, start_time: str) -> None:
        self.ws = ws
        self.current: dict[ResourceRef, Current] = {}
        self.superseded: list[str] = []
        self.described: set[str] = set()
        self.comment = f"Step {name} at {local_text(start_time).replace('T', ' ')}"
        self._versions: dict[ResourceRef, int] = {}

    def touching(self, ref: ResourceRef) -> list[Entry]:
        """The entries of the refs that a ref overlaps with."""
        return self.ws.index.entries_touching(self.ws.id, self.ws.instance, ref)

    def make_way(self, ref: ResourceRef, entries: Iterable[Entry]) -> None:
        """What is current of a ref, and of what it covers, gives way to a version of its own."""
        for entry in entries:
            if entry.ref == ref or ref.covers(entry.ref):
                self.replace(entry)
                if entry.ref != ref:  # else it would hide the new one
                    self.current[entry.ref] = Current(ref=entry.ref, certificate=None)

    def replace(self, entry: Entry | None) -> None:
        """What was current gives way: without a hash it will never have one."""
        if entry is None or entry.certificate.hash is not None or entry.certificate.superseded:
            return
        self.superseded.append(entry.certificate.id)

    def placeholder(self, ref: ResourceRef, kind: Kind, *, superseded: bool = False) -> Certificate:
        """A new version of a ref, whose hash is not known."""
        highest = self.ws.index.highest_version(self.ws.id, self.ws.instance, ref)
        version = max(highest, self._versions.get(ref, 0)) + 1
        self._versions[ref] = version
        cert = Certificate(
            id=uuid7(),
            ref=ref,
            version=version,
            kind=kind,
            superseded=superseded,
            instance=self.ws.instance,
            comment=self.comment,
        )
        self.described.add(cert.id)
        return cert
