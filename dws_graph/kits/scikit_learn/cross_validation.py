"""The common way to a classifier: split, search with cross-validation, train, test."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path, PurePath
from typing import Any, cast

import joblib
import numpy as np
from sklearn.model_selection import GridSearchCV, train_test_split

from dws_graph.errors import ApiParamError
from dws_graph.kits.scikit_learn.metrics import (
    BinaryClassificationMetrics,
    Metrics,
    MulticlassClassificationMetrics,
)
from dws_graph.kits.scikit_learn.recording import (
    open_workspace,
    recordable_parameters,
    step_builder,
)
from dws_graph.lineage import ResultsLineage


def train_and_predict_with_cv(
    classifier_class: type,
    param_grid: dict[str, Any] | list[dict[str, Any]],
    dataset: Any,
    results_dir: str,
    test_size: float = 0.2,
    folds: int = 5,
    cv_scoring: str = "accuracy",
    model_name: str | None = None,
    random_state: int | None = None,
    run_description: str | None = None,
) -> None:
    """Search the best parameters of a classifier, test it, and record that as a step.

    Part of the data is held back; on the rest the search runs with cross-validation, and the
    classifier is trained with the best parameters; its metrics on the part held back are printed
    and written to `results.json`.

    Args:
        classifier_class: A class of scikit-learn's, such as SVC.
        param_grid: The values to try, as GridSearchCV takes them.
        dataset: What `load_dataset_from_resource` returned.
        results_dir: A directory in a results resource.
        test_size: The part of the data that is held back for the test.
        folds: Of the cross-validation.
        cv_scoring: By what the best parameters are chosen.
        model_name: If given, the classifier is also trained on all the data with the best
            parameters, and saved as `RESULTS_DIR/MODEL_NAME.pkl` (joblib).
        random_state: Of the split.
        run_description: For people.

    Raises:
        ApiParamError: `model_name` is not a file name.
        DwsError: The step is refused.
    """
    if model_name is not None and PurePath(model_name).name != model_name:
        raise ApiParamError(
            f"the model cannot be called '{model_name}'", hint="Give a name without directories."
        )
    parameters = {
        "classifier": classifier_class,
        "test_size": test_size,
        "cv_params": param_grid,
        "cv_scoring": cv_scoring,
        "random_state": random_state,
    }
    with closing(open_workspace(_workspace_around(results_dir))) as workspace:
        builder = step_builder(workspace, classifier_class.__name__)
    builder = (
        builder.with_parameters(recordable_parameters(parameters))
        .with_input_ref(dataset.resource)
        .as_results_step(results_dir, run_description)
    )
    with cast(ResultsLineage, builder.eval()) as lineage:
        data_train, data_test, target_train, target_test = train_test_split(
            dataset.data, dataset.target, test_size=test_size, random_state=random_state
        )
        search = GridSearchCV(classifier_class(), param_grid, cv=folds, scoring=cv_scoring)
        search.fit(data_train, target_train)  # trains anew with the best parameters at its end
        for name, value in recordable_parameters(search.best_params_).items():
            lineage.add_param(name, value)
        metrics = _metrics_for(dataset.target)(target_test, search.predict(data_test))
        sys.stdout.write(f"Best parameters: {search.best_params_}\n")
        metrics.print_metrics()
        if model_name is not None:
            model = classifier_class(**search.best_params_)
            model.fit(dataset.data, dataset.target)
            joblib.dump(model, Path(results_dir, f"{model_name}.pkl"))
        lineage.write_results(metrics.to_dict())


def _workspace_around(directory: str) -> str | None:
    """The workspace that a directory lies in, if it does; else that of the current directory."""
    path = Path(directory).resolve()
    for parent in (path, *path.parents):
        if (parent / ".dataworkspace").is_dir():
            return str(parent)
    return None


def _metrics_for(target: Any) -> type[Metrics]:
    if len(np.unique(np.asarray(target))) > 2:
        return MulticlassClassificationMetrics
    return BinaryClassificationMetrics
