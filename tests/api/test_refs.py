"""What a REF means: `resource`, `resource:/sub/path`, or a path on disk."""

from __future__ import annotations

import os

import pytest

from dws_graph import api
from dws_graph.errors import (
    ConfigurationError,
    LineageNotFoundError,
    PathNotAResourceError,
    SnapshotNotFoundError,
)
from dws_graph.lineage import ResourceRef
from dws_graph.model.folding import ref_id
from tests.api.labs import Lab

CLEAN = ResourceRef("intermediate-data", "clean")


def test_a_ref_with_an_entry_is_its_current_certificate(trained: Lab):
    target = api.resolve_ref("results")

    assert target.refs == (ResourceRef("results"),)
    assert target.root == target.certificates[0].id
    assert (target.snapshot, target.warnings) == (None, ())


def test_without_an_entry_the_one_that_covers_it_is_meant(trained: Lab):
    target = api.resolve_ref("intermediate-data:/clean/data.csv")

    assert target.refs == (CLEAN,)
    assert target.root == target.certificates[0].id


def test_without_either_all_that_it_covers_is_meant_and_the_ref_is_the_root(trained: Lab):
    target = api.resolve_ref("intermediate-data")

    assert target.refs == (CLEAN,)
    with trained.open() as ws:
        assert target.root == ref_id(ws.id, ResourceRef("intermediate-data"))


@pytest.mark.parametrize(
    "path", ["./intermediate-data/clean", "intermediate-data/clean", "intermediate-data/clean/"]
)
def test_a_path_on_disk_is_the_ref_it_lies_in(trained: Lab, path: str):
    assert api.resolve_ref(path).ref == CLEAN
    assert api.resolve_ref(str(trained.root / path)).ref == CLEAN


def test_a_resource_name_wins_over_a_path(trained: Lab, monkeypatch: pytest.MonkeyPatch):
    trained.write("code/results/x.txt", "not the results")
    monkeypatch.chdir(trained.root / "code")

    assert api.resolve_ref("results").ref == ResourceRef("results")
    assert api.resolve_ref("./results").ref == ResourceRef("code", "results")


def test_an_unknown_name_says_which_there_are(trained: Lab):
    with pytest.raises(ConfigurationError, match="no resource 'resluts'") as e:
        api.resolve_ref("resluts:/x")

    assert "source-data, intermediate-data, code, results" in e.value.hint


def test_a_name_that_is_not_utf_8_is_unknown_too(trained: Lab):
    for text in ("odd\udcfe", "odd\udcfe:/part"):
        with pytest.raises(ConfigurationError, match="there is no resource"):
            api.resolve_ref(text)
    with pytest.raises(ConfigurationError, match="neither on disk nor in what was recorded"):
        api.resolve_ref("intermediate-data:/clean/\udcfe")


def test_a_path_outside_every_resource_is_refused(trained: Lab):
    with pytest.raises(PathNotAResourceError):
        api.resolve_ref(os.pardir)


def test_a_ref_that_nothing_is_known_of_is_refused(lab: Lab):
    with pytest.raises(LineageNotFoundError, match="no lineage of results"):
        api.resolve_ref("results")


def test_files_edited_since_give_a_warning(trained: Lab):
    trained.write("intermediate-data/clean/data.csv", "by hand")

    [warning] = api.resolve_ref("intermediate-data:/clean").warnings

    assert "intermediate-data:/clean was changed" in warning
    assert api.upstream("intermediate-data").warnings == [warning]
    assert api.downstream("intermediate-data:/clean").warnings == [warning]


def test_in_a_snapshot_the_certificates_it_contains_are_meant(taken: Lab):
    before = api.resolve_ref("intermediate-data:/clean")
    taken.clean(2)

    now = api.resolve_ref("intermediate-data:/clean")
    then = api.resolve_ref("intermediate-data:/clean", snapshot="V1")

    assert then.starts == before.starts != now.starts
    assert then.snapshot == api.resolve_ref("code", snapshot="latest").snapshot


def test_an_unknown_snapshot_is_refused(taken: Lab):
    with pytest.raises(SnapshotNotFoundError):
        api.resolve_ref("results", snapshot="V9")


def test_results_that_a_snapshot_moved_are_that_snapshots_with_a_note(taken: Lab):
    target = api.resolve_ref("results")

    assert target.starts == api.resolve_ref("results", snapshot="V1").starts
    assert "--snapshot V1" in target.warnings[0]


def test_results_made_by_hand_that_a_snapshot_moved_are_meant_before_older_ones(taken: Lab):
    taken.write("results/hand.txt", "by hand\n")
    taken.snapshot("V2")
    then = api.resolve_ref("results", snapshot="V2")

    for ref in ("results", "results/hand.txt"):
        target = api.resolve_ref(ref)
        assert (target.starts, target.snapshot) == (then.starts, then.snapshot)
        assert "--snapshot V2" in target.warnings[0]
    assert not [n for n in api.upstream("results").nodes if n.kind == "step"]


def test_a_part_of_moved_results_is_of_the_newest_snapshot_that_took_it(taken: Lab):
    taken.write("results/hand.txt", "by hand\n")
    taken.snapshot("V2")
    taken.write("results/README", "kept here\n")
    taken.write("code/clean.py", "# edited\n")
    taken.snapshot("V3")  # nothing of `model.txt` in it, nor in V2
    then = api.resolve_ref("results", snapshot="V1")

    target = api.resolve_ref("results:/model.txt")

    assert (target.starts, target.snapshot) == (then.starts, then.snapshot)


def test_below_a_snapshot_directory_that_result_in_that_snapshot_is_meant(taken: Lab):
    then = api.resolve_ref("results", snapshot="V1")
    taken.train(0.6)

    for ref in ("results:/snapshots/host-V1", "results/snapshots/host-V1/model.txt"):
        target = api.resolve_ref(ref)
        assert (target.root, target.snapshot) == (then.root, then.snapshot)


def test_below_another_snapshots_directory_is_refused(taken: Lab):
    taken.train(0.6)
    taken.snapshot("V2")

    with pytest.raises(LineageNotFoundError, match="of snapshot V1, not of V2"):
        api.resolve_ref("results:/snapshots/host-V1", snapshot="V2")
