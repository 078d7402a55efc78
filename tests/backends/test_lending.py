from __future__ import annotations

import re
from pathlib import Path

import pytest

from dws_graph.backends.git.command import MANY, Git
from dws_graph.backends.git.index import ScratchIndex, reset_index
from dws_graph.backends.git.lending import take
from tests.resources.places import commit_all, git, repository, write


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with a commit, a file staged nowhere, and many new ones in a folder."""
    root = repository(tmp_path / "repo")
    write(root, "other", b"committed")
    commit_all(root)
    for n in range(MANY):
        write(root, f"data/{n % 3}/{n}", b"%d\n" % n)
    return root


def committed(repo: Path, folders: list[str]) -> str:
    """Commit these folders up to the user's index, as a snapshot does."""
    g = Git(repo)
    head = g.head()
    with ScratchIndex(g) as index:
        index.reset_outside(folders, head)
        index.add(folders)
        tree = index.write_tree()
        index.lend(folders, head)
        commit = g.commit_tree(tree, [head] if head else [], "m")
    branch = g.branch()
    assert branch is not None
    g.update_ref(branch, commit, head)
    return commit


def unread(repo: Path) -> int:
    """How many files the user's index knows by their stats."""
    times = re.findall(r"mtime: (\d+):", git(repo, "ls-files", "--debug", "--", "data"))
    return sum(time != "0" for time in times)


def take_without_reset(repo: Path, paths: list[str]) -> None:
    """What comes before the `git reset`, which reads all that is not known."""
    take(Git(repo).folder / "index", paths)


def test_git_knows_new_files_that_it_has_not_read_once_more(repo):
    committed(repo, ["data"])
    mode = (repo / ".git/index").stat().st_mode

    take_without_reset(repo, ["data", "more"])

    assert unread(repo) == MANY
    assert git(repo, "status", "--porcelain") == ""
    assert (repo / ".git/index").stat().st_mode == mode
    assert not [p.name for p in (repo / ".git").iterdir() if p.name.startswith((".~", "index."))]


def test_a_first_commit_has_no_index_before(tmp_path):
    root = repository(tmp_path / "repo")
    for n in range(MANY):
        write(root, f"data/{n}", b"%d\n" % n)
    commit = committed(root, ["data"])

    take_without_reset(root, ["data"])
    assert unread(root) == MANY
    reset_index(Git(root), commit, ["data"])
    assert git(root, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "how", [["add", "other"], ["add", "-N", "new"], ["rm", "--cached", "other"]]
)
def test_what_is_staged_elsewhere_stays(repo, how):
    write(repo, "other", b"staged")
    write(repo, "new", b"to be added")
    git(repo, *how)
    staged = git(repo, "ls-files", "-s", "--", "other", "new")
    commit = committed(repo, ["data"])

    take_without_reset(repo, ["data"])
    assert unread(repo) == 0
    reset_index(Git(repo), commit, ["data"])

    assert git(repo, "ls-files", "-s", "--", "other", "new") == staged
    assert git(repo, "diff", "--cached", "--name-only", "--", "data") == ""


def test_what_is_staged_meanwhile_stays(repo):
    commit = committed(repo, ["data"])
    write(repo, "other", b"staged")
    git(repo, "add", "other")

    reset_index(Git(repo), commit, ["data"])

    assert git(repo, "diff", "--cached", "--name-only") == "other"


def test_a_locked_index_is_left_alone(repo):
    committed(repo, ["data"])
    lock = repo / ".git/index.lock"
    lock.write_bytes(b"somebody's")

    take_without_reset(repo, ["data"])

    assert lock.read_bytes() == b"somebody's"
    assert unread(repo) == 0


def test_what_was_not_committed_is_not_staged(repo):
    g = Git(repo)
    head = g.head()
    assert head is not None
    with ScratchIndex(g) as index:
        index.add(["data"])
        index.lend(["data"], head)

    reset_index(g, head, ["other"])
    reset_index(g, head, ["data"])

    assert git(repo, "ls-files") == "other"


def test_a_file_changed_since_is_seen(repo):
    commit = committed(repo, ["data"])
    write(repo, "data/0/0", b"1\n")

    reset_index(Git(repo), commit, ["data"])

    assert git(repo, "diff", "--name-only") == "data/0/0"
