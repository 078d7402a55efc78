"""Section 2 of the rules: what recording a step writes down."""

from __future__ import annotations

import enum
import hashlib
import json
import logging
import os
import platform
import time
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from dws_graph.errors import ApiParamError, LineageConflictError, LineageConsistencyError
from dws_graph.lineage import ResourceRef
from dws_graph.workspace.configuring import set_param
from tests.rules.lab import CLEAN, DATA, MODEL, Lab, flat_hash, git, python


def prepared(lab: Lab) -> str:
    return lab.step("prepare", ["raw"], [CLEAN])


# 2.1


def test_rule_2_1_inputs_that_cover_one_another_are_refused(lab):
    lab.write(f"{CLEAN}/x", "1")
    with pytest.raises(LineageConflictError) as refused:
        lab.begin("train", [DATA, CLEAN])
    assert DATA in str(refused.value)
    assert CLEAN in str(refused.value)
    lab.write(f"{DATA}:/cleaner/x", "1")
    lab.begin("train", [CLEAN, f"{DATA}:/cleaner"]).complete()  # whole path parts


def test_rule_2_1_code_refs_that_cover_one_another_are_refused(lab):
    with pytest.raises(LineageConflictError):
        lab.begin("train", ["raw"], code=["code", "code:/prep.py"])
    assert lab.step_names() == []


def test_rule_2_1_one_ref_reached_at_two_versions_is_refused_and_nothing_is_recorded(lab):
    prepared(lab)
    first = lab.current("raw")
    lab.write("raw:/a.csv", "1,2,3\n")
    lab.step("other", ["raw"], [MODEL])
    before = lab.journal_lines()

    with pytest.raises(LineageConsistencyError) as refused:
        lab.begin("train", [CLEAN, MODEL])

    text = f"{refused.value} {refused.value.hint}"
    assert "'raw'" in text
    assert f"version {first.version}" in text
    assert f"version {lab.current('raw').version}" in text
    assert "'prepare'" in text
    assert "'other'" in text
    assert "Run 'prepare' again" in refused.value.hint
    assert lab.journal_lines() == before
    assert "train" not in lab.step_names()


def test_rule_2_1_one_ref_reached_at_two_versions_is_refused_whatever_is_current(lab):
    other = f"{DATA}:/other"
    for output in (MODEL, other):
        prepared(lab)
        lab.step("train", [CLEAN], [output])
    lab.begin("broken", ["raw"], [CLEAN]).abort()
    assert lab.entry(CLEAN) is None  # neither version is the current one
    with pytest.raises(LineageConsistencyError, match=f"'{CLEAN}' at two versions"):
        lab.begin("report", [MODEL, other])


def test_rule_2_1_a_message_names_the_hashes_of_hashed_versions(lab):
    prepared(lab)
    lab.snapshot("V1")
    old = flat_hash(lab.raw)
    lab.write("raw:/a.csv", "1,2,3\n")
    lab.step("other", ["raw"], [MODEL])
    lab.snapshot("V2")
    new = flat_hash(lab.raw)

    with pytest.raises(LineageConsistencyError) as refused:
        lab.begin("train", [CLEAN, MODEL])

    assert old[:8] in str(refused.value)
    assert new[:8] in str(refused.value)


def test_rule_2_1_what_a_step_has_since_read_in_a_newer_version_is_refused(lab):
    prepared(lab)
    lab.write("raw:/a.csv", "1,2,3\n")
    lab.step("look", ["raw"])
    with pytest.raises(LineageConsistencyError, match="prepare"):
        lab.begin("train", [CLEAN])


def test_rule_2_1_what_a_step_has_since_overwritten_is_refused(lab):
    prepared(lab)
    lab.step("train", [CLEAN], [MODEL])
    lab.step("prepare", ["raw"], [CLEAN])
    with pytest.raises(LineageConsistencyError) as refused:
        lab.begin("report", [MODEL])
    assert CLEAN in str(refused.value)
    assert "'train'" in f"{refused.value} {refused.value.hint}"

    lab.step("train", [CLEAN], [MODEL])  # as the hint says
    lab.step("report", [MODEL])
    assert lab.step_names()[0] == "report"


def test_rule_2_1_the_walk_does_not_pass_the_version_that_an_update_in_place_replaced(lab):
    prepared(lab)
    lab.step("update", [CLEAN], [CLEAN])
    lab.write("raw:/a.csv", "new\n")
    lab.step("look", ["raw"])  # what lies upstream of the replaced version is no conflict either
    lab.step("train", [CLEAN], [MODEL])
    assert lab.upstream(MODEL).steps == {"prepare", "update", "train"}


def test_rule_2_1_a_data_set_can_be_accumulated(lab):
    for day in range(3):
        lab.write("raw:/a.csv", f"day {day}\n")
        builder = lab.builder(f"append {day}", ["raw", CLEAN] if day else ["raw"])
        with builder.as_results_step(ResourceRef.parse(CLEAN)).eval():
            lab.write(f"{CLEAN}/{day}.txt", f"day {day}\n")
    lab.step("train", [CLEAN], [MODEL])
    assert lab.upstream(MODEL).steps == {"append 0", "append 1", "append 2", "train"}


def test_rule_2_1_code_is_not_walked(lab):
    prepared(lab)
    lab.write("code:/prep.py", "n = 2\n")
    lab.step("look", ["raw"])
    lab.step("train", [CLEAN], [MODEL])
    assert len(lab.upstream(MODEL).hashes["code"]) == 1
    versions = [n for n in lab.upstream(MODEL).certificates if n.name == "code"]
    assert len(versions) == 2


def test_rule_2_1_an_edit_that_no_step_has_read_is_no_conflict_but_a_warning(lab, caplog):
    prepared(lab)
    lab.write("raw:/a.csv", "edited\n")
    with caplog.at_level(logging.WARNING):
        lab.step("train", [CLEAN], [MODEL])
    assert lab.upstream(MODEL).steps == {"prepare", "train"}
    assert any("train" in m and CLEAN in m for m in caplog.messages)


def test_rule_2_1_every_step_holds_its_environment_listed_once_a_hash(lab):
    lab.snapshot("V1")
    head = lab.git("rev-parse", "HEAD")
    first, second = prepared(lab), lab.step("train", [CLEAN], [MODEL])

    (seen,) = lab.facts("EnvironmentSeen")
    assert seen["python"] == platform.python_version()
    assert seen["platform"] == platform.platform()
    assert f"pytest=={metadata.version('pytest')}" in seen["packages"]
    for step in (first, second):
        assert lab.step_fact(step)["environment"] == seen["hash"]
        assert lab.step_fact(step)["commit"] == head


def test_rule_2_1_a_code_path_stands_for_its_resource_and_a_ref_may_name_a_part(lab):
    builder = lab.builder("prepare", ["raw"], code=())
    with builder.with_code_path(str(lab.path("code:/prep.py"))).eval() as lineage:
        pass
    lab.ws.catch_up()
    assert [str(c.ref) for c in lab.ws.index.step(lineage.key).code] == ["code"]

    other = Lab(lab.place / "other")
    step = other.step("prepare", ["raw"], code=["code:/prep.py"])
    assert [str(c.ref) for c in other.ws.index.step(step).code] == ["code:/prep.py"]
    other.close()


# 2.2


def test_rule_2_2_unchanged_data_is_joined_to_the_step_that_made_it_at_once(lab):
    prepared(lab)
    made = lab.current(CLEAN)
    train = lab.step("train", [CLEAN], [MODEL])
    assert lab.read_by(train, CLEAN).id == made.id
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def test_rule_2_2_unchanged_data_keeps_its_producer_after_a_snapshot(lab):
    prepared(lab)
    made = lab.current(CLEAN)
    lab.snapshot("V1")
    lab.step("train", [CLEAN], [MODEL])
    answer = lab.upstream(MODEL)
    assert answer.steps == {"prepare", "train"}
    assert answer.hashes["raw"] == {flat_hash(lab.raw)}
    assert answer.hashes[CLEAN] == {lab.git("rev-parse", f"HEAD:{DATA}")}
    assert lab.current(CLEAN).id == made.id


def test_rule_2_2_content_edited_outside_a_step_is_a_new_input_placeholder(lab):
    prepared(lab)
    written = lab.current(CLEAN)
    lab.write(f"{CLEAN}/data.txt", "by hand\n")
    train = lab.step("train", [CLEAN], [MODEL])

    read = lab.read_by(train, CLEAN)
    assert read.id != written.id
    assert (read.kind, read.hash) == ("input", None)
    assert read.version == written.version + 1
    assert lab.certificate(written.id).status == "not kept"
    answer = lab.upstream(MODEL)
    assert answer.steps == {"train"}
    (node,) = [n for n in answer.certificates if n.name == CLEAN]
    assert node.properties["produced"] is False


def test_rule_2_2_touched_content_that_turns_out_unchanged_keeps_its_producer(lab):
    prepared(lab)
    lab.snapshot("V1")
    known = lab.current(CLEAN)
    os.utime(lab.path(f"{CLEAN}/data.txt"), (1, 1))
    train = lab.step("train", [CLEAN], [MODEL])
    assert lab.read_by(train, CLEAN).hash is None
    lab.snapshot("V2")
    assert lab.read_by(train, CLEAN).id == known.id
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def clone(lab: Lab, name: str = "clone") -> Lab:
    git("clone", "-q", str(lab.root), str(lab.place / name), cwd=lab.place)
    return Lab.at(lab.place / name)


def test_rule_2_2_known_content_keeps_its_lineage_in_a_fresh_clone(lab):
    prepared(lab)
    lab.snapshot("V1")
    known = lab.current(CLEAN)
    there = clone(lab)
    train = there.step("train", [CLEAN], [MODEL])
    assert there.read_by(train, CLEAN).id == known.id
    assert there.upstream(MODEL).steps == {"prepare", "train"}
    there.close()


def test_rule_2_2_unknown_content_in_a_fresh_clone_is_an_input_placeholder(lab):
    prepared(lab)
    lab.snapshot("V1")
    there = clone(lab)
    there.write(f"{CLEAN}/data.txt", "other\n")
    train = there.step("train", [CLEAN], [MODEL])
    assert there.read_by(train, CLEAN).kind == "input"
    assert there.upstream(MODEL).steps == {"train"}
    there.close()


def test_rule_2_2_of_several_certificates_with_a_hash_the_restored_one_is_read(lab):
    prepared(lab)
    lab.path(CLEAN)
    lab.step("again", ["raw"], [CLEAN], text="same\n")
    one = lab.snapshot("V1")
    lab.step("again", ["raw"], [CLEAN], text="else\n")
    lab.snapshot("V2")
    lab.step("later", ["raw"], [CLEAN], text="same\n")
    lab.write("code:/prep.py", "n = 3\n")
    lab.snapshot("V3")
    lab.restore("V1")
    there = lab.held(CLEAN, one.hash)
    assert lab.read_by(lab.step("train", [CLEAN], [MODEL]), CLEAN).id == there.id
    assert lab.upstream(MODEL).steps == {"again", "train"}


def test_rule_2_2_init_writes_the_names_that_do_not_count_into_gitignore(lab):
    lines = (lab.root / ".gitignore").read_text().splitlines()
    assert {"__pycache__", "*.pyc", ".ipynb_checkpoints", ".~*"} <= set(lines)


JUNK = ["__pycache__/prep.cpython-311.pyc", "prep.pyc", ".ipynb_checkpoints/a.ipynb", ".~lock.csv"]


@pytest.mark.parametrize("name", JUNK)
@pytest.mark.parametrize("resource", ["code", "raw"])
def test_rule_2_2_what_does_not_count_changes_no_fingerprint(lab, resource, name):
    prepared(lab)
    before = lab.current(resource)
    lab.write(f"{resource}:/{name}", "junk")
    assert lab.read_by(lab.step("again", ["raw"]), resource).id == before.id


def test_rule_2_2_what_git_ignores_changes_no_fingerprint(lab):
    with (lab.root / ".gitignore").open("a") as file:
        file.write("*.tmp\n")
    prepared(lab)
    before = lab.current("code")
    lab.write("code:/scratch.tmp", "junk")
    assert lab.read_by(lab.step("again", ["raw"]), "code").id == before.id


@pytest.mark.parametrize("resource", ["code", "raw"])
def test_rule_2_2_lineage_json_at_the_root_is_not_content(lab, resource):
    prepared(lab)
    before = lab.current(resource)
    lab.write(f"{resource}:/lineage.json", "{}")
    assert lab.read_by(lab.step("again", ["raw"]), resource).id == before.id
    lab.write(f"{resource}:/sub/lineage.json", "{}")
    assert lab.read_by(lab.step("again", ["raw"]), resource).id != before.id


def test_rule_2_2_lineage_json_does_not_make_content_unknown_in_a_clone(lab):
    prepared(lab)
    lab.snapshot("V1")
    known = lab.current("code")
    there = clone(lab)
    there.write("code:/lineage.json", "{}")
    assert there.read_by(there.step("look", ["raw"]), "code").id == known.id
    there.close()


def notebook(source: str, output: str) -> str:
    cell = {"cell_type": "code", "source": [source], "outputs": [{"text": output}]}
    return json.dumps({"cells": [cell], "nbformat": 4, "metadata": {}})


def test_rule_2_2_a_notebook_counts_by_its_source_not_its_outputs(lab):
    lab.write("code:/look.ipynb", notebook("1 + 1", ""))
    prepared(lab)
    before = lab.current("code")
    lab.write("code:/look.ipynb", notebook("1 + 1", "2"))
    assert lab.read_by(lab.step("again", ["raw"]), "code").id == before.id
    lab.write("code:/look.ipynb", notebook("1 + 2", "2"))
    assert lab.read_by(lab.step("again", ["raw"]), "code").id != before.id


def test_rule_2_2_a_commit_by_hand_a_config_and_another_snapshot_change_no_fingerprint(lab):
    prepared(lab)
    before = {ref: lab.current(ref).id for ref in ("raw", "code", CLEAN)}
    lab.git("add", "code")
    lab.git("commit", "-q", "-m", "by hand")
    set_param(lab.ws, "results.move_exclude_files", ["keep.me"])
    train = lab.step("train", [CLEAN, "raw"])
    assert {ref: lab.read_by(train, ref).id for ref in before} == before

    lab.snapshot("V1")
    before = {ref: lab.current(ref).id for ref in before}
    lab.write("results:/note.txt", "of results alone")
    lab.snapshot("V2")
    train = lab.step("train", [CLEAN, "raw"])
    assert {ref: lab.read_by(train, ref).id for ref in before} == before


def test_rule_2_2_a_hash_certificate_is_never_reused_unchecked(lab):
    prepared(lab)
    lab.snapshot("V1")
    old = {ref: lab.current(ref) for ref in ("raw", "code")}
    assert all(cert.hash for cert in old.values())
    lab.write("raw:/a.csv", "edited\n")
    lab.write("code:/prep.py", "n = 2\n")
    step = prepared(lab)
    for ref, cert in old.items():
        assert lab.read_by(step, ref).hash is None
        assert lab.read_by(step, ref).id != cert.id
    lab.snapshot("V2")
    assert lab.read_by(step, "raw").hash == flat_hash(lab.raw) != old["raw"].hash
    assert lab.read_by(step, "code").hash == lab.git("rev-parse", "HEAD:code") != old["code"].hash


def test_rule_2_2_what_changed_while_the_step_ran_is_recorded_and_warned_about(lab, caplog):
    with caplog.at_level(logging.WARNING):
        step = lab.step(
            "prepare", ["raw"], [CLEAN], meanwhile=lambda: lab.write("raw:/a.csv", "late\n")
        )
    assert lab.step_fact(step)["changed_while_running"] == ["raw"]
    assert any("raw" in m and "prepare" in m for m in caplog.messages)
    assert lab.upstream(CLEAN).statuses["raw"] == {"not kept"}


def test_rule_2_2_what_the_step_itself_writes_is_not_compared(lab, caplog):
    prepared(lab)
    with caplog.at_level(logging.WARNING):
        step = lab.step("update", [CLEAN], [f"{CLEAN}"])
    assert lab.step_fact(step)["changed_while_running"] == []
    assert caplog.messages == []


def test_rule_2_2_an_entry_that_covers_the_wanted_ref_serves_it(lab):
    prepared(lab)
    made = lab.current(CLEAN)
    train = lab.step("train", [f"{CLEAN}/data.txt"], [MODEL])
    assert lab.read_by(train, CLEAN).id == made.id
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def test_rule_2_2_a_ref_that_covers_others_reaches_every_writer(lab):
    lab.step("one", ["raw"], [f"{DATA}:/a"])
    lab.step("two", ["raw"], [f"{DATA}:/b"])
    train = lab.step("train", [DATA], ["results"])
    assert lab.upstream("results").steps == {"one", "two", "train"}
    refs = {str(c.ref) for c in lab.ws.index.step(train).inputs}
    assert refs == {f"{DATA}:/a", f"{DATA}:/b"}  # no file lies beside them


def test_rule_2_2_a_ref_that_covers_others_is_read_itself_when_it_holds_more(lab):
    lab.step("one", ["raw"], [f"{DATA}:/a"])
    lab.write(f"{DATA}:/beside.txt", "more\n")
    train = lab.step("train", [DATA], ["results"])
    refs = {str(c.ref): c for c in lab.ws.index.step(train).inputs}
    assert set(refs) == {DATA, f"{DATA}:/a"}
    assert refs[DATA].kind == "input"
    assert lab.upstream("results").steps == {"one", "train"}


def test_rule_2_2_output_not_yet_hashed_keeps_its_producer_when_the_index_is_lost(lab):
    prepared(lab)
    made = lab.current(CLEAN)
    lab.ws.close()
    for path in (lab.root / ".dataworkspace/graph").glob("index.db*"):
        path.unlink()
    lab.ws = Lab.at(lab.root).ws
    train = lab.step("train", [CLEAN], [MODEL])
    assert lab.read_by(train, CLEAN).id == made.id
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def overwrite_at_once(lab: Lab, times: int) -> None:
    path = lab.path(CLEAN) / "data.txt"
    resource = lab.ws.get_resource(DATA)
    for number in range(times):
        lab.step("write", ["raw"], [CLEAN], text=f"{number:08}\n")
        with path.open("r+b") as file:
            file.write(b"edited")
        entry = lab.entry(CLEAN)
        assert entry is not None
        assert entry.fingerprint is not None
        assert not resource.unchanged("clean", entry.fingerprint), f"missed at {number}"


def test_rule_2_2_an_overwrite_in_place_right_after_complete_is_never_missed(lab):
    overwrite_at_once(lab, 50)


@pytest.mark.slow
def test_rule_2_2_an_overwrite_in_place_a_thousand_times_is_never_missed(lab):
    overwrite_at_once(lab, 1000)


# 2.3


def test_rule_2_3_each_output_is_a_placeholder_with_an_id_of_its_own(lab):
    one = lab.written_by(prepared(lab), CLEAN)
    two = lab.written_by(prepared(lab), CLEAN)
    assert one.id != two.id
    assert UUID(one.id).version == UUID(two.id).version == 7
    assert (one.version, two.version) == (1, 2)
    assert (one.kind, two.kind) == ("output", "output")


def test_rule_2_3_write_restore_write_makes_two_certificates(lab):
    lab.snapshot("V0")
    one = lab.written_by(prepared(lab), CLEAN)
    lab.restore("V0")
    two = lab.written_by(prepared(lab), CLEAN)
    assert two.id != one.id
    assert two.version == one.version + 1


def test_rule_2_3_write_abort_write_makes_two_certificates(lab):
    one = lab.written_by(prepared(lab), CLEAN)
    lab.begin("broken", ["raw"], [CLEAN]).abort()
    two = lab.written_by(prepared(lab), CLEAN)
    assert two.id != one.id
    assert two.version > one.version


def test_rule_2_3_a_snapshot_gives_no_version_twice(lab):
    one = lab.written_by(prepared(lab), CLEAN)
    lab.snapshot("V1")
    assert lab.written_by(prepared(lab), CLEAN).version == one.version + 1


WRITER = """
import sys
from pathlib import Path
from tests.rules.lab import CLEAN, Lab
lab = Lab.at(Path(sys.argv[1]))
print("ready", flush=True)
lab.step("write", [], [CLEAN])
"""


def test_rule_2_3_two_processes_writing_one_ref_at_once_make_two_certificates(lab):
    both = [python(WRITER, lab.root) for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    lab.ws.catch_up()
    written = [c for s in lab.ws.index.steps(lab.ws.id) for c in s.outputs]
    assert len({c.id for c in written}) == 2
    assert sorted(c.version for c in written) == [1, 2]


@pytest.mark.parametrize("second", [CLEAN, DATA, f"{CLEAN}/part"])
def test_rule_2_3_an_output_that_overlaps_another_of_the_step_is_refused(lab, second):
    lineage = lab.begin("prepare", ["raw"], [CLEAN])
    with pytest.raises(LineageConflictError):
        lineage.add_output_ref(ResourceRef.parse(second))
    lineage.complete()
    assert [str(c.ref) for c in lab.ws.index.steps(lab.ws.id)[0].outputs] == [CLEAN]


# 2.4


def test_rule_2_4_complete_appends_the_step_as_one_fact_with_its_time(lab):
    step = lab.step("prepare", ["raw"], [CLEAN], meanwhile=lambda: time.sleep(0.02))
    (fact,) = [b for b in lab.facts("StepCompleted") if b["id"] == step]
    assert 0.02 <= fact["execution_time_seconds"] < 20
    assert lab.current(CLEAN).id == lab.written_by(step, CLEAN).id
    assert lab.entry(CLEAN).output


def test_rule_2_4_abort_keeps_the_failed_step_and_clears_its_outputs(lab):
    prepared(lab)
    lineage = lab.begin("broken", ["raw"], [CLEAN], {"n": 3})
    lineage.abort("no disk")
    assert lab.entry(CLEAN) is None
    step = lab.ws.index.step(lineage.key)
    assert (step.status, step.error) == ("failed", "no disk")
    assert step.parameters == {"n": 3}
    assert [str(c.ref) for c in step.inputs] == ["raw"]
    assert step.outputs == ()


def test_rule_2_4_an_exception_in_the_block_aborts_and_goes_on(lab):
    with pytest.raises(ZeroDivisionError), lab.begin("broken", ["raw"], [CLEAN]):
        1 / 0  # noqa: B018
    assert lab.entry(CLEAN) is None
    (step,) = lab.ws.index.steps(lab.ws.id, status="failed")
    assert "ZeroDivisionError" in step.error


def test_rule_2_4_complete_and_abort_happen_once_and_then_warn(lab, caplog):
    lineage = lab.begin("prepare", ["raw"], [CLEAN])
    lineage.complete()
    before = lab.journal_lines()
    with caplog.at_level(logging.WARNING):
        lineage.complete()
        lineage.abort()
    assert len(caplog.messages) == 2
    assert lab.journal_lines() == before

    lineage = lab.begin("broken", ["raw"], [CLEAN])
    lineage.abort()
    before = lab.journal_lines()
    lineage.abort()
    lineage.complete()
    assert lab.journal_lines() == before


@pytest.mark.parametrize("wanted", [DATA, f"{CLEAN}/part"])
def test_rule_2_4_an_output_that_overlaps_one_recorded_is_refused_when_declared(lab, wanted):
    prepared(lab)
    lineage = lab.begin("other", ["raw"])
    with pytest.raises(LineageConflictError, match=CLEAN):
        lineage.add_output_ref(ResourceRef.parse(wanted))
    lineage.complete()


def test_rule_2_4_an_entry_that_was_only_read_is_no_conflict(lab):
    lab.write(f"{CLEAN}/x.txt", "1\n")
    lab.step("look", [CLEAN])
    step = lab.step("write", ["raw"], [DATA])
    assert lab.written_by(step, DATA).kind == "output"
    assert lab.upstream(DATA).steps == {"write"}


def test_rule_2_4_a_clash_seen_at_complete_is_stored_at_the_existing_ref(lab, caplog):
    late = lab.begin("late", ["raw"], [DATA])
    prepared(lab)
    lab.write(f"{CLEAN}/data.txt", "late\n")
    with caplog.at_level(logging.WARNING):
        late.complete()
    lab.ws.catch_up()
    step = lab.ws.index.step(late.key)
    assert step.status == "completed"
    assert [str(c.ref) for c in step.outputs] == [CLEAN]
    assert any("late" in m and CLEAN in m for m in caplog.messages)
    assert lab.current(CLEAN).id == lab.written_by(late.key, CLEAN).id


# 2.5


class Colour(enum.Enum):
    RED = "red"


def test_rule_2_5_parameters_accept_what_science_has(lab):
    params = {
        "int": np.int64(3),
        "float": np.float32(0.5),
        "array": np.array([[1, 2], [3, 4]]),
        "when": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
        "where": Path("a/b"),
        "colour": Colour.RED,
        "set": {1},
        "none": None,
        "nan": float("nan"),
        "up": float("inf"),
        "down": float("-inf"),
        "huge": 2**70,
        "flag": np.bool_(True),
    }
    kept = lab.step_fact(lab.step("train", ["raw"], params=params))["parameters"]
    assert kept["int"] == 3
    assert kept["float"] == 0.5
    assert kept["array"] == [[1, 2], [3, 4]]
    assert kept["when"].startswith("2026-01-02T03:04:05")
    assert kept["where"] == "a/b"
    assert kept["colour"] == "red"
    assert kept["set"] == [1]
    assert kept["none"] is None
    assert (kept["nan"], kept["up"], kept["down"]) == ("NaN", "Infinity", "-Infinity")
    assert kept["huge"] == 2**70
    assert kept["flag"] is True


def test_rule_2_5_metrics_accept_a_diverged_loss_and_metadata_hold_it_as_python_does(lab):
    lab.results_step(["raw"], {"loss": float("nan"), "n": np.int32(4), "huge": 2**70})
    taken = lab.snapshot("V1")
    raw = (lab.root / f".dataworkspace/snapshot_metadata/{taken.hash}_md.json").read_text()
    assert '"loss": NaN' in raw
    (snapshot,) = lab.ws.index.snapshots(lab.ws.id)
    assert snapshot.metrics["loss"] == "NaN"
    assert snapshot.metrics["n"] == 4
    (node,) = [n for n in lab.ws.index.dump()["nodes"] if "Snapshot" in n["labels"]]
    assert node["properties"]["metric_huge"] == str(2**70)


def test_rule_2_5_anything_else_is_refused_with_name_and_type_before_the_step_runs(lab):
    ran = []
    with (
        pytest.raises(ApiParamError) as refused,
        lab.begin("train", ["raw"], params={"model": {"layers": object()}}),
    ):
        ran.append(True)
    assert ran == []
    assert "model" in str(refused.value)
    assert "object" in str(refused.value)
    assert lab.step_names() == []


def test_rule_2_5_file_names_that_are_no_utf_8_are_escaped_in_facts(lab):
    name = os.fsdecode(b"caf\xe9.txt")
    (lab.raw / name).write_text("1\n")
    lab.begin("look", params={"file": lab.raw / name, "name": name}).complete()
    kept = lab.facts("StepCompleted")[-1]["parameters"]
    assert kept["name"] == "caf\\xe9.txt"
    assert kept["file"].endswith("caf\\xe9.txt")


# 2.6


def test_rule_2_6_a_step_recorded_while_the_index_is_damaged_is_not_lost(lab):
    prepared(lab)
    lab.ws.close()
    (lab.root / ".dataworkspace/graph/index.db").write_bytes(b"not a database" * 1000)
    for name in ("index.db-wal", "index.db-shm"):
        (lab.root / ".dataworkspace/graph" / name).unlink(missing_ok=True)
    lab.ws = Lab.at(lab.root).ws
    lab.step("train", [CLEAN], [MODEL])
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def test_rule_2_6_an_index_damaged_while_the_step_runs_loses_nothing(lab):
    prepared(lab)
    lab.ws.close()
    lineage = lab.begin("train", [CLEAN], [MODEL])
    index = lab.root / ".dataworkspace/graph/index.db"
    with index.open("r+b") as file:
        file.write(hashlib.sha256(b"x").digest() * 400)
    try:
        lineage.complete()
    finally:
        lab.ws = Lab.at(lab.root).ws
    assert "train" in lab.step_names()
    assert lab.upstream(MODEL).steps == {"prepare", "train"}
