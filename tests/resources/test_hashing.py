from __future__ import annotations

import hashlib
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.errors import ConfigurationError, JsonValueError
from dws_graph.resources.fingerprints import GRANULARITY
from dws_graph.resources.hashing import (
    find,
    hash_tree,
    less,
    parse_text,
    quoted,
    read_tree,
    unquoted,
)
from dws_graph.resources.many_files import files_of
from tests.resources.places import AWKWARD, write

# a folder, and the hash tree that Data Workspaces 1.6 wrote for it
FILES_OF_16 = {
    'deep/er/naïve "q" file.txt': 'ünïcode "quoted" name\n',
    "part1.csv": "1,7\n",
    "part2.csv": "2,14\n",
    "part3.csv": "3,21\n9,9\n",
}
TEXTS_OF_16 = {
    "3dbc6e9613905f249b493fef71e720444373f0ea": (
        "42201267f5ad92514e04a059a2f6c003ff0dca03\ttree\tdeep\n"
        "883b7959c2407dc40f0762cce3ca02b16886e539\tblob\tpart1.csv\n"
        "c7b7e92a969f16273e3470e6ce95a0ce84564764\tblob\tpart2.csv\n"
        "bc07884df9866f60b2c5a11745bc9ea45b21bf0f\tblob\tpart3.csv\n"
    ),
    "42201267f5ad92514e04a059a2f6c003ff0dca03": (
        "d0a59161ba4efca59fb00588ab942de91b51b8e6\ttree\ter\n"
    ),
    "d0a59161ba4efca59fb00588ab942de91b51b8e6": (
        '0486cd630fba1ca2e6c994f521c197e0bc64bd83\tblob\tnaïve "q" file.txt\n'
    ),
}


class Cache:
    """A stat cache that counts."""

    def __init__(self) -> None:
        self.kept: dict = {}
        self.hits = 0

    @property
    def is_empty(self) -> bool:
        return not self.kept

    def get(self, path, key):
        found = self.kept.get((path, key))
        self.hits += found is not None
        return found

    def put(self, path, key, sha1):
        self.kept[path, key] = sha1

    def put_piece(self, base, folder, stats, hashes):
        assert all(name.startswith(folder) for name in stats.split(b"\0\0"))
        for path, stat, sha1 in files_of(base, stats, hashes):
            self.kept[path, tuple(map(int, stat.split()))] = sha1


def sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def test_the_hash_tree_is_the_one_that_1_6_wrote(tmp_path):
    for name, text in FILES_OF_16.items():
        write(tmp_path, name, text.encode())

    tree = hash_tree(tmp_path)

    assert {name: text.decode() for name, text in tree.texts.items()} == TEXTS_OF_16
    assert tree.root == next(iter(TEXTS_OF_16))


def test_an_empty_folder_is_an_empty_text(tmp_path):
    (tmp_path / "empty").mkdir()
    tree = hash_tree(tmp_path)
    assert tree.texts[tree.root] == f"{sha1(b'')}\ttree\tempty\n".encode()


def test_without_hashes_files_are_known_by_size(tmp_path):
    write(tmp_path, "a", b"12345")
    tree = hash_tree(tmp_path, compute_hash=False)
    assert tree.texts[tree.root] == b"5\tblob\ta\n"
    assert tree.subpath_hash("a") == "5"


def test_each_part_has_a_hash_of_its_own(tmp_path):
    for name in ("a/b/c", "a/d", "e"):
        write(tmp_path, name, name.encode())
    tree = hash_tree(tmp_path)
    assert tree.subpath_hash("a/b/c") == sha1(b"a/b/c")
    assert tree.subpath_hash("a") == hash_tree(tmp_path / "a").root
    assert tree.subpath_hash(None) == tree.root
    assert tree.subpath_hash("a/x") is None
    assert tree.subpath_hash("e/x") is None
    assert find(lambda _hash: None, tree.root, "a") is None


def test_files_of_any_name_are_told_apart(tmp_path):
    for name in AWKWARD:
        write(tmp_path, b"d/" + name, name)

    tree = hash_tree(tmp_path)

    assert read_tree(tree.texts.get, tree.root) == {b"d/" + name: sha1(name) for name in AWKWARD}
    for name in AWKWARD:
        assert tree.subpath_hash(os.fsdecode(b"d/" + name)) == sha1(name)


@given(st.binary(min_size=1))
def test_a_quoted_name_fits_on_its_line_and_comes_back(name):
    assert b"\n" not in quoted(name)
    assert b"\t" not in quoted(name)
    assert unquoted(quoted(name)) == name


def test_a_name_is_quoted_as_git_does():
    assert quoted(b"a\tb\xc3\xa9\n\x01") == b'"a\\tb\\303\\251\\n\\001"'
    assert quoted(b'"q"') == b'"q"'


def test_lineage_at_the_root_can_be_left_out(tmp_path):
    write(tmp_path, "a/lineage.json")
    without = hash_tree(tmp_path)
    write(tmp_path, "lineage.json")
    tree = hash_tree(tmp_path)
    assert tree.root != without.root
    assert tree.less(["lineage.json"]) == without.root
    assert less(tree.texts[tree.root], []) == tree.root


def test_a_damaged_text_is_named():
    for text in (b"abc\n", b"1\tlink\ta\n"):
        with pytest.raises(JsonValueError):
            parse_text(text)


def test_unchanged_files_are_not_read_again(tmp_path):
    for i in range(200):
        write(tmp_path, f"{i % 7}/{i}", b"%d" % i)
    time.sleep(0.05)
    cache, shown = Cache(), []
    first = hash_tree(tmp_path, cache=cache, progress=lambda done, total: shown.append(done))
    assert (len(cache.kept), cache.hits) == (200, 0)
    assert shown == sorted(shown)
    assert shown[-1] == 200

    write(tmp_path, "0/0", b"other")
    again = hash_tree(tmp_path, cache=cache)

    assert cache.hits == 199
    assert again.subpath_hash("1") == first.subpath_hash("1")
    assert again.subpath_hash("0/0") == sha1(b"other")


def test_what_was_only_just_written_is_neither_kept_nor_served(tmp_path):
    cache, soon = Cache(), 0
    with open(tmp_path / "a", "w+b", buffering=0) as file:
        for i in range(200):
            os.pwrite(file.fileno(), b"%03d" % i, 0)
            assert hash_tree(tmp_path, cache=cache).subpath_hash("a") == sha1(b"%03d" % i)
            written = os.stat(tmp_path / "a").st_mtime_ns
            if time.time_ns() - written < GRANULARITY:  # else a busy machine was too slow
                soon += 1
                assert written not in [key[1] for _, key in cache.kept]
    assert soon > 0


def test_a_file_that_changes_while_it_is_hashed_is_named(tmp_path):
    with open(tmp_path / "growing", "wb", buffering=0) as file:
        file.truncate(1 << 28)
        stop = threading.Event()

        def grow() -> None:
            while not stop.wait(0.001):
                file.write(b"x")

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            with pytest.raises(ConfigurationError, match="growing changed while"):
                hash_tree(tmp_path)
        finally:
            stop.set()
            writer.join()


@pytest.mark.parametrize("kind", ["pipe", "socket", "dangling", "loop", "folder loop"])
def test_what_has_no_content_is_named(tmp_path, kind):
    import socket

    path = tmp_path / "sub" / "it"
    path.parent.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
    else:
        path.symlink_to({"dangling": "nowhere", "loop": "it", "folder loop": ".."}[kind])
    with pytest.raises(ConfigurationError, match=r"sub/it"):
        hash_tree(tmp_path)

    write(tmp_path, ".dwsignore", b"it\n")
    if kind != "folder loop":
        hash_tree(tmp_path)


def test_what_cannot_be_read_is_named(tmp_path):
    if os.geteuid() == 0:  # who may read any file, but not address 0 of a process
        (tmp_path / "secret").symlink_to("/proc/self/mem")
    else:
        write(tmp_path, "secret")
        (tmp_path / "secret").chmod(0)
    with pytest.raises(ConfigurationError, match="secret cannot be read"):
        hash_tree(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="gone"):
        hash_tree(Path(tmp_path / "gone"))
