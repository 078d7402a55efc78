from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted

from dws_graph.errors import ApiParamError, ConfigurationError, LineageConflictError
from dws_graph.kits.scikit_learn import (
    LineagePredictor,
    RegressionMetrics,
    load_dataset_from_resource,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace import find_and_load_workspace
from dws_graph.workspace.reading import living

MULTI = "multiclass_classification"
SCRIPT = """
from sklearn.svm import SVC
from dws_graph.kits.scikit_learn import LineagePredictor, load_dataset_from_resource
dataset = load_dataset_from_resource("source-data", "digits")
classifier = LineagePredictor(SVC(), "multiclass_classification", dataset.resource)
classifier.fit(dataset.data[:100], dataset.target[:100])
classifier.score(dataset.data[100:200], dataset.target[100:200])
"""
X = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]] * 3)
Y = np.array([0, 0, 1, 1, 2, 2] * 3)


def wrapped(predictor: Any = None, **kwargs: Any) -> LineagePredictor:
    kwargs.setdefault("metrics", MULTI)
    kwargs.setdefault("input_resource", "source-data")
    return LineagePredictor(SVC() if predictor is None else predictor, **kwargs)


def results(lab: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((lab / "results" / "results.json").read_text())
    return found


def last_step(lab: Path) -> Any:
    with find_and_load_workspace(True, False, str(lab)) as ws:
        (entry,) = ws.index.entries(ws.id, ws.instance, "results")
        return ws.index.step(ws.index.producers([entry.certificate.id])[entry.certificate.id])


def digits() -> tuple[Any, Any, Any, Any, ResourceRef]:
    dataset = load_dataset_from_resource("source-data", "digits")
    split = train_test_split(dataset.data, dataset.target, test_size=0.5, shuffle=False)
    return (*split, dataset.resource)


def test_a_data_set_knows_its_resource(lab: Path) -> None:
    dataset = load_dataset_from_resource("source-data", "digits")

    assert dataset.data.shape == (1797, 64)
    assert dataset.target.shape == (1797,)
    assert dataset.resource == ResourceRef("source-data", "digits")
    assert dataset.data[:5].resource == dataset.resource
    assert "digits" in dataset.DESCR
    assert isinstance(dataset.data.sum(), np.floating)


def test_a_data_set_is_found_from_elsewhere(lab: Path, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    assert len(load_dataset_from_resource("source-data", "digits", str(lab)).data) == 1797
    with pytest.raises(ConfigurationError, match="is not in a workspace"):
        load_dataset_from_resource("source-data", "digits")


def test_the_quick_start_scores_0_969(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, test, target_train, target_test, resource = digits()
    classifier = LineagePredictor(SVC(gamma=0.001), MULTI, resource, model_save_file="digits")

    assert classifier.fit(train, target_train) is classifier
    score = classifier.score(test, target_test)

    assert round(score, 3) == 0.969
    assert "Wrote results to results:results.json" in capsys.readouterr().out
    found = results(lab)
    assert found["step"] == "train-digits"
    assert found["parameters"] == SVC(gamma=0.001).get_params()
    assert found["metrics"]["accuracy"] == score
    assert found["metrics"]["classification_report"]["3.0"]["support"] == 91
    assert found["execution_time_seconds"] > 0
    assert (lab / "results" / "digits.joblib").is_file()


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_the_tutorial_scores_0_940(lab: Path) -> None:
    train, test, target_train, target_test, resource = digits()
    grid = {"C": [1e-3, 1e-2, 1e-1, 1, 1e2], "solver": ["lbfgs"]}
    search = GridSearchCV(LogisticRegression(), grid, cv=5, scoring="accuracy")
    search.fit(train, target_train)
    classifier = LineagePredictor(LogisticRegression(**search.best_params_), MULTI, resource)
    score = classifier.fit(train, target_train).score(test, target_test)

    assert f"{score:.3f}" == "0.940"
    assert results(lab)["parameters"]["C"] == search.best_params_["C"]


def test_a_saved_model_is_loaded_without_the_workspace_and_finds_it_again(lab: Path) -> None:
    wrapped(
        SVC(C=3),
        input_resource="./source-data/digits",
        model_save_file="models/svc.joblib",
        workspace_dir=str(lab),
    ).fit(X, Y)

    model = joblib.load(lab / "results" / "models" / "svc.joblib")

    assert model.workspace_dir is None
    assert model.input_resource == ResourceRef("source-data", "digits")
    assert model.results_resource == ResourceRef("results")
    assert model.predict(X).tolist() == SVC(C=3).fit(X, Y).predict(X).tolist()
    assert model.score(X, Y) == results(lab)["metrics"]["accuracy"]
    assert [p.name for p in (lab / "results" / "models").iterdir()] == ["svc.joblib"]


def test_a_second_score_is_a_step_with_its_own_times(lab: Path) -> None:
    classifier = wrapped().fit(X, Y)

    classifier.score(X, Y)
    first = results(lab)
    classifier.score(X[:6], Y[:6])
    second = results(lab)

    assert first["start_time"] < second["start_time"]
    assert second["metrics"]["classification_report"]["weighted avg"]["support"] == 6


def test_fit_again_before_score_and_score_with_weights(lab: Path) -> None:
    classifier = wrapped(metrics="multiclass_classification").fit(X, Y).fit(X[:6], Y[:6])

    score = classifier.score(X, Y, sample_weight=np.ones(len(X)) * 2)

    assert results(lab)["metrics"]["accuracy"] == score
    assert results(lab)["metrics"]["classification_report"]["macro avg"]["support"] == 36


def test_predict_alone_records_nothing(lab: Path) -> None:
    wrapped().fit(X, Y).predict(X)

    assert not (lab / "results" / "results.json").exists()


def test_a_failing_fit_can_be_repeated(lab: Path) -> None:
    classifier = wrapped()

    with pytest.raises(ValueError, match="inconsistent numbers"):
        classifier.fit(X, Y[:3])

    assert classifier.fit(X, Y).score(X, Y) > 0.5


@pytest.mark.parametrize(
    ("argv", "step"),
    [
        (["code/train-digits.py"], "train-digits"),
        (["/nowhere/other.py"], "other"),
        ([""], "SVC"),
        (["-c"], "SVC"),
    ],
)
def test_the_step_is_called_as_the_script_else_as_the_predictor(
    lab: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], step: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)

    wrapped().fit(X, Y).score(X, Y)

    assert results(lab)["step"] == step


@pytest.mark.parametrize("source", ["source-data", "./source-data", ResourceRef("source-data")])
def test_the_input_is_named_by_name_path_or_ref(lab: Path, source: Any) -> None:
    wrapped(input_resource=source).fit(X, Y).score(X, Y)

    assert [c.ref for c in last_step(lab).inputs] == [ResourceRef("source-data")]


@pytest.mark.parametrize("target", ["./results/svc", ResourceRef("results", "svc")])
def test_results_may_go_into_a_part_of_a_resource(lab: Path, target: Any) -> None:
    wrapped(results_resource=target, model_save_file="model").fit(X, Y).score(X, Y)

    assert {p.name for p in (lab / "results" / "svc").iterdir()} == {
        *("results.json", "model.joblib")
    }


def test_data_that_knows_its_resource_names_the_input(lab: Path) -> None:
    train, test, target_train, target_test, resource = digits()
    classifier = LineagePredictor(SVC(), MULTI)

    classifier.fit(train[:200], target_train[:200]).score(test[:200], target_test[:200])

    assert [c.ref for c in last_step(lab).inputs] == [resource]


def test_input_code_command_line_and_metrics_are_recorded(lab: Path) -> None:
    score = wrapped(SVC(C=2)).fit(X, Y).score(X, Y)

    step = last_step(lab)
    assert step.name == "train-digits"
    assert [c.ref for c in step.code] == [ResourceRef("code")]
    assert [c.ref for c in step.outputs] == [ResourceRef("results")]
    assert step.command_line[1:] == [str(lab / "code" / "train-digits.py"), "--fast"]
    assert step.parameters["C"] == 2
    assert step.metrics["accuracy"] == score


def test_a_step_reads_what_was_there_when_training_began(lab: Path) -> None:
    classifier = wrapped().fit(X, Y)
    (lab / "source-data" / "more.csv").write_text("1,2\n")

    classifier.score(X, Y)

    assert list(last_step(lab).changed_while_running) == ["source-data"]


def test_training_alone_declares_no_output_so_that_snapshots_can_be_taken(lab: Path) -> None:
    classifier = wrapped(model_save_file="svc").fit(X, Y)

    with find_and_load_workspace(True, False, str(lab)) as ws:
        (running,) = living(ws)[0]

    assert running.outputs == ()
    assert classifier.score(X, Y) > 0.5


def test_a_step_whose_results_would_overlap_is_refused_before_the_training(lab: Path) -> None:
    wrapped(results_resource="./results/svc").fit(X, Y).score(X, Y)
    svc = SVC()

    with pytest.raises(LineageConflictError, match="overlaps"):
        wrapped(svc).fit(X, Y)

    assert not hasattr(svc, "classes_")


def test_a_script_is_recorded_with_its_name_and_code(lab: Path) -> None:
    (lab / "code" / "train.py").write_text(SCRIPT)

    run = subprocess.run(
        [sys.executable, "train.py"], cwd=lab / "code", capture_output=True, text=True, check=False
    )

    assert run.stderr == ""
    assert run.stdout == "Wrote results to results:results.json\n"
    step = last_step(lab)
    assert step.name == "train"
    assert [c.ref for c in step.code] == [ResourceRef("code")]


def test_the_only_resource_of_a_role_need_not_be_named(lab: Path) -> None:
    LineagePredictor(SVC(), MULTI).fit(X, Y).score(X, Y)

    assert results(lab)["metrics"]["accuracy"] > 0.5


@pytest.mark.parametrize("wrong", ["raw", "./elsewhere", ResourceRef("raw")])
def test_an_unknown_resource_is_refused_at_once(lab: Path, wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        wrapped(input_resource=wrong)
    with pytest.raises(ConfigurationError):
        wrapped(results_resource=wrong)


def test_a_workspace_that_is_not_there_is_refused_at_once(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not in a workspace"):
        wrapped(workspace_dir=str(tmp_path / "elsewhere"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"metrics": "accuracy"},
        {"predictor": StandardScaler()},
        {"input_resource": 3},
        {"model_save_file": "/abs/model.joblib"},
        {"model_save_file": "../model.joblib"},
    ],
)
def test_arguments_that_do_not_fit_are_refused_at_once(lab: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ApiParamError) as caught:
        wrapped(**wrong)

    assert caught.value.hint


def test_a_wrapped_predictor_is_not_wrapped_twice(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svc = SVC()

    twice = wrapped(wrapped(svc))

    assert twice.predictor is svc
    assert "wrapped already" in capsys.readouterr().err


def test_a_regressor_scores_r2(lab: Path) -> None:
    model = wrapped(Ridge(), metrics="regression").fit(X, Y)
    assert model.score(X, Y) == results(lab)["metrics"]["r2_score"]

    assert wrapped(Ridge(), metrics=RegressionMetrics).fit(X, Y).score(X, Y) > 0.9
    assert not is_classifier(model)


def test_it_is_an_estimator_like_any_other(lab: Path) -> None:
    classifier = wrapped(SVC(C=2))

    twin = clone(classifier.fit(X, Y))
    twin.set_params(predictor__C=5)
    again = pickle.loads(pickle.dumps(classifier))

    assert is_classifier(classifier)
    assert classifier.predictor.C == 2
    assert twin.predictor.C == 5
    assert twin.input_resource == "source-data"
    assert classifier.classes_.tolist() == again.classes_.tolist() == [0, 1, 2]
    assert hasattr(classifier, "decision_function")
    assert not hasattr(classifier, "transform")
    check_is_fitted(classifier)
    check_is_fitted(again)
    with pytest.raises(ValueError, match="not fitted"):
        check_is_fitted(twin)
    assert "SVC(C=2)" in repr(classifier)


def test_searches_and_pipelines_work_inside_and_outside(lab: Path) -> None:
    grid = GridSearchCV(wrapped(), {"predictor__C": [0.1, 1.0]}, cv=2, scoring="accuracy")
    grid.fit(X, Y)
    assert not (lab / "results" / "results.json").exists()
    assert grid.best_estimator_.score(X, Y) > 0.5
    assert "C" in results(lab)["parameters"]

    inner = GridSearchCV(SVC(), {"C": [0.1, 1.0]}, cv=2)
    wrapped(inner).fit(X, Y).score(X, Y)
    assert results(lab)["parameters"]["estimator"] == "SVC"
    assert results(lab)["parameters"]["param_grid"] == {"C": [0.1, 1.0]}

    make_pipeline(StandardScaler(), wrapped(SVC(C=7))).fit(X, Y).score(X, Y)
    assert results(lab)["parameters"]["C"] == 7

    wrapped(make_pipeline(StandardScaler(), SVC(C=8))).fit(X, Y).score(X, Y)
    assert results(lab)["parameters"]["svc__C"] == 8

    assert len(cross_val_score(wrapped(), X, Y, cv=2)) == 2
