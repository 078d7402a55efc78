"""What must be stale, worked out from what a test did, never from what was stored.

A version is what a ref's content was when a step wrote it, or first read it. Whether a step still
holds is asked of its versions: of what it read, of its code, and of what it wrote.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

Content = bytes | None


@dataclass(eq=False)
class Version:
    """A version of a ref; `hashed`: a snapshot has seen it; `lost`: replaced before one did."""

    content: Content
    writer: Run | None = None
    hashed: bool = False
    lost: bool = False
    born: int = 0  # orders the versions of a ref
    left: bool = False  # first seen when a failed step had left it


@dataclass(eq=False)
class Run:
    """One run of a step: the versions it read, ran and wrote."""

    step: str
    number: int
    reads: dict[str, Version]
    code: dict[str, Version]
    writes: dict[str, Version] = field(default_factory=dict)
    failed: bool = False


@dataclass
class Model:
    """The workspace as the rules have it.

    Attributes:
        disk: What is at each ref.
        touched: Refs whose files' stats differ from when their version became current.
        current: The version of each ref that is current.
        results: Refs that a snapshot moves away.
        snapshots, disks: What each held.
        moved: The snapshots that moved results.
        base: The snapshot taken or restored last.
        half: The failed run that wrote last to a ref.
    """

    results: frozenset[str]
    restorable: frozenset[str]
    disk: dict[str, Content] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    current: dict[str, Version] = field(default_factory=dict)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    snapshots: dict[str, dict[str, Version]] = field(default_factory=dict)
    disks: dict[str, dict[str, Content]] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    base: str | None = None
    half: dict[str, Run] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=lambda: count(1))

    # What happens

    def edit(self, ref: str, content: Content) -> None:
        """Also a touch, when the content is the same."""
        self.disk[ref] = content
        self.touched.add(ref)

    def run(self, step: str, reads: list[str], code: list[str], writes: dict[str, bytes]) -> None:
        made: dict[str, Version] = {}
        for ref in (*reads, *code):
            made[ref] = self._read(ref, own=ref in writes)
        run = Run(
            step, next(self._numbers), {r: made[r] for r in reads}, {c: made[c] for c in code}
        )
        for ref, content in writes.items():
            self._replace(ref)
            self.disk[ref] = content
            run.writes[ref] = self._new(ref, writer=run)

    def fail(
        self, step: str, reads: list[str], code: list[str], writes: dict[str, bytes]
    ) -> tuple[str, int]:
        """What a failed step wrote is unknown; returns which run it was."""
        made = {ref: self._read(ref, own=ref in writes) for ref in (*reads, *code)}
        run = Run(step, next(self._numbers), made, {}, failed=True)
        for ref, content in writes.items():
            self._replace(ref)
            self.current.pop(ref, None)
            self.disk[ref] = content
            self.half[ref] = run
        return run.step, run.number

    def _read(self, ref: str, *, own: bool) -> Version:
        now = self.current.get(ref)
        if now is not None and ref not in self.touched:
            return now
        known = None if now is not None else self._known(ref, None)
        if known is not None:
            if not own:
                self._set(ref, known)
            return known
        if own:  # overwritten before anything could hash it
            version = Version(self.disk.get(ref), lost=True, born=next(self._numbers))
            version.left = ref in self.half
            self.versions.setdefault(ref, []).append(version)
            return version
        self._replace(ref)
        return self._new(ref)

    def _new(self, ref: str, writer: Run | None = None, *, hashed: bool = False) -> Version:
        version = Version(self.disk.get(ref), writer, hashed, born=next(self._numbers))
        version.left = writer is None and ref in self.half
        self.versions.setdefault(ref, []).append(version)
        self._set(ref, version)
        return version

    def _set(self, ref: str, version: Version) -> None:
        self.current[ref] = version
        self.touched.discard(ref)
        if not version.left:
            self.half.pop(ref, None)

    def _replace(self, ref: str) -> None:
        now = self.current.get(ref)
        if now is not None and not now.hashed:
            now.lost = True

    def _known(self, ref: str, first: Version | None) -> Version | None:
        """A hashed version with the content on disk: `first`, else the newest."""
        hashed = [v for v in self.versions.get(ref, ()) if v.hashed]
        hashed.sort(key=lambda v: (v is first, v.born), reverse=True)
        return next((v for v in hashed if v.content == self.disk.get(ref)), None)

    def snapshot(self, tag: str) -> None:
        held: dict[str, Version] = {}
        self.disks[tag] = dict(self.disk)
        for ref, now in list(self.current.items()):
            version = now
            if ref not in self.touched:
                now.hashed = True
                if now.writer is None:
                    twin = self._twin(ref, now)
                    if twin is not None:
                        self._merge(now, twin)
                        version = twin
            else:
                self._replace(ref)
                known = self._known(ref, now if now.hashed else None)
                version = known or self._new(ref, hashed=True)
            held[ref] = version
            self._set(ref, version)
        if any(self.disk.get(ref) is not None for ref in self.results):  # else nothing is moved
            self.moved.add(tag)
            for ref in self.results:
                self.current.pop(ref, None)
                self.disk[ref] = None
                self.touched.discard(ref)
        self.snapshots[tag] = held
        self.base = tag

    def _twin(self, ref: str, now: Version) -> Version | None:
        """An input is the version that has its content already, if one is known."""
        others = [v for v in self.versions[ref] if v.hashed and v is not now]
        others = [v for v in others if v.content == now.content]
        return max(others, key=lambda v: v.born, default=None)

    def _merge(self, old: Version, new: Version) -> None:
        """Whoever read the placeholder read the version that it turned out to be."""
        self.versions[next(r for r, vs in self.versions.items() if old in vs)].remove(old)
        for run in self.runs:
            for read in (run.reads, run.code):
                for ref, version in read.items():
                    if version is old:
                        read[ref] = new

    @property
    def runs(self) -> set[Run]:
        return {v.writer for versions in self.versions.values() for v in versions if v.writer}

    def restore(self, tag: str) -> None:
        for ref in self.restorable:
            version = self.snapshots[tag].get(ref)
            self.disk[ref] = self.disks[tag].get(ref)
            if self.current.get(ref) is not version:
                self._replace(ref)
            if version is None:
                self.current.pop(ref, None)
            else:
                self._set(ref, version)
            self.half.pop(ref, None)
        self.base = tag

    # What must be

    def stale(self) -> dict[tuple[str, int], dict[str, str]]:
        """{(step, run): {ref: reason}}, of what it wrote as `=ref`."""
        runs: dict[Run, dict[str, str]] = {}
        half = {ref: run for ref, run in self.half.items() if not self._is_whole(ref)}
        for ref, run in half.items():
            runs.setdefault(run, {})[f"={ref}"] = "step failed"
        moved = {ref: version for ref, version in self._moved().items() if ref not in half}
        for ref, version in {**moved, **self.current}.items():
            if version.writer is not None:
                found = runs.setdefault(version.writer, self._own_reasons(version.writer))
                if ref in self.current and not self._holds(ref, version):
                    found[f"={ref}"] = "output changed outside a step"
        changed = True
        while changed:
            changed = False
            for run, reasons in runs.items():
                for ref in (*run.reads, *run.code):
                    if ref in run.writes or ref in reasons:
                        continue
                    now = self.current.get(ref)
                    writer = now.writer if now is not None else None
                    if writer is None:
                        writer = half.get(ref)
                    if writer is not None and writer is not run and runs.get(writer):
                        reasons[ref] = "upstream stale"
                        changed = True
        return {(run.step, run.number): reasons for run, reasons in runs.items() if reasons}

    def _is_whole(self, ref: str) -> bool:
        """Whether a ref that a failed run wrote last has a content known before it did."""
        if ref in self.results and self.disk.get(ref) is None:
            return bool(self._moved())
        good = [v for v in self.versions.get(ref, ()) if v.hashed and not v.left]
        return any(v.content == self.disk.get(ref) for v in good)

    def _moved(self) -> dict[str, Version]:
        """Results that are not there since a snapshot."""
        if any(ref in self.current for ref in self.results):
            return {}
        order = list(self.snapshots)
        if self.base is not None:
            order = order[: order.index(self.base) + 1]
        for tag in reversed(order):
            found = {r: v for r, v in self.snapshots[tag].items() if r in self.results}
            if found or tag in self.moved:
                return found
        return {}

    def _own_reasons(self, run: Run) -> dict[str, str]:
        reasons = {}
        for read, reason in ((run.reads, "input changed"), (run.code, "code changed")):
            for ref, version in read.items():
                if ref not in run.writes and not self._holds(ref, version):
                    reasons[ref] = "input not kept" if version.lost else reason
        return reasons

    def _holds(self, ref: str, version: Version) -> bool:
        if self.current.get(ref) is version and ref not in self.touched:
            return True
        return version.hashed and self.disk.get(ref) == version.content
