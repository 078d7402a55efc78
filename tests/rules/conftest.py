"""Fixtures of the rules: a workspace for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.rules.lab import Lab
from tests.rules.sharing import Sites


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A workspace with code, intermediate data, results and raw files."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()


@pytest.fixture
def sites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Sites:
    """Makes workspaces beside one another."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    return Sites(tmp_path, Dws(capsys), monkeypatch)
