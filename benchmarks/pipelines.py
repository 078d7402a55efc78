"""A workspace with a long history: steps written as facts, snapshots really taken.

Recording a step through the API costs two fsyncs, and 100,000 of them most of an hour; so the
facts that it would append are made here, from the same classes, into the same journal. Snapshots
go through the product: their manifests, metadata, lineage files and segments are real.

    sources:/f0 .. f7        read, and rewritten before each snapshot
    made:/s0a .. s13b        a pipeline of 14 steps that each write two: 2 to 3 inputs, 1 code
    made:/c0 .. c3           chains: every tenth step updates one of them in place, and a log
    code                     never changes
    results                  written before each snapshot, which moves them

As a program: `pipelines.py FOLDER STEPS SNAPSHOTS`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dws_graph.api import upstream_in
from dws_graph.lineage.surroundings import surroundings
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate, Kind
from dws_graph.model.facts import Current, Fingerprint, StepRecord, StepStart
from dws_graph.model.ids import uuid7
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, utc_now
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.processes import mine
from dws_graph.workspace.taking import take_snapshot
from dws_graph.workspace.workspace import Workspace

SOURCES = 8
STEPS = 14  # of a pipeline
CHAINS = 4
EACH_CHAIN = 10  # every tenth step updates a chain
BATCH = 500  # steps an append
CODE, RESULTS = ResourceRef("code"), ResourceRef("results")
LAST = f"made:/s{STEPS - 1}a"  # all of a pipeline is upstream of it


def make_workspace(folder: Path) -> Workspace:
    """A workspace with code, 8 source files, 36 intermediate ones and results."""
    root = folder / "workspace"
    for name in ("code", "results"):
        (root / name).mkdir(parents=True)
    (root / "code" / "pipeline.py").write_text("print('a step')\n")
    ws = initialize(root, "benchmark")
    ws.add_resource("code", "git", "code", str(root / "code"))
    ws.add_resource("results", "git", "results", str(root / "results"))
    for name, role in (("sources", "source-data"), ("made", "intermediate-data")):
        (folder / name).mkdir()
        (folder / name / "about").write_text(f"{name}\n")
        ws.add_resource(name, "file", role, str(folder / name))
    return ws


def grow(ws: Workspace, steps: int, snapshots: int) -> None:
    """Adds so many steps to a new workspace, with snapshots spread evenly among them."""
    history = _History(ws)
    done = 0
    for number in range(1, snapshots + 1):
        upto = steps * number // snapshots
        history.rewrite_files(number)
        while done < upto - 1:
            some = min(BATCH, upto - 1 - done)
            history.append([history.next_step(done + n) for n in range(some)])
            done += some
        history.append([history.report(done, number)])
        done += 1
        take_snapshot(ws, f"v{number}", f"after {done:,} steps")
        history.refresh()


class _History:
    """What the recorder would know while it appends: current certificates and fingerprints."""

    def __init__(self, ws: OpenWorkspace) -> None:
        self._ws = ws
        self._current: dict[ResourceRef, Certificate] = {}
        self._prints: dict[ResourceRef, Fingerprint | None] = {}
        self._versions: dict[ResourceRef, int] = {}
        self._environment = surroundings()
        ws.record([(f.ENVIRONMENT_SEEN, self._environment.to_json())])

    def rewrite_files(self, number: int) -> None:
        """New content in every file, as the steps until the next snapshot will have left it."""
        sources = [ResourceRef("sources", f"f{n}") for n in range(SOURCES)]
        names = [f"s{n}{part}" for n in range(STEPS) for part in "ab"]
        names += [f"{kind}{n}" for kind in "cl" for n in range(CHAINS)]
        for ref in (*sources, *(ResourceRef("made", name) for name in names)):
            resource = self._ws.get_resource(ref.name)
            (Path(resource.local_path or "") / str(ref.subpath)).write_text(f"{ref} {number}\n")
            self._prints[ref] = resource.fingerprint(ref.subpath)
        for ref in sources:  # edited outside any step
            self._current.pop(ref, None)
        self._prints[CODE] = self._ws.get_resource("code").fingerprint()
        results = self._ws.root / "results" / "results.json"
        results.write_text(json.dumps({"metrics": {"accuracy": number / 1000, "loss": 1 / number}}))
        self._prints[RESULTS] = self._ws.get_resource("results").fingerprint()

    def refresh(self) -> None:
        """What a snapshot made of the placeholders."""
        entries = self._ws.index.entries(self._ws.id, self._ws.instance)
        self._current = {e.ref: e.certificate for e in entries}

    def append(self, steps: list[list[tuple[str, Json]]]) -> None:
        """The facts of these steps, durable."""
        self._ws.journal.append([draft for step in steps for draft in step])

    def next_step(self, n: int) -> list[tuple[str, Json]]:
        """The facts of step number `n`."""
        if n % EACH_CHAIN == 0:
            chain = n // EACH_CHAIN % CHAINS
            ref = ResourceRef("made", f"c{chain}")
            reads = [ResourceRef("sources", f"f{chain}"), ref]
            return self._step(n, f"update {chain}", reads, [ref, ResourceRef("made", f"l{chain}")])
        at = (n - n // EACH_CHAIN - 1) % STEPS
        reads = [ResourceRef("made", f"s{at - 1}a")] if at else [ResourceRef("sources", "f0")]
        if at > 1:
            reads.append(ResourceRef("made", f"s{at - 2}b"))
        reads.append(ResourceRef("sources", f"f{(at + 1) % SOURCES}"))
        return self._step(n, f"stage {at}", reads, [ResourceRef("made", f"s{at}{p}") for p in "ab"])

    def report(self, n: int, number: int) -> list[tuple[str, Json]]:
        """The facts of a step that writes results."""
        return self._step(n, "report", [ResourceRef.parse(LAST)], [RESULTS], number=number)

    def _step(
        self, n: int, name: str, reads: list[ResourceRef], writes: list[ResourceRef], **extra: int
    ) -> list[tuple[str, Json]]:
        key, begun = uuid7(), utc_now()
        pid, pid_started = mine()
        start = StepStart(
            step=key,
            name=name,
            start_time=begun,
            outputs=tuple(writes),
            pid=pid,
            pid_started=pid_started,
        )
        described: set[str] = set()
        superseded: list[str] = []
        current: list[Current] = []

        def make(ref: ResourceRef, kind: Kind) -> Certificate:
            before = self._current.get(ref)
            if before is not None and before.hash is None:
                superseded.append(before.id)
            self._versions[ref] = self._versions.get(ref, 0) + 1
            cert = Certificate(
                id=uuid7(),
                ref=ref,
                version=self._versions[ref],
                kind=kind,
                instance=self._ws.instance,
                comment=f"Step {name} at {begun}",
            )
            described.add(cert.id)
            self._current[ref] = cert
            output = kind == "output"
            current.append(
                Current(ref=ref, certificate=cert.id, output=output, fingerprint=self._prints[ref])
            )
            return cert

        inputs = tuple(self._current.get(ref) or make(ref, "input") for ref in reads)
        code = (self._current.get(CODE) or make(CODE, "input"),)
        parameters = {"rate": 0.001 * (n % 50), "depth": n % 7, "mode": "fast", "run": n, **extra}
        record = StepRecord(
            id=key,
            name=name,
            start_time=begun,
            execution_time_seconds=round(0.5 + n % 100 / 10, 3),
            parameters=parameters,
            metrics={"accuracy": round(0.5 + n % 400 / 1000, 4), "rows": 1000 + n},
            command_line=["pipeline.py", "--rate", str(parameters["rate"]), "--depth", str(n % 7)],
            run_from=["code", None],
            description=None,
            environment=self._environment.hash,
            commit="0" * 40,
            error=None,
            inputs=inputs,
            code=code,
            outputs=tuple(make(ref, "output") for ref in writes),
            described=frozenset(described),
            current=tuple(current),
            superseded=tuple(superseded),
            read_while_written={},
            changed_while_running=(),
        )
        return [(f.STEP_STARTED, start.to_json()), (f.STEP_COMPLETED, record.to_json())]


def main() -> None:
    """Makes a workspace in a folder, and says what is in it."""
    folder, steps, snapshots = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    ws = make_workspace(folder)
    grow(ws, steps, snapshots)
    facts, size = ws.journal.head().seq, ws.journal.path.stat().st_size
    ancestors = len(upstream_in(ws, LAST).nodes) - 1
    ws.close()
    print(
        f"{steps:,} steps: {facts:,} facts ({size / 1e6:.0f} MB), {snapshots} snapshots, "
        f"{ancestors} ancestors of {LAST}"
    )


if __name__ == "__main__":
    main()
