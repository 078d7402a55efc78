"""The quick start's two experiments, compared and explained."""

from __future__ import annotations

from dws_graph import api


def test_the_second_experiment_differs_by_its_step_and_says_so_first(demo):
    root = str(demo.root)
    report = api.diff("SVC-1", "LR-1", workspace_uri_or_path=root)
    text = api.lineage_explain(
        "results", "SVC-1", snapshot="LR-1", workspace_uri_or_path=root
    ).to_text()

    assert report["steps"] == {"added": ["digits_lr"], "removed": ["digits_svc"], "changed": []}
    assert {r["name"]: r["change"] for r in report["resources"]} == {
        "code": "changed",
        "results": "changed",
        "sklearn-digits-dataset": "same",
    }
    assert "accuracy" in [m["name"] for m in report["metrics"]]
    assert text.splitlines()[4] == "   1. The step digits_lr is new; it wrote results."
    assert "The data sklearn-digits-dataset at " in text
    assert "dws restore LR-1" in text


def test_the_two_lineages_share_their_data_and_nothing_else(demo):
    graph = api.lineage_diff("SVC-1", "LR-1", "results", workspace_uri_or_path=str(demo.root))

    told = {(n.name, n.properties["change"]) for n in graph.nodes}
    assert ("sklearn-digits-dataset", "same") in told
    assert {("digits_svc", "dropped"), ("digits_lr", "added")} <= told
