"""The usual metrics of a predictor, for `results.json` and for people."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from typing import Any, TextIO

import numpy as np
from sklearn import metrics as skm

from dws_graph.errors import ApiParamError


class Metrics(ABC):
    """What a predictor's predictions are worth.

    Args:
        expected: The true values.
        predicted: What the predictor said.
        sample_weight: How much each row counts; all the same when not given.
    """

    def __init__(self, expected: Any, predicted: Any, sample_weight: Any = None) -> None:
        self.expected = expected
        self.predicted = predicted
        self.sample_weight = sample_weight

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The metrics by name, as `results.json` holds them."""

    @abstractmethod
    def score(self) -> float:
        """The one number that `score` of this kind of predictor returns."""

    def print_metrics(self, file: TextIO | None = None) -> None:
        """Print the metrics to a file, standard output when none is given."""
        out = sys.stdout if file is None else file
        for name, value in self.to_dict().items():
            out.write(f"{name}: {value:.6g}\n")


class BinaryClassificationMetrics(Metrics):
    """Accuracy, precision, recall, ROC AUC and F1 of a classifier between two classes.

    The positive class is the later of the two in order (1 of 0 and 1, `yes` of `no` and `yes`).
    With one class alone, `roc_auc_score` is NaN, since it has no meaning.
    """

    def to_dict(self) -> dict[str, float]:
        """Keys: `accuracy, precision, recall, roc_auc_score, f1_score`."""
        expected, predicted = self._is_positive()
        weight = {"sample_weight": self.sample_weight}
        scores = {**weight, "zero_division": 0.0}
        return {
            "accuracy": float(skm.accuracy_score(expected, predicted, **weight)),
            "precision": float(skm.precision_score(expected, predicted, **scores)),
            "recall": float(skm.recall_score(expected, predicted, **scores)),
            "roc_auc_score": float(skm.roc_auc_score(expected, predicted, **weight))
            if len(np.unique(expected)) == 2
            else float("nan"),
            "f1_score": float(skm.f1_score(expected, predicted, **scores)),
        }

    def score(self) -> float:
        """The accuracy."""
        return _accuracy(self)

    def _is_positive(self) -> tuple[Any, Any]:
        expected, predicted = np.asarray(self.expected), np.asarray(self.predicted)
        classes = np.unique(np.concatenate([expected, predicted]))
        if len(classes) > 2:
            raise ApiParamError(
                f"binary metrics were asked for, and there are {len(classes)} classes",
                hint="Use multiclass_classification.",
            )
        only_negative = len(classes) == 1 and classes[0] in (0, -1, False)
        positive = 1 if only_negative else classes[-1]
        return expected == positive, predicted == positive


class MulticlassClassificationMetrics(Metrics):
    """Accuracy of a classifier among many classes, and precision and recall of each class."""

    def to_dict(self) -> dict[str, Any]:
        """Keys: `accuracy`, and `classification_report`, a dictionary by class."""
        return {
            "accuracy": _accuracy(self),
            "classification_report": _plain(self._report(output_dict=True)),
        }

    def score(self) -> float:
        """The accuracy."""
        return _accuracy(self)

    def print_metrics(self, file: TextIO | None = None) -> None:
        """Print accuracy and classification report, to standard output when no file is given."""
        out = sys.stdout if file is None else file
        out.write(f"accuracy: {self.score():.6g}\n")
        out.write(f"classification report:\n{self._report(output_dict=False)}\n")

    def _report(self, *, output_dict: bool) -> Any:
        return skm.classification_report(
            self.expected,
            self.predicted,
            sample_weight=self.sample_weight,
            output_dict=output_dict,
            zero_division=0.0,
        )


class RegressionMetrics(Metrics):
    """R2 and mean squared error of a predictor of numbers."""

    def to_dict(self) -> dict[str, float]:
        """Keys: `r2_score, mean_squared_error`."""
        weight = {"sample_weight": self.sample_weight}
        error = skm.mean_squared_error(self.expected, self.predicted, **weight)
        return {"r2_score": self.score(), "mean_squared_error": float(error)}

    def score(self) -> float:
        """The R2 score."""
        return float(skm.r2_score(self.expected, self.predicted, sample_weight=self.sample_weight))


METRICS: dict[str, type[Metrics]] = {
    "binary_classification": BinaryClassificationMetrics,
    "multiclass_classification": MulticlassClassificationMetrics,
    "regression": RegressionMetrics,
}


def metrics_class(metrics: str | type[Metrics]) -> type[Metrics]:
    """The class that a name, or the class itself, stands for.

    Raises:
        ApiParamError: It is neither.
    """
    if isinstance(metrics, str) and metrics in METRICS:
        return METRICS[metrics]
    if isinstance(metrics, type) and issubclass(metrics, Metrics):
        return metrics
    raise ApiParamError(
        f"{metrics!r} names no metrics",
        hint=f"Use {', '.join(METRICS)}, or a subclass of Metrics.",
    )


def _accuracy(metrics: Metrics) -> float:
    return float(
        skm.accuracy_score(metrics.expected, metrics.predicted, sample_weight=metrics.sample_weight)
    )


def _plain(value: Any) -> Any:
    """Numpy numbers as Python's own."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value
