"""Content read again: what is on disk, what a snapshot keeps, and the journal's chain."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.model.refs import ResourceRef
from tests.rules.lab import CLEAN, Lab, git


def verify(lab: Lab, snapshot: str | None = None) -> dict[str, str]:
    """{ref: status}."""
    report = api.lineage_verify(snapshot, workspace_uri_or_path=str(lab.root))
    bad = any(row["status"] in ("changed", "missing") for row in report["refs"])
    assert report["ok"] == (not bad and not report["journal"] and not report["metadata"])
    assert sum(report["counts"].values()) == len(report["refs"])
    return {row["ref"]: row["status"] for row in report["refs"]}


@pytest.fixture
def taken(lab: Lab) -> Lab:
    """A pipeline with a results step, and a snapshot `v1` of it."""
    lab.step("prepare", ["raw"], [CLEAN])
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.snapshot("v1")
    return lab


def sneak(path: Path, content: bytes) -> None:
    """Other content of the same size, with the stats as they were."""
    before = path.stat()
    mode = before.st_mode
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(content)
    path.chmod(mode)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_all_is_the_same_after_a_snapshot(taken):
    assert set(verify(taken).values()) == {"same"}
    assert set(verify(taken, "v1").values()) == {"same"}
    assert "results" in verify(taken, "v1")


@pytest.mark.parametrize("ref", ["raw:/a.csv", "code:/prep.py", f"{CLEAN}/data.txt"])
def test_a_change_that_no_stat_shows_is_found(taken, ref):
    path = taken.path(ref)
    taken.git("status")  # git's index knows the stats now
    sneak(path, path.read_bytes()[::-1])
    found = verify(taken)
    whole = {"raw:/a.csv": "raw", "code:/prep.py": "code"}.get(ref, CLEAN)
    assert found.pop(whole) == "changed"
    assert set(found.values()) == {"same"}


def test_what_is_gone_is_missing(taken):
    for file in taken.path(CLEAN).iterdir():
        file.unlink()
    taken.path(CLEAN).rmdir()
    assert verify(taken)[CLEAN] == "missing"


def test_a_folder_in_which_nothing_is_left_is_missing(taken):
    for file in taken.path(CLEAN).iterdir():
        file.unlink()
    assert verify(taken)[CLEAN] == "missing"
    taken.step("prepare", ["raw"], [CLEAN])
    for file in taken.path(CLEAN).iterdir():
        file.unlink()
    assert verify(taken)[CLEAN] == "missing"  # that which no snapshot has hashed, too


def test_results_that_the_last_snapshot_moved_are_read_where_they_are(taken):
    assert verify(taken)["results"] == "same"
    (folder,) = taken.path("results:/snapshots").iterdir()
    sneak(folder / "model.bin", b"X")
    assert verify(taken)["results"] == "changed"
    shutil.rmtree(folder)
    assert verify(taken)["results"] == "missing"


def test_a_part_without_a_hash_of_its_own_is_not_told_the_wholes_as_its_own(lab):
    absent = "intermediate-data:/never"
    lab.builder("promise").with_output_ref(ResourceRef.parse(absent)).eval().complete()
    lab.write("intermediate-data:/other.txt", "there")
    lab.snapshot("v1")
    report = api.lineage_verify(workspace_uri_or_path=str(lab.root))
    (row,) = [row for row in report["refs"] if row["ref"] == absent]
    assert (row["status"], row["expected"]) == ("missing", None)
    (row,) = [
        row
        for row in api.lineage_verify("v1", workspace_uri_or_path=str(lab.root))["refs"]
        if row["ref"] == absent
    ]
    assert "those of the whole of intermediate-data" in row["note"]


def test_metadata_that_is_not_as_committed_is_an_error(taken):
    path = taken.root / ".dataworkspace" / "config.json"
    path.write_text(path.read_text() + "\n")
    report = api.lineage_verify(workspace_uri_or_path=str(taken.root))
    assert not report["ok"]
    assert report["metadata"] == [".dataworkspace/config.json is not as it was committed"]


def test_what_no_snapshot_hashed_yet_is_compared_by_its_stats(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    assert verify(lab)[CLEAN] == "same"
    lab.write(f"{CLEAN}/data.txt", "by hand")
    assert verify(lab)[CLEAN] == "changed"


def test_the_content_of_a_snapshot_is_read_from_git_and_from_results(taken):
    taken.write(f"{CLEAN}/data.txt", "something else")
    taken.write("raw:/a.csv", "5,6\n")
    assert verify(taken, "v1") == {
        "code": "same",
        "intermediate-data": "same",
        CLEAN: "same",
        "raw": "not kept",  # its content was only on disk
        "results": "same",
    }
    (folder,) = taken.path("results:/snapshots").iterdir()
    sneak(folder / "model.bin", b"X")
    assert verify(taken, "v1")["results"] == "changed"
    (folder / "model.bin").unlink()
    assert verify(taken, "v1")["results"] == "changed"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert verify(taken, "v1")["results"] == "missing"


@pytest.mark.parametrize(("damage", "status"), [("other", "changed"), ("gone", "missing")])
def test_a_damaged_git_object_is_found(taken, damage, status):
    blob = git("rev-parse", "HEAD:code/prep.py", cwd=taken.root)
    other = git("rev-parse", "HEAD:intermediate-data/clean/data.txt", cwd=taken.root)
    objects = taken.root / ".git/objects"
    path, source = (objects / oid[:2] / oid[2:] for oid in (blob, other))
    path.chmod(0o644)
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(source.read_bytes())
    assert verify(taken, "v1")["code"] == status
    assert verify(taken, "v1")[CLEAN] == "same"


def test_a_fact_that_was_tampered_with_is_found(taken):
    path = taken.root / ".dataworkspace/local/journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    number = next(n for n, line in enumerate(lines) if b'"kind":"StepCompleted"' in line)
    lines[number] = lines[number].replace(b"prepare", b"PREPARE", 1)
    path.write_bytes(b"".join(lines))
    report = api.lineage_verify(workspace_uri_or_path=str(taken.root))
    assert not report["ok"]
    assert report["journal"]
