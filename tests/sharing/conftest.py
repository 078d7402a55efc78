"""Fixtures of sharing: a team of two."""

from __future__ import annotations

import shutil

import pytest

from tests.cli.conftest import Dws
from tests.sharing.team import Person, Team


@pytest.fixture
def team(
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Team:
    """A team in the same place each time: its workspaces have URLs of one another."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    place = tmp_path_factory.getbasetemp() / "team"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return Team(place, Dws(capsys), monkeypatch)


@pytest.fixture
def ann(team: Team) -> Person:
    """Ann, who has published nothing yet."""
    return team.ann()


@pytest.fixture
def both(team: Team) -> tuple[Person, Person]:
    """Ann, who has published, and Bob, who has cloned."""
    return team.both()
