"""rclone resources that 1.6 added are used here, and 1.6 reads what is added here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures.rclone import Remote, Remotes, remotes, store  # noqa: F401
from tests.sharing.team import Person
from tests.with_16 import program
from tests.with_16.conftest import At

pytestmark = [pytest.mark.needs("dataworkspaces"), pytest.mark.needs("rclone")]


@pytest.fixture
def ann(tmp_path: Path, at: At, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A workspace that 1.6 made."""
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    root = tmp_path / "ann"
    root.mkdir()
    program.dws("init", "--hostname", "ann", "lab", cwd=root)
    return at(root)


def test_one_that_1_6_added(ann: Person, tmp_path: Path, store: Remote):  # noqa: F811
    store.put("a.csv", "1\n")
    program.dws("add", "rclone", "--role", "source-data", "--compute-hash", "--master", "remote",
                store.at, "./raw", cwd=ann.root)  # fmt: skip
    program.dws("snapshot", "V1", cwd=ann.root)
    written = json.loads(ann.read(".dataworkspace/resources.json"))[-1]
    ann("publish", str(_bare(tmp_path)))
    ran = ann("snapshot", "same")
    assert "Nothing changed since snapshot" in ran.out

    store.put("a.csv", "22\n")
    assert ann("pull").out.startswith("Pulled raw")
    assert ann.read("raw/a.csv") == "22\n"
    ann("snapshot", "V2")

    assert json.loads(ann.read(".dataworkspace/resources.json"))[-1] == written
    out = program.dws("report", "history", cwd=ann.root)
    assert "V1" in out
    assert "V2" in out
    assert [r["files"]["changed"] for r in ann.json("diff", "V1", "V2")["resources"]] == [["a.csv"]]
    ann.check()


def test_an_edit_of_what_1_6_copied_is_kept(ann: Person, tmp_path: Path, store: Remote):  # noqa: F811
    store.put("a.csv", "1\n")
    program.dws("add", "rclone", "--role", "source-data", "--master", "remote", store.at, "./raw",
                cwd=ann.root)  # fmt: skip
    ann("snapshot", "V1")
    ann("publish", str(_bare(tmp_path)))
    store.put("a.csv", "22\n")
    ann.write("raw/a.csv", "mine\n")
    assert "a.csv" in ann.refused("pull")
    assert ann.read("raw/a.csv") == "mine\n"


@pytest.mark.parametrize(
    "change",
    [{"master": None, "sync_mode": None, "size_only": None}, {"global_local_path": None}],
)
def test_parameters_that_1_6_left_out(
    ann: Person,
    store: Remote,  # noqa: F811
    change: dict[str, str | None],
):
    store.put("a.csv", "1\n")
    program.dws("add", "rclone", "--role", "source-data", store.at, "./raw", cwd=ann.root)
    path = ann.root / ".dataworkspace/resources.json"
    params = json.loads(path.read_text())
    if "global_local_path" in change:
        params[-1]["local_path"] = params[-1].pop("global_local_path")
    else:
        params[-1] |= change
    path.write_text(json.dumps(params))
    ann.git("commit", "-qam", "as 1.6 was once")
    ann("snapshot", "V1")
    ann("snapshot", "V2")
    assert [row["tags"] for row in ann.json("report", "history")] == [["V1", "V2"]]
    assert "V1" in program.dws("report", "history", cwd=ann.root)


def test_one_that_is_added_here(ann: Person, store: Remote):  # noqa: F811
    store.put("a.csv", "1\n")
    ann("add", "rclone", "--role", "s", "--master", "local", store.at, str(ann.root / "raw"))
    ann.write("raw/b.csv", "2\n")
    program.dws("snapshot", "V1", cwd=ann.root)
    assert "raw" in program.dws("status", cwd=ann.root)
    assert ann("snapshot", "V2").out.startswith("Nothing changed")


def _bare(place: Path) -> Path:
    from tests.rules.lab import git

    origin = place / "origin.git"
    git("init", "-q", "--bare", str(origin), cwd=place)
    return origin
