from __future__ import annotations

import os
from pathlib import Path

import pytest

from dws_graph.backends.files import Begun, inside, machine_id, write_atomic
from dws_graph.errors import ConfigurationError


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "a"
    write_atomic(path, b"one")
    path.chmod(0o640)
    write_atomic(path, b"two", fsync=False)

    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_atomic(tmp_path / "a", b"x")
    assert os.listdir(tmp_path) == ["a"]


def write_all(files: dict[Path, bytes]) -> None:
    with Begun() as begun:
        begun.add(files)
        begun.finish()


def test_many_files_are_written_whole_and_keep_their_modes(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o640)
    (tmp_path / "sub").mkdir()
    wanted = {tmp_path / "sub" / f"{i}": b"%d" % i for i in range(450)}

    write_all({**wanted, tmp_path / "old": b"new"})

    assert {path: path.read_bytes() for path in (tmp_path / "sub").iterdir()} == wanted
    assert (tmp_path / "old").read_bytes() == b"new"
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640


def test_a_failure_among_many_leaves_nothing_half_written(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        write_all({tmp_path / "a": b"new", tmp_path / "no folder" / "b": b"new"})
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_what_was_begun_takes_its_place_or_is_gone(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"old")

    with Begun() as begun:
        begun.add({a: b"1"})
        assert a in begun
        assert a.read_bytes() == b"old"
        begun.finish()
        begun.add({b: b"2"})
        assert len(os.listdir(tmp_path)) == 2

    assert a.read_bytes() == b"1"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("path", ["..", "../x", "a/../../x", "/etc/passwd", "link/x", "a\0b"])
def test_no_path_leads_out(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "rooted").mkdir()
    (root / "link").symlink_to(tmp_path / "rooted")
    with pytest.raises(ConfigurationError):
        inside(root, path)


def test_paths_within_are_resolved(tmp_path):
    assert inside(tmp_path, "a/./b/../c") == tmp_path.resolve() / "a/c"
    assert inside(tmp_path, "") == tmp_path.resolve()
    assert inside(tmp_path, Path(tmp_path) / "x") == tmp_path.resolve() / "x"


def test_the_machine_has_one_id():
    assert machine_id() == machine_id() != ""
