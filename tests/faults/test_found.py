"""What the suite found: always run, whatever the seed."""

from __future__ import annotations

import pytest

from tests.faults.operations import OPERATIONS
from tests.faults.trials import Trials

FOUND = {
    # no `dws init` and no other command went on after it
    "an init before its own file is there": ("init", ["write_atomic: rename config.json #1"]),
    "an init that has made an empty folder": ("init", ["write_atomic: create dws-graph.json #1"]),
    # a file of results stayed read-only, and empty folders were left
    "the undoing of a snapshot, between a file's mode and place": (
        "snapshot",
        [
            "results moved #1, then moving: chmod back #2",
            "results moved #1, then moving: rename back #1",
            "results moved #1, then moving: rmdir #2",
        ],
    ),
    # `dws restore` and `dws snapshot` failed without a word on what to do
    "a git that left its lock": ("restore", ["git: reset #1 (inside)"]),
}


@pytest.mark.needs("strace")
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_mended(name, server, tmp_path):
    operation_name, titles = FOUND[name]
    (operation,) = [o for o in OPERATIONS if o.name == operation_name]
    trials = Trials(server, tmp_path / "place", operation)
    trials.make()
    wanted = {f"{operation_name}: {title}" for title in titles}

    def chosen(trial: str, *, rare: bool = False) -> bool:
        return any(want.startswith(trial) for want in wanted)

    tally = trials.run(chosen)
    assert tally.kills >= len(titles)
    assert not tally.violations, "\n".join(tally.violations)
