"""The contract of views with facts that amend others: undone, renamed, deleted, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dws_graph.backends.index import Index
from dws_graph.backends.journal.journal import Journal
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.errors import ViewAmendedError
from dws_graph.model import facts as f
from dws_graph.model.amending import names_now
from dws_graph.model.folding import resource_id, snapshot_id
from tests.backends.conftest import Views
from tests.backends.histories import WORKSPACE, A, B, Recorder


def journal_of(folder: Path, mine: Recorder, *others: Recorder) -> Journal:
    """A journal on disk that holds what these recorded."""
    local = folder / "local"
    local.mkdir(parents=True, exist_ok=True)
    (local / "journal.jsonl").write_text("".join(x.fact.to_line() + "\n" for x in mine.lines))
    for other in others:
        kept = local / "segments" / other.instance
        kept.mkdir(parents=True, exist_ok=True)
        text = "".join(line.fact.to_line() + "\n" for line in other.lines)
        (kept / f"{1:010d}.jsonl").write_text(text)
    return Journal(folder, WORKSPACE, mine.instance)


def folded(views: Views, journal: Journal) -> Dump:
    view = views.new()
    view.apply(journal.since({}))
    return view.dump()


def props(dump: Dump, key: str) -> dict[str, object]:
    (found,) = [n for n in dump["nodes"] if n["properties"]["id"] == key]
    return found["properties"]


def undo(recorder: Recorder, *ids: str) -> str:
    body = {"operation": "snapshot", "again": False, "facts": list(ids), "current": []}
    return recorder.append(f.UNDONE, body).id


def test_what_was_undone_counts_as_never_said_and_undone_twice_as_said(
    views: Views, tmp_path: Path
):
    a = Recorder()
    a.step("train", ["raw"], ["model"])
    before = folded(views, journal_of(tmp_path / "1", a))
    a.snapshot("v1")
    after = folded(views, journal_of(tmp_path / "2", a))
    assert diff_dumps(before, after) != []

    first = undo(a, a.lines[-1].fact.id)
    undone = folded(views, journal_of(tmp_path / "3", a))
    undo(a, first)
    again = folded(views, journal_of(tmp_path / "4", a))

    assert diff_dumps(before, undone) == []
    assert diff_dumps(after, again) == []


def test_a_view_that_holds_what_is_undone_says_that_it_must_be_folded_anew(
    views: Views, tmp_path: Path
):
    a = Recorder()
    a.step("train", ["raw"], ["model"])
    a.snapshot("v1")
    view = views.new()
    view.apply(journal_of(tmp_path, a).since(view.applied()))
    undo(a, a.lines[-1].fact.id)

    with pytest.raises(ViewAmendedError):
        view.apply(journal_of(tmp_path, a).since(view.applied()))


def test_a_renamed_resource_had_its_new_name_all_along_in_every_instance(
    views: Views, tmp_path: Path
):
    old = (Recorder(A), Recorder(B))
    old[0].resource("raw")
    old[0].step("train", ["raw:/x"], ["model"])
    old[0].append(f.RESOURCE_RENAMED, {"old": "raw", "new": "measured"})
    old[1].step("other", ["raw:/x"], ["out"])  # B has not heard of it
    dump = folded(views, journal_of(tmp_path, *old))

    named = {n["properties"].get("resource") for n in dump["nodes"]}
    assert "measured" in named
    assert "raw" not in named
    assert props(dump, resource_id(WORKSPACE, "measured"))["role"] == "intermediate-data"
    with Index(None) as index:
        index.apply(journal_of(tmp_path, *old).since({}))
        assert diff_dumps(index.dump(), dump) == []
        assert len(index.refs(WORKSPACE, "measured")) == 1


def test_a_deleted_snapshot_keeps_its_node_bare_and_loses_its_tags(views: Views, tmp_path: Path):
    a = Recorder()
    a.step("train", ["raw"], ["model"])
    snap = a.snapshot("v1", accuracy=0.5)
    a.delete(snap, "v1")

    found = props(folded(views, journal_of(tmp_path, a)), snapshot_id(WORKSPACE, snap))

    assert found["deleted"] is True
    assert found["tags"] == []
    assert not {"number", "message", "metric_accuracy"} & found.keys()


def test_names_follow_renames_and_a_name_given_back_is_its_own():
    assert names_now([("a", "b")]) == {"a": "b"}
    assert names_now([("a", "b"), ("b", "c")]) == {"a": "c", "b": "c"}
    assert names_now([("a", "b"), ("b", "a")]) == {"b": "a"}
    assert names_now([("a", "b"), ("x", "y"), ("b", "c")]) == {"a": "c", "b": "c", "x": "y"}
