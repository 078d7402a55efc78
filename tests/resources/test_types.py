from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from dws_graph.backends.git.index import reset_index
from dws_graph.errors import ConfigurationError, GitError, NotSupportedError
from dws_graph.resources import git as git_type
from dws_graph.resources import git_subdirectory, local_files, registry
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from tests.resources.places import AWKWARD, Place, commit_all, files, git, repository, write


@pytest.fixture
def ws(tmp_path: Path) -> Place:
    root = repository(tmp_path / "ws")
    write(root, "README", b"")
    commit_all(root)
    return Place(root)


@pytest.fixture
def own(ws: Place) -> GitResource:
    root = repository(ws.root.parent / "own")
    write(root, "a", b"1")
    commit_all(root)
    made = git_type.FACTORY.from_command_line("code", "own", ws, str(root))
    assert isinstance(made, GitResource)
    return made


@pytest.fixture
def sub(ws: Place) -> GitSubdirectoryResource:
    (ws.root / "res").mkdir()
    return git_subdirectory.FACTORY.from_command_line("code", "res", ws, str(ws.root / "res"))


def read_only(own: GitResource) -> GitResource:
    made = registry.from_json(
        {**own.get_params(), "read_only": True}, own.get_local_params(), own.workspace
    )
    assert isinstance(made, GitResource)
    return made


# the registry


def test_types_are_found_by_their_entry_points():
    assert {"file", "git", "git-subdirectory"} <= set(registry.resource_types())
    assert registry.factory("git") is git_type.FACTORY
    with pytest.raises(NotSupportedError, match="'tape'") as caught:
        registry.factory("tape")
    assert "dws_graph.resources" in caught.value.hint


def test_parameters_of_1_6_come_back_as_they_are(ws):
    shape = {"resource_type": "file", "name": "raw", "role": "source-data"}
    given: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {
                **shape,
                "global_local_path": "/data",
                "compute_hash": True,
                "export": False,
                "imported": False,
            },
            {"local_path": None},
        ),
        (
            {
                "resource_type": "git",
                "name": "features",
                "role": "intermediate-data",
                "export": True,
                "remote_origin_url": "/origin.git",
                "relative_local_path": None,
                "branch": "master",
                "read_only": False,
                "imported": False,
            },
            {"local_path": "/elsewhere"},
        ),
        (
            {
                "resource_type": "git-subdirectory",
                "name": "code",
                "role": "code",
                "export": False,
                "relative_path": "code",
            },
            {"local_path": str(ws.root / "code")},
        ),
    ]
    for params, local_params in given:
        made = registry.from_json(params, local_params, ws)
        assert list(made.get_params().items()) == list(params.items())
        assert made.get_local_params() == local_params
    moved = registry.from_json(given[0][0], {"my_local_path": "/mine"}, ws)
    assert moved.local_path == Path("/mine")


# git


def test_a_snapshot_commits_what_git_does_not_ignore(own):
    root = own.folder
    for name in AWKWARD:
        write(root, b"d/" + name, name)
    write(root, ".gitignore", b"*.log\n")
    write(root, "x.log")
    assert own.content().hash is None
    before = own.content("d")

    taken = own.take_snapshot()

    assert taken.compare == taken.restore == git(root, "rev-parse", "HEAD")
    assert git(root, "log", "-1", "--format=%s") == "dws snapshot"
    assert git(root, "status", "--porcelain") == ""
    assert own.take_snapshot().compare == taken.compare
    after = own.content("d")
    assert after.hash == taken.compare
    assert after.known_as == before.known_as == own.known_as(taken.compare or "")
    assert after.subpath_hash == before.subpath_hash
    assert after.subpath_hash == taken.subpath_hash("d")


def test_lineage_of_an_exporter_does_not_make_content_unknown(own):
    known = own.content().known_as
    write(own.folder, "lineage.json", b"{}")
    own.take_snapshot()
    assert own.content().known_as == known
    write(own.folder, "a", b"2")
    assert own.content().known_as != known


def test_a_restore_goes_back_and_loses_nothing(own):
    root = own.folder
    for name in AWKWARD:
        write(root, b"d/" + name, b"\0\r\n\xff" + name)
    old = own.take_snapshot().restore
    assert old is not None
    content = files(root)
    write(root, "later", b"committed")
    git(root, "rm", "-q", "-r", "d")
    newer = own.take_snapshot().restore
    write(root, "a", b"not committed")
    write(root, "new\nfile", b"not tracked")

    notes = own.restore(old)

    assert files(root) == content
    assert git(root, "rev-parse", "HEAD") == git(root, "rev-parse", "main") == old
    assert git(root, "status", "--porcelain") == ""
    saved = git(root, "for-each-ref", "--format=%(refname)", "refs/dws/saved")
    assert git(root, "show", f"{saved}:a") == "not committed"
    assert git(root, "show", f"{saved}:new\nfile") == "not tracked"
    assert git(root, "rev-parse", f"{saved}^") == newer
    assert saved in notes[1]
    assert "not committed" in notes[0]
    assert own.restore(old) == ()


def test_going_forward_again_needs_nothing_saved(own):
    old = own.take_snapshot().restore
    write(own.folder, "b")
    new = own.take_snapshot().restore
    own.restore(old or "")
    git(own.folder, "for-each-ref", "refs/dws")

    assert own.restore(new or "") == ()
    assert own.content().hash == new


def test_an_ignored_file_in_the_way_of_a_restore_is_named(own):
    write(own.folder, "data/x", b"kept")
    old = own.take_snapshot().restore
    git(own.folder, "rm", "-q", "-r", "data")
    write(own.folder, ".gitignore", b"data\n")
    own.take_snapshot()
    write(own.folder, "data/x", b"only copy")

    with pytest.raises(ConfigurationError, match="data/x, which git ignores"):
        own.restore_precheck(old or "")

    assert (own.folder / "data/x").read_bytes() == b"only copy"


def test_a_read_only_repository_is_never_committed_to(own):
    old = own.take_snapshot().restore
    write(own.folder, "b")
    head = own.take_snapshot().restore
    fixed = read_only(own)
    assert fixed.take_snapshot().compare == head
    fixed.restore(old or "")
    assert fixed.content().hash == old
    write(own.folder, "a", b"edited")

    with pytest.raises(ConfigurationError, match=r"'own' has changes .* read-only"):
        fixed.snapshot_precheck()
    with pytest.raises(ConfigurationError, match=r"'own' has changes .* read-only"):
        fixed.restore_precheck(head or "")
    with pytest.raises(NotSupportedError, match="read-only"):
        fixed.delete_file("a")


def test_what_is_under_way_is_refused_by_name(own):
    root = own.folder
    git(root, "checkout", "-q", "--detach")
    with pytest.raises(ConfigurationError, match="'own' is on no branch"):
        own.snapshot_precheck()
    git(root, "switch", "-q", "-c", "other")
    with pytest.raises(ConfigurationError, match="on branch 'other', not 'main'"):
        own.restore_precheck(git(root, "rev-parse", "HEAD"))
    write(root, "a", b"2")
    commit_all(root)
    git(root, "switch", "-q", "main")
    write(root, "a", b"3")
    commit_all(root)
    with pytest.raises(Exception, match="exit status 1"):
        git(root, "rebase", "other")
    with pytest.raises(GitError, match="'own' is in the middle of a rebase"):
        own.snapshot_precheck()
    git(root, "rebase", "--abort")
    with pytest.raises(ConfigurationError, match="no commit " + "1" * 40):
        own.restore_precheck("1" * 40)


def test_a_repository_without_commits_can_be_added_and_snapshot(ws, tmp_path):
    root = repository(tmp_path / "fresh")
    made = git_type.FACTORY.from_command_line("code", "fresh", ws, str(root))
    assert made.content().hash is None
    assert made.fingerprint() is not None
    assert made.get_params()["remote_origin_url"] == str(root)
    assert made.get_params()["branch"] == "main"
    write(root, "a")

    taken = made.take_snapshot()

    assert taken.compare == git(root, "rev-parse", "HEAD")


def test_an_import_needs_the_lineage_of_that_name(ws, own):
    add = git_type.FACTORY.from_command_line
    with pytest.raises(ConfigurationError, match=r"no lineage\.json"):
        add("source-data", "own", ws, str(own.folder), imported=True)
    write(own.folder, "lineage.json", b'{"resource_name": "features", "lineages": []}')
    with pytest.raises(ConfigurationError, match="'features', not 'own'"):
        add("source-data", "own", ws, str(own.folder), imported=True)
    with pytest.raises(ConfigurationError, match="source-data"):
        add("code", "features", ws, str(own.folder), imported=True)
    made = add("source-data", "features", ws, str(own.folder), imported=True)
    assert made.get_params()["read_only"]
    assert made.is_imported()


def test_a_folder_of_the_workspace_becomes_a_subdirectory(ws, tmp_path):
    (ws.root / "data/x").mkdir(parents=True)
    add = git_type.FACTORY.from_command_line

    made = add("code", "x", ws, str(ws.root / "data/x"))

    assert made.get_params()["relative_path"] == "data/x"
    with pytest.raises(ConfigurationError, match="--read-only"):
        add("code", "x", ws, str(ws.root / "data/x"), read_only=True)
    with pytest.raises(ConfigurationError, match="the workspace itself"):
        add("code", "x", ws, str(ws.root))
    with pytest.raises(ConfigurationError, match="not the root of a git repository"):
        add("code", "x", ws, str(tmp_path))
    inner = repository(ws.root / "inner")
    write(inner, "a")
    commit_all(inner)
    assert add("code", "inner", ws, str(inner)).get_params()["relative_local_path"] == "inner"


# git-subdirectory


def test_the_content_is_the_tree_that_a_commit_would_hold(ws, sub):
    assert sub.content().hash == git(ws.root, "hash-object", "-t", "tree", "/dev/null")
    for name in AWKWARD:
        write(sub.folder, b"d/" + name, name)
    write(ws.root, "outside")
    git(ws.root, "add", "outside")
    status = git(ws.root, "status", "--porcelain")

    content = sub.content("d")

    assert git(ws.root, "status", "--porcelain") == status
    with pytest.raises(ConfigurationError, match="not committed"):
        sub.take_snapshot()
    commit = commit_all(ws.root)
    assert content.hash == git(ws.root, "rev-parse", "HEAD:res")
    assert content.subpath_hash == git(ws.root, "rev-parse", "HEAD:res/d")
    assert sub.snapshot() == (content.hash, commit)
    assert sub.known_as(content.hash or "") == content.known_as
    assert sub.at_commit(commit).subpath_hash("d") == content.subpath_hash
    assert sub.known_as("1" * 40) is None


def test_files_come_back_exactly_and_nothing_outside_changes(ws, sub):
    for name in AWKWARD:
        write(sub.folder, b"d/" + name, b"\0\xff\r\n" + name)
    write(sub.folder, "run.sh", b"#!/bin/sh\n")
    (sub.folder / "run.sh").chmod(0o755)
    (sub.folder / "link").symlink_to("d/plain.txt")
    write(sub.folder, "was-file", b"f")
    write(sub.folder, "was-folder/x", b"x")
    write(sub.folder, "same", b"same")
    write(ws.root, ".gitignore", b"*.log\n")
    old = commit_all(ws.root)
    content = files(sub.folder)
    for name in AWKWARD:
        write(sub.folder, b"d/" + name, b"other")
    os.unlink(sub.folder / "d/plain.txt")
    (sub.folder / "run.sh").chmod(0o644)
    (sub.folder / "link").unlink()
    write(sub.folder, "link", b"a file now")
    (sub.folder / "was-file").unlink()
    write(sub.folder, "was-file/now/folder")
    (sub.folder / "was-folder/x").unlink()
    (sub.folder / "was-folder").rmdir()
    write(sub.folder, "was-folder")
    commit_all(ws.root)
    write(sub.folder, "not/tracked")
    write(sub.folder, "mine.log", b"ignored")
    write(ws.root, "README", b"staged")
    git(ws.root, "add", "README")
    inode = (sub.folder / "same").stat()

    sub.restore_precheck(old)
    (note,) = sub.restore(old)

    kept = note.rpartition(" ")[2]
    assert git(ws.root, "ls-tree", "--name-only", kept, "res/not/") == "res/not/tracked"
    found = files(sub.folder)
    assert found.pop(b"mine.log") == b"ignored"
    assert found == content
    assert os.readlink(sub.folder / "link") == "d/plain.txt"
    assert os.access(sub.folder / "run.sh", os.X_OK)
    assert not (sub.folder / "not").exists()
    assert (sub.folder / "same").stat() == inode
    assert git(ws.root, "diff", "--cached", "--name-only") == "README"
    reset_index(sub.git, old, ["res"])
    assert git(ws.root, "diff", "--name-only") == ""
    assert sub.content().hash == git(ws.root, "rev-parse", f"{old}:res")


def test_a_folder_that_the_commit_has_not_is_emptied(ws, sub):
    old = git(ws.root, "rev-parse", "HEAD")
    write(sub.folder, "a/b")
    commit_all(ws.root)

    sub.restore(old)

    assert os.listdir(sub.folder) == []


def test_an_ignored_file_is_not_written_over(ws, sub):
    write(sub.folder, "data", b"a file")
    old = commit_all(ws.root)
    git(ws.root, "rm", "-q", "res/data")
    write(ws.root, ".gitignore", b"*.log\n")
    write(ws.root, "res/tracked")
    commit_all(ws.root)
    write(sub.folder, "data/only-copy.log", b"precious")

    with pytest.raises(ConfigurationError, match=r"only-copy\.log, which git ignores"):
        sub.restore(old)

    assert (sub.folder / "data/only-copy.log").read_bytes() == b"precious"
    assert (sub.folder / "tracked").exists()


def test_results_are_never_restored(ws):
    (ws.root / "results").mkdir()
    made = git_subdirectory.FACTORY.from_command_line(
        "results", "results", ws, str(ws.root / "results")
    )
    with pytest.raises(NotSupportedError, match="'results' has the role results"):
        made.restore_precheck(git(ws.root, "rev-parse", "HEAD"))
    assert made.at_commit("HEAD").restore == "HEAD"  # as 1.6 writes it


def test_an_ignored_folder_is_refused(ws, sub):
    write(ws.root, ".gitignore", b"res\n")
    with pytest.raises(ConfigurationError, match="ignored by git"):
        sub.snapshot_precheck()


# file


def test_a_snapshot_of_a_plain_folder_brings_its_hash_tree(ws, tmp_path):
    write(tmp_path / "raw", "a/b", b"1")
    raw = local_files.FACTORY.from_command_line(
        "source-data", "raw", ws, str(tmp_path / "raw"), compute_hash=True
    )
    assert raw.known_as("1" * 40) is None

    taken = raw.take_snapshot()

    assert taken.restore is None
    assert all(path.startswith(".dataworkspace/file/source-data/raw/") for path in taken.files)
    for path, text in taken.files.items():
        write(ws.root, path, text)
    write(tmp_path / "raw", "lineage.json")
    content = raw.content("a/b")
    assert content.hash != taken.compare
    assert content.known_as == raw.known_as(taken.compare or "") == taken.compare
    assert content.subpath_hash == taken.subpath_hash("a/b")
    with pytest.raises(NotSupportedError, match="'raw'"):
        raw.restore_precheck(taken.compare or "")


def test_files_are_written_and_read_within_the_resource_alone(ws, tmp_path):
    write(tmp_path / "raw", "a/b", b"1")
    raw = local_files.FACTORY.from_command_line("results", "raw", ws, str(tmp_path / "raw"))
    raw.add_results_file({"metrics": 1}, "new/results.json")
    assert raw.read_results_file("new/results.json") == {"metrics": 1}
    raw.upload_file(str(tmp_path / "raw/a/b"), "c")
    assert raw.does_subpath_exist("c", must_be_file=True)
    assert not raw.does_subpath_exist("c", must_be_directory=True)
    raw.delete_file("c")
    with pytest.raises(ConfigurationError, match="no 'c'"):
        raw.validate_subpath_exists("c")
    for path in ("../x", "/etc/x", "..", "a/../../x"):
        with pytest.raises(ConfigurationError):
            raw.add_results_file({}, path)
    moved = raw.results_move_current_files("snapshots/v1", {"a/b"}, None)
    assert [m.source for m in moved] == ["new/results.json"]
    raw.delete_snapshot("", None, "snapshots/v1")
    assert files(tmp_path / "raw") == {b"a/b": b"1"}


def test_a_folder_that_is_gone_is_named(ws, tmp_path):
    write(tmp_path / "raw", "a")
    raw = local_files.FACTORY.from_command_line("results", "raw", ws, str(tmp_path / "raw"))
    (tmp_path / "raw/a").unlink()
    (tmp_path / "raw").rmdir()
    with pytest.raises(ConfigurationError, match=r"'raw', .*raw, does not exist"):
        raw.content()
    assert raw.fingerprint() is not None
