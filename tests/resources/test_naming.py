r"""From `\xNN` in a recorded path back to the name on disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dws_graph.model.values import clean_text
from dws_graph.resources.naming import path_on_disk, real_path

NAMES = st.binary(min_size=1, max_size=4).filter(lambda b: not set(b) & {0, 47}).map(os.fsdecode)
PATHS = st.lists(NAMES.filter(lambda n: n not in (".", "..")), min_size=1, max_size=3)


@given(PATHS)
def test_each_file_is_found_by_its_recorded_path(parts):
    path = "/".join(parts)

    def names_in(folder):
        depth = folder.count("/")
        return [parts[depth]] if folder == "".join(f"{p}/" for p in parts[:depth]) else []

    assert real_path(clean_text(path), names_in) == path
    assert real_path(path, names_in) == path


@pytest.mark.parametrize("inner", ["b", "b\\xff"])
def test_of_folders_that_are_recorded_alike_the_one_that_holds_the_path_is_meant(tmp_path, inner):
    named = os.fsdecode(b"a\xff")
    (tmp_path / "a\\xff").mkdir()
    (tmp_path / named).mkdir()
    (tmp_path / named / inner).write_text("1")
    assert path_on_disk(tmp_path, f"a\\xff/{inner}") == f"{named}/{inner}"


def test_what_is_not_there_keeps_its_recorded_path(tmp_path):
    assert path_on_disk(tmp_path, "a/b\\xff") == "a/b\\xff"
    assert path_on_disk(tmp_path / "gone", "b\\xff") == "b\\xff"


def test_no_name_outside_the_root_is_looked_for(tmp_path: Path):
    root = tmp_path / "root"
    root.mkdir()
    outside = tmp_path / os.fsdecode(b"secret\xff")
    outside.write_text("1")
    for path in ("../secret\\xff", f"{tmp_path}/secret\\xff"):
        assert path_on_disk(root, path) == path
