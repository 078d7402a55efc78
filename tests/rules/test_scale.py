"""What is asked costs what the answer costs, however long the history is: counted, not timed."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.pipelines import LAST, grow, make_workspace
from dws_graph.api import (
    query_in,
    report_history_in,
    report_lineage_in,
    show_snapshot_in,
    steps_in,
    upstream_in,
)
from dws_graph.lineage import LineageBuilder
from dws_graph.model import facts as f
from dws_graph.model.facts import Current
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace import opening
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.snapshots import find_snapshot
from tests.rules.lab import Lab

SIZES = (100, 1_500)
EACH = 100  # instructions of SQLite's machine between two counts


class Counted(sqlite3.Connection):
    """Counts what SQLite does, of all connections together."""

    count = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_progress_handler(self._tick, EACH)

    @staticmethod
    def _tick() -> int:
        Counted.count += EACH
        return 0


@pytest.fixture
def instructions(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """How many instructions of SQLite something takes."""
    connect = sqlite3.connect

    def counted(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        return connect(*args, factory=Counted, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", counted)

    def measure(work: Callable[[], object]) -> int:
        Counted.count = 0
        work()
        return Counted.count

    return measure


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Workspaces of a short and a long history, with the same two snapshots."""
    roots = []
    for size in SIZES:
        ws = make_workspace(tmp_path_factory.mktemp(f"steps{size}"))
        grow(ws, size, 2)
        ws.close()
        roots.append(ws.root)
    return roots


def record(ws: OpenWorkspace) -> None:
    builder = LineageBuilder().with_step_name("one more").with_parameters({})
    builder.with_workspace_directory(str(ws.root))
    builder.with_input_ref(ResourceRef("sources", "f0")).with_code_ref(ResourceRef("code"))
    with builder.eval() as lineage:
        lineage.add_output_ref(ResourceRef("made", "new"))


QUESTIONS: dict[str, Callable[[OpenWorkspace], object]] = {
    "upstream": lambda ws: upstream_in(ws, LAST),
    "upstream in a snapshot": lambda ws: upstream_in(ws, LAST, snapshot="v1"),
    "steps": lambda ws: steps_in(ws, limit=20),
    "history": report_history_in,
    "lineage": report_lineage_in,
    "a step": record,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_longer_history_costs_no_more(name: str, histories: list[Path], instructions):
    costs = []
    for root in histories:
        with open_workspace(root) as ws:
            QUESTIONS[name](ws)  # what is read once is read
            costs.append(instructions(lambda ws=ws: QUESTIONS[name](ws)))
    few, many = costs
    assert many <= 1.25 * few + EACH


def test_opening_reads_no_more_of_a_longer_journal(histories: list[Path], monkeypatch):
    parsed: list[int] = []
    real = f.Fact.from_line

    def counting(line: str | bytes) -> f.Fact:
        parsed[-1] += 1
        return real(line)

    monkeypatch.setattr(f.Fact, "from_line", staticmethod(counting))
    for root in histories:
        parsed.append(0)
        open_workspace(root).close()
    assert parsed[1] <= parsed[0] < 10


def test_a_step_costs_no_more_beside_many_refs(tmp_path: Path, instructions):
    lab = Lab(tmp_path)
    lab.step("first", ["raw"], ["intermediate-data:/a"])

    def step() -> None:
        lab.step("again", ["raw"], ["intermediate-data:/a"])

    alone = instructions(step)
    certificate = lab.current("intermediate-data:/a").id
    others = [ResourceRef("intermediate-data", f"run{n}/model") for n in range(2_000)]
    currents = [Current(ref=ref, certificate=certificate).to_json() for ref in others]
    lab.ws.record([(f.CURRENT_SET, {"hostname": lab.ws.hostname, "current": currents})])
    assert instructions(step) <= 1.1 * alone
    lab.close()


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """The files that are opened meanwhile."""
    OPENED.clear()
    if not LISTENING:
        LISTENING.append(True)
        sys.addaudithook(
            lambda event, args: OPENED.append(str(args[0])) if event == "open" else None
        )
    yield OPENED


OPENED: list[str] = []
LISTENING: list[bool] = []


def test_each_snapshot_is_read_once_a_command_and_one_named_by_its_hash_alone(tmp_path: Path):
    ws = make_workspace(tmp_path)
    grow(ws, 24, 6)
    ws.close()

    def metadata(work: Callable[[OpenWorkspace], object]) -> list[str]:
        with open_workspace(ws.root) as fresh, opened_files() as files:
            work(fresh)
            return [name for name in files if name.endswith("_md.json")]

    found = metadata(lambda fresh: show_snapshot_in(fresh, "v2"))
    assert len(found) == len(set(found)) == 6
    with open_workspace(ws.root) as again:
        hashval = report_history_in(again)[0]["hash"]
    assert len(metadata(lambda fresh: find_snapshot(fresh, hashval))) == 1


def test_a_query_tells_how_many_facts_it_folds_first(histories: list[Path]):
    told: list[tuple[int, int]] = []
    with open_workspace(histories[1]) as ws:
        answer = query_in(
            ws, "MATCH (s:Step) RETURN count(s)", progress=lambda *now: told.append(now)
        )
        facts = ws.journal.head().seq
        again = query_in(ws, "RETURN 1", progress=lambda *now: told.append(now))
    assert answer.rows[0][0] >= SIZES[1]
    assert [done for done, _ in told] == [1_000, 2_000, 3_000, facts][: len(told)]
    assert told[-1] == (facts, facts)
    assert again.rows == ((1,),)


def test_whoever_waits_for_a_long_history_is_told_why(histories: list[Path], monkeypatch):
    monkeypatch.setattr(opening, "MANY", 2_000)
    for root, expected in zip(histories, (0, 1), strict=True):
        (root / ".dataworkspace/graph/index.db").unlink()
        said: list[str] = []
        open_workspace(root, notify=said.append).close()
        assert sum("a long history" in line for line in said) == expected
        said.clear()
        open_workspace(root, notify=said.append).close()
        assert said == []
