"""Section 6 of the rules: where Data Workspaces 1.6 is wrong or thin, and this is not."""

from __future__ import annotations

import json
import logging
import os
import signal
import time

import pytest

from dws_graph.errors import DwsError
from dws_graph.lineage.recording import _died
from dws_graph.model.facts import STEP_ABORTED
from dws_graph.workspace.snapshots import find_snapshot
from tests.rules.lab import CLEAN, DATA, MODEL, flat_hash, python, sha1


def test_rule_6_1_edited_code_and_data_have_their_own_hashes_after_the_first_snapshot(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    first = lab.snapshot("V1")
    lab.write("raw:/a.csv", "1,2,3\n")
    lab.write("code:/prep.py", "n = 2\n")
    lab.step("prepare", ["raw"], [CLEAN])
    second = lab.snapshot("V2")
    answer = lab.upstream(CLEAN, at=second.hash)
    assert answer.hashes["raw"] == {flat_hash(lab.raw)}
    assert answer.hashes["code"] == {lab.git("rev-parse", "HEAD:code")}
    assert lab.held("raw", first.hash).hash != flat_hash(lab.raw)


NAMES = [
    'with "quotes".bin',
    "new\nline.bin",
    "tab\there.bin",
    "-leading.bin",
    "--help",
    "größe 漢字.bin",
    "back\\slash.bin",
    " spaces .bin",
    ":(top)magic.bin",
    os.fsdecode(b"not utf-8 \xff.bin"),
]


@pytest.mark.parametrize("resource", ["code", DATA])
def test_rule_6_2_restore_brings_back_binary_files_and_any_file_name(lab, resource):
    folder = lab.path(resource)
    contents = {name: bytes(range(256)) + os.fsencode(name) for name in NAMES}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("run.sh")
    lab.snapshot("V1")
    for name in NAMES:
        (folder / name).write_bytes(b"\xff\x00 changed")
    (folder / NAMES[0]).unlink()
    (folder / "run.sh").chmod(0o644)
    (folder / "link").unlink()
    lab.snapshot("V2")
    lab.restore("V1")
    for name, content in contents.items():
        assert (folder / name).read_bytes() == content
    assert os.access(folder / "run.sh", os.X_OK)
    assert os.readlink(folder / "link") == "run.sh"
    assert lab.status() == ""


def test_rule_6_2_results_of_any_file_name_are_moved(lab):
    for name in NAMES:
        (lab.path("results") / name).write_bytes(os.fsencode(name))
    lab.snapshot("V1")
    there = lab.path("results") / "snapshots/bench-V1"
    for name in NAMES:
        assert (there / name).read_bytes() == os.fsencode(name)
    assert lab.status() == ""


def test_rule_6_2_local_files_of_any_name_have_a_hash_tree(lab):
    for name in NAMES:
        (lab.raw / name).write_bytes(os.fsencode(name))
    step = lab.step("look", ["raw"])
    taken = lab.snapshot("V1")
    hashval = lab.manifest(taken.hash)["raw"]["hash"]
    text = (lab.root / f".dataworkspace/file/source-data/raw/{hashval}").read_bytes()
    assert sha1(text) == hashval
    assert len(text.splitlines()) == len(NAMES) + 1
    for name in NAMES:
        assert sha1(os.fsencode(name)).encode() in text
    assert lab.read_by(step, "raw").hash == hashval


def test_rule_6_3_output_placeholders_stay_outputs_when_read_again(lab):
    step = lab.step("prepare", ["raw"], [CLEAN])
    lab.reopen()
    assert lab.written_by(step, CLEAN).kind == "output"
    for path in (lab.root / ".dataworkspace/graph").glob("index.db*"):
        path.unlink()
    lab.reopen()
    assert lab.written_by(step, CLEAN).kind == "output"
    assert lab.entry(CLEAN).output


def test_rule_6_4_recording_a_step_costs_the_same_however_many_there_were(lab):
    journal = lab.root / ".dataworkspace/local/journal.jsonl"

    def cost() -> tuple[int, set[str]]:
        before, marked = journal.stat().st_size, time.time_ns()
        time.sleep(0.02)
        lab.step("prepare", ["raw"], [CLEAN], {"n": 1})
        changed = {
            path.name
            for path in (lab.root / ".dataworkspace").rglob("*")
            if path.is_file() and path.stat().st_mtime_ns > marked
        }
        return journal.stat().st_size - before, changed

    lab.step("prepare", ["raw"], [CLEAN], {"n": 1})
    early, touched = cost()
    for _ in range(60):
        lab.step("prepare", ["raw"], [CLEAN], {"n": 1})
    late, touched_late = cost()
    assert abs(late - early) < 40  # the digits of numbers alone
    wanted = {"journal.jsonl", "journal.lock", "index.db", "index.db-wal", "index.db-shm"}
    assert touched | touched_late <= wanted


@pytest.mark.parametrize("tag", ["abcdef", "123456", "deadbeef01", "0" * 39])
def test_rule_6_5_a_tag_made_of_hex_digits_is_a_tag(lab, tag):
    taken = lab.snapshot(tag)
    lab.write("code:/prep.py", "n = 2\n")
    lab.snapshot("V2")
    assert find_snapshot(lab.ws, tag).hashval == taken.hash
    lab.restore(tag)
    assert lab.path("code:/prep.py").read_text() == "n = 1\n"


def test_rule_6_9_errors_say_what_is_and_what_to_do_next(lab, tmp_path):
    lab.snapshot("V1")
    lab.step("prepare", ["raw"], [CLEAN])
    failing = [
        lambda: lab.snapshot("V1"),
        lambda: lab.restore("V9"),
        lambda: lab.begin("x", [DATA, CLEAN]),
        lambda: lab.ws.get_resource("nowhere"),
        lambda: lab.ws.add_resource("raw", "file", "source-data", str(lab.root.parent)),
        lambda: lab.begin("x", ["raw"], [f"{CLEAN}/part"]),
    ]
    for call in failing:
        with pytest.raises(DwsError) as refused:
            call()
        assert str(refused.value)
        assert refused.value.hint
        assert "Traceback" not in str(refused.value)


def test_rule_6_11_an_overwritten_placeholder_never_gets_the_newer_hash(lab):
    first = lab.step("prepare", ["raw"], [CLEAN])
    second = lab.step("prepare", ["raw"], [CLEAN])
    taken = lab.snapshot("V1")
    assert lab.written_by(first, CLEAN).hash is None
    assert lab.written_by(first, CLEAN).status == "not kept"
    assert lab.written_by(second, CLEAN).hash == lab.manifest(taken.hash)[DATA]["hash"]


# 6.13


def test_rule_6_13_who_reads_what_a_running_step_writes_is_warned_and_marked(lab, caplog):
    lab.step("prepare", ["raw"], [CLEAN])
    old = lab.current(CLEAN)
    writer = lab.begin("writer", ["raw"], [CLEAN])
    lab.write(f"{CLEAN}/data.txt", "half\n")
    with caplog.at_level(logging.WARNING):
        reader = lab.step("reader", [CLEAN], [MODEL])
    assert any("reader" in m and CLEAN in m and "writer" in m for m in caplog.messages)
    assert lab.step_fact(reader)["read_while_written"] == {CLEAN: writer.key}
    read = lab.read_by(reader, CLEAN)
    assert read.id != old.id
    assert (read.kind, read.hash) == ("input", None)

    writer.complete()
    written = lab.written_by(writer.key, CLEAN)
    assert written.superseded is False
    assert lab.current(CLEAN).id == written.id
    assert lab.upstream(CLEAN).steps == {"writer"}
    assert lab.upstream(MODEL).steps == {"reader"}


@pytest.mark.parametrize("wanted", [DATA, f"{CLEAN}/data.txt"])
def test_rule_6_13_the_same_for_a_ref_that_covers_or_lies_under_it(lab, wanted):
    lab.write(f"{CLEAN}/data.txt", "1\n")
    writer = lab.begin("writer", ["raw"], [CLEAN])
    reader = lab.step("reader", [wanted])
    assert set(lab.step_fact(reader)["read_while_written"].values()) == {writer.key}
    writer.complete()
    assert lab.written_by(writer.key, CLEAN).superseded is False


def test_rule_6_13_outputs_are_known_from_the_moment_they_are_declared(lab):
    writer = lab.begin("writer", ["raw"])
    lab.write(f"{CLEAN}/data.txt", "1\n")
    assert lab.step_fact(lab.step("early", [CLEAN]))["read_while_written"] == {}
    writer.add_output_path(str(lab.path(CLEAN)))
    reader = lab.step("late", [CLEAN])
    assert lab.step_fact(reader)["read_while_written"] == {CLEAN: writer.key}
    writer.complete()


DIES = """
import sys, time
from pathlib import Path
from tests.rules.lab import CLEAN, Lab
lab = Lab.at(Path(sys.argv[1]))
lab.begin("writer", ["raw"], [CLEAN])
print("begun", flush=True)
time.sleep(60)
"""


def test_rule_6_13_a_writer_that_died_no_longer_counts(lab):
    lab.write(f"{CLEAN}/data.txt", "1\n")
    process = python(DIES, lab.root)
    assert process.stdout.readline() == "begun\n"
    assert lab.step_fact(lab.step("reader", [CLEAN]))["read_while_written"] != {}
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert lab.step_fact(lab.step("reader", [CLEAN]))["read_while_written"] == {}
    (dead,) = lab.ws.index.steps(lab.ws.id, name="writer")
    assert dead.status == "failed"
    lab.snapshot("V1")  # nothing is in its way
    assert json.loads(lab.journal_lines()[-1])["kind"] == "SnapshotTaken"


def test_rule_6_13_a_late_end_wins_over_the_report_of_its_death(lab):
    writer = lab.begin("writer", ["raw"], [CLEAN])
    lab.write(f"{CLEAN}/data.txt", "1\n")
    start = next(s for s in lab.ws.index.running(lab.ws.id, lab.ws.instance))
    with lab.ws.journal.locked():
        lab.ws.record([(STEP_ABORTED, _died(lab.ws, start).to_json())])
    writer.complete()
    lab.ws.catch_up()
    assert lab.ws.index.step(writer.key).status == "completed"
    assert lab.current(CLEAN).id == lab.written_by(writer.key, CLEAN).id
