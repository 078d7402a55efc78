from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dws_graph.resources.fingerprints import GRANULARITY, notebook_source, take, unchanged
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.resources.walking import Entry
from tests.resources.places import AWKWARD, Place, commit_all, git, repository, write


def local_files(folder: Path, role: str = "source-data") -> Any:
    folder.mkdir(exist_ok=True)
    return LocalFileResource(
        "raw", role, Place(folder.parent), global_local_path=str(folder), compute_hash=True
    )


def subdirectory(root: Path, role: str = "code") -> Any:
    repository(root)
    (root / "res").mkdir(exist_ok=True)
    return GitSubdirectoryResource("res", role, Place(root), relative_path="res")


def standalone(root: Path) -> Any:
    return GitResource(
        "own",
        "code",
        Place(root.parent),
        local_path=repository(root),
        remote_origin_url=str(root),
        relative_local_path=None,
        branch="main",
    )


@pytest.fixture(params=["file", "git-subdirectory", "git"])
def resource(request, tmp_path):
    if request.param == "file":
        return local_files(tmp_path / "raw")
    return subdirectory(tmp_path / "ws") if "-" in request.param else standalone(tmp_path / "own")


def settle() -> None:
    """Wait until what was written is no longer racily clean."""
    time.sleep(0.03)


def test_any_change_of_any_file_is_seen(resource):
    root = resource.local_path
    for name in AWKWARD:
        write(root, name, b"12345")
    settle()
    for name in AWKWARD:
        before = resource.fingerprint()
        assert resource.unchanged(None, before)
        write(root, name, b"67890")
        assert not resource.unchanged(None, before)
        before = resource.fingerprint()
        write(root, name + b".more", b"")
        assert not resource.unchanged(None, before)
        before = resource.fingerprint()
        os.unlink(os.path.join(os.fsencode(root), name + b".more"))
        assert not resource.unchanged(None, before)


def test_an_overwrite_in_place_right_afterwards_is_never_missed(resource):
    write(resource.local_path, "data.bin", b"0000")
    rounds = 1000 if resource.resource_type == "file" else 100
    with open(resource.local_path / "data.bin", "r+b", buffering=0) as file:
        for i in range(rounds):
            taken = resource.fingerprint()
            os.pwrite(file.fileno(), b"%04d" % (i + 1), 0)
            assert not resource.unchanged(None, taken)


def test_an_overwrite_that_leaves_the_same_times_is_seen_while_they_are_near(tmp_path):
    raw = local_files(tmp_path / "raw")
    path = tmp_path / "raw/a"
    for _ in range(20):
        path.write_bytes(b"1")
        taken = raw.fingerprint()
        status = path.stat()
        path.write_bytes(b"2")
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert not raw.unchanged(None, taken)


def test_an_overwrite_that_leaves_the_same_stat_is_seen_while_it_is_near(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    status = (tmp_path / "a").lstat()

    def entries() -> list[Entry]:
        return [Entry(b"a", status)]  # as coarse times leave it, whatever this file system has

    taken = take(tmp_path, None, entries, taken=status.st_ctime_ns + GRANULARITY // 2)
    assert unchanged(tmp_path, None, entries, taken)
    (tmp_path / "a").write_bytes(b"2")
    assert not unchanged(tmp_path, None, entries, taken)


def test_a_touched_file_differs_and_hashes_the_same(resource):
    write(resource.local_path, "a", b"1")
    settle()
    taken, content = resource.fingerprint(), resource.content("a")

    os.utime(resource.local_path / "a")

    assert not resource.unchanged(None, taken)
    assert resource.content("a") == content
    assert content.subpath_hash is not None


def test_a_subpath_is_told_apart_by_whole_parts(resource):
    for name in ("ab", "a/b/c", "a/d"):
        write(resource.local_path, name)
    settle()
    whole, a, ab = (resource.fingerprint(s) for s in (None, "a", "ab"))

    write(resource.local_path, "ab", b"other")

    assert not resource.unchanged(None, whole)
    assert resource.unchanged("a", a)
    assert not resource.unchanged("ab", ab)


def test_what_is_missing_has_a_fingerprint_of_its_own(resource):
    (resource.local_path / "empty").mkdir()
    missing, empty = resource.fingerprint("x"), resource.fingerprint("empty")

    assert missing.digest != empty.digest
    assert resource.unchanged("x", missing)
    write(resource.local_path, "x", b"")
    assert not resource.unchanged("x", missing)
    assert not resource.unchanged("empty", missing)


def test_leftovers_of_python_jupyter_and_locks_are_no_change(resource):
    write(resource.local_path, "module.py", b"x = 1\n")
    taken, known = resource.fingerprint(), resource.content().known_as

    run = [sys.executable, "-c", "import module"]
    subprocess.run(run, cwd=resource.local_path, check=True, env={"PYTHONDONTWRITEBYTECODE": ""})
    write(resource.local_path, "old.pyc")
    write(resource.local_path, "sub/.ipynb_checkpoints/a.py")
    write(resource.local_path, ".~lock.table.ods#")
    write(resource.local_path, "lineage.json")

    assert (resource.local_path / "__pycache__").exists()
    if resource.resource_type == "file":  # an empty folder is content there
        (resource.local_path / "sub/.ipynb_checkpoints/a.py").unlink()
        (resource.local_path / "sub/.ipynb_checkpoints").rmdir()
        (resource.local_path / "sub").rmdir()
        assert resource.content().known_as == known
    assert resource.unchanged(None, taken)
    write(resource.local_path, "sub/lineage.json")
    assert not resource.unchanged(None, taken)


def test_committing_is_no_change(tmp_path):
    for made in (subdirectory(tmp_path / "ws"), standalone(tmp_path / "own")):
        write(made.local_path, "a")
        taken = made.fingerprint()
        commit_all(made.local_path)
        git(made.local_path, "config", "x.y", "z")
        assert made.unchanged(None, taken)


def test_what_git_ignores_is_no_change(tmp_path):
    made = subdirectory(tmp_path / "ws")
    write(tmp_path / "ws", ".gitignore", b"*.log\n")
    taken = made.fingerprint()
    write(made.local_path, "a.log")
    assert made.unchanged(None, taken)


def test_dwsignore_leaves_out_of_fingerprint_and_hash_and_counts_itself(tmp_path):
    raw = local_files(tmp_path / "raw")
    write(tmp_path / "raw", ".dwsignore", b"# comment\n*.tmp\n/cache/\n!keep.tmp\n")
    write(tmp_path / "raw", "a")
    settle()
    taken, content = raw.fingerprint(), raw.content()

    write(tmp_path / "raw", "b.tmp")
    write(tmp_path / "raw", "cache/deep/er")
    assert raw.unchanged(None, taken)
    assert raw.content() == content

    write(tmp_path / "raw", "keep.tmp")
    assert not raw.unchanged(None, taken)
    assert raw.content() != content
    taken = raw.fingerprint()
    write(tmp_path / "raw", ".dwsignore", b"*.tmp\n/cache/\n!keep.tmp\n#")
    assert not raw.unchanged(None, taken)


def test_a_notebook_counts_by_the_source_of_its_cells(resource):
    def save(source: list[str] | str, outputs: list, count: int) -> None:
        cell = {"cell_type": "code", "source": source, "outputs": outputs, "execution_count": count}
        notebook = {"cells": [cell], "metadata": {"n": count}, "nbformat": 4, "nbformat_minor": 5}
        write(resource.local_path, "a.ipynb", json.dumps(notebook).encode())

    save(["a = 1\n", "a"], [], 0)
    taken = resource.fingerprint()
    save("a = 1\na", [{"output_type": "stream", "text": "1"}], 7)
    assert resource.unchanged(None, taken)
    save("a = 2\na", [], 7)
    assert not resource.unchanged(None, taken)


@pytest.mark.parametrize("data", [b"", b"[1]", b"{}", b"\xff", b'{"cells": 3}', b'{"cells":[1]}'])
def test_what_is_no_notebook_counts_by_its_bytes(data):
    assert notebook_source(data) == data


def test_snapshots_of_results_are_the_products_own(tmp_path):
    for made in (
        subdirectory(tmp_path / "ws", "results"),
        local_files(tmp_path / "raw", "results"),
    ):
        write(made.local_path, "results.json", b"{}")
        taken, known = made.fingerprint(), made.content().known_as
        write(made.local_path, "snapshots/v1/results.json")
        assert made.unchanged(None, taken)
        assert made.content().known_as == known
        assert made.content().hash != known


def test_links_count_by_where_they_lead(resource, tmp_path):
    write(resource.local_path, "a", b"1")
    write(resource.local_path, "b", b"2")
    (resource.local_path / "link").symlink_to("a")
    (resource.local_path / "dangling").symlink_to("nowhere")
    taken = resource.fingerprint()
    assert resource.unchanged(None, taken)

    (resource.local_path / "link").unlink()
    (resource.local_path / "link").symlink_to("b")

    assert not resource.unchanged(None, taken)


def test_data_behind_a_link_is_content_of_plain_folders(tmp_path):
    raw = local_files(tmp_path / "raw")
    write(tmp_path, "store/big.bin", b"1")
    (tmp_path / "raw/file").symlink_to("../store/big.bin")
    (tmp_path / "raw/folder").symlink_to("../store")
    settle()
    taken, content = raw.fingerprint(), raw.content("folder/big.bin")

    write(tmp_path, "store/big.bin", b"2")

    assert not raw.unchanged(None, taken)
    assert raw.content("folder/big.bin").subpath_hash != content.subpath_hash


def test_a_repository_within_counts_by_its_commit(tmp_path):
    own = standalone(tmp_path / "own")
    write(own.local_path, "a")
    inner = repository(own.local_path / "inner")
    write(inner, "b")
    commit_all(inner)
    taken = own.fingerprint()
    assert own.unchanged(None, taken)
    write(inner, "c")
    commit_all(inner)
    assert not own.unchanged(None, taken)


def test_what_a_fingerprint_of_the_future_says_holds(resource):
    write(resource.local_path, "a", b"1")
    ahead = time.time_ns() + 3600 * 10**9
    os.utime(resource.local_path / "a", ns=(ahead, ahead))
    taken = resource.fingerprint()
    assert resource.unchanged(None, taken)
    write(resource.local_path, "a", b"2")
    os.utime(resource.local_path / "a", ns=(ahead, ahead))
    assert not resource.unchanged(None, taken)


def test_a_fingerprint_of_many_files_opens_none_of_them(resource):
    for number in range(300):
        write(resource.local_path, f"{number % 10}/{number}.txt", b"x")
    if resource.resource_type != "file":
        commit_all(resource.local_path)
    settle()

    with files_opened() as opened:
        taken = resource.fingerprint()
        assert resource.unchanged(None, taken)

    assert not [path for path in opened if path.endswith(".txt")]
    with files_opened() as opened:
        (resource.local_path / "1/1.txt").read_bytes()
    assert [path for path in opened if path.endswith(".txt")]  # they are seen


@contextmanager
def files_opened() -> Iterator[list[str]]:
    """What this process opens meanwhile, as Python itself tells."""
    seen: list[str] = []
    over = False

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open" and not over and isinstance(args[0], (str, bytes, os.PathLike)):
            seen.append(os.fsdecode(args[0]))

    sys.addaudithook(hook)  # it stays
    yield seen
    over = True
