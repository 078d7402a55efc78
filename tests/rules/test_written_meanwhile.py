"""What a user writes while a restore is under way is never lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.backends import faults
from dws_graph.backends.git import command
from dws_graph.errors import ConfigurationError
from tests.rules.lab import Lab, check_journal

MINE = b"saved meanwhile\n"
BEGUN = "intent written"


def git(folder: Path, *args: str) -> str:
    ran = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True)
    return ran.stdout.strip()


@pytest.fixture
def two(lab: Lab) -> Lab:
    """Two snapshots of a workspace with code, and with a repository of its own inside."""
    own = lab.root / "own"
    own.mkdir()
    git(own, "init", "-q", "-b", "main")
    (own / "a.txt").write_text("one\n")
    git(own, "add", ".")
    git(own, "commit", "-q", "-m", "one")
    lab.ws.add_resource("own", "git", "source-data", str(own))
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.write("code:/later.py", "later\n")
    lab.write("own:/a.txt", "two\n")
    lab.write("own:/later.txt", "later\n")
    lab.snapshot("V2")
    return lab


REPLACED, DELETED = ["code:/prep.py", "own:/a.txt"], ["code:/later.py", "own:/later.txt"]
FILES = [*REPLACED, *DELETED]


def is_kept(lab: Lab, ref: str, content: bytes = MINE) -> bool:
    """Whether a commit that some ref names holds the file so."""
    name, path = ref.split(":/")
    folder, within = (lab.root, f"{name}/{path}") if name == "code" else (lab.root / name, path)
    for commit in git(folder, "rev-list", "--all").splitlines():
        ran = subprocess.run(
            ["git", "cat-file", "blob", f"{commit}:{within}"], cwd=folder, capture_output=True
        )
        if ran.stdout == content:
            return True
    return False


def check_restored(lab: Lab) -> None:
    assert lab.path("code:/prep.py").read_text() == "n = 1\n"
    assert lab.path("own:/a.txt").read_text() == "one\n"
    assert not lab.path("code:/later.py").exists()
    assert not lab.path("own:/later.txt").exists()
    assert git(lab.root / "own", "status", "--porcelain") == ""
    check_journal(lab.root)


def check_undone(lab: Lab) -> None:
    assert lab.path("code:/prep.py").read_text() == "n = 2\n"
    assert lab.path("own:/a.txt").read_text() == "two\n"
    assert lab.path("code:/later.py").exists()
    assert lab.path("own:/later.txt").exists()
    assert git(lab.root / "own", "log", "-1", "--format=%s") == "dws snapshot"
    assert git(lab.root / "own", "status", "--porcelain") == ""
    assert not (lab.root / ".dataworkspace/local/intent.json").exists()
    assert not any("Restored" in fact["kind"] for fact in check_journal(lab.root))


def before_git(
    monkeypatch: pytest.MonkeyPatch, command_line: str, act: Callable[[], object]
) -> None:
    """Act once, just before the first git command that begins so, once the restore has begun."""
    waiting: list[bool] = []

    def trace(args: list[str]) -> None:
        if waiting and " ".join(args[1:]).startswith(command_line):
            waiting.clear()
            act()

    def begun(point: str) -> None:
        if point == BEGUN:
            waiting.append(True)

    monkeypatch.setattr(faults, "hook", begun)
    monkeypatch.setattr(command, "trace", trace)


def overwrite(path: Path, content: bytes) -> None:
    """As a program that keeps the file: the same inode, and here as many bytes."""
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


@pytest.mark.parametrize("ref", FILES)
def test_a_save_after_the_content_was_committed_is_kept(two, monkeypatch, ref):
    def save(point: str) -> None:
        if point == BEGUN:
            two.write(ref, MINE)

    if ref.startswith("own"):  # committed once more since: a moment later
        before_git(monkeypatch, "merge-base", lambda: save(BEGUN))
    else:
        monkeypatch.setattr(faults, "hook", save)
    report = two.restore("V1")

    check_restored(two)
    assert is_kept(two, ref)
    assert any("was written meanwhile" in note for note in report.notes)


LOOKING = [(ref, "add -A") for ref in FILES if ref.startswith("code")]


@pytest.mark.parametrize(("ref", "moment"), [*LOOKING, *((ref, "ls-files -s") for ref in FILES)])
def test_a_save_after_files_were_looked_at_stops_the_restore(two, monkeypatch, ref, moment):
    before = two.path(ref).read_bytes()
    mine = before.upper()
    before_git(monkeypatch, moment, lambda: overwrite(two.path(ref), mine))
    check_stopped(two, ref, mine)
    assert two.path(ref).read_bytes() == before


@pytest.mark.parametrize("ref", REPLACED)
def test_a_save_where_a_file_was_just_taken_away_stops_the_restore(two, monkeypatch, ref):
    before_git(monkeypatch, "checkout-index", lambda: two.write(ref, MINE))
    check_stopped(two, ref, MINE)


def check_stopped(lab: Lab, ref: str, mine: bytes) -> None:
    with pytest.raises(ConfigurationError, match=lab.path(ref).name):
        lab.restore("V1", only=[ref.partition(":")[0]])
    check_undone(lab)
    assert is_kept(lab, ref, mine)


@pytest.mark.parametrize("ref", FILES)
def test_a_save_before_a_failed_restore_is_undone_is_kept(two, monkeypatch, ref):
    points: list[str] = []

    def fail(point: str) -> None:
        points.append(point)
        if (
            point == "resource restored" and points.count(point) == 3
        ):  # code, intermediate data, the repository
            two.write(ref, MINE)
            raise KeyboardInterrupt

    told: list[str] = []
    two.ws.notify = told.append
    monkeypatch.setattr(faults, "hook", fail)
    with pytest.raises(KeyboardInterrupt):
        two.restore("V1")

    check_undone(two)
    assert is_kept(two, ref)
    assert any("is kept in commit" in line for line in told)


@pytest.mark.parametrize("ref", FILES)
def test_a_save_while_a_restore_is_undone_is_kept_and_the_next_command_goes_on(
    two, monkeypatch, ref
):
    """The undoing stops before it writes over it."""
    before = two.path(ref).read_bytes()
    began: list[str] = []
    looked: list[str] = []
    last = "-z" if ref.startswith("own") else "code"  # all of a repository, or a folder

    def fail(point: str) -> None:
        began.append(point)
        if point == "resource restored" and began.count(point) == 3:
            raise KeyboardInterrupt

    def trace(args: list[str]) -> None:
        undoing = began.count("resource restored") == 3 and not looked
        if undoing and args[1:3] == ["ls-files", "-s"] and args[-1] == last:
            looked.append(ref)
            two.write(ref, MINE)

    monkeypatch.setattr(faults, "hook", fail)
    monkeypatch.setattr(command, "trace", trace)
    with pytest.raises(ConfigurationError, match=two.path(ref).name):
        two.restore("V1")
    monkeypatch.undo()

    assert looked
    two.reopen()
    check_undone(two)
    assert is_kept(two, ref)
    assert two.path(ref).read_bytes() == before
