"""Type `s3`: a bucket of which versions are snapshots, through the command line and the API."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dws_graph.api import get_filesystem
from dws_graph.errors import ConfigurationError
from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.resources.s3 import S3Resource
from dws_graph.resources.s3_view import BucketView, ObjectCache
from dws_graph.workspace import FileResourceMixin, find_and_load_workspace
from tests.cli.conftest import Dws
from tests.fixtures.buckets import Bucket
from tests.fixtures.moto import MINIO, S3Server
from tests.rules.lab import git

Opened = Callable[[], AbstractContextManager[S3Resource]]


@pytest.fixture
def lab(folder: Path, dws: Dws, bucket: Bucket) -> Path:
    """A workspace with a bucket `data` and a folder `intermediate-data`."""
    dws("--batch", "init", "--hostname", "one", "--create-resources", "intermediate-data,code")
    dws("--batch", "add", "s3", "--role", "source-data", "--name", "data", bucket.name)
    return folder


@pytest.fixture
def data(lab: Path) -> Opened:
    """The resource, as a command finds it that begins now."""

    @contextmanager
    def opened() -> Iterator[S3Resource]:
        with closing(find_and_load_workspace(True, False, str(lab))) as ws:
            found = ws.get_resource("data")
            assert isinstance(found, S3Resource)
            yield found

    return opened


def use(lab: Path, part: str | None = None, name: str = "use") -> None:
    """A step that reads the bucket, and writes a file."""
    step = LineageBuilder().with_step_name(name).with_parameters({})
    step = step.with_workspace_directory(str(lab)).with_input_ref(ResourceRef("data", part))
    with step.with_output_path(str(lab / "intermediate-data" / name)).eval():
        out = lab / "intermediate-data" / name
        out.mkdir(exist_ok=True)
        (out / "made").write_text(name)


def row(found: Any, name: str = "data") -> Any:
    [one] = [r for r in found["resources"] if r["name"] == name]
    return one


def statuses(dws: Dws, *args: str) -> dict[str, str]:
    found = json.loads(dws.run("lineage", "verify", *args, "--format", "json").out)["refs"]
    return {r["ref"]: r["status"] for r in found if r["ref"].startswith("data")}


def stale(dws: Dws) -> list[str]:
    return [row["step"] for row in dws.json("lineage", "stale")]


def test_a_bucket_goes_through_snapshot_edit_and_restore(
    lab: Path, dws: Dws, bucket: Bucket, data: Opened
) -> None:
    use(lab, "train")
    use(lab, "test", "other")
    dws("--batch", "snapshot", "v1")
    assert stale(dws) == []
    assert statuses(dws) == {"data:/train": "same", "data:/test": "same"}

    bucket.put("train/a.csv", "7,8\n")
    bucket.drop("train/b.csv")
    bucket.put("train/new.csv", "9\n")

    assert stale(dws) == ["use"]
    assert statuses(dws) == {"data:/train": "changed", "data:/test": "same"}
    files = row(dws.json("diff", "v1"))["files"]
    assert files == {
        "added": ["train/new.csv"],
        "changed": ["train/a.csv"],
        "removed": ["train/b.csv"],
    }
    dws("--batch", "snapshot", "v2")
    assert row(dws.json("diff", "v1", "v2"))["files"] == files

    ran = dws("--batch", "restore", "--only", "data", "v1")

    assert "kept there" in ran.err
    assert bucket.get("train/a.csv") == b"7,8\n"
    with data() as found:
        view = found.filesystem()
        assert view.cat_file("train/a.csv") == b"1,2\n"
        assert view.cat_file("train/b.csv") == b"3,4\n"
        assert not view.exists("train/new.csv")
    assert set(statuses(dws).values()) == {"same"}
    assert stale(dws) == []


# What steps, restores and pulls do with it


def test_a_step_that_writes_to_it_is_upstream(lab: Path, dws: Dws, bucket: Bucket) -> None:
    dws("--batch", "add", "s3", "--role", "intermediate-data", "--name", "made", bucket.name)
    step = LineageBuilder().with_step_name("make").with_parameters({}).with_no_inputs()
    with step.with_output_ref(ResourceRef("made", "train")).eval():
        bucket.put("train/a.csv", "made\n")
    reads = LineageBuilder().with_step_name("read").with_parameters({})
    reads = reads.with_input_ref(ResourceRef("made"))
    with reads.with_output_path(str(lab / "intermediate-data/out")).eval():
        (lab / "intermediate-data/out").write_text("read")
    upstream = dws.json("lineage", "upstream", "intermediate-data:/out")
    assert {n["name"] for n in upstream["nodes"] if n["kind"] == "step"} == {"make", "read"}
    # what lies beside the part that 'make' wrote was read, too: an input of its own
    inputs = {str(n["name"]) for n in upstream["nodes"] if n["kind"] == "certificate"}
    assert {"made", "made:/train"} <= inputs
    dws("--batch", "snapshot", "v1")
    assert stale(dws) == []
    bucket.put("train/a.csv", "by hand\n")
    assert stale(dws) == ["make", "read"]


def test_restored_it_is_read_so_until_a_pull(
    lab: Path, dws: Dws, bucket: Bucket, data: Opened, tmp_path: Path
) -> None:
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "new\n")
    dws("--batch", "snapshot", "v2")
    dws("--batch", "restore", "--only", "data", "v1")
    bucket.put("train/a.csv", "newer\n")  # somebody else goes on
    with data() as found:
        assert found.filesystem().cat_file("train/a.csv") == b"1,2\n"
        with pytest.raises(ConfigurationError, match="restored") as refused:
            found.add_results_file({}, "r.json")
    assert "dws pull --only data" in refused.value.hint
    with pytest.raises(ConfigurationError, match="would not be seen here"):
        LineageBuilder().with_step_name("w").with_parameters({}).with_no_inputs().with_output_ref(
            ResourceRef("data")
        ).eval()
    ran = dws("--batch", "snapshot", "again")
    assert "Nothing changed" in ran.out + ran.err
    git("init", "-q", "--bare", str(tmp_path / "origin.git"), cwd=tmp_path)
    dws("--batch", "publish", str(tmp_path / "origin.git"))
    assert "where every copy reads them" in dws("push").err

    ran = dws("pull", "--only", "data")

    assert "as it is now" in ran.out + ran.err
    with data() as found:
        assert found.filesystem().cat_file("train/a.csv") == b"newer\n"
    assert row(dws.json("diff", "v2"))["files"]["changed"] == ["train/a.csv"]
    assert "every copy reads them" in dws("pull").err


def test_a_restore_to_what_the_bucket_holds_follows_it(
    lab: Path, dws: Dws, bucket: Bucket, data: Opened
) -> None:
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "new\n")
    dws("--batch", "snapshot", "v2")
    dws("--batch", "restore", "--only", "data", "v1")
    dws("--batch", "restore", "--only", "data", "v2")
    bucket.put("train/a.csv", "newer\n")
    with data() as found:
        assert found.filesystem().cat_file("train/a.csv") == b"newer\n"


def test_versions_deleted_meanwhile_are_named(lab: Path, dws: Dws, bucket: Bucket) -> None:
    first = bucket.put("train/a.csv", "first\n")
    use(lab, "train")
    use(lab, "test", "other")
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "second\n")
    assert set(statuses(dws, "--snapshot", "v1").values()) == {"same"}

    bucket.destroy("train/a.csv", first)

    found = statuses(dws, "--snapshot", "v1")
    assert found["data:/train"] == "missing"
    assert found["data:/test"] == "same"
    assert "train/a.csv" in dws.run("lineage", "verify", "--snapshot", "v1").out
    err = dws.refused("--batch", "restore", "v1")
    assert "train/a.csv" in err
    assert "--leave data" in err
    dws("--batch", "restore", "--leave", "data", "v1")
    view = get_filesystem("data", "v1")
    with pytest.raises(FileNotFoundError, match=first):
        view.cat_file("train/a.csv")


def test_what_is_restored_and_deleted_then_is_missed(lab: Path, dws: Dws, bucket: Bucket) -> None:
    first = bucket.put("train/a.csv", "first\n")
    use(lab, "train")
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "second\n")
    dws("--batch", "snapshot", "v2")
    dws("--batch", "restore", "--only", "data", "v1")
    bucket.destroy("train/a.csv", first)
    assert statuses(dws)["data:/train"] == "changed"
    assert "train/a.csv" in dws.run("doctor").out


def test_a_clone_elsewhere_reads_the_same_bucket(
    lab: Path, dws: Dws, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(lab, "train")
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "new\n")
    dws("--batch", "snapshot", "v2")
    git("init", "-q", "--bare", str(tmp_path / "origin.git"), cwd=tmp_path)
    dws("--batch", "publish", str(tmp_path / "origin.git"))
    monkeypatch.chdir(tmp_path)
    dws("--batch", "clone", "--hostname", "two", str(tmp_path / "origin.git"), "clone")
    monkeypatch.chdir(tmp_path / "clone")

    assert row(dws.json("diff", "v1", "v2"))["files"]["changed"] == ["train/a.csv"]
    assert get_filesystem("data", "v1").cat_file("train/a.csv") == b"1,2\n"
    dws("--batch", "restore", "--only", "data", "v1")
    assert get_filesystem("data").cat_file("train/a.csv") == b"1,2\n"
    assert stale(dws) == []


# Files


def test_files_are_written_and_read_in_the_bucket(
    data: Opened, bucket: Bucket, tmp_path: Path
) -> None:
    (tmp_path / "up.txt").write_text("up")
    with data() as found:
        assert isinstance(found, FileResourceMixin)
        found.add_results_file({"a": 1}, "out/r.json")
        assert found.read_results_file("out/r.json") == {"a": 1}
        found.upload_file(str(tmp_path / "up.txt"), "out/up.txt")
        assert found.does_subpath_exist("out", must_be_directory=True)
        assert not found.does_subpath_exist("out", must_be_file=True)
        assert found.ls("out") == ["out/r.json", "out/up.txt"]
        found.delete_file("out/up.txt")
        assert not found.does_subpath_exist("out/up.txt")
        with found.open("out/r.json", "r") as file:
            assert json.load(file) == {"a": 1}
        with pytest.raises(ConfigurationError, match=r"no file 'out/up\.txt'"):
            found.delete_file("out/up.txt")
        with pytest.raises(ConfigurationError, match="read, not written"):
            found.open("out/r.json", "wb")
        for path in ("../x", "/x", ".snapshots/x", ".", "a/../../x"):
            with pytest.raises(ConfigurationError, match="is no file of"):
                found.add_results_file({}, path)
    assert bucket.get("out/r.json") == b'{\n  "a": 1\n}'


def test_the_view_is_a_file_system(data: Opened, bucket: Bucket) -> None:
    if MINIO not in os.environ:  # which cannot hold both: it lists the file alone
        bucket.put("train", "a file beside a folder of its name")
    bucket.put("folder/", "")
    with data() as found:
        view = found.filesystem()
    assert view.ls("", detail=False) == ["test", "train"]
    assert view.find("train") == ["train/a.csv", "train/b.csv"]
    assert view.info("test/c.csv")["size"] == 4
    assert [entry["type"] for entry in view.ls("test")] == ["file"]
    assert view.glob("t*/*.csv") == ["test/c.csv", "train/a.csv", "train/b.csv"]
    assert view.cat_file("test/c.csv", start=1, end=3) == b",6"
    with view.open("test/c.csv") as file:
        assert file.read(2) == b"5,"
    for missing in ("gone", "test/gone", "test/c.csv/x", "folder"):
        with pytest.raises(FileNotFoundError):
            view.info(missing)
        assert not view.exists(missing)


def test_objects_are_read_from_this_machine_the_second_time(
    data: Opened, bucket: Bucket, lab: Path
) -> None:
    with data() as found:
        assert found.filesystem().cat_file("train/a.csv") == b"1,2\n"
        [kept] = (lab / ".dataworkspace/scratch/data/objects").iterdir()
        kept.write_bytes(b"evil")
        assert found.filesystem().cat_file("train/a.csv") == b"1,2\n"  # damaged: taken anew
        [again] = (lab / ".dataworkspace/scratch/data/objects").iterdir()
        assert again.read_bytes() == b"1,2\n"
    assert git("status", "--porcelain", cwd=lab) == ""


def test_the_oldest_objects_make_room(data: Opened, tmp_path: Path, bucket: Bucket) -> None:
    with data() as found:
        listing = found.listing()
        cache = ObjectCache(tmp_path / "objects", room=8)
        view = BucketView(found.bucket, listing, cache)
        for key in ("train/a.csv", "train/b.csv", "test/c.csv"):
            assert len(view.cat_file(key)) == 4
        kept = {file.read_bytes() for file in (tmp_path / "objects").iterdir()}
    assert kept == {b"3,4\n", b"5,6\n"}


def test_large_objects_are_read_in_parts(
    data: Opened, bucket: Bucket, lab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dws_graph.resources.s3_view.WHOLE", 100)
    content = bytes(range(256)) * 40
    bucket.put("large", content)
    with data() as found:
        view = found.filesystem()
        with view.open("large", block_size=1000) as file:
            file.seek(5000)
            assert file.read(100) == content[5000:5100]
        assert view.cat_file("large") == content
    assert not (lab / ".dataworkspace/scratch/data/objects").exists()


# Listings


def test_many_objects_take_many_pages(bucket: Bucket, dws: Dws, lab: Path, data: Opened) -> None:
    for number in range(1050):
        bucket.put(f"many/{number:05}", "")
    bucket.put("many/00500", "again")
    with data() as found:
        assert len(found.listing()) == 1053
        assert len(found.listing().below("many")) == 1050


def test_names_of_all_kinds(bucket: Bucket, dws: Dws, lab: Path, data: Opened) -> None:
    names = ["a b.csv", "semi;colon", "tab\t", "uml\u00e4ut", "\u65e5\u672c", "100%", "a+b", "-rf"]
    names += ["a&b=c#d", "\\x41", "'\"", "<xml>", "..."]
    for name in names:
        bucket.put(f"odd/{name}", name)
    dws("--batch", "snapshot", "v1")
    bucket.put("odd/tab\t", "changed")
    with data() as found:
        assert found.ls("odd") == sorted(f"odd/{name}" for name in names)
        assert found.filesystem().cat_file("odd/\u65e5\u672c") == "\u65e5\u672c".encode()
    [changed] = row(dws.json("diff", "v1"))["files"]["changed"]
    assert "tab" in changed
    dws("--batch", "restore", "--only", "data", "v1")
    assert get_filesystem("data").cat_file("odd/tab\t") == b"tab\t"


def test_the_listing_is_as_1_6_writes_it(lab: Path, dws: Dws, bucket: Bucket) -> None:
    bucket.put("folder/", "")
    dws("--batch", "snapshot", "v1")
    [key] = bucket.keys(".snapshots/")
    text = gzip.decompress(bucket.get(key))
    versions = json.loads(text)
    assert list(versions) == ["test/c.csv", "train/a.csv", "train/b.csv"]
    assert text == json.dumps(versions, sort_keys=True, indent=2).encode()
    blob = git("hash-object", "-t", "blob", "--stdin", cwd=lab, stdin=text)
    assert key == f".snapshots/{blob}.json.gz"
    assert row(dws.json("show", "v1"))["hash"] == blob


def test_objects_from_before_the_versions(
    folder: Path, dws: Dws, bucket: Bucket, moto_server: S3Server
) -> None:
    old = Bucket(moto_server).create(versions=False)
    old.put("a.txt", "before\n")
    old.versioning("Enabled")
    dws("--batch", "init", "--create-resources", "code")
    dws("--batch", "add", "s3", "--role", "source-data", "--name", "old", old.name)
    dws("--batch", "snapshot", "v1")
    old.put("a.txt", "after\n")
    assert row(dws.json("diff", "v1"), "old")["files"]["changed"] == ["a.txt"]
    assert get_filesystem("old", "v1").cat_file("a.txt") == b"before\n"
    assert get_filesystem("old").cat_file("a.txt") == b"after\n"


def test_a_damaged_listing_is_taken_from_the_bucket(lab: Path, dws: Dws, bucket: Bucket) -> None:
    dws("--batch", "snapshot", "v1")
    [kept] = (lab / ".dataworkspace/scratch/data/snapshot_cache").iterdir()
    kept.write_bytes(b"no gzip")
    bucket.put("train/a.csv", "new\n")
    assert row(dws.json("diff", "v1"))["files"]["changed"] == ["train/a.csv"]
    kept.write_bytes(b"no gzip")
    bucket.drop(f".snapshots/{kept.name}")
    err = dws.refused("--batch", "restore", "--only", "data", "v1")
    assert "no listing" in err
    kept.unlink()
    err = dws.refused("--batch", "restore", "--only", "data", "v1")
    assert "kept neither here nor in" in err


def test_another_bucket_under_a_name_that_was_removed(
    lab: Path, dws: Dws, bucket: Bucket, moto_server: S3Server
) -> None:
    dws("--batch", "snapshot", "v1")
    bucket.put("train/a.csv", "new\n")
    dws("--batch", "restore", "--only", "data", "v1")
    dws("--batch", "remove", "data")
    other = Bucket(moto_server).create()
    other.put("x", "y")
    dws("--batch", "add", "s3", "--role", "source-data", "--name", "data", other.name)
    assert get_filesystem("data").ls("", detail=False) == ["x"]
    assert get_filesystem("data").cat_file("x") == b"y"
