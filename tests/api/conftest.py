from __future__ import annotations

from pathlib import Path

import pytest

from tests.api.labs import Lab, make_lab


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A workspace in which nothing is recorded yet; the current directory."""
    found = make_lab(tmp_path / "lab")
    monkeypatch.chdir(found.root)
    return found


@pytest.fixture
def trained(lab: Lab) -> Lab:
    """Cleaned and trained; no snapshot."""
    lab.clean()
    lab.train(0.5)
    return lab


@pytest.fixture
def taken(trained: Lab) -> Lab:
    """The same in the snapshot V1."""
    trained.snapshot("V1", "first")
    return trained
