"""Data that scikit-learn's own functions get: an api-resource, known by what the kit hashed."""

from __future__ import annotations

import pickle
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split

from dws_graph.api import lineage_stale, take_snapshot, upstream
from dws_graph.errors import ApiParamError
from dws_graph.kits.scikit_learn import LineagePredictor
from dws_graph.resources.api_resource import ApiResource
from dws_graph.workspace import Workspace, find_and_load_workspace

MULTI = "multiclass_classification"


def open_lab(lab: Path) -> closing[Workspace]:
    return closing(find_and_load_workspace(True, False, str(lab)))


@pytest.fixture
def api_lab(lab: Path) -> Path:
    with open_lab(lab) as ws:
        ws.add_resource("flowers", "api-resource", "source-data")
    return lab


def split(load: Any = load_iris, **kwargs: Any) -> Any:
    data, target = load(return_X_y=True, **kwargs)
    return train_test_split(data, target, random_state=0)


def saved(lab: Path) -> str | None:
    with open_lab(lab) as ws:
        api = ws.get_resource("flowers")
        assert isinstance(api, ApiResource)
        return api.saved_hash()


def run(load: Any = load_iris, **kwargs: Any) -> LineagePredictor:
    train, test, train_y, test_y = split(load, **kwargs)
    predictor = LineagePredictor(LogisticRegression(max_iter=5000), MULTI, "flowers")
    predictor.fit(train, train_y)
    predictor.score(test, test_y)
    return predictor


def read(lab: Path) -> tuple[str | None, list[str]]:
    """The certificate of the data, and the steps above the results."""
    graph = upstream("results", workspace_uri_or_path=str(lab))
    nodes = [node for node in graph.nodes if node.properties.get("resource") == "flowers"]
    steps = [node.name for node in graph.nodes if node.kind == "step"]
    assert len(nodes) == 1
    return nodes[0].properties["hash"], steps


def test_the_same_data_have_one_hash_and_other_data_another(api_lab: Path) -> None:
    run()
    first = saved(api_lab)
    run()
    again = saved(api_lab)
    run(load_wine)

    assert first == again
    assert saved(api_lab) not in (None, first)


def test_lineage_reaches_the_data_before_and_after_snapshots(
    api_lab: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run()
    assert "changed while" not in caplog.text
    assert read(api_lab) == (None, ["train-digits"])
    first = take_snapshot(tag="v1")
    assert read(api_lab) == (saved(api_lab), ["train-digits"])
    hash_1 = saved(api_lab)
    run()
    assert lineage_stale() == []
    assert read(api_lab)[0] == hash_1  # the same data: known at once
    run(load_wine)
    take_snapshot(tag="v2")
    assert read(api_lab) == (saved(api_lab), ["train-digits"])
    assert saved(api_lab) != hash_1
    with open_lab(api_lab) as ws:
        held = [c.hash for c, _ in ws.index.contains(ws.id, first) if c.ref.name == "flowers"]
    assert held == [hash_1]


def test_a_test_goes_on_from_the_training_and_leaves_it_as_it_was(api_lab: Path) -> None:
    train, test, train_y, test_y = split()
    predictor = LineagePredictor(LogisticRegression(max_iter=5000), MULTI, "flowers")
    predictor.fit(train, train_y)
    trained = saved(api_lab)
    predictor.score(test, test_y)
    tested = saved(api_lab)
    predictor.score(train, train_y)
    other = saved(api_lab)
    predictor.score(test, test_y)

    assert len({trained, tested, other}) == 3
    assert saved(api_lab) == tested
    loaded = pickle.loads(pickle.dumps(predictor))
    loaded.score(test, test_y)  # what it was trained on is not known any more
    assert saved(api_lab) not in (trained, tested, other)


def test_names_of_columns_count(api_lab: Path) -> None:
    train, test, train_y, test_y = split(as_frame=True)
    assert isinstance(train, pd.DataFrame)
    hashes = []
    for names in (list(train.columns), list("abcd")):
        predictor = LineagePredictor(LogisticRegression(max_iter=5000), MULTI, "flowers")
        predictor.fit(train.set_axis(names, axis=1), train_y)
        predictor.score(test.set_axis(names, axis=1), test_y)
        hashes.append(saved(api_lab))
    assert hashes[0] != hashes[1]


def test_a_wrapped_search_hashes_its_data_once_as_a_whole(api_lab: Path) -> None:
    train, test, train_y, test_y = split()
    search = GridSearchCV(LogisticRegression(max_iter=5000), {"C": [0.1, 1.0]}, cv=2)
    predictor = LineagePredictor(search, MULTI, "flowers").fit(train, train_y)
    predictor.score(test, test_y)
    searched = saved(api_lab)
    run()
    assert searched == saved(api_lab)


def test_data_that_cannot_be_hashed_are_refused_before_the_training(api_lab: Path) -> None:
    class Never:
        def fit(self, *_: Any) -> None:
            raise AssertionError("trained")

        def predict(self, *_: Any) -> None:
            raise AssertionError("asked")

    predictor = LineagePredictor(Never(), MULTI, "flowers")
    with pytest.raises(ApiParamError, match="cannot be hashed"):
        predictor.fit(iter([1]), [1])
    assert saved(api_lab) is None
    with open_lab(api_lab) as ws:
        assert ws.index.entries(ws.id, ws.instance) == []
