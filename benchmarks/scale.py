"""What asking, recording, snapshots and rebuilding cost as a workspace grows.

For each size a real workspace is made (see `pipelines.py`): a snapshot every 1,000 steps, two at
least. Each command runs in a process of its own, as a person would type it; `start` is what any
`dws` command costs before it does anything. The best of some runs is printed, with the processor's
time and the peak memory of the process, and the ratio of the time to that at the first size.

Exits with status 1 when an answer at the last size takes a second or more, or anything more than
900 MB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

LAST = "made:/s13a"
RUNS = 3
SECONDS, MEGABYTES = 1.0, 900
RECORD = """
import statistics, time
from dws_graph.lineage import LineageBuilder, ResourceRef
times = []
for n in range(30):
    begin = time.perf_counter()
    builder = LineageBuilder().with_step_name("benchmark").with_parameters({"n": n})
    builder.with_input_ref(ResourceRef("sources", "f0"))
    builder.with_input_ref(ResourceRef("sources", "f1"))
    builder.with_code_ref(ResourceRef("code"))
    with builder.eval() as lineage:
        lineage.add_output_ref(ResourceRef("made", f"new{n % 2}"))
    times.append(time.perf_counter() - begin)
print(statistics.median(times[5:]))
"""
QUERY = "MATCH (s:Step) WHERE s.status = 'completed' RETURN count(s) AS steps"
ANSWERS = {
    "start": "version",
    "upstream": f"lineage upstream {LAST}",
    "upstream in a snapshot": f"lineage upstream {LAST} --snapshot v2",
    "downstream, 3 steps": "lineage downstream made:/s0a --snapshot v2 --depth 3",
    "explain": f"lineage explain {LAST}",
    "stale": "lineage stale",
    "report lineage": "report lineage",
    "report history": "report history",
    "steps --limit 20": "steps --limit 20",
    "steps --name": "steps --name report",
    "steps --param": "steps --param run=77",
    "steps --ref": "steps --ref made:/s3a",
    "show": "show v2",
    "diff": "diff v1 v2",
    "status": "status",
}


class Cost(NamedTuple):
    """Of one process, or of what is done in it."""

    seconds: float
    processor: float
    megabytes: float


def run(root: Path, *args: str, allowed: tuple[int, ...] = (0,)) -> tuple[Cost, str]:
    """The cost of a command, and what it printed."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *args], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = process.stdout.read().decode()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        sys.exit(f"{' '.join(args)}: status {process.returncode}\n{said}")
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), said


def dws(root: Path, command: str, runs: int = 1) -> Cost:
    """The best of some runs of a command."""
    # 1: what is stale is told by the status too
    costs = [run(root, "-m", "dws_graph", *command.split(), allowed=(0, 1))[0] for _ in range(runs)]
    return Cost(*(min(values) for values in zip(*costs, strict=True)))


def measure(root: Path) -> dict[str, Cost]:
    """What everything costs in one workspace."""
    found = {name: dws(root, command, RUNS) for name, command in ANSWERS.items()}
    cost, said = run(root, "-c", RECORD)
    found["step (API)"] = cost._replace(seconds=float(said.split()[-1]))
    snapshots = []
    for n in range(RUNS):
        (root / "code" / "more.py").write_text(f"# {n}\n")
        snapshots.append(dws(root, "snapshot"))
    found["snapshot"] = min(snapshots)
    found["rebuild: index"] = dws(root, "graph rebuild --view index")
    found["rebuild: cypher"] = dws(root, "graph rebuild --view cypher")
    asked = [run(root, "-m", "dws_graph", "lineage", "query", QUERY)[0] for _ in range(RUNS)]
    found["query (Cypher)"] = min(asked)
    found["doctor"] = dws(root, "doctor")
    return found


def make(folder: Path, steps: int) -> Path:
    """A workspace of so many steps; made by another process, or its memory would count for all."""
    folder.mkdir()
    snapshots = max(2, steps // 1000)
    program = str(Path(__file__).with_name("pipelines.py"))
    cost, said = run(folder, program, str(folder), str(steps), str(snapshots))
    print(f"{said.strip()}; made in {cost.seconds:.0f} s", flush=True)
    return folder / "workspace"


def table(sizes: list[int], found: list[dict[str, Cost]]) -> None:
    """Prints all costs, a line each."""
    print(f"{'':24}" + "".join(f"{size:>28,} steps" for size in sizes))
    for name in found[0]:
        cells = []
        for costs in found:
            cost, first = costs[name], found[0][name]
            ratio = cost.seconds / first.seconds
            took = (
                f"{cost.seconds:8.3f} s" if cost.seconds >= 0.1 else f"{cost.seconds * 1e3:7.2f} ms"
            )
            cells.append(f"{took} {ratio:7.1f}x {cost.processor:6.1f} s {cost.megabytes:4.0f} MB")
        print(f"{name:24}" + "  ".join(f"{cell:>32}" for cell in cells))
    print("each: time, its ratio to the first, processor's time of the process, its peak memory")


def too_much(costs: dict[str, Cost]) -> list[str]:
    """What is over the limits."""
    answers = [*ANSWERS, "step (API)", "snapshot"]
    slow = [f"{name} takes {costs[name].seconds:.2f} s" for name in answers
            if costs[name].seconds >= SECONDS]  # fmt: skip
    large = [f"{n} takes {c.megabytes:.0f} MB" for n, c in costs.items() if c.megabytes > MEGABYTES]
    return slow + large


def in_folder(folder: Path, sizes: list[int]) -> int:
    """Makes and measures all; the exit status."""
    (folder / "gitconfig").write_text("[user]\n    name = B\n    email = b@example.com\n")
    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")
    found = [measure(make(folder / str(size), size)) for size in sizes]
    table(sizes, found)
    for line in (over := too_much(found[-1])):
        print(f"over the limit: {line}")
    return int(bool(over))


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 10_000, 100_000])
    sizes = parser.parse_args().steps
    with tempfile.TemporaryDirectory(prefix="dws-scale-") as folder:
        return in_folder(Path(folder), sizes)


if __name__ == "__main__":
    sys.exit(main())
