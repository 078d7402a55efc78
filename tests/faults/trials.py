"""One operation, killed at each of its fault points; and its recovery, killed too.

Each time the next command must bring the state before or the state after, and nothing else may be
different: see docs/formats.md, "Invariants".
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.faults.operations import STATUS, Act, Operation
from tests.faults.places import bring_back
from tests.faults.seeds import one_of
from tests.faults.server import Ran, Server

State = dict[str, Any]
COMPARED = ("files", "repositories", "dump", "params", "current")
TRANSFERS = ("git-lfs: ", "git-fat: ", "rclone: ", "s3: ", "cache: ")
PROGRAMS = (
    "git: ",
    "git-lfs: ",
    "git-fat: send",
    "git-fat: bring",
    "rclone: ",
)  # killed inside, too
STAGED_REMOVAL = re.compile(r"^D  ", re.MULTILINE)  # not " D", whose file alone is gone
_VARYING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{40,64}"
    r"|\d{4}-\d\d-\d\d[T ][\d:.]+Z?|[\d.]+(?=, \"(hostname|id|instance)\")|\d+\.\d{4,}"
    r"|\b[0-9a-f]{8}\b|(?<=\"execution_time_seconds\": )[\d.e-]+"
)


class Chosen(Protocol):
    """Says which trials run; `rare` are those of which there are many."""

    def __call__(self, trial: str, *, rare: bool = False) -> bool:
        """Whether this one does."""


@dataclass
class Tally:
    """What became of an operation's trials; a row of the table."""

    operation: str
    points: int = 0
    kills: int = 0
    before: int = 0
    after: int = 0
    violations: list[str] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """As text."""
        counts = (self.points, self.kills, self.before, self.after, len(self.violations))
        return (self.operation, *map(str, counts))


class Trials:
    """The trials of one operation, in one place.

    Args:
        server: Runs the acts.
        place: A folder for it all.
        operation: What is killed.
        made: A copy of `place` before `setup`, for all operations that are tried there.
    """

    def __init__(
        self, server: Server, place: Path, operation: Operation, made: Path | None = None
    ) -> None:
        self.server, self.place, self.operation, self.made = server, place, operation, made
        self.kept = place.with_name(f"{place.name}-kept")
        self.root = place / operation.root
        self.tally = Tally(operation.name)
        self._before: State | None = None

    # Doing

    def _acts(self, acts: list[Act]) -> list[Act]:
        names = {"place": str(self.place), **self.server.env}
        return [[_filled(str(word), names) for word in act] for act in acts]

    def do(self, *acts: Act, **how: Any) -> Ran:
        """Do acts; where the workspace is, if it is there."""
        return self.server(
            self._acts(list(acts)), self.root if self.root.is_dir() else self.place, **how
        )

    def make(self) -> None:
        """The place as it is before each trial."""
        if self.operation.empty and self.operation.root == "ws":
            (self.place / "ws").mkdir(parents=True)
            (self.place / "ws/data.txt").write_text("mine\n")
        else:
            self._make()
        if self.operation.setup:
            _check_status(self.do(*self.operation.setup), self.operation.name)
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.place, self.kept, symlinks=True)

    def _make(self) -> None:
        """The workspace that operations are tried in: made once where they share a place."""
        if self.made is not None and self.made.exists():
            bring_back(self.place, self.made)
            return
        self.place.mkdir(parents=True)
        ran = self.do(["small" if self.operation.needs else "make", "{place}"])
        assert not ran.failed, ran.failed
        if self.made is not None:
            shutil.copytree(self.place, self.made, symlinks=True)

    def begin(self) -> State | None:
        """Bring the place back; the state before, where there is one to see."""
        bring_back(self.place, self.kept)
        if self.operation.before:
            self.do(*self.operation.before)
        if self.operation.empty or (self.operation.root != "ws" and not self.operation.needs):
            return None
        if self._before is None or self.operation.before:  # else it is the same each time
            self._before = self.see()
        return self._before

    def see(self) -> State:
        """What a user sees."""
        ran = self.do(["see", "{place}", str(self.root)])
        assert not ran.failed, (self.operation.name, ran.failed)
        return ran.results[0]

    def recover(self, **how: Any) -> Ran:
        """The next command."""
        return self.do_as_told(*(self.operation.next or [STATUS]), **how)

    def do_as_told(self, *acts: Act, **how: Any) -> Ran:
        """Do acts; where a killed git's lock is in the way, delete it, as the error says."""
        ran = self.do(*acts, **how)
        for _ in range(3):
            told = [result["err"] for result in ran.results if result is not None]
            if not (found := re.search(r"one was killed: delete (\S+\.lock)\.", "".join(told))):
                break
            Path(found[1]).unlink(missing_ok=True)  # init begins again without being told
            ran = self.do(*acts, **how)
        return ran

    # Judging

    def listed(self) -> tuple[tuple[str, ...], State]:
        """The operation's fault points, numbered by occurrence, and the state after it."""
        self.begin()
        ran = self.do(self.operation.act)
        _check_status(ran, self.operation.name)
        checked = self.do(["check", "{place}", str(self.root)])
        assert not checked.failed, (self.operation.name, checked.failed)
        after = checked.results[0]
        assert not after["faults"], (self.operation.name, after["faults"])
        return numbered(ran.points), after

    def run(
        self,
        chosen: Chosen,
        *,
        inside: bool = True,
        recoveries: bool = True,
        at_least_once: bool = False,
    ) -> Tally:
        """Kill it at the points that are chosen, and judge what comes of it."""
        names, after = self.listed()
        self.tally.points = len(names)
        seen: set[tuple[str, ...]] = set()
        for n, name in enumerate(names, start=1):
            kinds = [False, True] if inside and name.startswith(PROGRAMS) else [False]
            for within in kinds:
                title = f"{name} (inside)" if within else name
                # a transfer is much like other operations, but for its transfers
                rare = within or (bool(self.operation.needs) and not name.startswith(TRANSFERS))
                if not chosen(f"{self.operation.name}: {title}", rare=rare):
                    continue
                steps = self.trial(n, title, after, within)
                if not recoveries:
                    continue
                for q, step in enumerate(numbered(steps), start=1):
                    # what is left to do, whatever the number of files: once is enough
                    left = tuple(dict.fromkeys(steps[q - 1 :]))
                    twice = f"{title}, then {step}"
                    if left not in seen and chosen(f"{self.operation.name}: {twice}", rare=True):
                        seen.add(left)
                        self.trial(n, twice, after, within, q)
        if at_least_once and not self.tally.kills:
            for n, name in one_of(self.operation.name, list(enumerate(names, start=1))):
                self.trial(n, name, after, inside=False)
        return self.tally

    def trial(
        self, n: int, title: str, after: State, inside: bool, second: int | None = None
    ) -> tuple[str, ...]:
        """Kill at point `n`, and the recovery at its point `second`.

        Returns:
            The points of the recovery, where it had something to do.
        """
        before = self.begin()
        killed = self.do(self.operation.act, kill=n, inside=inside)
        if not killed.killed:
            self.fault(title, "was not killed: other points than at first")
            return ()
        self.tally.kills += 1
        if second is not None:
            self.recover(kill=second)
            self.tally.kills += 1
        recovered = self.recover()
        self.judge(title, before, after, recovered)
        return recovered.points if self._had_work(recovered) else ()

    def _had_work(self, ran: Ran) -> bool:
        return any("intent: unlink" in point for point in ran.points)

    def fault(self, title: str, what: str) -> None:
        """Note a violation."""
        self.tally.violations.append(f"{self.operation.name}, killed at {title}: {what}")

    def judge(self, title: str, before: State | None, after: State, recovered: Ran) -> None:
        """Whether it is now as before or as after, and sound, and goes on."""
        if recovered.failed:
            self.fault(title, f"the next command: {recovered.failed}")
            return
        for result in recovered.results:
            if "internal error" in result["err"] or "Traceback" in result["err"]:
                self.fault(title, f"the next command: {result['err']}")
        last = recovered.results[-1]
        if last["status"] and not (self.operation.empty and "already" in last["err"]):
            self.fault(title, f"the next command fails: {last['err'].strip()}")
            return
        checked = self.do(["check", "{place}", str(self.root)])
        if checked.failed:
            self.fault(title, checked.failed)
            return
        now = checked.results[0]
        for what in now["faults"]:
            self.fault(title, what)
        if before is not None:
            lost = [line for line in before["journal"] if line not in now["journal"]]
            if lost:
                self.fault(title, f"{len(lost)} facts are lost")
        done = True
        if before is not None:
            before = self._settled(before, now, after)
        if before is not None and not differences(before, now, exact=True):
            self.tally.before += 1
            done = False
        elif found := differences(after, now, exact=False):
            was = differences(before, now, exact=True) if before else []
            self.fault(title, f"neither before ({'; '.join(was)}) nor after ({'; '.join(found)})")
        else:
            self.tally.after += 1
        act = self.operation.again if done and self.operation.again else self.operation.act
        if self.operation.empty:
            act = ["dws", "tag", "--delete", "none"]
        ran = self.do_as_told(act)
        if not self.operation.empty:
            try:
                _check_status(ran, self.operation.name)
            except AssertionError as e:
                self.fault(title, f"cannot be done again: {e}")

    def _settled(self, before: State, now: State, after: State) -> State:
        """The state before, with what an operation that is undone may leave.

        A resource that is a repository of its own is committed to, and pushed, before the
        operation is done, and what a step writes is written by the user's code. What is brought
        file by file goes on from where it was.
        """
        repositories, files = dict(before["repositories"]), dict(before["files"])
        for name, was in before["repositories"].items():
            found = now["repositories"].get(name, was)
            if (
                name not in ("ws", "origin.git")
                and found["subjects"].endswith(was["subjects"])
                and not STAGED_REMOVAL.search(found.get("status", ""))
            ):
                repositories[name] = found
        for path in {*files, *now["files"]}:
            if path.startswith(self.operation.writes or "\0"):
                files.pop(path, None)
                if path in now["files"]:
                    files[path] = now["files"][path]
            elif path.startswith(self.operation.partly or "\0"):
                if path in now["files"] and now["files"][path] == after["files"].get(path):
                    files[path] = now["files"][path]
                elif path not in now["files"] and path not in after["files"]:
                    files.pop(path, None)
        if self.operation.writes:
            status = now["repositories"]["ws"]["status"]
            repositories["ws"] = {**repositories["ws"], "status": status}
        return {**before, "repositories": repositories, "files": files}


def _filled(word: str, names: dict[str, str]) -> str:
    for name, text in names.items():
        word = word.replace(f"{{{name}}}", text)
    return word


def _check_status(ran: Ran, name: str) -> None:
    assert not ran.failed, (name, ran.failed)
    for result in ran.results:
        if result is not None:
            assert result["status"] == 0, (name, result["err"])


def numbered(points: tuple[str, ...]) -> tuple[str, ...]:
    """Each name with the number of its occurrence."""
    count: Counter[str] = Counter()
    names = []
    for point in points:
        count[point] += 1
        names.append(f"{point} #{count[point]}")
    return tuple(names)


def differences(one: State, other: State, *, exact: bool) -> list[str]:
    """What differs between two states, less what differs from run to run unless `exact`."""
    return list(_differences(one, other, exact))[:6]


def _differences(one: State, other: State, exact: bool) -> Iterator[str]:
    for key in COMPARED:
        left, right = flat(one[key], exact), flat(other[key], exact)
        for item in sorted((left - right).keys() | (right - left).keys()):
            sign = "-" if left[item] > right[item] else "+"
            yield f"{sign}{key}: {item[:200]!r}"


def flat(value: Any, exact: bool) -> Counter[str]:
    """All that is in a value, line by line."""
    lines = list(_lines(value, ""))
    return Counter(lines if exact else (_VARYING.sub("#", line) for line in lines))


def _lines(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _lines(below, f"{at}/{key}")
    elif isinstance(value, list):
        for below in value:
            yield from _lines(below, at)
    else:
        yield f"{at} {value}"
