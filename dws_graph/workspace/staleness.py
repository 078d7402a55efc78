"""What no longer follows from what is on disk, and why.

A step is judged by what it read, not by when: each input and code ref as it is now against the
version that the step read, each output against what the step wrote, and by the steps that made
its inputs. Only what is current here is looked at, so the cost is that of what is current, not of
the history. Source: docs/formats.md, "What is stale".
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dws_graph.backends.views import Entry, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import StepStart
from dws_graph.model.refs import ResourceRef
from dws_graph.resources.base import Content
from dws_graph.workspace.half_written import half_written, touching
from dws_graph.workspace.moved_results import moved_results
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading, content_now, living, read_entry

Reason = Literal[
    "input changed",
    "code changed",
    "upstream stale",
    "output changed outside a step",
    "input not kept",
    "step failed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleStep:
    """A step whose outputs no longer follow from what is on disk.

    Attributes:
        step: The step; a failed one where that wrote last.
        outputs: Its outputs that are current; of a failed step what it left.
        reasons: (ref, reason), at most one of its inputs and code, and one of its outputs, a ref.
    """

    step: StepInfo
    outputs: tuple[ResourceRef, ...]
    reasons: tuple[tuple[ResourceRef, Reason], ...]


@dataclass(slots=True)
class _Step:
    """A step that wrote what is there, or failed to, while it is judged."""

    info: StepInfo
    outputs: list[ResourceRef] = field(default_factory=list)
    reasons: dict[tuple[ResourceRef, bool], Reason] = field(default_factory=dict)  # True: output
    made_from: dict[str, list[ResourceRef]] = field(default_factory=dict)  # by the writing step


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
        held = [e.certificate for e in entries] + self._moved()
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
        steps = self._steps()
        if refs is not None:
            steps = _upstream_of(steps, refs)
        for step in steps.values():
            self._judge(step)
        _spread(steps)
        found = {key: step for key, step in steps.items() if step.reasons}
        return tuple(_finished(found[key]) for key in _in_order(found))

    def _steps(self) -> dict[str, _Step]:
        """The steps that wrote what is there, with those that wrote what they read."""
        steps: dict[str, _Step] = {}
        for ref, key in self._writer_of.items():
            if key not in steps:
                info = self._ws.index.step(key)
                if info is None or info.workspace != self._ws.id:
                    continue
                steps[key] = _Step(info)
            steps[key].outputs.append(ref)
        for left in self._left:
            step = steps.setdefault(left.step.id, _Step(left.step))
            step.outputs.append(left.ref)
            step.reasons[left.ref, True] = "step failed"
        for step in steps.values():
            for cert in (*step.info.inputs, *step.info.code):
                if _updates(step.info, cert.ref):
                    continue
                for writer in self._writers_of(cert.ref):
                    if writer in steps and writer != step.info.id:
                        step.made_from.setdefault(writer, []).append(cert.ref)
        return steps

    def _writers_of(self, ref: ResourceRef) -> set[str]:
        """Who wrote a ref as it is: its version, or left it half done; else those that overlap."""
        if ref in self._writer_of:
            return {self._writer_of[ref]}
        failed = {left.step.id for left in touching(self._left, ref)}
        if ref in self._entries:
            return failed
        return failed | {key for other, key in self._writer_of.items() if other.touches(ref)}

    def _judge(self, step: _Step) -> None:
        if step.info.status == "failed":  # it is to run again whatever it read
            return
        kinds: tuple[tuple[Sequence[Certificate], Reason], ...] = (
            (step.info.inputs, "input changed"),
            (step.info.code, "code changed"),
        )
        for certs, reason in kinds:
            for cert in certs:
                if not _updates(step.info, cert.ref) and not self._holds(cert):
                    lost = cert.status == "not kept"
                    step.reasons[cert.ref, False] = "input not kept" if lost else reason
        for ref in step.outputs:
            entry = self._entries.get(ref)
            if entry is not None and not self._holds(entry.certificate):
                step.reasons[ref, True] = "output changed outside a step"

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
            folder = resource.local_path
            there = folder is not None and folder.is_dir()
            self._contents[ref] = content_now(self._ws, resource, ref.subpath) if there else None
        return self._contents[ref]


def _updates(step: StepInfo, ref: ResourceRef) -> bool:
    """Whether a step wrote what it read: the version that it read is gone, and no conflict."""
    return any(out.ref.touches(ref) for out in step.outputs)


def _upstream_of(steps: Mapping[str, _Step], refs: Collection[ResourceRef]) -> dict[str, _Step]:
    wanted = [
        key
        for key, step in steps.items()
        if any(out.touches(ref) for out in step.outputs for ref in refs)
    ]
    found: dict[str, _Step] = {}
    while wanted:
        key = wanted.pop()
        if key not in found:
            found[key] = steps[key]
            wanted += steps[key].made_from
    return found


def _spread(steps: Mapping[str, _Step]) -> None:
    """What was made from something stale is stale."""
    readers: dict[str, list[str]] = {}
    for key, step in steps.items():
        for writer in step.made_from:
            readers.setdefault(writer, []).append(key)
    level = [key for key, step in steps.items() if step.reasons]
    seen = set(level)
    while level:
        writer = level.pop()
        for key in readers.get(writer, ()):
            step = steps[key]
            for ref in step.made_from[writer]:
                step.reasons.setdefault((ref, False), "upstream stale")
            if key not in seen:
                seen.add(key)
                level.append(key)


def _in_order(steps: Mapping[str, _Step]) -> list[str]:
    """Each after those whose outputs it reads; a ring is cut at the step that began first."""
    waiting = {key: {w for w in step.made_from if w in steps} for key, step in steps.items()}
    readers: dict[str, list[str]] = {}
    for key, writers in waiting.items():
        for writer in writers:
            readers.setdefault(writer, []).append(key)
    ready = [(steps[key].info.start_time, key) for key, writers in waiting.items() if not writers]
    heapq.heapify(ready)
    order: dict[str, None] = {}
    while len(order) < len(steps):
        if not ready:
            ring = (key for key in steps if key not in order)
            first = min(ring, key=lambda k: (steps[k].info.start_time, k))
            heapq.heappush(ready, (steps[first].info.start_time, first))
        key = heapq.heappop(ready)[1]
        if key in order:
            continue
        order[key] = None
        for reader in readers.get(key, ()):
            waiting[reader].discard(key)
            if not waiting[reader] and reader not in order:
                heapq.heappush(ready, (steps[reader].info.start_time, reader))
    return list(order)


def _finished(step: _Step) -> StaleStep:
    return StaleStep(
        step=step.info,
        outputs=tuple(_sorted(step.outputs)),
        reasons=tuple(
            (ref, reason)
            for (ref, _), reason in sorted(
                step.reasons.items(), key=lambda item: (item[0][1], _key(item[0][0]))
            )
        ),
    )


def _sorted(refs: Iterable[ResourceRef]) -> list[ResourceRef]:
    return sorted(refs, key=_key)


def _key(ref: ResourceRef) -> tuple[str, str]:
    return ref.name, ref.subpath or ""
