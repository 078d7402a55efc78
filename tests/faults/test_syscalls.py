"""A kill loses no data that a power cut would: so what is on disk first is seen from outside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.faults import syscalls
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.server import Server
from tests.faults.syscalls import SYNCS, Call
from tests.faults.trials import Trials

# What lies between no two fault points, and why.
INTERNAL = {
    r"/graph/index\.db(\.anew)?(-wal|-shm|-journal)?$": "SQLite, whose transactions are atomic",
    r"/graph/cypher\.kgl": "kglite, which replaces its file by rename; it can be folded anew",
    r"\.(lock|turn)$": "filelock: empty files, held by the operating system, never removed",
}
# Files that follow from others: losing them loses nothing.
NOT_SYNCED = (
    *(r"/local/(sealed|taken)\.json$", r"/local/committed$", r"/taken-in$"),
    r"/(local|graph)/\.gitignore$",
    r"/\.dataworkspace/file/",  # hash trees, which are checked when they are read
)
USERS = "/model.bin"  # written by the user's code in a step
TRACED = (
    "init",
    "add",
    "results step",
    "snapshot",
    "snapshot of exported results",
    "restore",
    "config",
    "tag",
    "retract",
)
# Started by `git fast-import`, which hands its settings on in the environment.
UNPACKS = ("unpack-objects", "-q")
# What a snapshot does while git works.
BESIDE_GIT = ("write_all: ", "index: ")
OPENED = ("open a clone", "open a copied folder")
TEMPORARY = re.compile(r"/\.~[0-9a-f]{16}$")


def traced(operation: Operation, tmp_path: Path, package: Path | None = None) -> list[Call]:
    """What an operation does below its place."""
    place, output, scratch = tmp_path / "place", tmp_path / "trace", tmp_path / "s" / "scratch"
    plain = Server(tmp_path / "s" / "plain", package)
    trials = Trials(plain, place, operation)
    trials.make()
    trials.begin()
    plain.close()
    trials.server = Server(scratch, package, syscalls.command(output))
    ran = trials.do(operation.act)
    trials.server.close()
    assert ran.points
    calls = syscalls.read(output, scratch / "points")
    below = f"{place}/"
    kept = [
        call
        for call in calls
        if call.name in ("point", "execve")
        or any(path.startswith(below) and not path.endswith(USERS) for path in call.paths)
    ]
    assert any(call.name == "point" for call in kept)
    return kept


def violations(calls: list[Call]) -> list[str]:
    """What breaks the rules of docs/formats.md."""
    return [*_between(calls), *_order(calls), *_git(calls)]


def _internal(path: str) -> bool:
    return any(re.search(pattern, path) for pattern in INTERNAL)


def _own(calls: list[Call]) -> list[Call]:
    """Those of our own process, less what belongs to others."""
    ours = next(call.pid for call in calls if call.name == "point")
    return [
        call
        for call in calls
        if call.pid == ours and call.name != "execve" and not any(map(_internal, call.paths))
    ]


def _between(calls: list[Call]) -> list[str]:
    """Each change comes right after a fault point: no two lie between the same two."""
    found = []
    since: set[tuple[str, tuple[str, ...]]] = set()
    for call in _own(calls):
        if call.name == "point":
            since = set()
            continue
        since.add((call.name, call.paths))
        if len(since) > 1:
            found.append(f"no fault point before {call.name} {call.paths}")
    return found


def _order(calls: list[Call]) -> list[str]:
    """What must be on disk before what follows."""
    found = []
    own = set(map(id, _own(calls)))
    # many files are synced at once, by threads
    changes = [c for c in calls if c.name in SYNCS or (id(c) in own and c.name != "point")]
    synced: set[str] = set()
    for at, call in enumerate(changes):
        path = call.paths[0]
        if call.name in SYNCS:
            synced.add(path)
        elif call.name == "write":
            synced.discard(path)
            after = changes[at + 1] if at + 1 < len(changes) else None
            if path.endswith("/journal.jsonl") and (
                after is None or after.name not in SYNCS or after.paths[0] != path
            ):
                found.append("the journal's line is not synced before the next change")
        elif call.name.startswith("rename") and TEMPORARY.search(path):
            target = call.paths[1]
            if any(re.search(pattern, target) for pattern in NOT_SYNCED):
                continue
            if path not in synced:
                found.append(f"{target} is renamed to before it is synced")
            if str(Path(target).parent) not in _synced_next(changes[at + 1 :]):
                found.append(f"the folder of {target} is not synced")
    return found


def _synced_next(changes: list[Call]) -> set[str]:
    """What is synced before anything else changes, but for other files that are put in place."""
    found: set[str] = set()
    for call in changes:
        if call.name in SYNCS:
            found.add(call.paths[0])
        elif not (call.name.startswith("rename") and TEMPORARY.search(call.paths[0])):
            break
    return found


def _git(calls: list[Call]) -> list[str]:
    """Git changes a repository after a fault point alone, and syncs what it puts in place."""
    found = []
    point, ours = "", next(call.pid for call in calls if call.name == "point")
    synced: set[str] = set()
    for call in calls:
        if call.name == "point":
            if not call.paths[0].startswith(BESIDE_GIT):
                point = call.paths[0]
        elif call.name == "execve" and call.paths[0].endswith("/git"):
            known = call.paths[1:] == ("git", "version") or call.paths[2:] == UNPACKS
            if not known and "core.fsync=committed" not in call.paths:
                found.append(f"git runs without core.fsync: {call.paths}")
        elif call.name in SYNCS:
            synced.add(call.paths[0])
        elif call.pid != ours and call.name != "execve":
            if not point.startswith("git: "):
                found.append(f"git: {call.name} {call.paths} after '{point}'")
            first = call.paths[0]
            placed = call.name.startswith(("rename", "link"))
            named = re.search(r"tmp_obj_|refs/heads/.*\.lock$", first)
            if placed and named and first not in synced:
                found.append(f"git puts {call.paths} in place before it is synced")
    return found


@pytest.mark.needs("strace")
@pytest.mark.parametrize(
    "operation",
    [o for o in OPERATIONS if o.name in (*TRACED, *OPENED)],
    ids=lambda o: o.name.replace(" ", "-"),
)
def test_each_change_is_beside_a_fault_point_and_on_disk_in_time(operation, tmp_path):
    calls = traced(operation, tmp_path)
    found = violations(calls)
    assert not found, "\n".join(found)
    if operation.name == "snapshot":
        _check_intent_first(calls)


def _check_intent_first(calls: list[Call]) -> None:
    """The intent, and its folder, are on disk before the first file is moved."""
    own = [call for call in _own(calls) if call.name != "point"]
    at = next(i for i, c in enumerate(own) if c.paths[-1].endswith("/local/intent.json"))
    moved = next(i for i, c in enumerate(own) if "/snapshots/bench-V2/" in c.paths[-1])
    assert own[at].name.startswith("rename")
    assert own[at + 1].name in SYNCS
    assert at + 1 < moved
