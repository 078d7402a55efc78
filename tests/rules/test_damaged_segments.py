"""Segments of other copies that were damaged on disk: named, never kept, and repaired by git."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.errors import JournalError
from dws_graph.workspace.opening import open_workspace
from tests.rules.lab import Lab, fresh_dump, git

NAME = "0000000001.jsonl"


def other_time(text: str) -> str:
    """Still facts, the last line another one: only git knows."""
    begin = text.rindex('"time":"') + len('"time":"')
    return f"{text[:begin]}1999{text[begin + 4 :]}"


def other_first_time(text: str) -> str:
    """Still facts, of which the second does not name the first."""
    return text.replace('"time":"20', '"time":"19', 1)


def half(text: str) -> str:
    return text[: len(text) // 2] + "\n"


DAMAGES = [other_time, other_first_time, half]


@pytest.fixture
def there(lab: Lab) -> Path:
    """A clone that no command has looked into; its first segment holds two facts and more."""
    lab.step("prepare", ["raw"], ["intermediate-data:/clean"])
    lab.snapshot("V1")
    git("clone", "-q", str(lab.root), str(lab.place / "there"), cwd=lab.place)
    return lab.place / "there"


def segments(root: Path) -> list[Path]:
    return sorted((root / ".dataworkspace" / "journal").glob("*/*.jsonl"))


def copies(root: Path) -> list[Path]:
    return sorted((root / ".dataworkspace" / "local" / "segments").glob("*/*.jsonl"))


def longest(paths: list[Path]) -> Path:
    return max(paths, key=lambda path: path.stat().st_size)


def damage(path: Path, how: Callable[[str], str]) -> None:
    """In place: the folder's time does not tell."""
    text = path.read_text()
    path.write_text(how(text))
    assert path.read_text() != text


def tags(root: Path) -> list[list[str]]:
    return [one.tags for one in api.get_snapshot_history(workspace_uri_or_path=str(root))]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_segment_is_named_and_git_repairs_it(lab, there, how):
    bad = longest(segments(there))
    damage(bad, how)
    for _ in range(2):
        with pytest.raises(JournalError) as refused:
            open_workspace(there).close()
        assert refused.value.message.startswith(str(bad))
        assert f"git checkout HEAD -- {bad}" in refused.value.hint
    git("checkout", "-q", "HEAD", "--", str(bad), cwd=there)

    assert tags(there) == [["V1"]]
    assert [f["what"] for f in api.doctor(str(there))] == []
    assert [path.read_bytes() for path in copies(there)] == [
        p.read_bytes() for p in segments(there)
    ]


@pytest.mark.parametrize("how", DAMAGES)
def test_a_copy_that_was_damaged_before_is_what_git_has_after_the_next_pull(lab, there, how):
    """As after a program that kept it, or a disk that failed."""
    open_workspace(there).close()
    damage(longest(copies(there)), how)
    for path in copies(there):
        os.utime(path, (time.time() + 99, time.time() + 99))  # not told by its time
    for path in (there / ".dataworkspace" / "graph").glob("index.db*"):
        path.unlink()
    if how is other_time:
        open_workspace(there).close()  # folds what only git knows to be damaged
    lab.write("code:/prep.py", "n = 9\n")
    lab.snapshot("V2")
    git("pull", "-q", cwd=there)

    assert sorted(tags(there)) == [["V1"], ["V2"]]
    assert [f["what"] for f in api.doctor(str(there))] == []
    with Lab.at(there).ws as ws:
        assert ws.index.dump() == fresh_dump(ws)


def test_doctor_and_verify_name_a_copy_that_is_not_what_git_has(there):
    open_workspace(there).close()
    copy = longest(copies(there))
    damage(copy, other_time)
    for path in (there / ".dataworkspace" / "graph").glob("index.db*"):
        path.unlink()

    [found] = api.doctor(str(there))
    assert found["level"] == "error"
    assert str(copy) in found["what"]
    assert "delete it" in found["mend"]
    report = api.lineage_verify(workspace_uri_or_path=str(there))
    assert not report["ok"]
    assert str(copy) in report["journal"][0]
    copy.unlink()
    assert api.graph_rebuild(workspace_uri_or_path=str(there))
    assert api.doctor(str(there)) == []


def test_the_journal_of_this_copy_that_is_damaged_is_not_said_to_be_in_git(lab):
    lab.snapshot("V1")
    lab.close()
    damage(lab.ws.journal.path, half)
    for path in (lab.root / ".dataworkspace" / "graph").glob("index.db*"):
        path.unlink()
    with pytest.raises(JournalError) as refused:
        open_workspace(lab.root)
    assert str(lab.ws.journal.path) in refused.value.message
    assert "git checkout" not in refused.value.hint

    for name in ("local", "graph"):  # as the hint says
        (lab.root / ".dataworkspace" / name).rename(lab.place / name)
    assert tags(lab.root) == [["V1"]]
    assert api.doctor(str(lab.root)) == []
