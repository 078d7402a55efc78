"""A lock is waited for, with a word after a second; one that a killed process held is free."""

from __future__ import annotations

import time

import pytest

from tests.rules.lab import check_journal, fresh_dump, python

HOLD = """
import sys
from pathlib import Path
from dws_graph.backends import faults
from tests.rules.lab import Lab

lab, point = Lab.at(Path(sys.argv[1])), sys.argv[2]

def fault(now):
    if now == point:
        print("holding", flush=True)
        sys.stdin.readline()  # until it is killed

faults.hook = fault
lab.snapshot("V1")
"""
WAITERS = {
    "snapshot": """
import sys
from dws_graph import api
api.take_snapshot(sys.argv[1], "V2")
""",
    "step": """
import sys
from dws_graph.lineage import LineageBuilder, ResourceRef
builder = LineageBuilder().with_step_name("waiter").with_parameters({}).with_no_inputs()
builder.with_workspace_directory(sys.argv[1]).eval().complete()
""",
}
BEFORE, AFTER = "intent written", "branch moved"  # with the workspace's lock; the journal's, too


@pytest.mark.parametrize(
    ("point", "waiter", "word"),
    [
        (BEFORE, "snapshot", "waiting for another dws process that changes it"),
        (AFTER, "snapshot", "waiting for another dws process that changes it"),
        (AFTER, "step", "waiting for another dws process that records a step"),
    ],
)
def test_a_lock_is_waited_for_with_a_word_and_free_once_its_holder_is_killed(
    lab, point, waiter, word
):
    lab.step("prepare", ["raw"], ["intermediate-data:/clean"])
    lab.close()
    with python(HOLD, lab.root, point) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        began = time.monotonic()
        with python(WAITERS[waiter], lab.root) as waiting:
            assert waiting.stderr is not None
            assert word in waiting.stderr.readline()
            assert time.monotonic() - began >= 1
            assert waiting.poll() is None
            holder.kill()
            _, err = waiting.communicate(timeout=60)
            assert waiting.returncode == 0, err
    lab.reopen()
    facts = check_journal(lab.root)
    tags = [f["body"]["tag"] for f in facts if f["kind"] == "SnapshotTaken"]
    wanted = ["V1"] if point == AFTER else []
    assert tags == wanted + (["V2"] if waiter == "snapshot" else [])
    assert set(lab.step_names()) == {"prepare"} | ({"waiter"} if waiter == "step" else set())
    assert fresh_dump(lab.ws) == lab.ws.index.dump()
    assert not (lab.root / ".dataworkspace/local/intent.json").exists()


def test_a_step_is_not_held_up_by_a_snapshot_that_does_not_append_yet(lab):
    """The workspace's lock alone keeps no step waiting."""
    with python(HOLD, lab.root, BEFORE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "holding\n"
        lab.step("goes on", ["raw"])
        assert holder.poll() is None
        holder.kill()
    assert lab.step_names() == ["goes on"]
