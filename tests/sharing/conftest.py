"""Fixtures of sharing: a team of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.sharing.team import Person, Team


@pytest.fixture
def team(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Team:
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    return Team(tmp_path, Dws(capsys), monkeypatch)


@pytest.fixture
def ann(team: Team) -> Person:
    """Ann, who has published nothing yet."""
    return team.ann()


@pytest.fixture
def both(team: Team) -> tuple[Person, Person]:
    """Ann, who has published, and Bob, who has cloned."""
    return team.both()
