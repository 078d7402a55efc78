"""What a random graph of steps must be, worked out from the test's own list of what was done.

Of the journal only the order is taken: which step began, declared and ended when. What it read,
wrote and found on disk is in the lists that the workers kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import networkx as nx

Event = dict[str, Any]
NEVER = -1


@dataclass(eq=False)
class Version:
    """One version of a ref.

    Attributes:
        ref: The ref.
        by: The step that wrote it.
        hash: Its content, once a snapshot holds it.
        touched: When a completed step last read or wrote it.
        became: The version that it turned out to be.
        left: It was first seen where a failed step had written last.
    """

    ref: str
    by: Step | None = None
    hash: str | None = None
    touched: int = NEVER
    became: Version | None = None
    left: bool = False

    def now(self) -> Version:
        return self if self.became is None else self.became.now()

    def same(self, other: Version) -> bool:
        a, b = self.now(), other.now()
        return a is b or (a.ref == b.ref and a.hash is not None and a.hash == b.hash)


@dataclass(eq=False)
class Read:
    """What reading a ref found: its version where it had one, the content, who was writing."""

    version: Version | None
    content: str
    writers: list[str]


@dataclass(eq=False)
class Step:
    """A step as the test knows it; `inputs` and `outputs` are there once it has ended."""

    name: str
    began: int
    refused: bool  # when it ends, at the latest
    reads: dict[str, Read]
    code: dict[str, Read]
    declared: set[str] = field(default_factory=set)
    completed: bool = False
    inputs: dict[str, Version] = field(default_factory=dict)
    ran: dict[str, Version] = field(default_factory=dict)
    outputs: dict[str, Version] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def updated_in_place(version: Version) -> bool:
    """Whether the step that wrote a version read the one before."""
    return version.by is not None and version.ref in version.by.inputs


def allowed(reads: Mapping[str, Read], current: Mapping[str, Version]) -> bool:
    """Rule 2.1: no ref at two versions, nor at one since overwritten, or read in a newer one.

    Args:
        reads: What the step would read.
        current: The version of each ref that a step read or wrote last, or a restore brought back.
    """
    todo: list[tuple[Version, Step | None]] = [
        (read.version or Version(ref), None) for ref, read in reads.items()
    ]
    reached: dict[str, list[Version]] = {}
    while todo:
        version, reader = todo.pop()
        newest = current.get(version.ref, version)
        if reader is not None and not newest.same(version) and newest.touched > reader.began:
            return False
        others = reached.setdefault(version.ref, [])
        if any(version is other for other in others):
            continue
        if not all(version.same(other) for other in others):
            return False
        others.append(version)
        writer = version.by
        if writer is not None:
            found = (v.now() for ref, v in writer.inputs.items() if ref not in writer.outputs)
            todo += [(v, writer) for v in found]
    return True


class Replay:
    """What is on disk, current and recorded, after each thing that happened, in order."""

    def __init__(self, disk: Mapping[str, str], restorable: Iterable[str]) -> None:
        self.disk = dict(disk)
        self.restorable = set(restorable)  # resources whose files a restore brings back
        self.current: dict[str, tuple[Version, str]] = {}  # with the content it is known by
        self.running: dict[str, Step] = {}
        self.steps: dict[str, Step] = {}
        self.refused: set[str] = set()
        self.wrong: list[str] = []  # decisions that are not what the rule says
        self.half: dict[str, Step] = {}  # the failed step that wrote last
        self._whole: set[tuple[str, str]] = set()  # content known to be no failed step's
        self._hashed: dict[tuple[str, str], Version] = {}
        self._saved: dict[str, tuple[dict[str, str], dict[str, tuple[Version, str]]]] = {}

    def _read(self, ref: str) -> Read:
        content, entry = self.disk[ref], self.current.get(ref)
        writers = [name for name, s in self.running.items() if ref in s.declared]
        if writers:
            version = None
        elif entry is None:
            version = self._hashed.get((ref, content))
        else:
            version = entry[0].now() if entry[1] == content else None
        return Read(version, content, writers)

    def wrote(self, ref: str, content: str) -> None:
        self.disk[ref] = content

    def decide(self, seq: int, said: Event, *, let: bool) -> None:
        """A step was let in, or refused: is that right?

        What it also writes is no conflict. Where it may yet say so, of an input that its writer
        had updated in place, it is let in, and refused when it ends without having said so.
        """
        name, writes = said["step"], set(said["writes"])
        reads = {ref: self._read(ref) for ref in said["reads"]}
        declared = set() if said["late"] else writes
        likely = {r for r, x in reads.items() if x.version and updated_in_place(x.version)}
        right = self._allowed(reads, declared) or self._allowed(reads, declared | likely)
        if right is not let:
            self.wrong.append(f"{name} was {'let in' if let else 'refused'}: {said}")
        if not let:
            self.refused.add(name)
            return
        refused = not self._allowed(reads, declared) and not self._allowed(reads, writes)
        step = Step(name, seq, refused, reads, {ref: self._read(ref) for ref in said["code"]})
        step.declared = declared
        self.running[name] = self.steps[name] = step
        if refused:
            self.refused.add(name)

    def _allowed(self, reads: Mapping[str, Read], but: set[str]) -> bool:
        versions = {ref: version.now() for ref, (version, _) in self.current.items()}
        return allowed({ref: read for ref, read in reads.items() if ref not in but}, versions)

    def declared(self, name: str, output: str) -> None:
        self.running[name].declared.add(output)

    def ended(self, seq: int, name: str, *, fails: bool, completed: bool) -> None:
        step = self.running.pop(name)
        if completed is not (not fails and not step.refused):
            self.wrong.append(f"{name} was {'completed' if completed else 'ended as failed'}")
        before = dict(self.current)
        for reads, into in ((step.reads, step.inputs), (step.code, step.ran)):
            for ref, read in reads.items():
                into[ref] = self._was_read(step, ref, read, before.get(ref))
        for ref in step.declared:
            self.current.pop(ref, None)
            if completed:
                step.outputs[ref] = Version(ref, by=step)
                self._set(ref, step.outputs[ref])
            else:
                self.half[ref] = step
        step.completed = completed
        if completed:
            for version in (*step.inputs.values(), *step.ran.values(), *step.outputs.values()):
                version.touched = seq

    def _was_read(
        self, step: Step, ref: str, read: Read, entry: tuple[Version, str] | None
    ) -> Version:
        own, content = ref in step.declared, self.disk[ref]
        changed = not own and not read.writers and content != read.content
        if changed:
            step.changed.add(ref)
        if read.version is not None:
            if entry is None and not changed and not own:
                self._set(ref, read.version.now())
            return read.version.now()
        if read.writers:
            return Version(ref)
        if changed or own:
            return Version(ref, left=ref in self.half)
        if entry is not None and entry[1] == content:
            return entry[0].now()
        version = Version(ref, left=ref in self.half)
        self._set(ref, version)
        return version

    def _set(self, ref: str, version: Version) -> None:
        self.current[ref] = version, self.disk[ref]
        if not version.left:
            self.half.pop(ref, None)

    def snapshot(self, tag: str, written: Iterable[str]) -> None:
        """A snapshot that was said to hold `written` while a running step wrote them."""
        for ref, (version, known_by) in list(self.current.items()):
            version, content = version.now(), self.disk[ref]
            being = any(ref in s.declared for s in self.running.values())
            if ref in written and not being:
                self.wrong.append(f"{tag}: nobody was writing {ref}")
            if being and known_by != content and ref not in written:
                self.wrong.append(f"{tag}: {ref} was being written, and it does not say so")
            known = self._hashed.get((ref, content))
            if known_by != content or (ref in written and version.hash is None):
                version = known or Version(ref, hash=content, left=ref in self.half)
            elif version.by is not None or known is None:
                version.hash = content
            elif version is not known and version.hash is None:
                version.became = known
            version = version.now()
            self._hashed[ref, content] = version
            self._set(ref, version)
            if not version.left:
                self._whole.add((ref, content))
        self._saved[tag] = dict(self.disk), dict(self.current)

    def restore(self, tag: str) -> None:
        disk, current = self._saved[tag]
        for ref in self.disk:
            if ref.partition(":")[0] in self.restorable:
                self.disk[ref] = disk[ref]
                self.current.pop(ref, None)
                self.half.pop(ref, None)
                if ref in current:
                    self.current[ref] = current[ref]

    def _holds(self, version: Version) -> bool:
        """Whether what is on disk is still what a step read or wrote as this version."""
        ref, content = version.ref, self.disk[version.ref]
        entry = self.current.get(ref)
        if entry is not None and entry[1] == content and entry[0].same(version):
            return True
        return version.now().hash == content

    def stale(self) -> dict[str, list[str]]:
        """The steps to run again: {name: its outputs that are current, or left by its failure}."""
        made = {ref: v.now().by for ref, (v, _) in self.current.items()}
        writers = {ref: by for ref, by in made.items() if by is not None}
        left = {r: s for r, s in self.half.items() if (r, self.disk[r]) not in self._whole}
        graph: nx.DiGraph = nx.DiGraph()
        first = set(left.values())
        for ref, writer in writers.items():
            read = {**writer.inputs, **writer.ran}
            kept = [v.now() for r, v in read.items() if r not in writer.outputs]
            sources = {v.ref: left.get(v.ref) for v in kept} | {
                v.ref: writers[v.ref] for v in kept if v.ref in writers
            }
            graph.add_edges_from((s, writer) for s in sources.values() if s not in (None, writer))
            if not all(map(self._holds, [*kept, self.current[ref][0]])):
                first.add(writer)
        stale = first.union(*(nx.descendants(graph, s) for s in first if s in graph))
        found: dict[str, list[str]] = {}
        made_or_left = left | writers
        for ref in sorted(made_or_left):
            if made_or_left[ref] in stale:
                found.setdefault(made_or_left[ref].name, []).append(ref)
        return found

    def graph(self) -> nx.DiGraph:
        """All steps and versions, the way data flows; an edge's `type` as in the product."""
        graph: nx.DiGraph = nx.DiGraph()
        for step in self.steps.values():
            graph.add_node(step)
            for found, kind in ((step.ran, "CODE_OF"), (step.inputs, "READ_BY")):
                for version in found.values():
                    graph.add_edge(version.now(), step, type=kind)
            for version in step.outputs.values():
                graph.add_edge(step, version.now(), type="WROTE")
        return graph
