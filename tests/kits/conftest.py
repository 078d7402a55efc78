"""A workspace with the digits of scikit-learn, made once a worker and copied for each test."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from dws_graph.workspace import find_and_load_workspace
from dws_graph.workspace.initializing import initialize

SCRIPT = "train-digits.py"


@pytest.fixture(scope="session")
def _digits_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sklearn.datasets import load_digits

    root = tmp_path_factory.mktemp("digits") / "lab"
    root.mkdir()
    roles = ["source-data", "code", "results"]
    initialize(root, "lab", hostname="test", create_resources=roles, batch=True).close()
    digits = load_digits()
    folder = root / "source-data" / "digits"
    folder.mkdir(parents=True)
    np.savetxt(folder / "data.csv.gz", digits.data, delimiter=",", fmt="%d")
    np.savetxt(folder / "target.csv", digits.target, fmt="%d")
    (folder / "DESCR.rst").write_text(digits.DESCR)
    (root / "code" / SCRIPT).write_text("")
    return root


@pytest.fixture
def lab(_digits_original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, in which the script `code/train-digits.py` seems to run."""
    root = tmp_path / "lab"
    shutil.copytree(_digits_original, root, symlinks=True)
    find_and_load_workspace(True, False, str(root)).close()
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", [str(root / "code" / SCRIPT), "--fast"])
    return root
