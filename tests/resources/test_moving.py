from __future__ import annotations

import os
import re

import pytest

from dws_graph.errors import ConfigurationError
from dws_graph.resources.moving import Move, move_files, plan_moves, undo_moves
from tests.resources.places import AWKWARD, files, write


def test_all_files_move_read_only_and_empty_folders_go(tmp_path):
    for name in [*AWKWARD, b"sub/deep/a", b"README.txt", b"snapshots/v1/a", b"keep/x", b".git/x"]:
        write(tmp_path, name, name)
    (tmp_path / "link").symlink_to("sub")
    before = files(tmp_path)

    moves = plan_moves(tmp_path, "snapshots/v2", {"README.txt"}, re.compile("keep$"))
    assert files(tmp_path) == before
    move_files(tmp_path, moves)

    moved = {os.fsencode(m.source) for m in moves}
    assert moved == {*AWKWARD, b"sub/deep/a", b"link"}
    assert sorted(os.listdir(tmp_path)) == [".git", "README.txt", "keep", "snapshots"]
    assert (tmp_path / "snapshots/v2/sub/deep/a").stat().st_mode & 0o222 == 0
    assert (tmp_path / "snapshots/v1/a").stat().st_mode & 0o200


def test_a_plan_carried_out_in_part_is_undone(tmp_path):
    for name in AWKWARD:
        write(tmp_path, b"sub/" + name, name)
    before = files(tmp_path)
    moves = plan_moves(tmp_path, "snapshots/v1")
    for done in range(len(moves) + 1):
        move_files(tmp_path, moves[:done])
        undo_moves(tmp_path, moves)
        undo_moves(tmp_path, moves)
        assert files(tmp_path) == before
        assert os.listdir(tmp_path) == ["sub"]
        assert all(os.access(tmp_path / m.source, os.W_OK) for m in moves)
        assert all((tmp_path / m.source).stat().st_mode & 0o777 == m.mode for m in moves)


def test_a_destination_that_is_there_is_refused_and_named(tmp_path):
    write(tmp_path, "snapshots/v1/a")
    with pytest.raises(ConfigurationError, match="snapshots/v1 exists"):
        plan_moves(tmp_path, "snapshots/v1")


@pytest.mark.parametrize("destination", ["", ".", "..", "../x", "/x"])
def test_results_move_only_within_their_resource(tmp_path, destination):
    with pytest.raises(ConfigurationError):
        plan_moves(tmp_path, destination)


def test_no_files_make_no_folder(tmp_path):
    moves: list[Move] = plan_moves(tmp_path, "snapshots/v1")
    move_files(tmp_path, moves)
    assert os.listdir(tmp_path) == []
