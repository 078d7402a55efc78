"""What files of `.git` say is what git says, however a repository keeps its refs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dws_graph.backends.git import command
from dws_graph.backends.git.command import Git
from tests.resources.places import commit_all, git, repository, write


def with_commit(root: Path) -> Path:
    repository(root)
    write(root, "a", b"1")
    commit_all(root)
    return root


def before_the_first_commit(root: Path) -> Path:
    return repository(root)


def on_a_branch_of_an_awkward_name(root: Path) -> Path:
    git(with_commit(root), "switch", "-q", "-c", "über/x.y@z-1")
    return root


def detached(root: Path) -> Path:
    git(with_commit(root), "checkout", "-q", "--detach")
    return root


def packed(root: Path) -> Path:
    git(with_commit(root), "pack-refs", "--all")
    return root


def packed_and_moved_on(root: Path) -> Path:
    write(packed(root), "b", b"2")
    commit_all(root)
    return root


def linked(root: Path) -> Path:
    with_commit(root.with_name("main"))
    git(root.with_name("main"), "worktree", "add", "-q", "-b", "other", str(root))
    write(root, "b", b"2")
    commit_all(root)
    return root


def of_sha256(root: Path) -> Path:
    root.mkdir()
    git(root, "init", "-q", "--object-format=sha256")
    write(root, "a", b"1")
    commit_all(root)
    return root


def on_a_branch_that_stands_for_another(root: Path) -> Path:
    git(with_commit(root), "branch", "-q", "real")
    git(root, "symbolic-ref", "refs/heads/alias", "refs/heads/real")
    git(root, "symbolic-ref", "HEAD", "refs/heads/alias")
    return root


def said(root: Path, *args: str) -> str:
    """What git prints, nothing where it says no."""
    done = subprocess.run(["git", *args], cwd=root, capture_output=True, check=False)
    return os.fsdecode(done.stdout).strip()


MAKERS = [
    with_commit,
    before_the_first_commit,
    on_a_branch_of_an_awkward_name,
    detached,
    packed,
    packed_and_moved_on,
    linked,
    of_sha256,
    on_a_branch_that_stands_for_another,
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_it_is_as_git_says(tmp_path: Path, make: Callable[[Path], Path]):
    root = make(tmp_path / "repo")
    head = said(root, "rev-parse", "-q", "--verify", "HEAD^{commit}")
    ref = said(root, "symbolic-ref", "-q", "HEAD")

    assert Git(root).head() == (head or None)
    assert Git(root).branch() == (ref.removeprefix("refs/heads/") or None)
    if ref:
        assert Git(root).object_id(f"{ref}^{{commit}}") == (head or None)
    assert Git(root).object_id("refs/heads/no such^{commit}") is None
    assert Git(root).object_id("refs/heads/../../HEAD^{commit}") is None


def test_where_a_file_says_it_git_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root, run = with_commit(tmp_path / "repo"), list[list[str]]()
    head, branch = Git(root).head(), Git(root).branch()
    monkeypatch.setattr(command, "trace", run.append)

    assert (Git(root).head(), Git(root).branch()) == (head, branch)
    assert Git(root).object_id(f"refs/heads/{branch}^{{commit}}") == head
    assert run == []
