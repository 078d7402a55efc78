"""Killed anywhere, each operation leaves the state before or the state after."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.operations import OPERATIONS, Operation
from tests.faults.seeds import chosen
from tests.faults.transfer_operations import BUCKET, LARGE, RCLONE, TRANSFERS
from tests.faults.trials import Trials


@pytest.fixture(scope="module")
def ground(tmp_path_factory) -> Path:
    """A folder for the place that the operations share, which is made once."""
    return tmp_path_factory.mktemp("kills")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name.replace(" ", "-"))
def test_killed_at_any_point_it_is_as_before_or_after(
    operation: Operation, server, ground, tmp_path, record_property
):
    begins = operation.empty and operation.root == "ws"
    place = tmp_path / "place" if begins else ground / "place"
    trials = Trials(server, place, operation, None if begins else ground / "made")
    trials.make()
    inside = shutil.which("strace") is not None
    tally = trials.run(chosen, inside=inside, at_least_once=True)
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
    operation: Operation, counterparts, server, tmp_path, record_property
):
    counterparts(operation, tmp_path / "place")
    test_killed_at_any_point_it_is_as_before_or_after(operation, server, tmp_path, record_property)
