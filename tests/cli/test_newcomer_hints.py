"""Hints lead somewhere: what they say can be typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Dws


def test_a_rename_to_a_name_that_is_taken_speaks_of_no_option(dws, workspace):
    said = dws.refused("rename", "code", "results")

    assert "Choose another name." in said
    assert "--name" not in said


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("stale", "dws lineage stale"),
        ("verify", "dws lineage verify"),
        ("upsteam", "dws lineage upstream"),
        ("snapshto", "snapshot"),
    ],
)
def test_a_command_of_a_group_is_found(dws, typed, meant):
    said = dws.refused(typed, status=2)

    assert f"there is no command '{typed}'. Did you mean {meant}" in said
    words = meant.removeprefix("dws ").split()
    dws(*words, "-h")


def test_what_resembles_nothing_leads_to_the_list(dws):
    assert "See: dws -h" in dws.refused("xyzzy", status=2)


def test_an_unknown_filter_lists_those_that_work(dws, workspace):
    said = dws.refused("config", "git.filters", "lsf")

    assert "There are: " in said
    assert "fat" in said
    assert "lfs" in said


@pytest.fixture
def data(dws: Dws, workspace: Path, tmp_path: Path) -> Path:
    """The folder of a resource with kept content."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("1\n")
    words = ("--keep", "--role", "source-data", "--name", "data", str(folder))
    dws("add", "local-files", *words)
    return folder


def test_a_path_for_a_store_gets_the_url_to_give(dws, data, tmp_path):
    said = dws.refused("config", "--resource", "data", "store", str(tmp_path / "kept"))

    url = (tmp_path / "kept").as_uri()
    assert f"Give {url}." in said
    dws("config", "--resource", "data", "store", url)


def test_a_link_that_leads_nowhere_is_called_that(dws, data):
    (data / "link").symlink_to("gone")

    said = dws.refused("snapshot", "v1")

    assert f"{data / 'link'} is a link that leads nowhere" in said
    (data / ".dwsignore").write_text("link\n")  # as the hint says
    dws("snapshot", "v1")


def test_a_link_in_a_circle_is_called_that(dws, data):
    (data / "link").symlink_to("link")

    assert "is a link that leads in a circle" in dws.refused("snapshot", "v1")


def test_what_is_no_file_is_named_all_at_once_and_when_it_is_added(dws, workspace, tmp_path):
    folder = tmp_path / "odd"
    (folder / "below").mkdir(parents=True)
    (folder / "a-link").symlink_to("gone")
    (folder / "b-round").symlink_to("b-round")
    os.mkfifo(folder / "below" / "pipe")
    (folder / "below" / "up").symlink_to("..")
    (folder / "fine.txt").write_text("1\n")
    first = "a-link (a link that leads nowhere), b-round (a link in a circle), below/pipe (a pipe)"

    added = dws("add", "local-files", "--role", "source-data", "--name", "odd", str(folder))
    said = dws.refused("snapshot", "v1")

    assert f"{folder} holds what no snapshot can take: {first} and 1 more" in added.err
    assert f"resource 'odd' holds what is no file: {first} and 1 more" in said
    (folder / ".dwsignore").write_text("a-link\nb-round\nbelow\n")
    dws("snapshot", "v1")
