"""Snapshots, results and status."""

from __future__ import annotations

import json
import math

import pytest

import dws_graph
from dws_graph import api
from dws_graph.errors import ConfigurationError
from tests.api.labs import Lab


def taken_thrice(lab: Lab) -> list[str]:
    lab.clean()
    hashes = []
    for n, accuracy in enumerate((0.5, 0.9, math.nan), start=1):
        lab.train(accuracy, loss=n)
        hashes.append(lab.snapshot(f"V{n}", f"run {n}"))
    return hashes


def test_history_is_numbered_from_the_oldest(lab: Lab):
    hashes = taken_thrice(lab)

    history = list(api.get_snapshot_history())
    reverse = list(api.get_snapshot_history(reverse=True, max_count=2))

    assert [s.hashval for s in history] == hashes
    assert [s.snapshot_number for s in history] == [1, 2, 3]
    assert [s.snapshot_number for s in reverse] == [3, 2]
    assert (history[0].tags, history[0].message) == (["V1"], "run 1")
    assert history[0].metrics == {"accuracy": 0.5, "loss": 1}


def test_report_history_is_json_newest_first(lab: Lab):
    hashes = taken_thrice(lab)

    rows = api.report_history(limit=2)

    assert [(r["number"], r["hash"]) for r in rows] == [(3, hashes[2]), (2, hashes[1])]
    assert rows[0]["metrics"] == {"accuracy": "NaN", "loss": 3}
    assert list(rows[0]) == ["number", "hash", "tags", "timestamp", "message", "metrics"]
    json.dumps(rows, allow_nan=False)


def test_report_history_sorts_by_a_metric_and_chooses_metrics(lab: Lab):
    taken_thrice(lab)

    assert [r["number"] for r in api.report_history(sort="accuracy")] == [2, 1, 3]
    assert [r["number"] for r in api.report_history(sort="loss", reverse=True)] == [1, 2, 3]
    assert [r["number"] for r in api.report_history(reverse=True)] == [1, 2, 3]
    assert api.report_history(1, ["loss", "f1"])[0]["metrics"] == {"loss": 3}
    assert set(api.commonest_metrics(api.report_history())) == {"accuracy", "loss"}


def test_a_snapshot_is_shown_in_full(taken: Lab):
    shown = api.show_snapshot("latest")

    assert (shown["number"], shown["tags"], shown["message"]) == (1, ["V1"], "first")
    assert [s["name"] for s in shown["steps"]] == ["clean", "train"]
    assert [r["name"] for r in shown["resources"] if r["restorable"]] == [
        "source-data",
        "intermediate-data",
        "code",
    ]
    assert "snapshots/host-V1" in shown["resources"][3]["note"]


def test_restore_tells_how_many_resources_it_brought_back(taken: Lab):
    taken.write("source-data/raw.csv", "changed\n")

    count = api.restore("V1", only=["source-data"])

    assert count == 1
    assert (taken.root / "source-data/raw.csv").read_text() == "raw\n"


def test_results_are_the_current_ones_else_the_newest_snapshots(taken: Lab):
    found = api.get_results()
    assert found is not None
    assert found[0]["metrics"] == {"accuracy": 0.5}
    assert found[1] == "results:/snapshots/host-V1/results.json"

    taken.train(0.6)

    now, then = api.get_results(), api.get_results(tag_or_hash="V1", resource_name="results")
    assert now is not None
    assert (now[0]["metrics"], now[1]) == ({"accuracy": 0.6}, "results:/results.json")
    assert then == found


def test_no_results_are_none_and_in_a_report_an_error(lab: Lab):
    assert api.get_results() is None
    with pytest.raises(ConfigurationError, match=r"no results\.json") as e:
        api.report_results()
    assert e.value.hint


def test_results_of_another_role_are_refused(taken: Lab):
    with pytest.raises(ConfigurationError, match="not results"):
        api.get_results(resource_name="code")


def test_a_results_report_is_json(lab: Lab):
    lab.clean()
    lab.train(math.inf)

    report = api.report_results()

    assert report["path"] == "results:/results.json"
    assert report["results"]["metrics"] == {"accuracy": "Infinity"}


def test_status_tells_what_changed_since_the_latest_snapshot(trained: Lab):
    assert [r["changed"] for r in api.report_status()["resources"]] == [None] * 4
    trained.snapshot("V1")
    assert [r["changed"] for r in api.report_status()["resources"]] == [False] * 4
    trained.write("code/clean.py", "# edited\n")

    status = api.report_status()

    changed = {r["name"]: r["changed"] for r in status["resources"]}
    assert [name for name, is_changed in changed.items() if is_changed] == ["code"]
    assert status["name"] == "lab"
    assert status["lineage"]["graph"] is None
    assert status["lineage"]["waiting_facts"]["index"] == 0
    assert status["resources"][0]["params"] == {"export": False, "relative_path": "source-data"}


def test_resources_are_listed_with_their_folders(lab: Lab):
    info = api.get_resource_info(str(lab.root))

    folder = str(lab.root / "source-data")
    assert info[0] == ("source-data", "source-data", "git-subdirectory", folder)
    assert api.get_local_path_for_resource("source-data") == folder
    with pytest.raises(ConfigurationError):
        api.get_local_path_for_resource("other")


def test_versions():
    assert api.get_api_version() == "0.2"
    assert api.get_version() == dws_graph.__version__
