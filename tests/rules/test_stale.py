"""What no longer follows from what is on disk: each reason, the order, and 200 random edits."""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.errors import LineageConsistencyError, LineageNotFoundError
from tests.rules.lab import CLEAN, DATA, MODEL, Lab
from tests.rules.stale_model import Model

FEATURES = f"{DATA}:/features"


def stale(lab: Lab, *refs: str) -> list[api.StaleRow]:
    return api.lineage_stale(refs, workspace_uri_or_path=str(lab.root))


def reasons(lab: Lab, *refs: str) -> dict[str, dict[str, str]]:
    """{step: {ref: reason}}."""
    return {
        row["step"]: {r["ref"]: r["reason"] for r in row["reasons"]} for row in stale(lab, *refs)
    }


def pipeline(lab: Lab) -> None:
    """raw -> prepare -> clean -> train -> model, each with a code file of its own."""
    lab.write("code:/train.py", "t = 1\n")
    lab.step("prepare", ["raw"], [CLEAN], code=["code:/prep.py"])
    lab.step("train", [CLEAN], [MODEL], code=["code:/train.py"])


@pytest.mark.parametrize("hashed", [False, True], ids=["pending", "after a snapshot"])
def test_each_reason_is_named_in_the_order_to_run_again(lab, hashed):
    pipeline(lab)
    if hashed:
        lab.snapshot("v1")
    assert stale(lab) == []

    lab.write("raw:/a.csv", "3,4\n")
    assert reasons(lab) == {
        "prepare": {"raw": "input changed"},
        "train": {CLEAN: "upstream stale"},
    }
    assert [row["step"] for row in stale(lab)] == ["prepare", "train"]

    lab.write("code:/train.py", "t = 2\n")
    lab.write(f"{MODEL}/data.txt", "by hand")
    assert reasons(lab)["train"] == {
        CLEAN: "upstream stale",
        "code:/train.py": "code changed",
        MODEL: "output changed outside a step",
    }


def test_only_what_was_asked_for_with_what_it_was_made_from(lab):
    pipeline(lab)
    lab.step("other", ["raw"], [FEATURES], code=["code:/prep.py"])
    lab.write("code:/prep.py", "n = 2\n")
    assert [row["step"] for row in stale(lab, MODEL)] == ["prepare", "train"]
    assert [row["step"] for row in stale(lab, CLEAN)] == ["prepare"]
    assert {row["step"] for row in stale(lab)} == {"prepare", "train", "other"}


def test_running_the_steps_in_that_order_leaves_nothing_stale(lab):
    pipeline(lab)
    lab.write("raw:/a.csv", "3,4\n")
    lab.step("prepare", ["raw"], [CLEAN], code=["code:/prep.py"])
    assert reasons(lab) == {"train": {CLEAN: "input not kept"}}
    lab.step("train", [CLEAN], [MODEL], code=["code:/train.py"])
    assert stale(lab) == []


def test_a_rerun_with_equal_bytes_makes_nothing_stale(lab):
    lab.step("prepare", ["raw"], [CLEAN], text="same\n")
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("v1")
    lab.step("prepare", ["raw"], [CLEAN], text="same\n")
    assert stale(lab) == []
    lab.snapshot("v2")
    assert stale(lab) == []


def test_touched_is_not_changed_once_there_is_a_hash(lab):
    pipeline(lab)
    lab.snapshot("v1")
    os.utime(lab.path("raw:/a.csv"))
    assert stale(lab) == []
    lab.write("raw:/a.csv", "9\n")
    assert set(reasons(lab)) == {"prepare", "train"}
    lab.write("raw:/a.csv", "1,2\n")  # as it was
    assert stale(lab) == []


def test_an_update_in_place_is_not_stale_by_what_it_replaced(lab):
    lab.step("begin", [], [CLEAN])
    lab.builder("append", ["raw", CLEAN])
    with lab.builder("append", ["raw", CLEAN]).eval() as lineage:
        lineage.add_output_ref(api.parse_ref(lab.ws, CLEAN))
        lab.write(f"{CLEAN}/data.txt", "more\n")
    assert stale(lab) == []
    lab.write("raw:/a.csv", "3,4\n")
    assert reasons(lab) == {"append": {"raw": "input changed"}}


def test_results_that_a_snapshot_moved_are_judged_too(lab):
    lab.results_step(["raw"], {"accuracy": 0.5})
    lab.snapshot("v1")
    assert stale(lab) == []
    lab.write("code:/prep.py", "n = 2\n")
    assert reasons(lab) == {"train": {"code": "code changed"}}
    lab.results_step(["raw"], {"accuracy": 0.6})
    lab.snapshot("v2")
    assert stale(lab) == []
    lab.restore("v1")  # the results of v1 follow from the code of v1
    assert stale(lab) == []


def test_what_a_failed_step_left_is_to_be_made_again(lab):
    pipeline(lab)
    with pytest.raises(RuntimeError), lab.begin("prepare", ["raw"], [CLEAN]):
        raise RuntimeError("broken")
    assert reasons(lab) == {
        "prepare": {CLEAN: "step failed"},
        "train": {CLEAN: "input not kept"},
    }


@pytest.mark.parametrize("step", ["prepare", "another"])
def test_what_a_failed_step_did_not_touch_is_judged_as_the_step_left_it_that_wrote_it(lab, step):
    pipeline(lab)
    lab.snapshot("v1")
    lab.write("raw:/a.csv", "3,4\n")
    before = reasons(lab)
    assert set(before) == {"prepare", "train"}

    with pytest.raises(RuntimeError), lab.begin(step, ["raw"], [CLEAN]):
        raise RuntimeError("broken before it wrote anything")
    assert reasons(lab) == before
    lab.snapshot("v2")
    assert reasons(lab) == before

    lab.write("raw:/a.csv", "1,2\n")  # as it was
    assert stale(lab) == []


def test_a_ref_of_which_nothing_is_known_is_an_error(lab):
    with pytest.raises(LineageNotFoundError, match="never"):
        stale(lab, "intermediate-data:/never")


# 200 random edits

RAW_A, RAW_B = "data-in:/a.csv", "data-in:/b.csv"
LOG, REPORT = f"{DATA}:/log.txt", "results:/report.txt"
STEPS = {
    "prepare": ([RAW_A], ["code:/prep.py"], [f"{DATA}:/clean.txt"]),
    "features": ([f"{DATA}:/clean.txt", RAW_B], ["code:/feat.py"], [f"{DATA}:/feat.txt"]),
    "append": ([RAW_B, LOG], ["code:/prep.py"], [LOG]),
    "train": ([f"{DATA}:/feat.txt"], ["code:/train.py", "code:/prep.py"], [f"{DATA}:/model.txt"]),
    "report": ([f"{DATA}:/model.txt", LOG], ["code:/train.py"], [REPORT]),
}
EDITED = [RAW_A, RAW_B, *(ref for _, code, outs in STEPS.values() for ref in (*code, *outs))]


class Played:
    """A workspace and its model, to which the same things happen."""

    def __init__(self, place: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.lab = Lab(place, raw=False)
        (self.lab.root / "data-in").mkdir()
        self.lab.ws.add_resource("data-in", "git", "source-data", str(self.lab.root / "data-in"))
        refs = set(EDITED) | {RAW_A, RAW_B}
        self.model = Model(
            results=frozenset({REPORT}),
            restorable=frozenset(refs - {REPORT}),
        )
        self.runs: dict[str, tuple[str, int]] = {}
        self.before: dict[str, bytes] = {}
        self.refused = 0
        for ref in (RAW_A, RAW_B, LOG, "code:/prep.py", "code:/feat.py", "code:/train.py"):
            self.write(ref, f"first {ref}\n".encode())

    def write(self, ref: str, content: bytes | None) -> None:
        path = self.lab.path(ref)
        old = self.model.disk.get(ref)
        if old is not None:
            self.before[ref] = old
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.model.edit(ref, content)

    def edit(self) -> str:
        ref = self.random.choice(sorted(set(EDITED)))
        how = self.random.choice(["change"] * 3 + ["touch", "touch", "revert", "revert", "delete"])
        there = self.model.disk.get(ref) is not None
        if how == "delete" and there:
            self.write(ref, None)
        elif how == "touch" and there:
            os.utime(self.lab.path(ref), ns=(time.time_ns(), time.time_ns() - 5_000_000_000))
            self.model.edit(ref, self.model.disk[ref])
        elif how == "revert" and ref in self.before:
            self.write(ref, self.before[ref])
        else:
            self.write(ref, f"{self.random.random()}\n".encode())
        return f"{how} {ref}"

    def run(self, *, fails: bool = False) -> str:
        step = self.random.choice(sorted(STEPS))
        reads, code, outs = STEPS[step]
        param = self.random.randrange(3)
        seen = [self.model.disk.get(r) or b"" for r in (*reads, *code)]
        made = hashlib.sha256(b"".join(seen) + bytes([param])).hexdigest().encode()
        writes = {out: made + out.encode() + b"\n" for out in outs}
        for ref in (*reads, *code):
            if self.model.disk.get(ref) is None:  # deleted, or not made yet
                self.write(ref, f"again {self.random.random()}\n".encode())
        try:
            lineage = self.lab.begin(step, reads, outs, {"param": param}, code)
        except LineageConsistencyError:
            self.refused += 1
            return f"{step}: refused"
        for out, content in writes.items():
            path = self.lab.path(out)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if fails:
            lineage.abort()
            self.runs[lineage.key] = self.model.fail(step, reads, code, writes)
            return f"{step}: failed"
        lineage.complete()
        self.model.run(step, reads, code, writes)
        number = max(run.number for run in self.model.runs)
        self.runs[lineage.key] = (step, number)
        return f"{step}: ran"

    def snapshot(self) -> str:
        tag = f"s{len(self.model.snapshots)}"
        self.lab.write("data-in:/marker", tag)  # one equal to an earlier one would be that
        assert self.lab.snapshot(tag).is_new
        self.model.snapshot(tag)
        return f"snapshot {tag}"

    def restore(self) -> str:
        tag = self.random.choice(sorted(self.model.snapshots))
        self.lab.restore(tag)
        self.model.restore(tag)
        return f"restore {tag}"

    def step(self) -> str:
        how = self.random.random()
        if how < 0.45:
            return self.edit()
        if how < 0.83:
            return self.run()
        if how < 0.87:
            return self.run(fails=True)
        if how < 0.95 or not self.model.snapshots:
            return self.snapshot()
        return self.restore()

    def found(self) -> dict[tuple[str, int], dict[str, str]]:
        rows = stale(self.lab)
        found: dict[tuple[str, int], dict[str, str]] = {}
        for row in rows:
            said: dict[str, str] = {}
            for r in row["reasons"]:
                own = r["reason"] in ("output changed outside a step", "step failed")
                said[f"={r['ref']}" if own else r["ref"]] = r["reason"]
            found[self.runs[row["key"]]] = said
        keys = [row["key"] for row in rows]
        readers = {STEPS[row["step"]][2][0]: row["key"] for row in rows}
        for row in rows:  # each after those whose outputs it reads
            for ref in STEPS[row["step"]][0]:
                writer = readers.get(ref, row["key"])
                assert keys.index(writer) <= keys.index(row["key"])
        return found


@pytest.mark.parametrize("seed", [1])  # others by hand: the second took as long again
def test_stale_is_what_the_model_says_after_each_of_200_random_edits(tmp_path, seed):
    played = Played(tmp_path, seed)
    done: list[str] = []
    found = 0
    for _ in range(200):
        done.append(played.step())
        expected = played.model.stale()
        assert played.found() == expected, "\n".join(done[-30:])
        found += len(expected)
    played.lab.close()
    assert found > 100  # it was not quiet
