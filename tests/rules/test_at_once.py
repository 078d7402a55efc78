"""What one process does while another is at it: the smallest cases that random ones found."""

from __future__ import annotations

import pytest

from dws_graph import api
from dws_graph.errors import ConfigurationError, LineageConsistencyError
from tests.rules.lab import CLEAN, MODEL, check_journal, flat_hash, fresh_dump

INDEX = ".dataworkspace/graph/index.db"


def test_rule_2_1_what_is_overwritten_while_its_reader_runs_is_refused_afterwards(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    train = lab.begin("train", [CLEAN], [MODEL])
    lab.step("prepare", ["raw"], [CLEAN])
    lab.write(f"{MODEL}/data.txt", "made from what is gone\n")
    train.complete()
    with pytest.raises(LineageConsistencyError) as refused:
        lab.begin("report", [MODEL])
    assert f"'{CLEAN}'" in str(refused.value)
    assert "Run 'train' again" in str(refused.value.hint)

    lab.step("train", [CLEAN], [MODEL])  # as the hint says
    lab.step("report", [MODEL])


def test_rule_2_1_what_a_step_read_anew_while_another_ran_is_refused_afterwards(lab):
    train = lab.begin("train", ["raw"], [MODEL])
    lab.write("raw:/a.csv", "new\n")
    lab.step("look", ["raw"])
    lab.write(f"{MODEL}/data.txt", "made from what is gone\n")
    train.complete()
    with pytest.raises(LineageConsistencyError, match="'raw'"):
        lab.begin("report", [MODEL])


def test_rule_2_1_a_step_that_began_after_a_writer_had_ended_is_let_in(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    other = lab.begin("other", [CLEAN])
    lab.step("prepare", ["raw"], [CLEAN])
    lab.step("train", [CLEAN], [MODEL])
    other.complete()  # of the version before; nothing is made from what it read
    lab.step("report", [MODEL])


def test_rule_3_a_file_that_changes_while_it_is_hashed_is_hashed_again(lab):
    changed = []

    def change(name: str, _done: int, _total: int) -> None:
        if name == "raw" and not changed:
            changed.append(lab.write("raw:/a.csv", "changed under the hash\n"))

    taken = lab.snapshot("V1", progress=change)
    assert changed
    assert lab.manifest(taken.hash)["raw"]["hash"] == flat_hash(lab.raw)


def test_rule_3_a_file_that_never_stops_changing_is_named(lab):
    before = lab.git("rev-parse", "HEAD")
    texts = iter("x" * n for n in range(1, 1000))

    def change(name: str, _done: int, _total: int) -> None:
        if name == "raw":
            lab.write("raw:/a.csv", next(texts))

    with pytest.raises(ConfigurationError, match=r"a\.csv changed while it was hashed"):
        lab.snapshot("V1", progress=change)
    assert lab.git("rev-parse", "HEAD") == before
    assert lab.snapshot("V1").is_new


def test_a_rebuild_leaves_the_file_of_the_index_to_those_who_have_it_open(lab):
    train = lab.begin("train", ["raw"], [MODEL])
    file = (lab.root / INDEX).stat().st_ino
    api.graph_rebuild("index", workspace_uri_or_path=str(lab.root))
    assert (lab.root / INDEX).stat().st_ino == file
    lab.write(f"{MODEL}/data.txt", "x\n")
    train.complete()
    assert lab.upstream(MODEL).steps == {"train"}
    assert fresh_dump(lab.ws) == lab.ws.index.dump()
    assert not list((lab.root / INDEX).parent.glob("*.anew*"))


def test_a_rebuild_holds_what_is_recorded_while_it_folds(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    recorded = []

    def record(_done: int, _total: int) -> None:
        if not recorded:
            recorded.append(lab.step("meanwhile", ["raw"]))

    (synced,) = api.graph_rebuild("index", record, workspace_uri_or_path=str(lab.root))
    assert recorded
    assert synced["applied"] == len(check_journal(lab.root))
    assert set(lab.step_names()) == {"prepare", "meanwhile"}
    assert fresh_dump(lab.ws) == lab.ws.index.dump()


def test_a_rebuild_makes_a_new_file_where_the_old_one_is_damaged(lab):
    for n in range(20):
        lab.step(f"s{n}", ["raw"], [f"intermediate-data:/{n}"])
    before = lab.ws.index.dump()
    lab.close()
    path = lab.root / INDEX
    whole = path.read_bytes()
    page = 4096
    path.write_bytes(whole[: 4 * page] + b"\xff" * page + whole[5 * page :])
    api.graph_rebuild("index", workspace_uri_or_path=str(lab.root))
    assert api.dump("index", str(lab.root)) == before
    lab.reopen()
