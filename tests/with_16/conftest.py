"""Workspaces that 1.6 made, and people who work in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.sharing.team import Person
from tests.with_16 import labs

At = Callable[[Path], Person]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of both workspaces."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    return labs.unpack(tmp_path)


@pytest.fixture
def at(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> At:
    """Whoever works in a folder."""
    return lambda root: Person(root, Dws(capsys), monkeypatch)


@pytest.fixture
def producer(lab: Path, at: At) -> Person:
    return at(lab / "producer")
