"""What hashing meets on a real disk: files that go, change, or cannot be read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import pytest

from dws_graph.errors import ChangedMeanwhileError, ConfigurationError
from dws_graph.resources import digests
from dws_graph.resources.hashing import hash_tree
from tests.cli.terminals import without_root
from tests.resources.places import write
from tests.rules.lab import Lab, flat_hash


def once(act: Callable[[], object]) -> Callable[..., None]:
    """Acts when it is first told something: after the folder was looked at, before it is read."""
    left = [act]

    def tell(*_: object) -> None:
        if left:
            left.pop()()

    return tell


def state(lab: Lab) -> tuple[str, str]:
    return lab.git("rev-parse", "HEAD"), lab.status()


def test_a_file_that_vanishes_while_it_is_hashed_is_named(tmp_path):
    write(tmp_path, "sub/gone")
    with pytest.raises(ChangedMeanwhileError, match="sub/gone vanished while it was hashed"):
        hash_tree(tmp_path, progress=once((tmp_path / "sub/gone").unlink))


@pytest.mark.parametrize("kind", ["longer", "shorter", "as long", "another", "a pipe", "a folder"])
def test_a_file_that_is_something_else_when_it_is_read_is_named(tmp_path, kind):
    path = tmp_path / "it"
    write(tmp_path, "it", b"four")
    write(tmp_path, "other", b"four")

    def change() -> None:
        if kind == "another":
            (tmp_path / "other").rename(path)
        elif kind in ("a pipe", "a folder"):
            path.unlink()
            os.mkfifo(path) if kind == "a pipe" else path.mkdir()
        else:
            path.write_bytes({"longer": b"longer", "shorter": b"s", "as long": b"more"}[kind])
            os.utime(path, ns=(0, 0))  # its time tells nothing

    with pytest.raises(ChangedMeanwhileError, match="it changed while it was hashed"):
        hash_tree(tmp_path, progress=once(change))


def test_a_snapshot_hashes_again_what_changed_while_it_was_hashed(tmp_path):
    lab = Lab(tmp_path)
    lab.write("raw:/a.csv", "before\n")
    lab.write("raw:/b.csv", "b\n")
    before = flat_hash(lab.path("raw"))

    def change() -> None:
        lab.write("raw:/a.csv", "after, and longer\n")
        (lab.path("raw") / "b.csv").unlink()

    taken = lab.snapshot("V1", progress=once(change))

    assert lab.manifest(taken.hash)["raw"]["hash"] == flat_hash(lab.path("raw")) != before
    assert lab.status() == ""
    lab.close()


@pytest.mark.parametrize("kind", ["a pipe", "a socket", "a loop", "a folder in itself"])
def test_a_snapshot_of_what_has_no_content_is_refused_and_changes_nothing(tmp_path, kind):
    lab = Lab(tmp_path)
    odd, before = lab.path("raw") / "odd", state(lab)
    if kind == "a pipe":
        os.mkfifo(odd)
    elif kind == "a socket":
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(odd))
    else:
        odd.symlink_to("odd" if kind == "a loop" else ".")

    with pytest.raises(ConfigurationError, match=r"raw/odd .*") as refused:
        lab.snapshot("V1")

    assert refused.value.hint.endswith("name it in .dwsignore.")
    assert state(lab) == before
    lab.write("raw:/.dwsignore", "odd\n")
    assert lab.snapshot("V1").is_new
    lab.close()


@pytest.mark.needs("setpriv")
def test_a_file_that_may_not_be_read_is_named_and_nothing_changes(tmp_path):
    lab = Lab(tmp_path)
    lab.write("raw:/sub/secret", "s").chmod(0)
    before = state(lab)
    lab.close()

    done = without_root("snapshot", "V1", cwd=lab.root)

    assert done.returncode == 1
    assert f"{lab.path('raw')}/sub/secret cannot be read: Permission denied" in done.stderr
    assert "Make it readable, or name it in .dwsignore." in done.stderr
    assert state(lab) == before


def test_how_far_a_large_file_is_read_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(digests, "TELL_AFTER", 0)
    write(tmp_path, "sub/large", b"")
    os.truncate(tmp_path / "sub" / "large", 1 << 27)
    told = []

    hash_tree(tmp_path, progress=lambda *about: told.append(about))

    doing = [about[2] for about in told if len(about) == 3 and about[2]]
    assert doing
    assert all(text.startswith("sub/large, ") and text.endswith(" of 0.1 GB") for text in doing)
    assert told[-1] == (1, 1)
