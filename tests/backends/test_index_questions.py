"""What recording asks of the index, and what is asked of steps, refs and snapshots."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dws_graph.backends.index import (
    Index,
    applying,
    asking,
    listing,
    noting,
    overview,
    paging,
    reaching,
    recording,
)
from dws_graph.backends.index.stats import StatPiece
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import MetricIs, StepFilter
from dws_graph.model import facts as f
from dws_graph.model.certificates import hashed
from tests.backends.histories import WORKSPACE, A, B, Recorder, digest, ref, two_instances


def folded(*recorders: Recorder) -> Index:
    index = Index(None)
    for recorder in recorders:
        index.apply(recorder.lines)
    return index


def test_entries_are_what_is_current_with_its_fingerprint():
    a = Recorder()
    step = a.step("train", ["raw"], ["model:/a"])
    a.step("train", [], ["gone"], error="killed")

    with folded(a) as index:
        raw_and_model = index.entries(WORKSPACE, A)
        assert [str(e.ref) for e in raw_and_model] == ["model:/a", "raw"]
        (model,) = index.entries(WORKSPACE, A, "model")
        assert index.entries(WORKSPACE, B) == []

    assert model.certificate == step.outputs[0]
    assert model.output
    assert model.via == f.STEP_COMPLETED
    assert model.fingerprint == step.current[-1].fingerprint
    assert not raw_and_model[1].output
    assert raw_and_model[1].fingerprint is None


def test_an_entry_names_the_fact_that_made_its_certificate_current():
    a = Recorder()
    a.step("train", ["raw"], ["model"])
    a.snapshot()

    with folded(a) as index:
        via = {e.ref.name: e.via for e in index.entries(WORKSPACE, A)}

    assert via == {"raw": f.SNAPSHOT_TAKEN, "model": f.STEP_COMPLETED}


def test_an_entry_of_a_certificate_that_no_segment_here_describes_keeps_its_ref():
    a, b = Recorder(), Recorder(B)
    a.step("train", [], ["model"])
    a.snapshot()
    b.set_current(a.current.values())

    with folded(b) as index:
        (entry,) = index.entries(WORKSPACE, B)
        assert str(entry.certificate.ref) == "model"
        assert index.certificate(entry.certificate.id) is None
        index.apply(a.lines)
        assert index.certificate(entry.certificate.id) == a.current[ref("model")]


def test_a_certificate_comes_back_as_the_fact_had_it():
    a = Recorder()
    step = a.step("train", ["raw:/x"], ["model"])

    with folded(a) as index:
        for cert in (*step.inputs, *step.outputs):
            assert index.certificate(cert.id) == cert
        assert index.certificates([step.id, step.outputs[0].id, "none"]).keys() == {
            step.outputs[0].id
        }


def test_known_content_is_found_by_the_hash_that_decides():
    a = Recorder()
    for content in ("one", "two", "one"):
        a.step("train", [], ["model:/a", "whole"])
        a.snapshot(contents={"model": content, "whole": content})
    with folded(a) as index:
        part, whole = ref("model:/a"), ref("whole")

        found = index.known(WORKSPACE, part, subpath_hash=digest("one a"), hash=digest("else"))
        assert [c.id for c in found] == sorted((c.id for c in found), reverse=True)
        assert len(found) == 2
        assert len(index.known(WORKSPACE, part)) == 3
        assert len(index.known(WORKSPACE, part, hash=digest("two"))) == 1
        assert index.known(WORKSPACE, part, hash=digest("one"), subpath_hash="other") == []
        assert len(index.known(WORKSPACE, whole, hash=digest("one"), subpath_hash="any")) == 2
        assert index.known(WORKSPACE, ref("none"), hash=digest("one")) == []


def test_a_merged_placeholder_is_found_by_what_it_became():
    a = Recorder()
    step = a.step("train", ["raw"], ["model"])
    a.snapshot(contents={"raw": "x"})

    with folded(a) as index:
        became = index.became([step.inputs[0].id, step.outputs[0].id])

    assert became == {
        step.inputs[0].id: hashed(WORKSPACE, ref("raw"), digest("x"), None).id,
    }


def test_numbers_and_versions_are_never_given_twice():
    a = Recorder()
    for _ in range(3):
        a.step("train", [], ["model"])
    a.snapshot()
    a.clear("model")
    with folded(a) as index:
        assert index.highest_version(WORKSPACE, A, ref("model")) == 3
        assert index.highest_version(WORKSPACE, B, ref("model")) == 0
        assert index.highest_version(WORKSPACE, A, ref("model:/a")) == 0
        assert index.highest_number(WORKSPACE, A) == 1
        assert index.highest_number(WORKSPACE, B) == 0


def test_running_steps_are_those_that_did_not_end():
    a = Recorder()
    one, two, three = a.start("one", ["x"]), a.start("two"), a.start("three")
    a.step("one", [], ["x"], start=one)
    a.step("two", start=two, error="killed")
    with folded(a) as index:
        assert index.running(WORKSPACE, A) == [three]
        assert index.running(WORKSPACE, B) == []


def test_environments_and_hostnames_are_known_by_instance():
    a, b = two_instances()
    with folded(a, b) as index:
        assert index.environment_seen(WORKSPACE, A, "e" * 40)
        assert not index.environment_seen(WORKSPACE, A, "f" * 40)
        assert index.hostnames(WORKSPACE) == {A: "laptop", B: "server"}


def test_steps_that_touch_a_certificate():
    a = Recorder()
    made = a.step("prepare", ["raw"], ["clean"])
    read = a.step("train", ["clean"], ["model"], code=["clean"])
    a.step("train", ["clean"], ["model"], error="killed")
    clean = made.outputs[0].id
    with folded(a) as index:
        touched = index.touched_by(clean)

    assert [t.step for t in touched] == [made.id, read.id]
    assert [t.fact for t in touched] == [line.fact.id for line in a.lines[:2]]
    assert {t.instance for t in touched} == {A}


@pytest.mark.parametrize(
    ("chosen", "by"),
    [
        (StepFilter(workspace=WORKSPACE), "step_time (workspace=?)"),
        (StepFilter(workspace=WORKSPACE, name="x"), "step_name (workspace=? AND name=?)"),
        (StepFilter(workspace=WORKSPACE, status="x"), "step_status (workspace=? AND status=?)"),
        (StepFilter(workspace=WORKSPACE, since="x"), "step_time (workspace=? AND start_time>?)"),
        (StepFilter(workspace=WORKSPACE, parameters={"a": 1}), "step_time (workspace=?)"),
        (StepFilter(workspace=WORKSPACE, text="x"), "step_time (workspace=?)"),
        (StepFilter(workspace=WORKSPACE, metrics=(MetricIs("a", "<", 1),)), "step_time (workspace"),
        (StepFilter(workspace=WORKSPACE, until="x"), "step_time (workspace=? AND start_time<?)"),
        (StepFilter(), "step_everywhere"),
        (StepFilter(since="x"), "step_everywhere (start_time>?)"),
    ],
)
def test_a_list_of_steps_is_read_in_its_order_from_an_index(chosen: StepFilter, by: str):
    plan = plan_of(chosen)
    later = plan_of(chosen, Place("x", "x"))

    assert [step for step in plan if by in step], plan
    assert not [step for step in plan if "TEMP B-TREE" in step and "EXCEPT" not in step], plan
    assert [step for step in later if "start_time" in step], later
    assert not [step for step in later if "TEMP B-TREE" in step and "EXCEPT" not in step], later


def plan_of(chosen: StepFilter, after: Place | None = None) -> list[str]:
    where, values = listing._where(chosen, after)
    sql = f"EXPLAIN QUERY PLAN {listing.ROWS} {where} {listing.ORDER}"
    with Index(None) as index:
        found = index._store.connection.execute(sql, {**values, "limit": 1})
        return [row[3] for row in found]


def test_a_page_of_snapshots_is_read_in_its_order_from_an_index():
    values = {"workspace": WORKSPACE, "by": "x", "id": "x", "limit": 1}
    with Index(None) as index:
        sql = f"EXPLAIN QUERY PLAN {paging.SNAPSHOTS}"
        plan = [row[3] for row in index._store.connection.execute(sql, values)]

    assert [step for step in plan if "node_snapshot" in step], plan
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_a_retracted_step_is_none_of_what_recording_asks():
    a = Recorder()
    made = a.step("prepare", ["raw"], ["clean"])
    read = a.step("train", ["clean"], ["model"])
    a.retract(made.id)
    clean = made.outputs[0].id
    with folded(a) as index:
        assert [t.step for t in index.touched_by(clean)] == [read.id]
        assert not {e.ref.name: e.output for e in index.entries(WORKSPACE, A)}["clean"]
        (entry,) = index.entries(WORKSPACE, A, "model")
        assert entry.output


def test_what_a_snapshot_contains():
    a = Recorder()
    a.step("train", ["raw"], ["model"])
    one = a.snapshot("v1")
    a.snapshot()
    with folded(a) as index:
        contained = index.contains(WORKSPACE, one)

    assert [(str(c.ref), c.status, entry) for c, entry in contained] == [
        ("model", "hashed", True),
        ("raw", "hashed", True),
    ]


def test_the_stat_cache_is_kept_by_folder(tmp_path: Path):
    with Index(tmp_path / "index.db") as index:
        index.put_stats([("/d/a", "1 2", "aa"), ("/d/b/c", "3", "cc"), ("/d.x", "4", "xx")])
        index.put_stats([("/d/a", "9", "99")], forget=["/d/b/c"])
    with Index(tmp_path / "index.db") as index:
        assert index.get_stats("/d") == {"/d/a": ("9", "99")}
        assert index.get_stats("/d/a") == {"/d/a": ("9", "99")}
        assert index.get_stats("/e") == {}


def test_many_files_of_a_folder_are_kept_at_once(tmp_path: Path):
    one = StatPiece(b"/d/", b"a\0001 2 \0\0b\0003 ", b"aa\tblob\ta\nbb\tblob\tb\n")
    two = StatPiece(b"/d/", b"s/c\0004 ", b"cc\tblob\tc\n")
    with Index(tmp_path / "index.db") as index:
        index.put_stats([], pieces={"/d": [one, two], "/d/s": [two], "/dx": [one]})
        index.put_stats([], pieces={"/d": [two, one]})
    with Index(tmp_path / "index.db") as index:
        assert index.get_stat_pieces("/d") == [two, one, two]
        assert index.get_stat_pieces("/d/s") == [two]
        assert index.get_stat_pieces("/e") == []


def recording_texts() -> list[str]:
    """Every SQL constant of the modules that recording uses, and of overviews and pages."""
    found: list[str] = []
    for module in (applying, noting, recording, asking, reaching, overview, paging):
        for value in vars(module).values():
            found += [value] if isinstance(value, str) else value if type(value) is tuple else []
    texts = [text for text in found if isinstance(text, str)]
    return [text for text in texts if text.strip().split(" ")[0] in SQL]


SQL = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@pytest.mark.parametrize("sql", recording_texts())
def test_no_statement_scans_a_table(sql: str):
    with Index(None) as index:
        connection = index._store.connection
        numbered = [n for n in range(1, 10) if f"?{n}" in sql]
        params: list[str] | dict[str, str] = dict.fromkeys(re.findall(r":(\w+)", sql), "")
        if not params:
            params = [""] * (max(numbered) if numbered else sql.count("?"))
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    scans = [step for step in plan if step.startswith("SCAN")]
    # the row of values itself, the ids and paths given, what the walk has reached, a page
    few = {"CONSTANT", "j", "json_each", "reached", "newest", "page"}
    assert not [step for step in scans if step.split()[1] not in few], plan
