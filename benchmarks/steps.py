"""The cost of one recorded step at 10, 1,000 and 10,000 earlier steps.

    python benchmarks/steps.py

One process, through the API: 20 source and 20 written refs in a local-files resource each; each
step reads two and writes one. Beside it a chain that updates one ref in place, and, for
comparison, appending and fsyncing the same bytes to a plain file. Prints the median of each and
its ratio to that at 10 earlier steps.

Then a step in a workspace to which a colleague pushed 3,000 journal segments, beside one in a
workspace without, by turns.

Exits with status 1 when a step costs more than 1.5 times one at 10 earlier steps, or one without
a colleague.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.workspace import Workspace

REFS = 20
SAMPLES = 200
SEGMENTS = 3000
LIMIT = 1.5


def make_workspace(folder: Path) -> Workspace:
    """A workspace with files to read and to write."""
    root = folder / "workspace"
    root.mkdir()
    ws = initialize(root, "benchmark")
    for name, role in (("sources", "source-data"), ("made", "intermediate-data")):
        (folder / name).mkdir()
        for i in range(REFS):
            (folder / name / f"f{i}").write_text(f"{name} {i}\n")
        ws.add_resource(name, "file", role, str(folder / name))
    return ws


def record(ws: Workspace, inputs: list[ResourceRef], output: ResourceRef) -> None:
    """One step."""
    builder = LineageBuilder().with_step_name("step").with_parameters({"n": 1})
    builder.with_workspace_directory(str(ws.root))
    for ref in inputs:
        builder.with_input_ref(ref)
    with builder.eval() as lineage:
        lineage.add_output_ref(output)


def spread(ws: Workspace) -> Callable[[int], None]:
    """Each step reads two sources and writes one of the refs."""

    def step(n: int) -> None:
        inputs = [ResourceRef("sources", f"f{(n + i) % REFS}") for i in range(2)]
        record(ws, inputs, ResourceRef("made", f"f{n % REFS}"))

    return step


def chain(ws: Workspace) -> Callable[[int], None]:
    """Each step reads the one ref that it updates."""
    ref = ResourceRef("made", "f0")
    return lambda n: record(ws, [ref], ref)


def measure(step: Callable[[int], None], ws: Workspace, marks: list[int]) -> list[float]:
    """Median seconds of a step, at each number of earlier steps."""
    medians, done = [], 0
    for mark in marks:
        while done < mark:
            step(done)
            done += 1
        times = []
        for _ in range(SAMPLES if mark >= SAMPLES else 20):
            begin = time.perf_counter()
            step(done)
            times.append(time.perf_counter() - begin)
            done += 1
        medians.append(statistics.median(times))
    return medians


def beside_colleague(folder: Path, segments: int) -> tuple[float, float]:
    """Median seconds of a step: alone, and beside so many segments of a colleague."""
    steps = []
    for name in ("alone", "beside"):
        (folder / name).mkdir()
        ws = make_workspace(folder / name)
        if name == "beside":
            pull(ws, folder / "colleague", segments)
        steps.append(spread(ws))
        ws.close()
    times: list[list[float]] = [[], []]
    for n in range(SAMPLES):
        for step, taken in zip(steps, times, strict=True):
            begin = time.perf_counter()
            step(n)
            taken.append(time.perf_counter() - begin)
    alone, beside = (statistics.median(taken[10:]) for taken in times)  # the first ones take in
    return alone, beside


def pull(ws: Workspace, copy: Path, segments: int) -> None:
    """Put the facts that a colleague recorded in a copy here, one a segment, as a pull does."""
    shutil.copytree(ws.root, copy)
    colleague = open_workspace(copy)
    own = ResourceRef("made", "colleague")
    while (seq := colleague.journal.head().seq) < segments:
        record(colleague, [ResourceRef("sources", f"f{seq % REFS}")], own)
    sealed = ws.root / ".dataworkspace" / "journal" / colleague.instance
    sealed.mkdir(parents=True)
    lines = colleague.journal.path.read_bytes().splitlines(keepends=True)
    for seq, line in enumerate(lines[:segments], start=1):
        (sealed / f"{seq:010d}.jsonl").write_bytes(line)
    colleague.close()


def plain(folder: Path, size: int) -> float:
    """Median seconds to append so many bytes to a file, and fsync it, twice: as a step does."""
    data, times = b"x" * size, []
    fd = os.open(folder / "plain", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for _ in range(SAMPLES):
        begin = time.perf_counter()
        for _ in range(2):
            os.write(fd, data)
            os.fsync(fd)
        times.append(time.perf_counter() - begin)
    os.close(fd)
    return statistics.median(times)


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[10, 1000, 10000])
    marks = parser.parse_args().steps
    worst = 0.0
    for name, make in (("40 refs, two read, one written", spread), ("one ref, in place", chain)):
        with tempfile.TemporaryDirectory() as tmp:
            ws = make_workspace(Path(tmp))
            medians = measure(make(ws), ws, marks)
            size = ws.journal.path.stat().st_size // (ws.journal.head().seq or 1)
            bare = plain(Path(tmp), size)
            ws.close()
        print(name)
        for mark, median in zip(marks, medians, strict=True):
            ratio = median / medians[0]
            print(f"  {mark:>7,} earlier steps: {median * 1e3:7.2f} ms, {ratio:4.2f}x")
        print(f"  {'':>7} plain append + fsync of {size} bytes, twice: {bare * 1e3:.2f} ms")
        worst = max(worst, medians[-1] / medians[0])
    with tempfile.TemporaryDirectory() as tmp:
        alone, beside = beside_colleague(Path(tmp), SEGMENTS)
    print(f"{SEGMENTS:,} segments of a colleague")
    print(f"  without {alone * 1e3:7.2f} ms, with {beside * 1e3:7.2f} ms, {beside / alone:4.2f}x")
    worst = max(worst, beside / alone)
    print(f"worst: {worst:.2f}x (limit {LIMIT}x)")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
