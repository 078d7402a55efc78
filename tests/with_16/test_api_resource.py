"""An api-resource of 1.6 and of this project, in one workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sharing.team import Person
from tests.with_16 import program
from tests.with_16.test_in_turn import history_of_16

pytestmark = pytest.mark.needs("dataworkspaces")

SAVE_WITH_16 = """
import sys
from dataworkspaces.workspace import find_and_load_workspace
api = find_and_load_workspace(True, False, sys.argv[1]).get_resource(sys.argv[2])
api.init_hash_state()
api.get_hash_state().update(sys.argv[3].encode())
api.save_current_hash("by 1.6")
"""
SAVE = SAVE_WITH_16.replace("dataworkspaces.", "dws_graph.")


def save_with_16(person: Person, name: str, data: str) -> None:
    program.run("-c", SAVE_WITH_16, str(person.root), name, data, cwd=person.root)


def hash_in(person: Person, snapshot: str, name: str) -> str:
    [found] = [r["hash"] for r in person.json("show", snapshot)["resources"] if r["name"] == name]
    return str(found)


def test_each_reads_and_goes_on_with_what_the_other_added(producer: Person) -> None:
    program.dws("add", "api-resource", "--role", "source-data", "--name", "old", cwd=producer.root)
    save_with_16(producer, "old", "a")
    producer("add", "api-resource", "--role", "intermediate-data", "--name", "new")
    added = json.loads(producer.read(".dataworkspace/resources.json"))[-2:]
    assert [{**entry, "name": "", "role": ""} for entry in added] == [
        {"resource_type": "api-resource", "name": "", "role": ""}
    ] * 2
    producer("snapshot", "by-this-1")  # the new one has no hash yet

    save_with_16(producer, "new", "a")
    program.dws("snapshot", "-m", "m", "by-16", cwd=producer.root)
    out = "intermediate-data/x"
    words = ["run", "--step-name", "read", "-i", "new", "-i", "old", "-o", out, "--no-trace", "--"]
    producer(*words, "sh", "-c", f"mkdir -p {out} && touch {out}/y")
    producer("snapshot", "by-this-2")

    hashes = {hash_in(producer, s, n) for s in ("by-16", "by-this-2") for n in ("old", "new")}
    assert len(hashes) == 1  # the same data, by the same rule
    assert hash_in(producer, "by-this-1", "old") == hashes.pop()
    assert history_of_16(producer)[:3] == ["by-this-2", "by-16", "by-this-1"]
    assert producer.git("status", "--porcelain") == ""


def test_a_hash_that_one_saved_is_the_others(producer: Person, tmp_path: Path) -> None:
    producer("add", "api-resource", "--role", "source-data", "--name", "api")
    save_with_16(producer, "api", "data")
    file = producer.root / ".dataworkspace/scratch/api/hashval.txt"
    theirs = file.read_text()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["-c", str(producer.root), "api", "data"])
        exec(SAVE)
    assert file.read_text() == theirs
