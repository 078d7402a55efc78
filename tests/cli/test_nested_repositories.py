"""A git repository within a resource of git: git keeps its commit, and none of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.resources.places import git


@pytest.fixture(params=["git-subdirectory", "git"])
def own(request, dws, workspace, tmp_path) -> Path:
    """A resource of this type, with a file."""
    if request.param == "git":
        made = tmp_path / "own"
        made.mkdir()
        git(made, "init", "-q")
    else:
        made = workspace / "own"
        made.mkdir()
    dws("add", "git", "--role", "code", "--name", "own", str(made))
    (made / "main.py").write_text("print(1)\n")
    return made


def nested(folder: Path) -> Path:
    made = folder / "lib"
    made.mkdir()
    git(made, "init", "-q")
    (made / "lib.py").write_text("x = 1\n")
    return made


def test_a_snapshot_says_that_it_does_not_hold_its_files(dws, own):
    inner = nested(own)
    git(inner, "commit", "-q", "--allow-empty", "-m", "first")

    said = dws("snapshot", "v1").err

    assert "resource 'own': " in said
    assert "lib is a git repository of its own" in said
    (own / "main.py").write_text("print(2)\n")
    assert "a git repository of its own" not in dws("snapshot", "v2").err  # told already
    git(inner, "commit", "-q", "--allow-empty", "-m", "second")
    assert "a git repository of its own" in dws("snapshot", "v3").err


def test_one_without_a_commit_is_named(dws, own):
    nested(own)

    said = dws.refused("snapshot", "v1")

    assert "lib is a git repository of its own, without a commit" in said
    assert "Delete its .git" in said
    assert "v1" not in dws("report", "history").out
