from __future__ import annotations

from pathlib import Path

import pytest

from dws_graph.backends.git.command import MANY, Git, decoded
from dws_graph.backends.git.importing import commit_with
from dws_graph.backends.git.index import ScratchIndex
from dws_graph.errors import GitError
from tests.resources.places import AWKWARD, commit_all, git, repository, write


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = repository(tmp_path / "repo")
    write(root, "kept/file", b"kept")
    write(root, "replaced", b"before")
    (root / "kept/file").chmod(0o755)
    commit_all(root)
    return root


def new_files(n: int) -> dict[str, bytes]:
    """What a commit is to have: names that need quoting, and `n` plain ones."""
    awkward = {f"new/{decoded(name)}": name for name in AWKWARD if b"/" not in name}
    plain = {f"many/{i % 5}/{i}": b"%d\n" % i * 50 for i in range(n)}
    return {**awkward, **plain, "replaced": b"", "binary": bytes(range(256))}


@pytest.mark.parametrize("n", [0, MANY])
def test_the_commit_is_as_from_an_index(repo, n, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "1700000000 +0100")
    g, files = Git(repo), new_files(n)
    head = g.head()
    assert head is not None

    made = commit_with(g, head, files, "a message\n\nof Zoë's\n")

    with ScratchIndex(g) as index:
        index.put_tree(head)
        index.add_blobs(files)
        tree = index.write_tree()
    assert made == g.commit_tree(tree, [head], "a message\n\nof Zoë's\n")
    assert g.tree_of(made) == tree == git(repo, "rev-parse", f"{made}^{{tree}}")
    assert g.cats(made, files) == files
    assert g.head() == head
    assert git(repo, "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]
    assert git(repo, "status", "--porcelain") == ""
    assert "dangling commit" in git(repo, "fsck", "--strict")


def test_many_files_are_one_pack_and_few_are_files_of_their_own(repo):
    g = Git(repo)
    head = g.head()
    assert head is not None
    packs = repo / ".git/objects/pack"

    few = commit_with(g, head, {"a": b"1", "b/c": b"2"}, "few")
    assert list(packs.glob("*.pack")) == []
    commit_with(g, few, new_files(MANY), "many")
    assert len(list(packs.glob("*.pack"))) == 1


def test_a_file_takes_the_place_of_a_folder_and_the_other_way_round(repo):
    g = Git(repo)
    head = g.head()
    assert head is not None

    made = commit_with(g, head, {"kept": b"a file", "replaced/below": b"a folder's"}, "m")

    assert sorted(g.ls_tree(made)) == [b"kept", b"replaced/below"]


def test_what_it_holds_keeps_its_mode(repo):
    g = Git(repo)
    head = g.head()
    assert head is not None

    assert g.ls_tree(commit_with(g, head, {"x": b""}, "m"))[b"kept/file"][0] == "100755"


def test_it_is_by_whom_git_knows_now(repo):
    g = Git(repo)
    head = g.head()
    assert head is not None
    commit_with(g, head, {"x": b"1"}, "m")
    git(repo, "config", "user.name", 'Zoë "Z" O\'Hara')

    made = commit_with(g, head, {"x": b"2"}, "m")

    assert git(repo, "log", "-1", "--format=%an|%cn", made) == "|".join(['Zoë "Z" O\'Hara'] * 2)


def test_a_nul_in_a_message_and_a_name_forgotten_are_refused(repo, monkeypatch):
    g = Git(repo)
    head = g.head()
    assert head is not None
    with pytest.raises(GitError, match="NUL"):
        commit_with(g, head, {"x": b"1"}, "a\0b")
    monkeypatch.setenv("GIT_AUTHOR_NAME", " ")

    with pytest.raises(GitError, match="does not know your name"):
        commit_with(g, head, {"x": b"1"}, "m")
