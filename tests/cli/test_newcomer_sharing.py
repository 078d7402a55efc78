"""What pull and push say of where things came from; resources alone, without an origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Dws
from tests.rules.lab import git


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of a shared store."""
    (tmp_path / "store").mkdir()
    return (tmp_path / "store").as_uri()


@pytest.fixture
def images(dws: Dws, workspace: Path, tmp_path: Path, store: str) -> Path:
    """The folder of a resource with kept content, of which a push has something to bring."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.txt").write_text("1\n")
    words = ("--keep", "--role", "source-data", "--name", "images", str(folder))
    dws("add", "local-files", *words)
    dws("snapshot", "v1")
    dws("config", "--resource", "images", "store", store)
    return folder


def test_a_resource_alone_is_pushed_and_pulled_where_the_workspace_has_no_origin(
    dws, images, store
):
    said = dws.refused("push")
    assert "has no origin yet" in said
    assert "can go alone: --only NAME" in said

    assert dws("push", "--only", "images").lines == [f"Pushed images to {store}."]
    assert dws("push", "--only", "images").lines == ["Nothing is new: all is as there."]
    dws("pull", "--only", "images")
    assert "has no origin yet" in dws.refused("pull")


def test_each_thing_is_named_with_the_place_that_it_went_to(dws, images, store, tmp_path):
    origin = tmp_path / "origin.git"
    git("init", "-q", "--bare", str(origin), cwd=tmp_path)

    ran = dws("publish", str(origin))

    assert ran.lines == [f"Published the workspace at {origin}; images at {store}."]


@pytest.mark.needs("rclone")
def test_what_rclone_brings_is_said_to_come_from_there(dws, workspace, tmp_path, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    (there / "a.csv").write_text("1\n")
    config = tmp_path / "rclone.conf"
    config.write_text(f"[box]\ntype = alias\nremote = {there}\n")
    words = ("--config", str(config), "--master", "remote", "--role", "source-data")
    dws("add", "rclone", *words, "--name", "raw", "box:", str(tmp_path / "raw"))
    (there / "a.csv").write_text("1,2\n")

    ran = dws("pull", "--only", "raw")

    assert ran.lines == ["Pulled raw from box:."]
    assert (tmp_path / "raw" / "a.csv").read_text() == "1,2\n"


@pytest.mark.needs("rclone")
def test_a_configuration_that_is_not_there_gets_a_hint_for_a_new_resource(dws, workspace, tmp_path):
    words = ("--config", "../nope.conf", "--role", "source-data", "--name", "raw")

    said = dws.refused("add", "rclone", *words, "box:", str(tmp_path / "raw"))

    assert "nope.conf is not there" in said
    assert "--config FILE" in said
    assert "resource_local_params" not in said
