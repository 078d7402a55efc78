"""Fixtures of the rules: a workspace for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A workspace with code, intermediate data, results and raw files."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()
