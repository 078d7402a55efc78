"""Notebooks run by real kernels, started as Jupyter Server and nbconvert start them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from sklearn.datasets import load_iris

from dws_graph.kits.jupyter import (
    get_notebook_directory,
    get_step_name_for_notebook,
    is_notebook,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace import find_and_load_workspace

TRAIN = """
%cd -q ..
from sklearn.svm import SVC
from dws_graph.kits.scikit_learn import LineagePredictor, load_dataset_from_resource
iris = load_dataset_from_resource("source-data", "iris")
classifier = LineagePredictor(SVC(), "multiclass_classification", iris.resource)
classifier.fit(iris.data, iris.target)
classifier.score(iris.data, iris.target)
"""
SHOW = """
import json
from dws_graph.kits.jupyter import *
print(json.dumps([is_notebook(), get_step_name_for_notebook(), get_notebook_directory()]))
"""


@pytest.fixture(autouse=True)
def _no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


@pytest.fixture
def iris(lab: Path) -> Path:
    data, target = load_iris(return_X_y=True)
    folder = lab / "source-data" / "iris"
    folder.mkdir()
    np.savetxt(folder / "data.csv", data, delimiter=",")
    np.savetxt(folder / "target.csv", target, fmt="%d")
    return lab


def run_notebook(path: Path, *cells: str, session: str | None = None) -> list[str]:
    """What each cell of a notebook prints.

    Args:
        path: Where it is saved; its kernel starts beside it.
        cells: Their code.
        session: `JPY_SESSION_NAME`, when a server tells one.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbformat.write(notebook, path)
    told = {} if session is None else {"JPY_SESSION_NAME": session}
    client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env={**os.environ, **told})
    return [
        "".join(o["text"] for o in cell.outputs if o.output_type == "stream")
        for cell in notebook.cells
    ]


def writer_of_results(lab: Path) -> Any:
    with find_and_load_workspace(True, False, str(lab)) as ws:
        (entry,) = ws.index.entries(ws.id, ws.instance, "results")
        return ws.index.step(ws.index.producers([entry.certificate.id])[entry.certificate.id])


def test_a_notebook_of_a_server_is_recorded_with_its_name_and_code(iris: Path) -> None:
    path = iris / "code" / "iris-svc.ipynb"

    run_notebook(path, TRAIN, session=str(path))

    step = writer_of_results(iris)
    assert step.name == "iris-svc"
    assert [c.ref for c in step.code] == [ResourceRef("code")]
    assert [c.ref for c in step.inputs] == [ResourceRef("source-data", "iris")]
    found = json.loads((iris / "results" / "results.json").read_text())
    assert found["step"] == "iris-svc"
    assert found["metrics"]["accuracy"] > 0.9


def test_a_notebook_that_nbconvert_runs_is_called_after_the_predictor(iris: Path) -> None:
    path = iris / "code" / "iris-svc.ipynb"

    known, _ = run_notebook(path, SHOW, TRAIN)

    assert json.loads(known) == [True, None, None]
    step = writer_of_results(iris)
    assert (step.name, step.code) == ("SVC", ())


def test_what_servers_tell_of_a_notebook_is_understood(tmp_path: Path) -> None:
    folder, other = tmp_path / "code", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    path = folder / "v1.2 svc.ipynb"
    moved = f"%cd -q {other}\n"
    again = "import os; os.environ['JPY_SESSION_NAME'] = "
    script = "import sys, subprocess\n" + (
        f"print(subprocess.check_output([sys.executable, '-c', '''{SHOW}'''], text=True))"
    )

    told = {
        "server": moved + SHOW,
        "started by the notebook": script,
        "an older server": f"{again}'work/v1.2 svc.ipynb'\n{SHOW}",
        "a server that tells no name": f"{again}'{folder}/'\n{SHOW}",
        "renamed": f"{again}'{folder}/Untitled.ipynb'\n{SHOW}",
        "moved": f"{again}'{tmp_path}/gone/v1.2 svc.ipynb'\n{SHOW}",
        "a console": f"{again}'{folder}/console-1-9f'\n{SHOW}",
        "VS Code": f"__vsc_ipynb_file__ = '{path}'\n{SHOW}",
    }
    shown = run_notebook(path, *told.values(), session=str(path))

    known = [True, "v1.2 svc", str(folder)]
    folder_alone = [True, None, str(folder)]
    assert dict(zip(told, map(json.loads, shown), strict=True)) == {
        "server": known,
        "started by the notebook": [False, None, None],
        "an older server": known,
        "a server that tells no name": folder_alone,
        "renamed": folder_alone,
        "moved": [True, None, None],
        "a console": folder_alone,
        "VS Code": known,
    }


def test_a_script_is_no_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "svc.ipynb"
    path.write_text("{}")
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))  # inherited

    assert not is_notebook()
    assert get_step_name_for_notebook() is None
    assert get_notebook_directory() is None


WARNED = """
from dws_graph.lineage import LineageBuilder
builder = LineageBuilder().with_step_name("odd").with_parameters({}).with_no_inputs()
with builder.with_code_path("../code").eval() as step:
    step.add_output_path("../source-data")
"""


def test_a_notebook_shows_once_that_it_is_a_warning(iris: Path) -> None:
    [said] = run_notebook(iris / "code" / "odd.ipynb", WARNED)

    [line] = said.splitlines()
    assert line.startswith("Warning: step 'odd' writes 'source-data', of role source-data")
