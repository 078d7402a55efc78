"""Realistic journals: instances of one workspace that run steps, snapshot, tag and pull."""

from __future__ import annotations

import hashlib
import itertools
import random
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate, hashed
from dws_graph.model.facts import (
    Contained,
    Current,
    Fact,
    Fingerprint,
    Kept,
    Line,
    Merged,
    SnapshotRecord,
    StepRecord,
    StepStart,
    line_hash,
)
from dws_graph.model.ids import uuid7
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json

WORKSPACE = str(uuid.uuid4())  # a process of its own: a server is shared by all of a run
A = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
B = "c0ffee00-1111-4222-8333-444444444444"


def ref(text: str) -> ResourceRef:
    return ResourceRef.parse(text)


def digest(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


_ids = [""]


def fresh_id() -> str:
    """A UUIDv7 above all before, whichever instance made them."""
    _ids[0] = uuid7(_ids[0])
    return _ids[0]


class Recorder:
    """What one instance would append to its journal; keeps to the rules of folding."""

    def __init__(self, instance: str = A, workspace: str = WORKSPACE) -> None:
        self.workspace, self.instance = workspace, instance
        self.lines: list[Line] = []
        self.current: dict[ResourceRef, Certificate] = {}
        self.outputs: set[ResourceRef] = set()
        self.edited: dict[ResourceRef, list[str]] = {}  # and the placeholders that so ended
        self.versions: dict[ResourceRef, int] = {}
        self.number = 0
        self.steps: list[StepRecord] = []
        self._ticks = itertools.count()

    def append(self, kind: str, body: Json) -> Fact:
        last = self.lines[-1] if self.lines else None
        fact = Fact(
            id=fresh_id(),
            workspace=self.workspace,
            instance=self.instance,
            seq=len(self.lines) + 1,
            kind=kind,
            time=self._time(),
            prev=last.hash if last else "",
            body=body,
        )
        text = fact.to_line()
        size = len(text.encode()) + 1
        offset = (last.offset if last else 0) + size
        self.lines.append(Line(Fact.from_line(text), line_hash(text), offset, size=size))
        return fact

    def _time(self) -> str:
        tick = next(self._ticks)
        return f"2026-11-{1 + tick // 3600 % 28:02}T09:{tick // 60 % 60:02}:{tick % 60:02}.000000Z"

    def created(self, name: str = "demo", hostname: str = "laptop") -> None:
        self.append(f.WORKSPACE_CREATED, {"name": name, "hostname": hostname})

    def resource(self, name: str, role: str = "intermediate-data", kind: str = "file") -> None:
        self.append(f.RESOURCE_ADDED, {"name": name, "role": role, "type": kind})

    def environment(self, env: str = "e" * 40) -> str:
        body = {"hash": env, "python": "3.11.7", "platform": "linux", "packages": ["numpy==2.1"]}
        self.append(f.ENVIRONMENT_SEEN, body)
        return env

    def placeholder(self, at: ResourceRef, kind: Any) -> Certificate:
        self.versions[at] = self.versions.get(at, 0) + 1
        return Certificate(
            id=fresh_id(),
            ref=at,
            version=self.versions[at],
            kind=kind,
            instance=self.instance,
            comment=f"{kind} of {at}",
        )

    def edit(self, name: str) -> None:
        """The files of a ref change outside any step: its next reader sees a new version."""
        self.edited[ref(name)] = self._lose(ref(name))

    def _lose(self, at: ResourceRef) -> list[str]:
        """Nothing is current for a ref any more; returns the placeholder that is so replaced."""
        self.outputs.discard(at)
        old, lost = self.current.pop(at, None), self.edited.pop(at, [])
        return [*lost, old.id] if old is not None and old.hash is None else lost

    def start(self, name: str, writes: Sequence[str] = ()) -> StepStart:
        start = StepStart(
            step=fresh_id(),
            name=name,
            start_time=self._time(),
            outputs=tuple(map(ref, writes)),
            pid=4711,
            pid_started="12345",
        )
        self.append(f.STEP_STARTED, start.to_json())
        return start

    def step(
        self,
        name: str,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
        *,
        code: Iterable[str] = (),
        start: StepStart | None = None,
        error: str | None = None,
        environment: str | None = None,
        parameters: Json | None = None,
        metrics: Json | None = None,
        description: str | None = None,
    ) -> StepRecord:
        described: set[str] = set()
        superseded: list[str] = []
        currents: list[Current] = []
        inputs = [self._read(at, described, superseded, currents) for at in map(ref, reads)]
        codes = [self._read(at, described, superseded, currents) for at in map(ref, code)]
        outputs = []
        for at in map(ref, writes):
            superseded += self._lose(at)
            currents = [c for c in currents if c.ref != at]
            if error:
                currents.append(Current(ref=at, certificate=None))
                continue
            cert = self.placeholder(at, "output")
            described.add(cert.id)
            outputs.append(cert)
            self.current[at] = cert
            self.outputs.add(at)
            print_ = Fingerprint(digest(cert.id), 1_700_000_000_000_000_000)
            current = Current(ref=at, certificate=cert.id, output=True, fingerprint=print_)
            currents.append(current)
        record = StepRecord(
            id=start.step if start else fresh_id(),
            name=name,
            start_time=start.start_time if start else self._time(),
            execution_time_seconds=None if error else 1.0,
            parameters=parameters if parameters is not None else {"lr": 0.5, "layers": [1, 2]},
            metrics=metrics or {},
            command_line=["python", f"{name}.py"],
            run_from=["code", None],
            description=description,
            environment=environment,
            commit=digest("commit"),
            error=error,
            inputs=tuple(inputs),
            code=tuple(codes),
            outputs=tuple(outputs),
            described=frozenset(described),
            current=tuple(currents),
            superseded=tuple(superseded),
            read_while_written={},
            changed_while_running=(),
        )
        self.append(f.STEP_ABORTED if error else f.STEP_COMPLETED, record.to_json())
        self.steps.append(record)
        return record

    def _read(
        self, at: ResourceRef, described: set[str], superseded: list[str], currents: list[Current]
    ) -> Certificate:
        if now := self.current.get(at):
            return now
        superseded += self._lose(at)
        cert = self.placeholder(at, "input")
        described.add(cert.id)
        self.current[at] = cert
        currents.append(Current(ref=at, certificate=cert.id))
        return cert

    def snapshot(
        self, tag: str | None = None, *, contents: dict[str, str] | None = None, **metrics: Any
    ) -> str:
        """Hashes all that is current; `contents` names the content of a resource."""
        self.number += 1
        snap = digest(f"{self.instance} {self.number}")
        made: dict[str, Certificate] = {}
        keep, merge, contains, currents, superseded = [], [], [], [], []
        for at in sorted({*self.current, *self.edited}, key=str):
            cert = self.current.get(at)
            content = (contents or {}).get(at.name, f"{at.name} {self.instance} {self.number}")
            whole = digest(content)
            part = digest(f"{content} {at.subpath}") if at.subpath else None
            if cert is None or (cert.hash is None and cert.kind == "input"):
                now = hashed(self.workspace, at, whole, part, comment=f"by {self.instance[:4]}")
                made[now.id] = now
                if cert is None:
                    superseded += self._lose(at)
                else:
                    merge.append(Merged(placeholder=cert.id, certificate=now.id))
                cert = now
            elif cert.hash is None:
                cert = replace(cert, hash=whole, subpath_hash=part)
                keep.append(Kept(certificate=cert.id, hash=whole, subpath_hash=part))
            self.current[at] = cert
            contains.append(Contained(certificate=cert.id, ref=at, entry=True))
            output = at in self.outputs
            currents.append(Current(ref=at, certificate=cert.id, output=output))
        record = SnapshotRecord(
            hash=snap,
            number=self.number,
            tag=tag,
            message=f"snapshot {self.number}",
            hostname="laptop",
            timestamp=self._time(),
            metrics=metrics,
            resources={at.name: digest(at.name) for at in self.current},
            certificates=tuple(made.values()),
            contains=tuple(contains),
            keep=tuple(keep),
            merge=tuple(merge),
            current=tuple(currents),
            superseded=tuple(superseded),
            read_while_written={},
        )
        self.append(f.SNAPSHOT_TAKEN, record.to_json())
        return snap

    def retract(self, step: str, reason: str = "") -> None:
        self.append(f.STEP_RETRACTED, {"step": step, "reason": reason})

    def delete(self, snapshot: str, *tags: str) -> None:
        self.append(f.SNAPSHOT_DELETED, {"snapshot": snapshot, "tags": list(tags)})

    def remove(self, name: str) -> None:
        """Takes a resource out of the workspace."""
        gone = [at for at in self.current if at.name == name]
        body = {"name": name, "role": "source-data", "type": "file"}
        none = [Current(ref=at, certificate=None).to_json() for at in gone]
        self.append(f.RESOURCE_REMOVED, {**body, "current": none})
        for at in gone:
            self._lose(at)

    def tag(self, tag: str, snapshot: str | None) -> None:
        self.append(f.TAGGED, {"tag": tag, "snapshot": snapshot})

    def set_current(
        self, certificates: Iterable[Certificate], kind: str = f.CURRENT_SET, **body: Any
    ) -> None:
        """What another instance's snapshot left (hashed certificates alone) is current here."""
        chosen = [c for c in certificates if c.hash is not None]
        superseded: list[str] = []
        for cert in chosen:
            superseded += self._lose(cert.ref)
            self.current[cert.ref] = cert
        currents = [Current(ref=c.ref, certificate=c.id).to_json() for c in chosen]
        self.append(kind, {"current": currents, "superseded": superseded, **body})

    def clear(self, *names: str) -> None:
        currents: list[Json] = []
        superseded: list[str] = []
        for at in map(ref, names):
            superseded += self._lose(at)
            currents.append(Current(ref=at, certificate=None).to_json())
        body = {"snapshot": "0" * 40, "current": currents, "superseded": superseded}
        self.append(f.RESTORED, body)


def two_instances(workspace: str = WORKSPACE) -> tuple[Recorder, Recorder]:
    """A small story of two people: each kind of fact at least once."""
    a, b = Recorder(A, workspace), Recorder(B, workspace)
    a.created()
    for name, role in (("raw", "source-data"), ("clean", "intermediate-data"), ("code", "code")):
        a.resource(name, role, "git" if role == "code" else "file")
    env = a.environment()
    started = a.start("prepare", ["clean:/a"])
    a.step("prepare", ["raw"], ["clean:/a"], code=["code"], start=started, environment=env)
    late = a.start("train", ["model"])
    a.step("train", ["clean:/a"], ["model"], start=late, error="the process is gone")
    a.step("train", ["clean:/a"], ["model"], start=late, metrics={"accuracy": 0.9, "n": 2**70})
    same = {"raw": "raw as it is", "code": "code as it is"}
    first = a.snapshot("v1", contents=same, accuracy=0.9)
    a.step("update", ["model", "clean:/a"], ["model"], code=["code"])
    a.step("update", ["model", "clean:/a"], ["model"], code=["code"])  # the first is not kept
    b.set_current([], hostname="server")
    b.set_current([c for c in a.current.values() if c.hash])
    b.resource("raw", "source-data", "git")
    b.environment()
    b.edit("raw")
    b.step("prepare", ["raw"], ["clean:/a"], code=["code"], environment=env, parameters={"x": None})
    second = b.snapshot("v1", contents=same)
    b.tag("best", first)
    a.tag("best", second)
    a.tag("v1", None)
    a.clear("clean:/a")
    a.set_current(b.current.values(), f.RESTORED, snapshot=second)
    a.snapshot("v2", contents=same, loss="NaN")
    a.start("endless", ["model"])
    b.retract(a.steps[0].id, "the data was wrong")
    a.retract(b.steps[0].id)
    a.retract(a.steps[0].id, "so it was")
    b.delete(second, "v1", "best")
    a.remove("raw")
    return a, b


def random_history(
    seed: int, events: int = 30, workspace: str = WORKSPACE, *, retract_once: bool = False
) -> tuple[Recorder, Recorder]:
    """Two instances that do what chance says; as the product does, they may retract but once."""
    retracted: set[str] = set()
    chance = random.Random(seed)
    pair = (Recorder(A, workspace), Recorder(B, workspace))
    names = ["raw", "clean:/a", "clean:/b", "model", "out"]
    same = {name: f"{name} as it is" for name in ("raw", "clean", "model", "out")}
    snapshots = [digest("of nobody yet")]
    for _ in range(events):
        here, there = chance.sample(pair, 2)
        kinds = ["step", "step", "step", "abort", "edit", "snap", "tag", "pull", "retract"]
        what = chance.choice(kinds)
        if what in ("step", "abort"):
            reads, writes = chance.sample(names, 2), chance.sample(names, chance.randint(0, 2))
            error = "killed" if what == "abort" else None
            start = here.start("s", writes) if chance.random() < 0.5 else None
            here.step("s", reads, writes, start=start, error=error, parameters={"p": len(reads)})
        elif what == "retract":
            if recorded := [*here.steps, *there.steps]:
                step = chance.choice(recorded).id
                if step not in retracted or not retract_once:
                    here.retract(step, chance.choice(["", "a mistake"]))
                retracted.add(step)
        elif what == "edit":
            here.edit(chance.choice(names))
        elif what == "snap":
            some = {k: v for k, v in same.items() if chance.random() < 0.5}
            tag = chance.choice([None, "v1", "v2"])
            snapshots.append(here.snapshot(tag, contents=some, m=chance.random()))
        elif what == "tag":
            here.tag(chance.choice(["v1", "v2"]), chance.choice([None, *snapshots]))
        else:
            here.set_current(there.current.values())
    return pair


def mixed(a: Sequence[Line], b: Sequence[Line], seed: int) -> list[Line]:
    """Two journals as segments that arrive by chance, each in its order."""
    chance = random.Random(seed)
    left, right, lines = list(a), list(b), []
    while left or right:
        source = left if left and (not right or chance.random() < 0.5) else right
        size = chance.randint(1, 5)
        lines += source[:size]
        del source[:size]
    return lines


def fold_ways(a: Sequence[Line], b: Sequence[Line], seed: int = 0) -> dict[str, list[list[Line]]]:
    """By name: the batches in which two journals may reach a view."""
    both, turned, some = [*a, *b], [*b, *a], mixed(a, b, seed)
    return {
        "first then second": [both],
        "second then first": [turned],
        "mixed segments": [some],
        "fact by fact": [[line] for line in both],
        "fact by fact, second first": [[line] for line in turned],
        "fact by fact, mixed": [[line] for line in mixed(a, b, seed + 1)],
        "by threes, mixed, each twice": [
            some[i : i + 3] for i in range(0, len(some), 3) for _ in (1, 2)
        ],
    }
