"""The suite finds what it is for: mistakes planted in a copy of the package."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import dws_graph
from tests.faults.operations import OPERATIONS, Operation
from tests.faults.server import Server
from tests.faults.test_syscalls import traced, violations
from tests.faults.trials import Trials


def patched(folder: Path, module: str, old: str, new: str) -> Path:
    """A copy of the package with one text replaced."""
    copy = folder / "patched"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(dws_graph.__file__).parent, copy / "dws_graph", ignore=ignored)
    file = copy / "dws_graph" / module
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    return copy


def found_by_kills(package: Path, tmp_path: Path, operation: Operation, point: str) -> list[str]:
    server = Server(tmp_path / "scratch", package)
    trials = Trials(server, tmp_path / "place", operation)
    trials.make()

    def chosen(trial: str, *, rare: bool = False) -> bool:
        return not rare and point in trial

    tally = trials.run(chosen)
    server.close()
    assert tally.kills
    return tally.violations


def operation(name: str) -> Operation:
    (found,) = [o for o in OPERATIONS if o.name == name]
    return found


BRANCH_FIRST = (
    "workspace/committing.py",
    """    write_intent(ws.root / layout.INTENT, intent)
    fault("intent names commit")
    ws.git.update_ref(intent.branch, commit, intent.old, reason=f"dws {intent.operation}")
""",
    """    fault("intent names commit")
    ws.git.update_ref(intent.branch, commit, intent.old, reason=f"dws {intent.operation}")
    write_intent(ws.root / layout.INTENT, intent)
""",
)
RENAMED_FIRST = (
    "backends/files.py",
    """            fault(f"write_atomic: write {path.name}")
""",
    """            os.replace(temporary, path)
            os.link(path, temporary)
            fault(f"write_atomic: write {path.name}")
""",
)
NOT_SYNCED = (
    "backends/journal/journal.py",
    """                os.fsync(fd)
""",
    """                pass
""",
)


def test_a_branch_that_moves_before_the_intent_names_the_commit_is_found(tmp_path):
    package = patched(tmp_path, *BRANCH_FIRST)
    found = found_by_kills(package, tmp_path, operation("tag"), "write_atomic: create intent.json")
    assert found


def test_a_file_that_is_in_place_before_it_is_written_is_found(tmp_path):
    package = patched(tmp_path, *RENAMED_FIRST)
    assert found_by_kills(package, tmp_path, operation("tag"), "write_atomic: write")


@pytest.mark.needs("strace")
def test_a_fact_that_is_not_synced_is_found(tmp_path):
    package = patched(tmp_path, *NOT_SYNCED)
    found = violations(traced(operation("retract"), tmp_path, package))
    assert any("the journal's line is not synced" in text for text in found)
