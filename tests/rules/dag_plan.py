"""A random plan of steps, edits, snapshots and restores, and the processes that carry it out."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.rules.dag import Event
from tests.rules.dag_worker import Recorder, place
from tests.rules.lab import TESTS, Lab

PROCESSES = 4
ROUNDS = 14
SOURCES = [f"{name}:/s{n}.txt" for name in ("raw", "source-data") for n in range(4)]
OWN = [
    [f"{name}:/p{p}-{n}.txt" for name in ("intermediate-data", "store") for n in range(4)]
    for p in range(PROCESSES)
]
WRITTEN = [ref for refs in OWN for ref in refs]
REFS = [*SOURCES, *WRITTEN]
RESTORABLE = ("code", "intermediate-data", "source-data")
AT_FIRST = {ref: f"{ref} at first" for ref in REFS} | {"code": "at first", "raw:/tag.txt": ""}


@dataclass(frozen=True)
class Round:
    """What each process does at once, and what is done when all are through."""

    workers: list[list[Event]]
    then: list[Event]


def make_plan(seed: int, count: int, *, race: bool) -> list[Round]:
    """A random plan of `count` steps; in a race all processes write all refs.

    Of every four rounds, the third ends with a step of each process under way, which the others
    read from in the fourth, and which ends in the next; a snapshot is taken meanwhile.
    """
    rng = random.Random(seed)
    rounds: list[Round] = []
    tags: list[str] = []
    held: list[Event] = []
    number = 0
    for k in range(ROUNDS):
        workers: list[list[Event]] = [[] for _ in range(PROCESSES)]
        for n in range(count * k // ROUNDS, count * (k + 1) // ROUNDS):
            mine = WRITTEN if race else OWN[n % PROCESSES]
            workers[n % PROCESSES] += _step(rng, f"s{number:03}", mine)
            number += 1
            if rng.random() < 0.1:
                workers[n % PROCESSES].append(_edit(rng, f"by {n}", mine))
        if k % 4 == 2 and k + 2 < ROUNDS:
            held = [_take_last_close(ops) for ops in workers]
        elif k % 4 == 3 and held:
            for ops, writer in zip(workers, [*held[1:], held[0]], strict=True):
                ops[0]["reads"] = writer["writes"][:1]
            tags.append(f"during-{k}")
            workers[k % PROCESSES].insert(2, {"op": "snapshot", "tag": tags[-1]})
        elif k % 4 == 0 and held:
            for ops, close in zip(workers, held, strict=True):
                ops.insert(len(ops) // 4 * 2, close)
            held = []
        rounds.append(Round(workers, _between(rng, k, tags)))
    return rounds


def _between(rng: random.Random, k: int, tags: list[str]) -> list[Event]:
    """What happens while no process does anything else."""
    ops = [_edit(rng, f"after {k}", SOURCES)]
    if k % 4 == 0 and tags:
        ops.append({"op": "restore", "tag": rng.choice(tags)})
    if k % 4 == 1:
        tags.append(f"after-{k}")
        ops += [{"op": "snapshot", "tag": tags[-1]}, _edit(rng, f"later {k}", REFS)]
    if k % 4 == 2:
        ops.append({"op": "edit", "ref": "code", "content": f"n = {k}"})
    return ops


def _step(rng: random.Random, name: str, mine: Sequence[str]) -> list[Event]:
    writes = rng.sample(list(mine), rng.choice([1, 1, 1, 2]))
    reads = rng.sample(REFS, rng.randint(0, 3))
    if reads and rng.random() < 0.1:  # an update in place
        reads = list(dict.fromkeys([writes[0], *reads[1:]]))
    code = ["code"] if rng.random() < 0.3 else []
    late, fails = rng.random() < 0.5, rng.random() < 0.08
    begin = {"op": "open", "step": name, "reads": reads, "code": code, "writes": writes}
    return [
        {**begin, "late": late},
        {"op": "close", "step": name, "writes": writes, "fails": fails},
    ]


def _edit(rng: random.Random, when: str, refs: Sequence[str]) -> Event:
    ref = rng.choice(list(refs))
    return {"op": "edit", "ref": ref, "content": f"{ref} edited {when}"}


def _take_last_close(ops: list[Event]) -> Event:
    at = max(n for n, op in enumerate(ops) if op["op"] == "close")
    return ops.pop(at)


def make_lab(folder: Path) -> Lab:
    """A workspace with all that the plan names."""
    lab = Lab(folder, roles=("code", "source-data", "intermediate-data"))
    store = folder / "store"
    store.mkdir()
    lab.ws.add_resource("store", "file", "intermediate-data", str(store), compute_hash=True)
    for ref, content in AT_FIRST.items():
        place(lab.ws, ref).write_text(content + "\n")
    return lab


def carry_out(lab: Lab, plan: Sequence[Round]) -> list[Event]:
    """Do what is planned; what all processes noted."""
    processes = range(len(plan[0].workers))
    logs = [lab.place / f"log-{p}.jsonl" for p in (*processes, "main")]
    workers = [_worker(lab, log) for log in logs[:-1]]
    here = Recorder(lab.root, logs[-1])
    try:
        for each in plan:
            for process, ops in zip(workers, each.workers, strict=True):
                assert process.stdin is not None
                process.stdin.write(json.dumps(ops) + "\n")
                process.stdin.flush()
            for process in workers:
                assert process.stdout is not None
                assert process.stdout.readline() == "done\n"
            for op in each.then:
                here.do(op)
    finally:
        here.ws.close()
        for process in workers:
            process.communicate(timeout=120)
    assert [process.returncode for process in workers] == [0] * len(workers)
    texts = [log.read_text() for log in logs if log.exists()]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def _worker(lab: Lab, log: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.rules.dag_worker", str(lab.root), str(log)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=TESTS, text=True, stdin=pipe, stdout=pipe)
