"""What no longer follows from what is on disk, and why.

A step is judged by what it read, not by when: each input and code ref as it is now against the
version that the step read, each output against what the step wrote, and by the steps that made
its inputs. Only what is current here is looked at, so the cost is that of what is current, not of
the history. Source: docs/formats.md, "What is stale".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dws_graph.backends.judging import Judged, judged, link
from dws_graph.backends.views import Entry, StaleStep
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import StepStart
from dws_graph.model.refs import ResourceRef
from dws_graph.resources.terms import Content
from dws_graph.workspace.half_written import half_written, touching, whole_again
from dws_graph.workspace.moved_results import moved_results
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading, content_now, living, read_entry


def find_stale(
    ws: OpenWorkspace, refs: Collection[ResourceRef] | None = None
) -> tuple[StaleStep, ...]:
    """The steps to run again, in an order in which they can be.

    Args:
        ws: The workspace, its index up to date.
        refs: Only the steps that wrote these, and those upstream of them; None for all.
    """
    return _Judge(ws).stale(refs)


class _Judge:
    """Looks at each ref at most once."""

    def __init__(self, ws: OpenWorkspace) -> None:
        self._ws = ws
        self._names = set(ws.get_resource_names())
        entries = ws.index.entries(ws.id, ws.instance)
        self._entries: dict[ResourceRef, Entry] = {e.ref: e for e in entries}
        self._running: Sequence[StepStart] = living(ws)[0]
        self._readings: dict[ResourceRef, Reading] = {}
        self._contents: dict[ResourceRef, Content | None] = {}
        self._left = half_written(ws)
        # a step that fails leaves no entry, and may have left what was there as it was
        whole = [c for c in whole_again(ws) if c.ref not in self._entries]
        held = [*(e.certificate for e in entries), *whole, *self._moved()]
        self._writers = ws.index.producers([c.id for c in held])
        self._writer_of: dict[ResourceRef, str] = {
            c.ref: self._writers[c.id] for c in held if c.id in self._writers
        }

    def _moved(self) -> list[Certificate]:
        found: list[Certificate] = []
        for name in self._ws.get_resource_names():
            if self._ws.get_resource_role(name) != "results":
                continue
            if moved := moved_results(self._ws, name):
                found += [c for c in moved.certificates if not touching(self._left, c.ref)]
        return found

    def stale(self, refs: Collection[ResourceRef] | None) -> tuple[StaleStep, ...]:
        current = {ref: entry.certificate for ref, entry in self._entries.items()}
        return judged(self._steps(), self._holds, current, refs)

    def _steps(self) -> dict[str, Judged]:
        """The steps that wrote what is there, with those that wrote what they read."""
        steps: dict[str, Judged] = {}
        for ref, key in self._writer_of.items():
            if key not in steps:
                info = self._ws.index.step(key)
                if info is None or info.workspace != self._ws.id:
                    continue
                steps[key] = Judged(info)
            steps[key].outputs.append(ref)
        for left in self._left:
            step = steps.setdefault(left.step.id, Judged(left.step))
            step.outputs.append(left.ref)
            step.reasons[left.ref, True] = "step failed"
        link(steps, self._writers_of)
        return steps

    def _writers_of(self, ref: ResourceRef) -> set[str]:
        """Who wrote a ref as it is: its version, or left it half done; else those that overlap."""
        if ref in self._writer_of:
            return {self._writer_of[ref]}
        failed = {left.step.id for left in touching(self._left, ref)}
        if ref in self._entries:
            return failed
        return failed | {key for other, key in self._writer_of.items() if other.touches(ref)}

    def _holds(self, cert: Certificate) -> bool:
        """Whether what is on disk is what this certificate names."""
        ref = cert.ref
        if ref.name not in self._names:
            return False
        entry = self._entries.get(ref)
        if entry is not None:
            now = self._reading(entry).certificate
            if now is not None and now.same_version(cert):
                return True
            if now is not None and now.hash is not None:
                return False
        if cert.hash is None:
            return False
        content = self._content(ref)  # touched, or changed back
        if content is None:
            return False
        if cert.subpath_hash is not None and ref.subpath is not None:
            return content.subpath_hash == cert.subpath_hash
        if content.hash == cert.hash:
            return True
        known = self._ws.get_resource(ref.name).known_as(cert.hash)
        return ref.subpath is None and known is not None and known == content.known_as

    def _reading(self, entry: Entry) -> Reading:
        if entry.ref not in self._readings:
            self._readings[entry.ref] = read_entry(self._ws, entry, self._running)
        return self._readings[entry.ref]

    def _content(self, ref: ResourceRef) -> Content | None:
        if ref not in self._contents:
            resource = self._ws.get_resource(ref.name)
            there = resource.is_here()
            self._contents[ref] = content_now(self._ws, resource, ref.subpath) if there else None
        return self._contents[ref]
