"""LineagePredictor: a scikit-learn predictor whose training and scoring is a recorded step."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import joblib
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from dws_graph.errors import ApiParamError
from dws_graph.kits.api_data import find_api, hash_test_data, hash_training_data
from dws_graph.kits.scikit_learn.metrics import Metrics, metrics_class
from dws_graph.kits.scikit_learn.recording import (
    find_ref,
    local_directory,
    open_workspace,
    recordable_parameters,
    step_builder,
)
from dws_graph.lineage.consistency import check_output
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import clean_text

if TYPE_CHECKING:
    from dws_graph.lineage import Lineage
    from dws_graph.resources.api_resource import HashState

MODEL_END = ".joblib"


class _Begun(NamedTuple):
    """A step under way: what it reads, and where its results go."""

    lineage: Lineage
    source: ResourceRef
    results: ResourceRef
    is_api: bool  # whether the data come from an API, and are known by the kit's hash alone


class LineagePredictor(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A predictor that records its input, parameters, code and metrics.

    A step begins with `fit` and ends with `score`, which writes `results.json` into the results
    resource; `score` without a `fit` before it (a loaded model, a second score) is a step of its
    own. Anything else that the predictor can do (`predict_proba`, `classes_`) it does here too.

    To tune a predictor, wrap the search (`LineagePredictor(GridSearchCV(...), ...)`), or give the
    search a `scoring`: a search over a wrapped predictor that has none calls `score`, and so
    records a step, once for each fold.

    Data from an API have a resource of type api-resource, named as `input_resource`: its hash is
    that of the training data, from `fit` on, and of training and test data, from `score` on.

    Args:
        predictor: Any object with `fit` and `predict`. It is trained itself, not a copy.
        metrics: `binary_classification`, `multiclass_classification`, `regression`, or a subclass
            of Metrics.
        input_resource: The data's resource: a name, a path (beginning with `./` or `/`) or a
            ResourceRef. When not given, that of the training data, if it was loaded by
            `load_dataset_from_resource`, else the only resource of role source-data.
        results_resource: Where the results go, named in the same ways; when not given, the only
            resource of role results.
        model_save_file: Where `fit` saves the trained model, as a path within the results
            resource; `.joblib` is added when missing. Not saved when not given.
        workspace_dir: The workspace; found from the current directory when not given.
        verbose: Say on standard error what is recorded.

    Raises:
        ApiParamError: The predictor, the metrics or the file do not fit.
        ConfigurationError: There is no such workspace or resource.
    """

    _step: _Begun | None = None  # by fit
    _trained_on: HashState | None = None  # of data behind an API
    _is_clone = False

    def __init__(
        self,
        predictor: Any,
        metrics: str | type[Metrics],
        input_resource: str | ResourceRef | None = None,
        results_resource: str | ResourceRef | None = None,
        model_save_file: str | None = None,
        workspace_dir: str | None = None,
        verbose: bool = False,
    ) -> None:
        if isinstance(predictor, LineagePredictor):
            sys.stderr.write("The predictor is wrapped already; it is not wrapped twice.\n")
            predictor = predictor.predictor
        self.predictor: Any = predictor
        self.metrics = metrics
        self.input_resource = input_resource
        self.results_resource = results_resource
        self.model_save_file = model_save_file
        self.workspace_dir = workspace_dir
        self.verbose = verbose
        self._check_arguments()
        self._check_resources()

    def fit(self, X: Any, y: Any, *args: Any, **kwargs: Any) -> LineagePredictor:  # noqa: N803
        """Begin the step, train the predictor, and save it if a file is named.

        Raises:
            DwsError: The step is refused, before any training.
        """
        self._check_arguments()
        if self._step is not None:
            self._step.lineage.abort("trained again before it was scored")
            self._step = None
        step = None if self._is_clone else self._begin(X, (X, y))
        try:
            self.predictor.fit(X, y, *args, **kwargs)
            self._save_model(X)
        except BaseException as e:
            if step is not None:
                step.lineage.abort(clean_text(f"{type(e).__name__}: {e}"[:2000]))
            raise
        self._step = step
        return self

    def predict(self, X: Any, **kwargs: Any) -> Any:  # noqa: N803
        """What the predictor says; nothing is recorded."""
        return self.predictor.predict(X, **kwargs)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:  # noqa: N803
        """Predict, compute the metrics, write `results.json`, and end the step.

        Returns:
            The accuracy of a classifier, R2 of a regressor.
        """
        lineage, source, results, is_api = self._step or self._begin(X)
        self._step = None
        with lineage:
            found = metrics_class(self.metrics)(y, self.predictor.predict(X), sample_weight)
            if is_api:
                self._hash_test_data(source, X, y)
                lineage.refresh_input_ref(source)
            for name, value in self._parameters().items():
                lineage.add_param(name, value)
            with lineage.as_results(results) as results_lineage:
                results_lineage.write_results(found.to_dict())
        return found.score()

    def _check_arguments(self) -> None:
        """Refuse what cannot work, as far as that can be seen without a workspace."""
        for method in ("fit", "predict"):
            if not callable(getattr(self.predictor, method, None)):
                raise ApiParamError(
                    f"a {type(self.predictor).__name__} has no method '{method}'",
                    hint="Give an instance of a scikit-learn classifier or regressor.",
                )
        metrics_class(self.metrics)
        self._model_path()

    def _check_resources(self) -> None:
        with closing(open_workspace(self.workspace_dir)) as workspace:
            if self.input_resource is not None:
                find_ref(workspace, self.input_resource, "source-data")
            local_directory(workspace, find_ref(workspace, self.results_resource, "results"))

    def _begin(self, X: Any, training: tuple[Any, Any] | None = None) -> _Begun:  # noqa: N803
        with closing(open_workspace(self.workspace_dir)) as workspace:
            results = find_ref(workspace, self.results_resource, "results")
            source = find_ref(workspace, self._input(X), "source-data")
            local_directory(workspace, results)
            check_output(workspace, results)  # refused before the training, declared after it
            api = find_api(workspace, source)
            if api is not None and training is not None:
                self._trained_on = hash_training_data(api, *training)
            builder = step_builder(workspace, type(self.predictor).__name__)
        lineage = builder.with_parameters(self._parameters()).with_input_ref(source).eval()
        self._say(f"Recording a step that reads {source} and writes {results}.")
        return _Begun(lineage, source, results, api is not None)

    def _hash_test_data(self, source: ResourceRef, X: Any, y: Any) -> None:  # noqa: N803
        with closing(open_workspace(self.workspace_dir)) as workspace:
            if (api := find_api(workspace, source)) is not None:
                hash_test_data(api, self._trained_on, X, y)

    def _input(self, X: Any) -> Any:  # noqa: N803
        if self.input_resource is not None:
            return self.input_resource
        return getattr(X, "resource", None)

    def _parameters(self) -> dict[str, Any]:
        if not hasattr(self.predictor, "get_params"):
            return {}
        return recordable_parameters(self.predictor.get_params(deep=True))

    def _model_path(self) -> PurePath | None:
        if self.model_save_file is None:
            return None
        path = PurePath(self.model_save_file)
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise ApiParamError(
                f"the model cannot be saved as '{self.model_save_file}'",
                hint="Give a path within the results resource, such as model.joblib.",
            )
        return path if path.suffix == MODEL_END else path.with_name(path.name + MODEL_END)

    def _save_model(self, X: Any) -> None:  # noqa: N803
        """Write the model as a whole or not at all, with refs in the place of paths."""
        name = self._model_path()
        if name is None:
            return
        model = type(self).__new__(type(self))
        model.__dict__.update(self.__getstate__())
        with closing(open_workspace(self.workspace_dir)) as workspace:
            model.input_resource = find_ref(workspace, self._input(X), "source-data")
            model.results_resource = find_ref(workspace, self.results_resource, "results")
            target = local_directory(workspace, model.results_resource) / name
        model.workspace_dir = None
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".~{target.name}-{os.getpid()}")
        try:
            joblib.dump(model, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        self._say(f"Saved the model to {target}.")

    def _say(self, text: str) -> None:
        if self.verbose:
            sys.stderr.write(f"{text}\n")

    def __getattr__(self, name: str) -> Any:
        """All else is the predictor's: `classes_`, `predict_proba`, `transform`."""
        if name == "_estimator_type" or not name.startswith("_"):
            predictor = self.__dict__.get("predictor")
            if predictor is not None:
                return getattr(predictor, name)
        raise AttributeError(f"'{type(self).__name__}' has no attribute '{name}'")

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled and copied: no step that runs here, and no hash under way."""
        state = dict(super().__getstate__())
        state.pop("_step", None)
        state.pop("_trained_on", None)
        return state

    def __sklearn_clone__(self) -> LineagePredictor:
        """A copy that is not trained; its step begins with `score`.

        Searches clone by the dozen, and score few of the clones.
        """
        twin: LineagePredictor = type(self).__new__(type(self))
        for name, value in self.get_params(deep=False).items():
            setattr(twin, name, clone(value, safe=False))
        twin._is_clone = True
        return twin

    def __sklearn_is_fitted__(self) -> bool:
        """Whether the predictor is trained."""
        try:
            check_is_fitted(self.predictor)
        except NotFittedError:
            return False
        return True

    def __sklearn_tags__(self) -> Any:
        """The predictor's: a wrapped classifier is a classifier."""
        if hasattr(self.predictor, "__sklearn_tags__"):
            return self.predictor.__sklearn_tags__()
        return super().__sklearn_tags__()
