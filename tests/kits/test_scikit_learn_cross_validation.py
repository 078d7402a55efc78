from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.svm import SVC
from sklearn.utils import Bunch

from dws_graph.errors import ApiParamError
from dws_graph.kits.scikit_learn import load_dataset_from_resource, train_and_predict_with_cv

GRID = {"gamma": [0.0001, 0.001], "C": [1.0]}


def few_digits() -> Bunch:
    dataset = load_dataset_from_resource("source-data", "digits")
    return Bunch(data=dataset.data[:300], target=dataset.target[:300], resource=dataset.resource)


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


def test_the_best_parameters_are_found_recorded_and_printed(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_and_predict_with_cv(
        SVC,
        GRID,
        few_digits(),
        str(lab / "results"),
        folds=3,
        model_name="best",
        random_state=3,
        run_description="few digits",
    )

    found = results(lab / "results")
    assert found["step"] == "train-digits"
    assert found["run_description"] == "few digits"
    assert found["parameters"] == {
        "classifier": "SVC",
        "test_size": 0.2,
        "cv_params": GRID,
        "cv_scoring": "accuracy",
        "random_state": 3,
        "gamma": 0.001,
        "C": 1.0,
    }
    assert found["metrics"]["accuracy"] > 0.9
    assert found["metrics"]["classification_report"]["weighted avg"]["support"] == 60
    assert "weighted avg" in capsys.readouterr().out
    assert joblib.load(lab / "results" / "best.pkl").gamma == 0.001


def test_two_classes_get_binary_metrics(lab: Path) -> None:
    dataset = few_digits()
    dataset.target = np.where(dataset.target > 4, "high", "low")

    train_and_predict_with_cv(SVC, GRID, dataset, "results", folds=2)

    assert list(results(lab / "results")["metrics"]) == [
        *("accuracy", "precision", "recall", "roc_auc_score", "f1_score")
    ]
    assert not list((lab / "results").glob("*.pkl"))


def test_a_model_name_with_directories_is_refused(lab: Path) -> None:
    with pytest.raises(ApiParamError, match="cannot be called"):
        train_and_predict_with_cv(SVC, GRID, few_digits(), "results", model_name="a/b")
