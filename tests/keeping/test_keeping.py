"""Plain files whose content is kept: every snapshot of them comes back, byte for byte."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from dws_graph.lineage import LineageBuilder
from tests.cli.conftest import Dws
from tests.keeping.files import Files, objects
from tests.rules.lab import git


@pytest.fixture
def store(workspace: Path) -> Path:
    return workspace / ".dataworkspace" / "store"


def change(files: Files) -> None:
    """A file changed, one removed, one new, one no longer executable, a folder for a file."""
    files.write(b"a.csv", b"9,9\n")
    files.remove(b"same.csv")
    files.write(b"new.csv", b"5\n")
    (files.folder / "run.sh").chmod(0o644)
    files.remove(b"empty.txt")
    files.write(b"empty.txt/now/deep.csv", b"6\n")
    (files.folder / "nothing").rmdir()


def test_each_snapshot_comes_back(dws: Dws, files: Files, store: Path) -> None:
    states = {}
    for tag in ("v1", "v2", "v3"):
        dws("snapshot", tag)
        states[tag] = files.read()
        if tag == "v1":
            change(files)
        else:
            files.write(b"deep/er/b.csv", tag.encode())

    for tag in ("v2", "v1", "v3", "v1"):
        dws("--batch", "restore", tag)
        assert files.read() == states[tag]

    contents = {data for state in states.values() for data, _ in state.values() if data is not None}
    kept = {hashlib.sha1(data).hexdigest() for data in contents}
    assert kept <= set(objects(store))


def test_the_same_content_is_kept_once(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    before = objects(store)

    files.write(b"copy of a.csv", b"1,2\n")
    dws("snapshot", "v2")

    assert objects(store) == before
    assert len(before) == 5  # 1,2 and 3,4, nothing, odd, the script


def test_a_snapshot_of_unchanged_files_stores_nothing(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}

    dws("--batch", "snapshot", "again")

    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


def test_what_was_in_no_snapshot_is_not_lost_by_a_restore(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    change(files)
    mine = files.read()

    ran = dws("--batch", "restore", "v1")
    assert "what was there is kept as content" in ran.err
    dws("--batch", "undo")

    assert files.read() == mine


def test_undoing_the_undo_restores_again(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    kept = files.read()
    change(files)
    dws("--batch", "restore", "v1")
    dws("--batch", "undo")

    dws("--batch", "undo")

    assert files.read() == kept


def test_some_are_restored_where_only_those_are_asked_for(dws: Dws, files: Files) -> None:
    source = files.folder.parent / "lab" / "source-data" / "raw.txt"
    dws("snapshot", "v1")
    change(files)
    source.write_text("changed\n")

    dws("--batch", "restore", "--only", "data", "v1")

    assert (files.folder / "a.csv").read_bytes() == b"1,2\n"
    assert source.read_text() == "changed\n"


def test_lineage_comes_back_with_the_files(dws: Dws, files: Files) -> None:
    def step(name: str, text: bytes) -> None:
        builder = LineageBuilder().with_step_name(name).with_parameters({}).with_no_inputs()
        with builder.with_code_path("code").eval() as lineage:
            lineage.add_output_path(str(files.folder / "deep"))
            files.write(b"deep/er/b.csv", text)

    step("first", b"first\n")
    dws("snapshot", "v1")
    step("second", b"second\n")
    dws("snapshot", "v2")

    dws("--batch", "restore", "--only", "data", "v1")

    graph = dws.json("lineage", "upstream", "data:/deep")
    assert [n["name"] for n in graph["nodes"] if n["kind"] == "step"] == ["first"]
    assert dws.json("lineage", "stale") == []


def test_keeping_is_turned_on_later(dws: Dws, workspace: Path) -> None:
    files = Files(workspace.parent / "data")
    files.make()
    dws("add", "local-files", "--role", "intermediate-data", str(files.folder))
    builder = LineageBuilder().with_step_name("make").with_parameters({}).with_no_inputs()
    with builder.with_code_path("code").eval() as lineage:
        lineage.add_output_path(str(files.folder))
        files.write(b"a.csv", b"made\n")
    dws("snapshot", "v1")

    dws("config", "--resource", "data", "keep", "on")
    dws("snapshot", "v2")
    kept = files.read()
    change(files)
    dws("snapshot", "v3")
    dws("--batch", "restore", "--only", "data", "v2")

    assert files.read() == kept
    graph = dws.json("lineage", "upstream", "data")
    assert [n["name"] for n in graph["nodes"] if n["kind"] == "step"] == ["make"]
    assert {v["status"] for v in dws.json("lineage", "verify")["refs"]} == {"same"}
    assert "its content was not kept at that time" in dws("--batch", "restore", "v1").err


def test_it_is_turned_off_again(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")

    dws("config", "--resource", "data", "keep", "off")
    change(files)
    dws("snapshot", "v2")

    assert "keep no content" in dws("--batch", "restore", "v2").err
    dws("--batch", "undo")
    now, turn_on = files.read(), "dws config --resource data keep on"
    assert turn_on in dws("--batch", "restore", "v1").err  # all else is restored
    assert files.read() == now
    assert turn_on in dws.refused("--batch", "restore", "v1", "--only", "data")
    dws("--batch", "undo")
    dws("--batch", "undo")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--imported"], "is only read"),
        (["--role", "results"], "results are never restored"),
        (["--store", "http://host/store"], "Kinds: file://"),
        (["--store", "s3://key:secret@bucket/x"], "would be committed"),
        (["--store", "file://host/x"], "no folder of this machine"),
        (["--store", "s3:///x"], "names no server or bucket"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    dws: Dws, workspace: Path, options: list[str], says: str
) -> None:
    folder = workspace.parent / "other"
    folder.mkdir()
    role = [] if "--imported" in options or "--role" in options else ["--role", "source-data"]
    said = dws.refused("add", "local-files", *role, "--keep", *options, str(folder))
    assert says in said
    assert "secret" not in said.replace("secret@", "")
    assert [r["name"] for r in dws.json("report", "status")["resources"]].count("other") == 0


def test_a_store_without_keep_is_refused(dws: Dws, files: Files) -> None:
    folder = files.folder.parent
    said = dws.refused("add", "local-files", "--role", "s", "--store", "file:///x", str(folder))
    assert "--keep" in said
    assert "neither yes nor no" in dws.refused("config", "--resource", "data", "keep", "maybe")
    said = dws.refused("config", "--resource", "data", "export", "on")
    assert "'export' of resource 'data' cannot be changed\nWhat can be: local_path, keep" in said


def test_a_file_that_is_gone_from_the_store_is_named(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    change(files)
    now = files.read()
    sha1 = hashlib.sha1(b"1,2\n").hexdigest()
    (store / "objects" / sha1[:2] / sha1[2:]).unlink()

    assert "a.csv, same.csv" in dws.refused("--batch", "restore", "v1")
    assert files.read() == now
    ran = dws.run("lineage", "verify", "--snapshot", "v1")
    assert (ran.status, "missing" in ran.out, "a.csv" in ran.out) == (1, True, True)
    assert "1 file of the kept content" in dws.run("doctor").out


def test_a_damaged_file_of_the_store_is_never_restored(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    change(files)
    now = files.read()
    sha1 = hashlib.sha1(b"3,4\n").hexdigest()
    path = store / "objects" / sha1[:2] / sha1[2:]
    path.chmod(0o644)
    path.write_bytes(b"4,3\n")
    files.write(b"deep/er/b.csv", b"mine\n")
    now = files.read()

    said = dws.refused("--batch", "restore", "v1")

    assert f"{sha1} is damaged" in said
    assert files.read() == now
    assert dws.run("lineage", "verify", "--snapshot", "v1").status == 1
    path.unlink()
    files.write(b"deep/er/b.csv", b"3,4\n")
    dws("snapshot", "v2")  # who has the file brings it again
    dws("--batch", "restore", "v1")


def test_a_half_written_content_is_written_anew(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    sha1 = hashlib.sha1(b"3,4\n").hexdigest()
    path = store / "objects" / sha1[:2] / sha1[2:]
    path.chmod(0o644)
    path.write_bytes(b"3")
    files.write(b"new.csv", b"7\n")

    dws("snapshot", "v2")

    assert path.read_bytes() == b"3,4\n"


def test_what_nobody_saved_is_not_overwritten(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    files.write(b".dwsignore", b"a.csv\n")
    files.write(b"a.csv", b"in no snapshot\n")

    said = dws.refused("--batch", "restore", "v1")

    assert "a.csv" in said
    assert "Move it elsewhere" in said
    assert (files.folder / "a.csv").read_bytes() == b"in no snapshot\n"


def test_nothing_is_written_through_a_link(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    elsewhere = files.folder.parent / "elsewhere"
    shutil.move(files.folder / "deep", elsewhere)
    (files.folder / "deep").symlink_to(elsewhere)
    (elsewhere / "er" / "b.csv").write_bytes(b"not ours\n")

    assert "is a link" in dws.refused("--batch", "restore", "v1")
    assert (elsewhere / "er" / "b.csv").read_bytes() == b"not ours\n"

    (elsewhere / "er" / "b.csv").write_bytes(b"3,4\n")
    files.write(b"a.csv", b"changed\n")
    dws("--batch", "restore", "v1")  # what lies behind the link is as it was
    assert (files.folder / "deep").is_symlink()


def test_a_link_to_a_file_is_replaced_and_its_target_stays(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    elsewhere = files.folder.parent / "elsewhere.csv"
    elsewhere.write_bytes(b"not ours\n")
    (files.folder / "a.csv").unlink()
    (files.folder / "a.csv").symlink_to(elsewhere)

    dws("--batch", "restore", "v1")

    assert elsewhere.read_bytes() == b"not ours\n"
    assert (files.folder / "a.csv").read_bytes() == b"1,2\n"


def test_an_edit_of_the_files_never_reaches_the_store(dws: Dws, files: Files, store: Path) -> None:
    dws("snapshot", "v1")
    with open(files.folder / "a.csv", "r+b") as file:  # in place
        file.write(b"9")
    dws("--batch", "restore", "v1")
    with open(files.folder / "a.csv", "r+b") as file:
        file.write(b"8")

    for sha1 in objects(store):
        data = (store / "objects" / sha1[:2] / sha1[2:]).read_bytes()
        assert hashlib.sha1(data).hexdigest() == sha1


def test_a_folder_that_is_gone_comes_back(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    kept = files.read()
    shutil.rmtree(files.folder)

    dws("--batch", "restore", "v1")

    assert files.read() == kept


def test_a_renamed_resource_keeps_its_content(dws: Dws, files: Files) -> None:
    dws("snapshot", "v1")
    kept = files.read()
    dws("rename", "data", "measured")
    change(files)

    dws("--batch", "restore", "--only", "measured", "v1")

    assert files.read() == kept


def test_the_store_is_the_workspaces_own_business(dws: Dws, files: Files, workspace: Path) -> None:
    dws("snapshot", "v1")
    assert git("status", "--porcelain", cwd=workspace) == ""
    shown = dws("show", "v1").out
    assert "data" in shown
