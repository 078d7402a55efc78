from __future__ import annotations

import io
import json
import math
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as skm

from dws_graph.errors import ApiParamError
from dws_graph.kits.scikit_learn.metrics import (
    BinaryClassificationMetrics,
    Metrics,
    MulticlassClassificationMetrics,
    RegressionMetrics,
    metrics_class,
)

WEIGHT = [1.0, 2.0, 3.0, 4.0]


def test_binary_metrics_are_those_of_sklearn() -> None:
    expected, predicted = [0, 1, 1, 0], [0, 1, 0, 1]

    found = BinaryClassificationMetrics(expected, predicted, WEIGHT)

    weight: dict[str, Any] = {"sample_weight": WEIGHT}
    assert found.to_dict() == {
        "accuracy": skm.accuracy_score(expected, predicted, **weight),
        "precision": skm.precision_score(expected, predicted, **weight),
        "recall": skm.recall_score(expected, predicted, **weight),
        "roc_auc_score": skm.roc_auc_score(expected, predicted, **weight),
        "f1_score": skm.f1_score(expected, predicted, **weight),
    }
    assert found.score() == found.to_dict()["accuracy"] == pytest.approx(0.3)


@pytest.mark.parametrize("classes", [("no", "yes"), (-1, 1), (2, 4), (False, True)])
def test_the_positive_class_is_the_later_one_whatever_the_labels(classes: tuple) -> None:
    numbers = BinaryClassificationMetrics([0, 1, 1, 1], [0, 1, 0, 1])
    expected = [classes[i] for i in [0, 1, 1, 1]]

    found = BinaryClassificationMetrics(expected, [classes[i] for i in [0, 1, 0, 1]])

    assert found.to_dict() == numbers.to_dict()


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_alone_has_no_roc_auc(label: int) -> None:
    found = BinaryClassificationMetrics([label] * 3, [label] * 3).to_dict()

    assert math.isnan(found["roc_auc_score"])
    assert found["accuracy"] == 1.0
    assert found["recall"] == label


def test_binary_metrics_of_many_classes_are_refused_with_what_to_use() -> None:
    with pytest.raises(ApiParamError, match="there are 3 classes") as caught:
        BinaryClassificationMetrics([0, 1, 2], [0, 1, 2]).to_dict()

    assert "multiclass_classification" in caught.value.hint


def test_multiclass_metrics_hold_a_report_that_json_can_hold() -> None:
    expected, predicted = np.array([0.0, 1.0, 2.0, 2.0]), np.array([0.0, 2.0, 2.0, 2.0])

    found = MulticlassClassificationMetrics(expected, predicted, WEIGHT)

    metrics = json.loads(json.dumps(found.to_dict()))
    assert list(metrics) == ["accuracy", "classification_report"]
    assert metrics["accuracy"] == found.score() == 0.8
    assert metrics["classification_report"]["2.0"]["recall"] == 1.0
    assert metrics["classification_report"]["1.0"]["support"] == 2.0


def test_regression_metrics_are_those_of_sklearn() -> None:
    expected, predicted = [1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 3.0, 3.0]

    found = RegressionMetrics(expected, predicted, WEIGHT)

    assert found.to_dict() == {
        "r2_score": skm.r2_score(expected, predicted, sample_weight=WEIGHT),
        "mean_squared_error": skm.mean_squared_error(expected, predicted, sample_weight=WEIGHT),
    }
    assert found.score() == found.to_dict()["r2_score"]


@pytest.mark.parametrize(
    ("cls", "word"),
    [
        (BinaryClassificationMetrics, "f1_score: 1"),
        (MulticlassClassificationMetrics, "weighted avg"),
        (RegressionMetrics, "mean_squared_error: 0"),
    ],
)
def test_metrics_are_printed_to_the_file_given_or_standard_output(
    cls: type[Metrics], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = cls([0, 1, 1], [0, 1, 1])
    file = io.StringIO()

    found.print_metrics(file)
    assert word in file.getvalue()
    assert capsys.readouterr().out == ""

    found.print_metrics()
    assert capsys.readouterr().out == file.getvalue()


def test_metrics_are_named_or_given_as_a_class() -> None:
    class Own(RegressionMetrics):
        pass

    assert metrics_class("binary_classification") is BinaryClassificationMetrics
    assert metrics_class("multiclass_classification") is MulticlassClassificationMetrics
    assert metrics_class("regression") is RegressionMetrics
    assert metrics_class(Own) is Own
    for wrong in "accuracy", int, Own([1], [1]):
        with pytest.raises(ApiParamError, match="names no metrics"):
            metrics_class(wrong)  # type: ignore[arg-type]
