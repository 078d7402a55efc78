"""A workspace with a resource whose type is not installed: all else goes on, and it is named."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Dws
from tests.rules.lab import git

INSTALL = "Install a package with the entry point queue in the group dws_graph.resources"
META = ".dataworkspace/resources.json"


def _with_queue(dws: Dws, workspace: Path) -> None:
    """As it is once somebody has added a resource of another package's type, and pushed."""
    dws("snapshot", "v0")
    file = workspace / META
    params = [
        *json.loads(file.read_text()),
        {"resource_type": "queue", "name": "orders", "role": "source-data", "url": "http://q"},
    ]
    file.write_text(json.dumps(params, indent=2))
    git("commit", "-q", "-m", "Added resource orders", "--", META, cwd=workspace)


def _cloned(dws: Dws, workspace: Path, tmp_path: Path) -> tuple[Path, str]:
    _with_queue(dws, workspace)
    ran = dws("clone", "--hostname", "there", str(workspace), str(tmp_path / "copy"))
    assert "Cloned workspace" in ran.out
    return tmp_path / "copy", ran.err


def test_a_clone_brings_all_else_and_names_what_to_install(dws, workspace, tmp_path, monkeypatch):
    copy, said = _cloned(dws, workspace, tmp_path)

    assert "resource orders is not here" in said
    assert INSTALL in said
    assert (copy / "source-data" / "raw.txt").is_file()
    monkeypatch.chdir(copy)
    resources = {r["name"]: r for r in dws.json("report", "status")["resources"]}
    assert resources["orders"]["type"] == "queue"
    assert resources["orders"]["params"] == {"url": "http://q"}
    assert resources["orders"]["changed"] is None
    dws("status")
    dws("report", "history")
    dws("lineage", "stale")
    pulled = dws("pull")
    assert "orders was left out" in pulled.err
    assert INSTALL in pulled.err


def test_a_snapshot_names_the_resource_whose_type_is_missing(dws, workspace):
    _with_queue(dws, workspace)

    said = dws.refused("snapshot", "v1")

    assert "resource 'orders' cannot be used here" in said
    assert INSTALL in said


def test_a_push_names_it_where_it_was_once(dws, workspace, tmp_path):
    _with_queue(dws, workspace)
    local = workspace / ".dataworkspace" / "resource_local_params.json"
    local.write_text(json.dumps({**json.loads(local.read_text()), "orders": {}}))
    origin = tmp_path / "origin.git"
    git("init", "-q", "--bare", str(origin), cwd=tmp_path)

    said = dws.refused("publish", str(origin))

    assert "resource 'orders' cannot be used here" in said
    assert INSTALL in said
    dws("publish", "--skip", "orders", str(origin))


def test_it_is_not_renamed_and_can_be_removed(dws, workspace):
    _with_queue(dws, workspace)
    assert INSTALL in dws.refused("rename", "orders", "others")

    dws("--batch", "remove", "orders")

    assert "orders" not in (workspace / META).read_text()


def test_doctor_says_it_once(dws, workspace):
    _with_queue(dws, workspace)

    ran = dws.run("doctor", "--format", "json")

    found = [f for f in json.loads(ran.out) if "orders" in f["what"]]
    assert [f["level"] for f in found] == ["error"]
    assert INSTALL in found[0]["mend"]
