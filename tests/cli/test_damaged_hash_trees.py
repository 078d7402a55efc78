"""Hash trees on disk that a power cut left half of: those of the last commit are read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def trees(dws, workspace, tmp_path) -> list[Path]:
    """The hash trees of a snapshot of two files, of which one is another now."""
    data = tmp_path / "data"
    (data / "deep").mkdir(parents=True)
    (data / "a.csv").write_text("1\n")
    (data / "deep" / "b.csv").write_text("2\n")
    dws("add", "local-files", "--role", "source-data", "--compute-hash", str(data))
    dws("snapshot", "v1")
    (data / "deep" / "b.csv").write_text("3\n")
    dws("snapshot", "v2")
    return sorted(p for p in (workspace / ".dataworkspace/file").rglob("*") if p.is_file())


@pytest.mark.parametrize("left", [b"", b"half"])
def test_what_is_committed_is_read_and_the_next_snapshot_mends_it(dws, workspace, trees, left):
    before = dws("diff", "v1", "v2").out
    assert "b.csv" in before
    whole = {tree: tree.read_bytes() for tree in trees}
    for tree in trees:
        tree.write_bytes(left)

    assert dws("diff", "v1", "v2").out == before

    (workspace.parent / "data" / "c.csv").write_text("4\n")
    dws("snapshot", "v3")
    assert "c.csv" in dws("diff", "v2", "v3").out
    again = [tree for tree in trees if tree.read_bytes() == whole[tree]]
    assert again  # those that v3 is made of, too


def test_where_git_has_none_it_is_named(dws, workspace, trees):
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "rm", "-q", "--cached", *map(str, trees)], check=True)
    subprocess.run([*git, "commit", "-qm", "mine"], check=True)
    trees[0].write_bytes(b"")

    said = dws("diff", "v1", "v2").out

    assert "is damaged: its content does not have the hash that is its name" in said
