"""Many processes, copies, other branches, torn lines: the journal stays whole."""

from __future__ import annotations

import itertools
import json
import shutil
import threading
import time
from collections import Counter

import pytest

from tests.rules.lab import CLEAN, Lab, check_journal, fresh_dump, python

STEPS = """
import sys
from pathlib import Path
from dws_graph.lineage import LineageBuilder, ResourceRef
root, name = Path(sys.argv[1]), sys.argv[2]
for n in range(25):
    builder = LineageBuilder().with_step_name(f"{name} {n}").with_parameters({"n": n})
    builder.with_input_ref(ResourceRef("raw")).with_workspace_directory(str(root))
    with builder.eval() as lineage:
        ref = ResourceRef("intermediate-data", name)
        lineage.add_output_ref(ref)
        folder = root / "intermediate-data" / name
        folder.mkdir(exist_ok=True)
        (folder / "data.txt").write_text(f"{name} {n} {lineage.key}")
"""


def test_rule_6_13_four_processes_record_at_once_and_a_snapshot_comes_in_between(lab):
    names = ["a", "b", "c", "d"]
    processes = [python(STEPS, lab.root, name) for name in names]
    taken = None
    while any(process.poll() is None for process in processes):
        if taken is None and len(lab.journal_lines()) > 30:
            taken = lab.snapshot("V1")
    for process in processes:
        _, err = process.communicate()
        assert process.returncode == 0, err
    facts = check_journal(lab.root)
    assert taken is not None
    assert sum(f["kind"] == "SnapshotTaken" for f in facts) == 1

    lab.ws.catch_up()
    steps = lab.ws.index.steps(lab.ws.id)
    wanted = Counter(f"{name} {n}" for name in names for n in range(25))
    assert Counter(s.name for s in steps) == wanted
    assert {s.status for s in steps} == {"completed"}
    outputs = [c for s in steps for c in s.outputs]
    assert len({c.id for c in outputs}) == 100
    for name in names:
        mine = [c.version for c in outputs if c.ref.subpath == name]
        assert sorted(mine) == list(range(1, 26))
        assert lab.upstream(f"intermediate-data:/{name}").steps == {f"{name} 24"}
    assert fresh_dump(lab.ws) == lab.ws.index.dump()
    assert lab.snapshot("V2").is_new
    assert lab.status() == ""


def test_rule_3_a_step_that_never_stops_writing_does_not_hold_up_a_snapshot(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    writer = lab.begin("writer", ["raw"], [CLEAN])
    stop = threading.Event()

    def write() -> None:
        for n in itertools.count():
            if stop.is_set():
                return
            lab.write(f"{CLEAN}/log.txt", f"line {n}\n" * 10)
            time.sleep(0.001)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        taken = lab.snapshot("V1")
    finally:
        stop.set()
        thread.join()
    assert any(CLEAN in note for note in taken.notes)
    writer.complete()
    lab.ws.catch_up()
    assert lab.upstream(CLEAN).steps == {"writer"}
    check_journal(lab.root)


def test_a_copied_folder_is_a_new_instance(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    lab.step("only here", ["raw"], ["intermediate-data:/b"])
    old = lab.ws.instance
    journal = lab.journal_lines()
    lab.ws.close()
    copy = lab.place / "copy"
    shutil.copytree(lab.root, copy, symlinks=True)
    there = Lab.at(copy)
    lab.reopen()

    assert lab.ws.instance == old
    assert there.ws.instance != old
    assert there.ws.id == lab.ws.id
    (first, *_) = check_journal(copy)
    assert (first["kind"], first["instance"]) == ("CurrentSet", there.ws.instance)
    assert set(there.step_names()) == {"prepare", "only here"}  # the journal came along
    there.step("train", [CLEAN], ["intermediate-data:/model"])
    assert there.upstream("intermediate-data:/model").steps == {"prepare", "train"}
    there.write("code:/prep.py", "n = 2\n")
    there.snapshot("V2")
    kept = there.root / f".dataworkspace/journal/{old}"
    lines = [line for p in sorted(kept.iterdir()) for line in p.read_bytes().splitlines()]
    assert set(lines) == set(journal)  # committed in the old instance's own folder
    assert there.ws.hostname == "bench-2"
    assert there.status() == ""
    assert lab.journal_lines() == journal
    lab.step("later", ["raw"])
    check_journal(lab.root)
    there.close()


def test_numbers_go_on_after_a_reset_to_an_older_commit(lab):
    before = lab.git("rev-parse", "HEAD")
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    count = len(lab.journal_lines())
    lab.git("reset", "-q", "--hard", before)
    lab.reopen()
    lab.write("code:/prep.py", "n = 5\n")
    lab.step("again", ["raw"], [CLEAN])
    taken = lab.snapshot("V2")
    facts = check_journal(lab.root)
    assert len(facts) > count
    assert taken.number == 2
    assert {"prepare", "again"} == set(lab.step_names())
    folder = lab.root / f".dataworkspace/journal/{lab.ws.instance}"
    sealed = b"".join(p.read_bytes() for p in sorted(folder.iterdir()))
    assert sealed.splitlines() == lab.journal_lines()
    assert fresh_dump(lab.ws) == lab.ws.index.dump()


def test_numbers_go_on_after_a_checkout_of_another_branch(lab):
    lab.git("branch", "side")
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    lab.git("checkout", "-q", "side")
    lab.reopen()
    lab.write("code:/prep.py", "n = 5\n")
    lab.step("on the side", ["raw"])
    lab.snapshot("V2")
    check_journal(lab.root)
    assert {"prepare", "on the side"} == set(lab.step_names())
    lab.git("checkout", "-q", "main")
    lab.reopen()
    assert {"prepare", "on the side"} == set(lab.step_names())


def test_a_torn_last_line_is_cut_off_at_whatever_byte_it_was_torn(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.ws.close()
    path = lab.root / ".dataworkspace/local/journal.jsonl"
    whole = path.read_bytes()
    begin = whole.rindex(b"\n", 0, -1) + 1
    last = json.loads(whole[begin:])
    graph = lab.root / ".dataworkspace/graph"
    for cut in range(begin + 1, len(whole)):
        path.write_bytes(whole[:cut])
        with lab_journal(lab).locked():
            pass
        assert path.read_bytes() == whole[:begin], cut
    for cut in (begin + 1, (begin + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        shutil.rmtree(graph)
        lab.reopen()
        lab.step("look", ["raw"])
        facts = check_journal(lab.root)
        assert facts[last["seq"] - 1]["id"] != last["id"]
        assert lab.step_names()[0] == "look"
        lab.ws.close()


def lab_journal(lab: Lab):
    from dws_graph.backends.journal.journal import Journal

    return Journal(lab.root / ".dataworkspace", lab.ws.id, lab.ws.instance)


def test_a_torn_last_line_that_the_index_had_seen_is_no_error(lab):
    """The index is not ahead of the journal for long: what was torn was acknowledged to nobody."""
    lab.step("prepare", ["raw"], [CLEAN])
    lab.ws.close()
    path = lab.root / ".dataworkspace/local/journal.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"schema":1,"id":"01')
    lab.reopen()
    assert lab.step_names() == ["prepare"]
    lab.step("look", ["raw"])
    check_journal(lab.root)


@pytest.mark.parametrize("how", ["flipped", "gone"])
def test_a_bad_line_elsewhere_is_reported_with_file_and_line(lab, how):
    from dws_graph.errors import JournalError

    lab.step("prepare", ["raw"], [CLEAN])
    lab.ws.close()
    path = lab.root / ".dataworkspace/local/journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "gone":
        del lines[2]
    else:
        lines[2] = b"{broken" + lines[2]
    path.write_bytes(b"".join(lines))
    shutil.rmtree(lab.root / ".dataworkspace/graph")
    with pytest.raises(JournalError) as refused:
        lab.reopen()
    if how == "flipped":
        assert "journal.jsonl, line 3" in str(refused.value)
    path.write_bytes(b"")  # for the fixture
