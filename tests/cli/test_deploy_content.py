"""What the image of a workspace holds of content that git does not have: it needs nobody there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dws_graph.resources.s3 import S3Resource
from dws_graph.workspace import Workspace, find_and_load_workspace
from tests.cli.conftest import Dws
from tests.fixtures.buckets import Bucket, bucket
from tests.fixtures.moto import moto_server
from tests.sharing.lfs_server import lfs_server

__all__ = ["bucket", "moto_server"]

ONE = "0123456789" * 300
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Where the files go."""
    return tmp_path / "image"


def git(folder: Path, *args: str) -> str:
    path = f"{os.environ['PATH']}{os.pathsep}{os.path.dirname(sys.executable)}"  # of git-fat
    return subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def unpacked(image: Path, where: Path) -> Path:
    """The workspace of the image, in a folder, its resources beside it; the current folder."""
    for name in ("resources.tar", "workspace.tar"):
        with tarfile.open(image / name) as tar:
            for member in tar:  # as root would, else it would be another's
                member.uid, member.gid = os.getuid(), os.getgid()
            tar.extractall(where, filter="tar")
    params = where / "workspace" / ".dataworkspace" / "resource_local_params.json"
    params.write_text(params.read_text().replace('"/workspace', f'"{where}/workspace'))
    params.write_text(params.read_text().replace('"/resources', f'"{where}/resources'))
    return where / "workspace"


def in_bucket(ws: Workspace, path: str) -> bytes:
    resource = ws.get_resource("pictures")
    assert isinstance(resource, S3Resource)
    data: bytes = resource.open(path).read()
    return data


def take(dws: Dws, file: Path) -> None:
    """A snapshot, V1, with a file."""
    file.write_text(ONE)
    dws("snapshot", "V1")


@pytest.mark.needs("git-lfs")
@pytest.mark.parametrize(
    ("options", "package"),
    [
        (("--git-lfs-attributes", "*.bin"), "git-lfs"),
        (("--git-fat-remote", "nobody:/store", "--git-fat-attributes", "*.bin"), "rsync"),
    ],
)
def test_large_files_are_whole_and_the_newest_snapshot_comes_back_with_no_server(
    dws: Dws, folder: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...], package: str,
):  # fmt: skip
    dws("init", "lab", "--create-resources", "all", *options)
    take(dws, folder / "source-data" / "raw.bin")
    (folder / "source-data" / "raw.bin").write_text(ONE * 2)
    git(folder, "commit", "-qam", "by hand")

    said = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "without the filter" not in said.err
    assert f" tini {package} " in (image / "Dockerfile").read_text()
    inside = unpacked(image, tmp_path / "inside")
    for name, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("EMAIL", "a@example.com")):
        monkeypatch.setenv(name, value)  # nothing of this machine's
    assert (inside / "source-data" / "raw.bin").read_text() == ONE * 2
    assert git(inside, "status", "--porcelain") == ""
    monkeypatch.chdir(inside)
    dws("restore", "V1")
    assert (inside / "source-data" / "raw.bin").read_text() == ONE
    (setting,) = dws.json("config", "git.filters")
    assert setting["value"] == [options[0].split("-")[3]]


@pytest.mark.needs("git-lfs")
def test_files_that_no_filter_may_write_are_named_with_what_to_type(
    dws: Dws, folder: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", str(origin))
    with lfs_server(tmp_path / "objects") as server:
        dws("init", "lab", "--create-resources", "all", "--git-lfs-attributes", "*.bin")
        git(folder, "config", "--file", ".lfsconfig", "lfs.url", server.url)
        git(folder, "add", ".lfsconfig")
        git(folder, "commit", "-qm", "where large files are")
        take(dws, folder / "source-data" / "raw.bin")
        dws("publish", str(origin))
        dws("clone", str(origin), str(tmp_path / "clone"))
        monkeypatch.chdir(tmp_path / "clone")

        said = dws("deploy", "build", "--dockerfile-only", str(image))

        assert "source-data/raw.bin: in the image as git has them" in said.err
        assert "first type dws config git.filters lfs" in said.err
        assert "git-lfs" not in (image / "Dockerfile").read_text()
        dws("config", "git.filters", "lfs")
        again = dws("deploy", "build", "--dockerfile-only", str(tmp_path / "again"))
        assert "raw.bin" not in again.err
    inside = unpacked(tmp_path / "again", tmp_path / "inside")
    assert (inside / "source-data" / "raw.bin").read_text() == ONE


@pytest.mark.needs("git-lfs")
def test_large_files_that_nobody_has_are_refused_but_where_pointers_are_wanted(
    dws: Dws, folder: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    dws("init", "lab", "--create-resources", "all", "--git-lfs-attributes", "*.bin")
    take(dws, folder / "source-data" / "raw.bin")
    (stored,) = [p for p in (folder / ".git" / "lfs").rglob("*") if p.is_file()
                 and p.read_bytes() == ONE.encode()]  # fmt: skip
    stored.unlink()
    (folder / "source-data" / "raw.bin").write_text("else git-lfs would keep it again\n")

    git(folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    build = ("deploy", "build", "--dockerfile-only", str(image))
    assert "source-data/raw.bin" in dws.refused(*build)
    git(folder, "config", "lfs.fetchexclude", "*.bin")
    assert "lfs.fetchexclude" in dws.refused(*build)
    assert not image.exists()

    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    said = dws(*build)

    assert "source-data/raw.bin: in the image as git has them" in said.err


def test_kept_content_comes_back_also_where_the_folder_was_changed_since(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images = tmp_path / "images"
    (images / "more").mkdir(parents=True)
    (images / "more" / "same.png").write_text("same")
    dws("add", "local-files", "--role", "source-data", "--keep", str(images))
    take(dws, images / "one.png")
    (images / "one.png").write_text("edited")

    said = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "images is in the image as here, not as in the last snapshot" in said.err
    inside = unpacked(image, tmp_path / "inside")
    there = tmp_path / "inside" / "resources" / "images"
    assert (there / "one.png").read_text() == "edited"
    store = inside / ".dataworkspace" / "store" / "objects"
    assert [p.read_text() for p in store.rglob("*") if p.is_file()] == [ONE]  # what is lacking
    monkeypatch.chdir(inside)
    assert git(inside, "status", "--porcelain") == ""
    dws("restore", "V1")
    assert (there / "one.png").read_text() == ONE
    assert (there / "more" / "same.png").read_text() == "same"


def test_kept_content_that_is_lost_is_named(dws: Dws, workspace: Path, image: Path, tmp_path: Path):
    images = tmp_path / "images"
    images.mkdir()
    dws("add", "local-files", "--role", "source-data", "--keep", str(images))
    take(dws, images / "one.png")
    (images / "one.png").write_text("edited")
    for path in (workspace / ".dataworkspace" / "store" / "objects").rglob("*"):
        if path.is_file():
            path.unlink()

    said = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "the content of one.png is in no store" in said.err


def test_objects_of_a_bucket_that_were_read_here_are_read_without_it(
    dws: Dws, workspace: Path, image: Path, tmp_path: Path, bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    dws("add", "s3", "--role", "source-data", "--name", "pictures", bucket.name)
    dws("snapshot", "V1")
    with find_and_load_workspace(uri_or_local_path=str(workspace)) as ws:
        assert in_bucket(ws, "train/a.csv") == b"1,2\n"
    bucket.put("train/a.csv", "9,9\n")

    said = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "1 of 3 objects" in said.err
    assert "dws deploy run --env AWS_ACCESS_KEY_ID,AWS_SECRET_ACCESS_KEY" in said.err
    inside = unpacked(image, tmp_path / "inside")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOBODY)
    monkeypatch.chdir(inside)
    command = ["sh", "-c", "echo done > results/done"]
    dws("run", "--step-name", "look", "-i", "pictures", "-o", "results", "--", *command)
    dws("restore", "V1")
    with find_and_load_workspace(uri_or_local_path=str(inside)) as ws:
        assert in_bucket(ws, "train/a.csv") == b"1,2\n"
    assert json.loads(dws("steps", "--format", "json").out)[0]["name"] == "look"


def test_a_bucket_in_no_snapshot_is_named(dws: Dws, workspace: Path, image: Path, bucket: Bucket):
    dws("add", "s3", "--role", "source-data", "--name", "pictures", bucket.name)

    said = dws("deploy", "build", "--dockerfile-only", str(image))

    assert "'pictures' is in no snapshot" in said.err
