"""Buckets that 1.6 added, and took snapshots of; and 1.6 on those of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dws_graph.api import get_filesystem
from tests.fixtures.buckets import Bucket, bucket  # noqa: F401
from tests.fixtures.moto import moto_server  # noqa: F401
from tests.sharing.team import Person
from tests.with_16 import program
from tests.with_16.conftest import At
from tests.with_16.test_in_turn import history_of_16

pytestmark = pytest.mark.needs("dataworkspaces")

READ_WITH_16 = """
import sys
from dataworkspaces.workspace import find_and_load_workspace
data = find_and_load_workspace(True, False, sys.argv[1]).get_resource("data")
print(data.open("train/a.csv", "r").read(), end="")
"""


@pytest.fixture
def ann(
    tmp_path: Path,
    at: At,
    monkeypatch: pytest.MonkeyPatch,
    bucket: Bucket,  # noqa: F811
) -> Person:
    """A workspace that 1.6 made, with the bucket `data`."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    root = tmp_path / "ann"
    root.mkdir()
    program.dws("init", "--hostname", "ann", "lab", cwd=root)
    program.dws("add", "s3", "--role", "source-data", "--name", "data", bucket.name, cwd=root)
    return at(root)


def hash_in(person: Person, snapshot: str) -> str:
    [found] = [r["hash"] for r in person.json("show", snapshot)["resources"]]
    return str(found)


def current(person: Person) -> bytes:
    data: bytes = get_filesystem("data", None, str(person.root)).cat_file("train/a.csv")
    return data


def test_one_that_1_6_added_and_took_snapshots_of(ann: Person, bucket: Bucket) -> None:  # noqa: F811
    program.dws("snapshot", "V1", cwd=ann.root)
    written = json.loads(ann.read(".dataworkspace/resources.json"))[-1]
    bucket.put("train/a.csv", "new\n")

    # 1.6 stays at a snapshot that it took, and so does who goes on from there
    assert current(ann) == b"1,2\n"
    assert "Nothing changed since snapshot" in ann("snapshot", "same").out
    (ann.root / ".dataworkspace/scratch/data/current_snapshot.txt").unlink()
    assert current(ann) == b"new\n"
    ann("snapshot", "V2")
    assert hash_in(ann, "V1") != hash_in(ann, "V2")
    ann("restore", "--only", "data", "V1")
    assert current(ann) == b"1,2\n"

    assert json.loads(ann.read(".dataworkspace/resources.json"))[-1] == written
    assert history_of_16(ann)[:1] == ["V2"]
    assert program.run("-c", READ_WITH_16, str(ann.root), cwd=ann.root) == "1,2\n"
    ann.check()


def test_the_same_listing_has_the_same_hash_in_both(
    ann: Person,
    bucket: Bucket,  # noqa: F811
    tmp_path: Path,
) -> None:
    for key in ("a", "b/c", "b/c/d", "folder/", "uml\u00e4ut", ".snapshots-not"):
        bucket.put(key, key)
    bucket.put("gone", "gone")
    bucket.drop("gone")
    ann("run", "-i", "data", "--no-trace", "--", "true")
    ann("snapshot", "ours")
    [ours] = bucket.keys(".snapshots/")
    bucket.drop(ours)

    program.dws("restore", "--only", "data", "ours", cwd=ann.root)  # from what is kept here
    (ann.root / ".dataworkspace/scratch/data/current_snapshot.txt").unlink()
    program.dws("snapshot", "theirs", cwd=ann.root)

    assert bucket.keys(".snapshots/") == [ours]
    assert hash_in(ann, "ours") in ours


def test_1_6_restores_a_snapshot_of_ours(ann: Person, bucket: Bucket) -> None:  # noqa: F811
    ann("run", "-i", "data", "--no-trace", "--", "true")
    ann("snapshot", "V1")
    bucket.put("train/a.csv", "new\n")
    ann("snapshot", "V2")

    program.dws("restore", "--only", "data", "V1", cwd=ann.root)

    assert program.run("-c", READ_WITH_16, str(ann.root), cwd=ann.root) == "1,2\n"
    assert current(ann) == b"1,2\n"
