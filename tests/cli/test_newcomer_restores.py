"""A restore that fails says what is so, of the files by their own names, and what leads on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Dws


@pytest.fixture
def images(dws: Dws, workspace: Path, tmp_path: Path) -> Path:
    """The folder of a kept resource; `v1` and `v2` have other content."""
    folder = tmp_path / "images"
    folder.mkdir()
    dws_add = ("add", "local-files", "--keep", "--role", "source-data", "--name", "images")
    (folder / "a.txt").write_text("one\n")
    (folder / "b.txt").write_text("one too\n")
    dws(*dws_add, str(folder))
    dws("snapshot", "v1")
    (folder / "a.txt").write_text("two\n")
    (folder / "b.txt").write_text("two too\n")
    dws("snapshot", "v2")
    return folder


def _damage(store: Path, content: str) -> None:
    [found] = [p for p in store.glob("objects/*/*") if p.read_text() == content]
    found.chmod(0o644)
    found.write_text("x" * len(content))


def test_damaged_content_is_named_by_its_file_and_nothing_is_said_to_come_back(
    dws, images, workspace
):
    _damage(workspace / ".dataworkspace" / "store", "one too\n")

    said = dws.refused("--batch", "restore", "v1")

    assert f"{images / 'b.txt'} cannot be brought" in said
    assert "is damaged" in said
    assert "dws undo" not in said
    assert "Delete" not in said  # it is the only copy that anybody knows
    assert "--leave" in said
    assert {p.name: p.read_text() for p in images.iterdir()} == {
        "a.txt": "two\n",
        "b.txt": "two too\n",
    }
    dws("--batch", "restore", "--leave", "images", "v1")


def test_a_restore_that_ends_well_says_how_to_get_back(dws, images):
    (images / "a.txt").write_text("edited\n")

    ran = dws("--batch", "restore", "v1")

    assert "dws undo brings it back" in ran.err
    dws("--batch", "undo")
    assert (images / "a.txt").read_text() == "edited\n"


@pytest.fixture
def immutable(images: Path) -> Iterator[Path]:
    """A file that may not be replaced, not even by root."""
    file = images / "a.txt"
    if subprocess.run(["chattr", "+i", str(file)], capture_output=True).returncode:
        pytest.skip("needs a file system with chattr, and the right to use it")
    yield file
    subprocess.run(["chattr", "-i", str(file)], check=True)


@pytest.mark.needs("chattr")
def test_an_immutable_file_is_named_by_its_own_name(dws, immutable):
    said = dws.refused("--batch", "restore", "v1")

    assert f"{immutable} cannot be written" in said
    assert ".~" not in said
    assert immutable.read_text() == "two\n"
