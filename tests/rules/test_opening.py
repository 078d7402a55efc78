"""What is read when a workspace is opened: its id, its journal, its snapshots."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.errors import GitError, JournalError
from dws_graph.workspace import layout, planning_snapshots, snapshots
from dws_graph.workspace.opening import open_workspace


def clone(source: Path, to: Path, *options: str) -> Path:
    command = ["git", "clone", "-q", *options, source.as_uri(), str(to)]
    subprocess.run(command, check=True, capture_output=True)
    return to


def test_a_shallow_clone_of_a_workspace_of_1_6_is_asked_for_its_history(lab):
    """Its id comes from the first commit, so that every clone finds the same."""
    lab.git("rm", "-q", layout.OWN)
    lab.git("commit", "-q", "-m", "as 1.6 has it")
    whole = clone(lab.root, lab.place / "whole")
    shallow = clone(lab.root, lab.place / "shallow", "--depth", "1")

    with pytest.raises(GitError, match="shallow clone") as refused:
        open_workspace(shallow)
    assert refused.value.hint == "Type: git fetch --unshallow."

    subprocess.run(["git", "fetch", "-q", "--unshallow"], cwd=shallow, check=True)
    with open_workspace(shallow) as one, open_workspace(whole) as other:
        assert one.id == other.id


def test_a_shallow_clone_of_a_workspace_that_names_its_id_opens(lab):
    lab.snapshot("V1")
    with open_workspace(clone(lab.root, lab.place / "shallow", "--depth", "1")) as ws:
        assert ws.id == lab.ws.id
        assert [s.tags for s in ws.index.snapshots(ws.id)] == [("V1",)]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda line: line[:-9], "not a fact"),
        (lambda line: line.replace('"schema":1', '"schema":99'), "of schema 99 is from a later"),
    ],
)
@pytest.mark.parametrize("number", [2, 0])
def test_a_line_of_the_journal_that_cannot_be_read_is_named(lab, damage, says, number):
    lab.step("prepare", ["raw"])
    path = lab.ws.journal.path
    lab.ws.reopen_index()
    lab.close()
    lines = path.read_text().splitlines()
    number = number or len(lines)  # the last one is read first
    lines[number - 1] = damage(lines[number - 1])
    path.write_text("".join(f"{line}\n" for line in lines))

    with pytest.raises(JournalError) as refused:
        open_workspace(lab.root).close()
    assert refused.value.message.startswith(f"{path}, line {number}: ")
    assert says in refused.value.message


def test_snapshots_of_one_moment_are_listed_in_the_order_they_were_taken(lab, monkeypatch):
    monkeypatch.setattr(planning_snapshots, "utc_now", lambda: "2026-01-01T00:00:00.000000Z")
    taken = []
    for number in range(1, 7):
        lab.write("code:/prep.py", f"n = {number}\n")
        taken.append(lab.snapshot(f"V{number}").hash)

    assert sorted(taken) != taken, "the hashes tell nothing of the order"
    assert [m.hashval for m in snapshots.all_metadata(lab.ws)] == taken
    assert [s.hash for s in lab.ws.index.snapshots(lab.ws.id)] == taken
    history = api.get_snapshot_history(workspace_uri_or_path=str(lab.root))
    assert [s.tags for s in history] == [[f"V{number}"] for number in range(1, 7)]


def test_a_snapshot_reads_what_is_kept_of_each_other_once(lab, monkeypatch):
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    read = []
    real = snapshots.read_metadata
    monkeypatch.setattr(snapshots, "read_metadata", lambda path: read.append(path) or real(path))

    lab.snapshot("V2")

    assert len(read) == 1


def test_a_copy_is_new_until_it_has_recorded_something(lab):
    assert not lab.ws.is_new_instance
    lab.close()
    with open_workspace(clone(lab.root, lab.place / "there")) as ws:
        assert not ws.is_new_instance
        (first,) = [json.loads(line) for line in ws.journal.path.read_text().splitlines()]
    assert first["kind"] == "CurrentSet"
