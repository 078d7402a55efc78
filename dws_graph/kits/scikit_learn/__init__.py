"""Scikit-learn: data sets out of resources, predictors whose scores are recorded, metrics.

    dataset = load_dataset_from_resource("digits")
    classifier = LineagePredictor(SVC(), "multiclass_classification", dataset.resource)
    classifier.fit(X_train, y_train)
    classifier.score(X_test, y_test)  # writes results.json, and records the step

Needs the extra `dws-graph[scikit-learn]`.
"""

try:
    import pandas  # noqa: F401
    import sklearn  # noqa: F401
except ModuleNotFoundError as e:
    raise ModuleNotFoundError(
        f"the scikit-learn kit needs {e.name}: pip install 'dws-graph[scikit-learn]'", name=e.name
    ) from e

from dws_graph.kits.scikit_learn.cross_validation import train_and_predict_with_cv
from dws_graph.kits.scikit_learn.datasets import load_dataset_from_resource
from dws_graph.kits.scikit_learn.metrics import (
    BinaryClassificationMetrics,
    Metrics,
    MulticlassClassificationMetrics,
    RegressionMetrics,
)
from dws_graph.kits.scikit_learn.predictor import LineagePredictor

__all__ = [
    "BinaryClassificationMetrics",
    "LineagePredictor",
    "Metrics",
    "MulticlassClassificationMetrics",
    "RegressionMetrics",
    "load_dataset_from_resource",
    "train_and_predict_with_cv",
]
