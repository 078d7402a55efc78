from __future__ import annotations

import os
from pathlib import Path

import pytest

from dws_graph.backends.git import command
from dws_graph.backends.git.command import Git, GitCommandError, check_git, decoded
from dws_graph.backends.git.index import ScratchIndex, reset_index
from dws_graph.backends.git.state import check_settled, state
from dws_graph.errors import GitError
from tests.resources.places import AWKWARD, commit_all, files, git, repository, write


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return repository(tmp_path / "repo")


def snapshot(repo: Path, paths: list[str], *, message: str = "m") -> str:
    """The sequence that a snapshot of a workspace goes through."""
    g = Git(repo)
    head = g.head()
    with ScratchIndex(g) as index:
        index.add(paths)
        index.reset_outside(paths, Git(repo).head())
        tree = index.write_tree()
    commit = g.commit_tree(tree, [head] if head else [], message)
    branch = g.branch()
    assert branch is not None
    g.update_ref(branch, commit, head)
    reset_index(g, commit, paths)
    return commit


def test_output_is_bytes_and_nothing_is_stripped(repo):
    write(repo, "a", b"\n\xff one \n\n")
    commit_all(repo)

    assert Git(repo).cat("HEAD", "a") == b"\n\xff one \n\n"
    assert Git(repo).cat("HEAD", "b") is None


def test_many_files_are_read_at_once_each_as_it_is(repo):
    content = {
        "a": b"HEAD:b missing\n",
        "b c": b"",
        "new\nline": b"1\n\n",
        "d/e missing": b"\0\xff",
        decoded(b"\xff"): b"x",
    }
    for path, data in content.items():
        write(repo, path, data)
    commit_all(repo)

    asked = ["no such", *content, "d", "no\nsuch", "a"]

    assert Git(repo).cats("HEAD", asked) == {**dict.fromkeys(asked), **content}
    assert Git(repo).cats("HEAD", []) == {}


def test_a_failure_is_a_sentence_with_gits_own_words_and_the_command(repo):
    with pytest.raises(GitCommandError, match=r"git merge: .*nowhere") as caught:
        Git(repo).run("merge", "nowhere")

    assert caught.value.command == ["git", "merge", "nowhere"]
    assert caught.value.status == 1


def test_a_folder_that_is_gone_is_named(tmp_path):
    with pytest.raises(GitError, match="gone"):
        Git(tmp_path / "gone").run("status")


def test_the_repository_has_no_say_in_what_programs_run(repo, tmp_path):
    traces = tmp_path / "traces"
    for name in ("pre-commit", "post-checkout", "reference-transaction", "post-index-change"):
        hook = repo / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> '{traces}'\n")
        hook.chmod(0o755)
    git(repo, "config", "core.fsmonitor", str(repo / ".git/hooks/pre-commit"))
    write(repo, "a")

    commit = snapshot(repo, ["a"])
    Git(repo).run("reset", "-q", "--hard", commit)
    Git(repo).run("status")

    assert not traces.exists()
    with pytest.raises(GitError, match="ext"):
        Git(repo).run("ls-remote", "ext::sh -c touch% /tmp/never")


def test_what_a_git_hook_has_set_leads_nowhere_else(repo, tmp_path, monkeypatch):
    other = repository(tmp_path / "other")
    write(other, "theirs")
    commit_all(other)
    write(repo, "ours")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))

    commit = snapshot(repo, ["ours"])

    assert Git(repo).head() == commit
    assert Git(repo).ls_files() == [b"ours"]
    assert Git(other).ls_files() == [b"theirs"]


def test_each_command_is_shown_to_whoever_traces(repo, monkeypatch):
    shown: list[list[str]] = []
    monkeypatch.setattr(command, "trace", shown.append)

    Git(repo).text("rev-parse", "--git-dir")

    assert shown == [["git", "rev-parse", "--git-dir"]]


def test_git_is_there_and_new_enough(monkeypatch):
    check_git()
    monkeypatch.setattr(command, "MINIMUM", (99, 0))
    with pytest.raises(GitError, match="too old") as caught:
        check_git()
    assert "99.0" in caught.value.hint


def test_missing_git_is_a_sentence(repo, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitError, match="not installed"):
        Git(repo).run("status")


def test_without_a_name_the_two_commands_to_type_are_named(repo, monkeypatch, tmp_path):
    Git(repo).check_identity()
    empty = tmp_path / "empty"
    empty.write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(empty))
    with pytest.raises(GitError) as caught:
        Git(repo).check_identity()
    assert "user.name" in caught.value.hint
    assert "user.email" in caught.value.hint


def test_where_we_are(repo, tmp_path):
    (repo / "sub").mkdir()

    assert Git(repo).is_repo_root()
    assert not Git(repo / "sub").is_repo_root()
    assert Git(repo / "sub").toplevel() == repo.resolve()
    assert Git(tmp_path).toplevel() is None
    assert Git(repo).head() is None
    assert Git(repo).branch() == "main"
    write(repo, "a")
    commit = commit_all(repo)
    assert Git(repo).head() == commit
    git(repo, "checkout", "-q", "--detach")
    assert Git(repo).branch() is None


def test_a_conflict_is_seen_and_refused(repo):
    write(repo, "a", b"1")
    commit_all(repo)
    git(repo, "switch", "-q", "-c", "other")
    write(repo, "a", b"2")
    commit_all(repo)
    git(repo, "switch", "-q", "main")
    write(repo, "a", b"3")
    commit_all(repo)
    check_settled(Git(repo), "it")
    with pytest.raises(GitError):
        Git(repo).run("merge", "other")

    found = state(Git(repo))

    assert found.under_way == "merge"
    assert found.unmerged == ("a",)
    with pytest.raises(GitError, match="the repository is in the middle of a merge"):
        check_settled(Git(repo), "the repository")


def test_files_of_any_name_are_listed_committed_and_read_back(repo):
    for name in AWKWARD:
        write(repo / "data", name, b"content of " + name)
    write(repo, ".gitignore", b"*.pyc\n")
    write(repo / "data", "cache.pyc")

    commit = snapshot(repo, ["data"])

    assert Git(repo).ls_files("data") == sorted(b"data/" + name for name in AWKWARD)
    assert set(Git(repo).ls_tree(commit)) == {b"data/" + name for name in AWKWARD}
    for name in AWKWARD:
        assert Git(repo).cat(commit, decoded(b"data/" + name)) == b"content of " + name
    assert git(repo, "status", "--porcelain") == "?? .gitignore"


def test_the_first_commit_of_a_repository_can_be_ours(repo):
    write(repo, "a/b")
    write(repo, "staged")
    git(repo, "add", "staged")

    commit = snapshot(repo, ["a"])

    assert git(repo, "ls-tree", "-r", "--name-only", commit) == "a/b"
    assert git(repo, "status", "--porcelain") == "A  staged"


def test_what_is_staged_elsewhere_stays_staged_and_out_of_the_commit(repo):
    for name in ("res/a", "res2/b", "mine", "gone"):
        write(repo, name, b"old")
    commit_all(repo)
    write(repo, "mine", b"staged")
    git(repo, "add", "mine")
    git(repo, "rm", "-q", "gone")
    write(repo, "mine", b"not staged")
    write(repo, "res/a", b"new")
    write(repo, "res2/b", b"not of the resource")
    write(repo, ":(exclude)res/c", b"c")

    commit = snapshot(repo, ["res", ":(exclude)res", "nowhere"])

    assert git(repo, "show", "--name-only", "--format=", commit) == ":(exclude)res/c\nres/a"
    assert git(repo, "status", "--porcelain") == "D  gone\nMM mine\n M res2/b"
    assert git(repo, "show", ":mine") == "staged"


def objects(repo: Path) -> tuple[int, int]:
    """How many objects have a file of their own, and how many packs there are."""
    said = dict(line.split(": ") for line in git(repo, "count-objects", "-v").splitlines())
    return int(said["count"]), int(said["packs"])


def test_many_new_files_become_one_pack_and_few_stay_files(repo):
    for i in range(command.MANY):
        write(repo, f"d/{i}", b"%d\n" % i)
    first = snapshot(repo, ["d"])
    assert objects(repo) == (3, 1)  # two trees, a commit
    assert git(repo, "show", f"{first}:d/7") == "7"

    write(repo, "d/7", b"other\n")
    second = snapshot(repo, ["d"])

    assert objects(repo) == (7, 1)
    assert git(repo, "show", f"{second}:d/7") == "other"
    assert git(repo, "status", "--porcelain") == ""
    git(repo, "fsck", "--strict")


def test_many_new_files_of_several_folders_are_kept_as_they_are(repo):
    folders = [b"plain", b"[a]*?", b"new\nline", b"back\\slash/deeper", b"\xff"]
    for folder in folders:
        for name in (*AWKWARD, *(b"%d" % i for i in range(command.MANY))):
            write(repo, folder + b"/" + name, folder + name)
        write(repo, folder + b"/.~0123456789abcdef", b"begun")
        write(repo, folder + b"/ignored.tmp", b"ignored")
    write(repo, ".gitignore", b"*.tmp\n")
    repository(repo / "plain" / "inner")
    write(repo, "plain/inner/a")
    commit_all(repo / "plain" / "inner")

    commit = snapshot(repo, [""])

    found = Git(repo).ls_tree(commit)
    on_disk = {
        name: data
        for name, data in files(repo).items()
        if b".~01" not in name and b"ignored" not in name and not name.startswith(b"plain/inner/")
    }
    assert found.keys() == on_disk.keys() | {b"plain/inner"}
    for name, data in on_disk.items():
        assert found[name][1] == Git(repo).blob_id(data)
    assert objects(repo)[1] == 2
    git(repo, "fsck", "--strict")


def test_files_that_git_converts_are_converted_also_when_they_are_many(repo):
    write(repo, ".gitattributes", b"*.txt text\n")
    for i in range(command.MANY):
        write(repo, f"{i}.txt", b"%d\r\n" % i)
    commit = snapshot(repo, [""])
    assert Git(repo).cat(commit, "7.txt") == b"7\n"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
@pytest.mark.parametrize("count", [0, 1, 2, command.MANY, 3 * command.MANY])
def test_many_pieces_are_kept_under_the_ids_that_they_would_have(tmp_path, kind, count):
    git(tmp_path, "init", "-q", f"--object-format={kind}")
    many = [b"mark :%d\ndata 7\n" % (i // 2) for i in range(count)]  # each twice

    ids = Git(tmp_path).write_blobs(many)

    assert ids == [Git(tmp_path).blob_id(data) for data in many]
    found = Git(tmp_path).each_object(ids)
    assert [(found_kind, bytes(data)) for found_kind, data in found] == [("blob", d) for d in many]


def test_a_deleted_folder_is_a_deletion(repo):
    write(repo, "res/a")
    write(repo, "b")
    commit_all(repo)
    (repo / "res/a").unlink()
    (repo / "res").rmdir()

    commit = snapshot(repo, ["res"])

    assert git(repo, "ls-tree", "-r", "--name-only", commit) == "b"
    assert git(repo, "status", "--porcelain") == ""


def test_files_of_the_product_are_added_by_content_even_where_ignored(repo):
    write(repo, ".gitignore", b"hidden\n")
    commit_all(repo)
    g = Git(repo)
    with ScratchIndex(g) as index:
        index.add_blob("hidden/x", b"1")
        index.add_blobs({"new\nline": b"2", "run": b"\0"}, "100755")
        index.remove([".gitignore", "never there"])
        tree = index.write_tree()

    listed = g.ls_tree(tree)

    assert set(listed) == {b"hidden/x", b"new\nline", b"run"}
    assert listed[b"run"][0] == "100755"
    assert g.cat(tree, "new\nline") == b"2"


def test_what_a_killed_write_began_is_taken_by_no_commit(repo):
    begun = ".~0123456789abcdef"
    for path in ("a", begun, f"d/{begun}", "d/.~lock.table.ods#", f"{begun}0", "*"):
        write(repo, path, b"1")
    g = Git(repo)
    with ScratchIndex(g) as index:
        index.add([""])
        all_of_it = index.write_tree()
    with ScratchIndex(g) as index:
        index.add(["d", "*"])
        some = index.write_tree()

    assert set(g.ls_tree(all_of_it)) == {
        b"a",
        b"d/.~lock.table.ods#",
        f"{begun}0".encode(),
        b"*",
    }
    assert set(g.ls_tree(some)) == {b"d/.~lock.table.ods#", b"*"}


def test_learning_a_trees_id_leaves_nothing_behind(repo):
    write(repo, "a", b"1")
    commit_all(repo)
    write(repo, "a", b"never seen before")
    write(repo, "sub/lineage.json", b"{}")
    before = files(repo / ".git")
    with ScratchIndex(Git(repo), keep=False) as index:
        index.add([""])
        tree = index.write_tree()
        less = index.tree_less(tree, ["sub"])

    assert files(repo / ".git") == before
    commit_all(repo)
    assert Git(repo).tree_of("HEAD") == tree
    git(repo, "rm", "-q", "-r", "sub")
    assert git(repo, "write-tree") == less


def test_a_file_written_in_the_same_instant_as_the_index_is_read_again(repo):
    for i in range(30):
        write(repo, "a", b"%04d" % i)
        git(repo, "add", "a")
        write(repo, "a", b"%04d" % (i + 1000))
        with ScratchIndex(Git(repo), keep=False) as index:
            index.add([""])
            mode_and_id = index.entries()[b"a"]
        assert mode_and_id[1] == git(repo, "hash-object", "a")


def test_the_branch_does_not_move_when_somebody_committed_meanwhile(repo):
    write(repo, "a")
    old = commit_all(repo)
    write(repo, "b")
    newer = commit_all(repo)
    g = Git(repo)
    mine = g.commit_tree(g.tree_of(old) or "", [old], "mine")

    with pytest.raises(GitError):
        g.update_ref("main", mine, old)

    assert g.head() == newer


def test_a_locked_index_is_waited_for_and_then_named(repo):
    write(repo, "a")
    commit = commit_all(repo)
    (repo / ".git/index.lock").touch()

    with pytest.raises(GitError, match=r"index\.lock"):
        reset_index(Git(repo), commit, ["a"], wait=0.2)


def test_a_message_of_any_text_is_kept(repo):
    g = Git(repo)
    commit = g.commit_tree(g.empty_tree, [], "-m ☃\n\n#not a comment\n\x80".replace("\x80", ""))
    assert git(repo, "log", "-1", "--format=%B", commit) == "-m ☃\n\n#not a comment"


def test_a_repository_in_a_folder_of_an_awkward_name(tmp_path):
    for name in AWKWARD[1:]:
        folder = Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))
        write(repository(folder), "a", name)
        commit = snapshot(folder, ["a"])
        assert Git(folder).is_repo_root()
        with ScratchIndex(Git(folder), keep=False) as index:
            assert index.write_tree() == Git(folder).tree_of(commit)
