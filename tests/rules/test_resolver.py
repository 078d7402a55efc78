"""Section 3 of the rules: what a snapshot makes of placeholders."""

from __future__ import annotations

import itertools
import json
import logging

import pytest

from dws_graph.backends import faults
from dws_graph.errors import LineagePlaceHolderError
from dws_graph.lineage import ResourceRef
from dws_graph.resources.terms import Taken
from dws_graph.workspace.resolving import Hashed, read_entries, resolve
from tests.rules.lab import CLEAN, DATA, MODEL, Lab, flat_hash, folder_text, git, sha1


def prepared(lab: Lab) -> str:
    return lab.step("prepare", ["raw"], [CLEAN])


def test_rule_3_every_current_placeholder_gets_the_hash_of_its_resource(lab):
    prepare = prepared(lab)
    train = lab.step("train", [CLEAN], [MODEL])
    taken = lab.snapshot("V1")

    content = lab.manifest(taken.hash)
    assert lab.read_by(prepare, "raw").hash == content["raw"]["hash"] == flat_hash(lab.raw)
    code = lab.git("rev-parse", "HEAD:code")
    assert lab.read_by(prepare, "code").hash == content["code"]["hash"] == code
    data = lab.git("rev-parse", f"HEAD:{DATA}")
    for cert in (
        lab.written_by(prepare, CLEAN),
        lab.read_by(train, CLEAN),
        lab.written_by(train, MODEL),
    ):
        assert cert.hash == content[DATA]["hash"] == data


def test_rule_3_what_a_step_wrote_keeps_its_id(lab):
    made = lab.written_by(prepared(lab), CLEAN)
    lab.snapshot("V1")
    assert lab.current(CLEAN).id == made.id


def test_rule_3_data_edited_since_is_never_its_last_writers_output(lab):
    prepare = prepared(lab)
    lab.write(f"{CLEAN}/data.txt", "by hand\n")
    taken = lab.snapshot("V1")
    assert lab.written_by(prepare, CLEAN).status == "not kept"
    held = lab.held(CLEAN, taken.hash)
    assert held.hash == lab.git("rev-parse", f"HEAD:{DATA}")
    assert lab.upstream(CLEAN, at=taken.hash).steps == set()


def test_rule_3_an_input_edited_before_any_snapshot_stays_not_kept(lab):
    prepare = prepared(lab)
    lost = lab.read_by(prepare, "raw")
    lab.write("raw:/a.csv", "edited\n")
    taken = lab.snapshot("V1")
    assert lab.held("raw", taken.hash).hash == flat_hash(lab.raw)
    assert lab.read_by(prepare, "raw").id == lost.id
    assert lab.certificate(lost.id).status == "not kept"


def test_rule_3_hashed_data_edited_since_is_a_version_of_its_own(lab):
    prepare = prepared(lab)
    lab.snapshot("V1")
    first = lab.git("rev-parse", f"HEAD:{DATA}")
    lab.write(f"{CLEAN}/data.txt", "by hand\n")
    second = lab.snapshot("V2")
    assert lab.written_by(prepare, CLEAN).hash == first
    assert lab.held(CLEAN, second.hash).hash == lab.git("rev-parse", f"HEAD:{DATA}") != first
    assert lab.upstream(CLEAN, at=second.hash).steps == set()
    assert lab.upstream(CLEAN).steps == set()


def test_rule_3_a_ref_that_a_running_step_writes_is_marked(lab):
    prepare = prepared(lab)
    running = lab.begin("again", ["raw"], [CLEAN])
    lab.write(f"{CLEAN}/half.txt", "half\n")
    taken = lab.snapshot("V1")
    (fact,) = lab.facts("SnapshotTaken")
    assert fact["read_while_written"] == {CLEAN: running.key}
    assert any(CLEAN in note for note in taken.notes)
    assert lab.written_by(prepare, CLEAN).status == "not kept"
    assert lab.upstream(CLEAN, at=taken.hash).steps == set()

    running.complete()
    assert lab.current(CLEAN).id == lab.written_by(running.key, CLEAN).id
    assert lab.current(CLEAN).status == "pending"


def test_rule_4_what_changes_while_it_is_hashed_is_hashed_again(lab, monkeypatch):
    prepare = prepared(lab)
    points = []

    def edit(point: str) -> None:
        points.append(point)
        if point == "content committed" and points.count(point) == 1:
            lab.write(f"{CLEAN}/data.txt", "edited meanwhile\n")

    monkeypatch.setattr(faults, "hook", edit)
    taken = lab.snapshot("V1")
    assert points.count("content committed") == 2
    assert lab.written_by(prepare, CLEAN).status == "not kept"
    assert lab.git("show", f"HEAD:{CLEAN_PATH}/data.txt") == "edited meanwhile"
    assert lab.held(CLEAN, taken.hash).hash == lab.git("rev-parse", f"HEAD:{DATA}")


def test_rule_3_an_edit_while_a_running_step_writes_is_not_taken_for_what_was_hashed(
    lab, monkeypatch
):
    prepared(lab)
    running = lab.begin("writer", ["raw"], [CLEAN])
    count = itertools.count()

    def write(point: str) -> None:
        if point == "content committed":
            lab.write(f"{CLEAN}/data.txt", f"line {next(count)}\n")

    monkeypatch.setattr(faults, "hook", write)
    taken = lab.snapshot("V1")
    entry = lab.entry(CLEAN)
    assert entry is not None
    assert entry.certificate.id == lab.held(CLEAN, taken.hash).id
    assert not lab.ws.get_resource(DATA).unchanged("clean", entry.fingerprint)
    running.complete()


def test_rule_3_what_was_overwritten_before_a_snapshot_stays_not_kept_for_ever(lab):
    prepared(lab)
    train = lab.results_step([CLEAN], {"accuracy": 0.5})
    lost = lab.read_by(train, CLEAN)
    lab.step("prepare", ["raw"], [CLEAN])
    taken = lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.snapshot("V2")

    now = lab.certificate(lost.id)
    assert (now.hash, now.superseded, now.status) == (None, True, "not kept")
    assert lab.read_by(train, CLEAN).id == lost.id
    answer = lab.upstream("results", at=taken.hash)
    assert answer.statuses[CLEAN] == {"not kept"}
    assert answer.graph.complete is False

    folder = lab.metadata(taken.hash)["relative_destination_path"]
    lineage = json.loads((lab.path("results") / folder / "lineage.json").read_text())
    assert lineage["complete"] is False
    step = next(item for item in lineage["lineages"] if item.get("step_name") == "train")
    (read,) = [i for i in step["input_resources"] if i["subpath"] == "clean"]
    assert read["certificate"]["cert_type"] == "placeholder"
    assert read["certificate"]["is_output"] is True


def test_rule_3_lineage_that_is_kept_whole_says_so(lab):
    prepared(lab)
    lab.results_step([CLEAN], {"accuracy": 0.5})
    taken = lab.snapshot("V1")
    folder = lab.metadata(taken.hash)["relative_destination_path"]
    lineage = json.loads((lab.path("results") / folder / "lineage.json").read_text())
    assert lineage["resource_name"] == "results"
    assert lineage["complete"] is True
    assert lab.upstream("results", at=taken.hash).graph.complete is True


def test_rule_3_inputs_with_the_same_content_are_one_node(lab):
    first = prepared(lab)
    lab.snapshot("V1")
    lab.write("raw:/a.csv", "else\n")
    lab.step("look", ["raw"])
    lab.snapshot("V2")
    lab.write("raw:/a.csv", "1,2\n")  # as it was at first
    third = lab.step("look", ["raw"])
    assert lab.read_by(third, "raw").hash is None
    lab.snapshot("V3")
    assert lab.read_by(third, "raw").id == lab.read_by(first, "raw").id


def test_rule_3_inputs_that_two_instances_read_are_one_node(lab):
    lab.snapshot("V1")
    git("clone", "-q", str(lab.root), str(lab.place / "clone"), cwd=lab.place)
    there = Lab.at(lab.place / "clone")
    lab.write("raw:/a.csv", "new\n")
    here_read, there_read = lab.step("here", ["raw"]), there.step("there", ["raw"])
    assert lab.read_by(here_read, "raw").id != there.read_by(there_read, "raw").id
    lab.snapshot("V2")
    there.snapshot("W2")
    assert lab.read_by(here_read, "raw").id == there.read_by(there_read, "raw").id
    assert lab.read_by(here_read, "raw").hash == flat_hash(lab.raw)
    there.close()


def test_rule_3_what_two_steps_wrote_stays_two_nodes_with_equal_hashes(lab):
    first = lab.step("one", ["raw"], [CLEAN], text="same\n")
    lab.snapshot("V1")
    second = lab.step("two", ["raw"], [CLEAN], text="same\n")
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("V2")

    one, two = lab.written_by(first, CLEAN), lab.written_by(second, CLEAN)
    assert one.id != two.id
    assert one.subpath_hash == two.subpath_hash == lab.git("rev-parse", f"HEAD:{CLEAN_PATH}")
    assert lab.upstream(MODEL).steps == {"two", "train"}


CLEAN_PATH = f"{DATA}/clean"


def test_rule_3_versions_with_equal_hashes_are_the_same_version(lab):
    lab.step("one", ["raw"], [CLEAN], text="same\n")
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("V1")
    lab.step("two", ["raw"], [CLEAN], text="same\n")
    lab.snapshot("V2")
    lab.step("report", [CLEAN, MODEL])  # is not refused
    assert lab.step_names()[0] == "report"


def test_rule_3_what_was_resolved_while_the_step_ran_is_named_by_what_it_became(lab):
    lineage = lab.begin("look", ["raw"])
    other = lab.step("other", ["raw"])
    lab.snapshot("V1")
    lineage.complete()
    lab.ws.catch_up()
    assert lab.read_by(lineage.key, "raw").id == lab.read_by(other, "raw").id
    assert lab.read_by(lineage.key, "raw").hash == flat_hash(lab.raw)


def test_rule_3_a_placeholder_without_a_hash_is_refused_naming_step_and_ref(lab):
    prepared(lab)
    resources = {}
    for resource in lab.ws.get_resources():
        hashval = None if resource.name == DATA else "0" * 40
        resources[resource.name] = Hashed(resource, Taken(hashval, None))
    before = lab.journal_lines()
    with pytest.raises(LineagePlaceHolderError) as refused:
        resolve(lab.ws, read_entries(lab.ws, []), resources)
    assert CLEAN in str(refused.value)
    assert "prepare" in str(refused.value)
    assert lab.journal_lines() == before


def test_rule_3_a_part_has_also_the_hash_of_itself_in_git(lab):
    prepare = prepared(lab)
    lab.write(f"{DATA}:/note.txt", "a note\n")
    look = lab.step("look", [f"{DATA}:/note.txt"])
    lab.snapshot("V1")
    made = lab.written_by(prepare, CLEAN)
    assert made.hash == lab.git("rev-parse", f"HEAD:{DATA}")
    assert made.subpath_hash == lab.git("rev-parse", f"HEAD:{CLEAN_PATH}")
    note = lab.path(f"{DATA}:/note.txt").read_bytes()
    assert lab.read_by(look, f"{DATA}:/note.txt").subpath_hash == lab.git(
        "hash-object", "--stdin", stdin=note
    )


def test_rule_3_a_part_has_also_the_hash_of_itself_in_local_files(lab):
    lab.write("raw:/deep/b.csv", "3\n")
    look = lab.step("look", ["raw:/a.csv", "raw:/deep"])
    lab.snapshot("V1")
    deep = folder_text({"b.csv": sha1(b"3\n")})
    whole = f"{sha1(b'1,2' + bytes([10]))}\tblob\ta.csv\n{sha1(deep)}\ttree\tdeep\n".encode()
    assert lab.read_by(look, "raw:/deep").subpath_hash == sha1(deep)
    assert lab.read_by(look, "raw:/a.csv").subpath_hash == sha1(b"1,2\n")
    assert lab.read_by(look, "raw:/deep").hash == sha1(whole)


def test_rule_3_results_that_moved_have_the_hash_of_where_they_went(lab):
    step = lab.step("train", ["raw"], ["results:/plots"])
    taken = lab.snapshot("V1")
    folder = lab.metadata(taken.hash)["relative_destination_path"]
    moved = lab.git("ls-tree", "-r", "--name-only", "HEAD", f"results/{folder}/plots")
    assert moved == f"results/{folder}/plots/data.txt"
    cert = lab.written_by(step, "results:/plots")
    assert cert.hash == lab.manifest(taken.hash)["results"]["hash"]
    assert cert.subpath_hash == lab.git("rev-parse", f"HEAD:results/{folder}/plots")


def test_rule_3_a_part_is_judged_by_its_own_hash(lab):
    prepared(lab)
    lab.step("train", [CLEAN], [MODEL])
    lab.snapshot("V1")
    lab.write(f"{DATA}:/beside.txt", "another part of the resource\n")
    lab.snapshot("V2")
    lab.step("look", [CLEAN])
    lab.snapshot("V3")
    lab.step("report", [CLEAN, MODEL])  # is not refused
    assert lab.upstream(CLEAN).steps == {"prepare"}


def test_rule_3_equal_parts_of_a_resource_that_differs_are_the_same_version(lab):
    lab.step("one", ["raw"], [CLEAN], text="same\n")
    lab.step("train", [CLEAN], [MODEL])
    first = lab.snapshot("V1")
    lab.write(f"{DATA}:/beside.txt", "another part of the resource\n")
    lab.step("two", ["raw"], [CLEAN], text="same\n")
    second = lab.snapshot("V2")
    assert lab.held(CLEAN, first.hash).hash != lab.held(CLEAN, second.hash).hash
    lab.step("report", [CLEAN, MODEL])  # is not refused
    assert lab.upstream(CLEAN).steps == {"two"}


def test_rule_3_running_unchanged_reads_warn_of_nothing(lab, caplog):
    prepared(lab)
    lab.snapshot("V1")
    with caplog.at_level(logging.WARNING):
        lab.step("train", [CLEAN], [MODEL])
    assert caplog.messages == []


def test_rule_3_a_snapshot_without_any_step_contains_each_resource(lab):
    taken = lab.snapshot("V1")
    assert lab.held("raw", taken.hash).hash == flat_hash(lab.raw)
    assert lab.held("code", taken.hash).hash == lab.git("rev-parse", "HEAD:code")
    assert lab.entry("raw") is None
    step = lab.step("look", [str(ResourceRef("raw"))])
    assert lab.read_by(step, "raw").id == lab.held("raw", taken.hash).id
