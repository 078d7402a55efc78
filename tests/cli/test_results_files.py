"""All results files count, wherever in results they are; their metrics are told apart by that."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.lineage import LineageBuilder, ResultsLineage
from tests.cli.conftest import Dws

Fit = Callable[..., None]


@pytest.fixture
def fit(workspace: Path) -> Fit:
    """Record a step whose results go to a folder."""

    def record(folder: str, **metrics: object) -> None:
        step = folder.replace("/", "-")
        builder = LineageBuilder().with_step_name(step).with_parameters({"folder": folder})
        builder = builder.with_input_path("source-data").with_code_path("code")
        (workspace / folder).mkdir(parents=True, exist_ok=True)
        with builder.as_results_step(folder).eval() as results:
            assert isinstance(results, ResultsLineage)
            (workspace / folder / "model.txt").write_text(str(metrics))
            results.write_results(metrics)

    return record


def metrics(dws: Dws) -> dict[str, object]:
    return dws.json("report", "history")[0]["metrics"]


def test_two_models_in_one_resource_are_told_apart_everywhere(dws, fit, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    fit("results/logreg", accuracy=0.5, loss=2.0)
    fit("results/forest", accuracy=0.75, loss=1.0)
    dws("snapshot", "v1")

    expected = {"forest/accuracy": 0.75, "forest/loss": 1.0}
    expected |= {"logreg/accuracy": 0.5, "logreg/loss": 2.0}
    assert metrics(dws) == expected
    assert dws.json("show", "v1")["metrics"] == expected
    header = dws("report", "history").lines[1].split()
    assert set(expected) < set(header)
    row = next(csv.DictReader(io.StringIO(dws("report", "history", "--format", "csv").out)))
    assert row["forest/accuracy"] == "0.75"
    chosen = dws("report", "history", "--metrics", "logreg/accuracy", "--sort", "logreg/accuracy")
    assert "0.5" in chosen.lines[3].split()

    found = dws.json("report", "results")
    paths = [one["path"] for one in (found, *found["others"])]
    assert [path.split("/")[-2] for path in paths] == ["forest", "logreg"]
    said = dws("report", "results", "--snapshot", "v1").lines
    assert [line for line in said if line.startswith("Results file at")] == [
        f"Results file at {path}" for path in paths
    ]


def test_what_one_of_them_became_is_a_difference(dws, fit):
    fit("results/logreg", accuracy=0.5)
    fit("results/forest", accuracy=0.75)
    dws("snapshot", "v1")
    assert dws.json("diff", "v1")["metrics"] == []
    fit("results/logreg", accuracy=0.5)
    fit("results/forest", accuracy=0.8)

    changed = [{"name": "forest/accuracy", "a": 0.75, "b": 0.8}]
    assert dws.json("diff", "v1")["metrics"] == changed
    dws("snapshot", "v2")
    assert dws.json("diff", "v1", "v2")["metrics"] == changed


def test_two_results_resources_are_named(dws, workspace, fit):
    (workspace / "tables").mkdir()
    dws("add", "git", "--role", "results", "--name", "tables", "./tables")
    fit("results", accuracy=0.5)
    fit("tables", accuracy=0.75)
    dws("snapshot", "v1")

    assert metrics(dws) == {"results/accuracy": 0.5, "tables/accuracy": 0.75}


def test_a_file_on_its_own_needs_no_name(dws, workspace, fit):
    fit("results/forest", accuracy=0.75)
    dws("snapshot", "v1")
    assert metrics(dws) == {"accuracy": 0.75}

    fit("results", accuracy=0.5)
    dws("snapshot", "v2")
    assert metrics(dws) == {"accuracy": 0.5}  # that of v1 has moved, and is no current one


def test_the_metrics_at_the_root_keep_their_names(dws, workspace, fit):
    fit("results", accuracy=0.5)
    below = workspace / "results" / "forest"
    below.mkdir()
    (below / "results.json").write_text(json.dumps({"metrics": {"accuracy": 0.75}}))
    dws("snapshot", "v1")

    assert metrics(dws) == {"accuracy": 0.5, "forest/accuracy": 0.75}


def test_a_file_below_that_is_no_results_file_keeps_no_snapshot_away(dws, workspace, fit):
    fit("results/forest", accuracy=0.75)
    for name, text in (("broken", "{"), ("list", "[1]"), ("other", '{"metrics": 5}')):
        (workspace / "results" / name).mkdir()
        (workspace / "results" / name / "results.json").write_text(text)

    ran = dws("snapshot", "v1")

    assert "no metrics are taken from results:/broken/results.json" in ran.err
    assert "no metrics are taken from results:/list/results.json" in ran.err
    assert metrics(dws) == {"forest/accuracy": 0.75}
