"""Killed anywhere, each operation leaves the state before or the state after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.operations import OPERATIONS, Operation
from tests.faults.seeds import chosen
from tests.faults.transfer_operations import BUCKET, LARGE, RCLONE, TRANSFERS
from tests.faults.trials import Tally, Trials


@pytest.fixture(scope="module")
def ground(tmp_path_factory) -> Path:
    """A folder for the places that operations share, each of which is made once."""
    return tmp_path_factory.mktemp("kills")


def place_of(operation: Operation, ground: Path, tmp_path: Path) -> tuple[Path, Path | None]:
    """Where an operation is tried, and where the copy is that the place is made of."""
    if operation.empty and operation.root == "ws":
        return tmp_path / "place", None
    own = ground / ("transfers" if operation.needs else "others")
    return own / "place", own / "made"


def killed(operation: Operation, server, place: Path, made: Path | None) -> Tally:
    trials = Trials(server, place, operation, made)
    trials.make()
    return trials.run(chosen, inside=shutil.which("strace") is not None, at_least_once=True)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name.replace(" ", "-"))
def test_killed_at_any_point_it_is_as_before_or_after(
    operation: Operation, server, ground, tmp_path, record_property
):
    tally = killed(operation, server, *place_of(operation, ground, tmp_path))
    record_property("faults", tally.row())
    assert not tally.violations, "\n".join(tally.violations)


NEEDS = {LARGE: ("git-lfs", "rsync"), RCLONE: ("rclone",), BUCKET: ()}


def marks(operation: Operation, number: int) -> list[pytest.MarkDecorator]:
    """Two of each kind a day; and what it needs."""
    turns = pytest.mark.turns(f"transfers: {operation.needs} {number % 2}")
    return [turns, *(pytest.mark.needs(name) for name in NEEDS[operation.needs])]


PARAMS = [
    pytest.param(operation, id=operation.name.replace(" ", "-"), marks=marks(operation, number))
    for number, operation in enumerate(TRANSFERS)
]


@pytest.mark.parametrize("operation", PARAMS)
def test_killed_at_any_point_a_transfer_goes_on(
    operation: Operation, counterparts, server, ground, tmp_path, record_property
):
    place, made = place_of(operation, ground, tmp_path)
    counterparts(operation, place)
    tally = killed(operation, server, place, made)
    record_property("faults", tally.row())
    assert not tally.violations, "\n".join(tally.violations)
