"""A workspace made by 1.6 opens as it is: history, results and lineage are there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from dws_graph import api
from dws_graph.api.past import held_at, moment_of
from dws_graph.workspace.opening import open_workspace
from tests.cli.terminals import without_root
from tests.neo4j.local import Address
from tests.rules.lab import git
from tests.sharing.team import Person
from tests.with_16.conftest import At
from tests.with_16.labs import SNAPSHOTS, note_local, reports

CASES = [(name, what) for name, tags in SNAPSHOTS.items() for what in ("current state", *tags)]


def lineage(person: Person, snapshot: str | None = None) -> list[tuple[str, ...]]:
    """The rows as 1.6 prints them, sorted."""
    rows = api.make_lineage_table(str(person.root), snapshot)
    return sorted((*row[:3], ", ".join(row[3]) if row[3] else "None") for row in rows)


def shared_part(person: Person) -> Any:
    """What every copy has: a dump without what is current in one of them."""
    dump = person.dump()
    return dump["nodes"], [edge for edge in dump["edges"] if edge["type"] != "CURRENT"]


def clone(lab: Path, at: At, name: str) -> Person:
    """A copy of the producer's workspace, as git clones it."""
    git("clone", "-q", str(lab / "origins/producer.git"), str(lab / name), cwd=lab)
    for resource, folder in (("raw", "raw"), ("features", "producer-features")):
        note_local(lab / name, resource, lab / folder)
    return at(lab / name)


@pytest.mark.parametrize(("name", "what"), CASES)
def test_the_lineage_is_what_1_6_says(lab: Path, at: At, name: str, what: str):
    told = reports()[name][what]

    found = lineage(at(lab / name), None if what == "current state" else what)

    assert told
    assert found == sorted(told)


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_history_is_what_1_6_says(lab: Path, at: At, name: str):
    rows = at(lab / name).json("report", "history")

    assert [
        (
            *(row["hash"][:7], ", ".join(row["tags"]), row["timestamp"][:19]),
            *(f"{row['metrics'][key]:.3f}".rstrip("0").rstrip(".") for key in ("accuracy", "rows")),
            row["message"],
        )
        for row in rows
    ] == reports()[name]["History of snapshots"]


def test_the_graph_at_a_snapshot_has_the_steps_that_had_ended(producer: Person):
    """1.6 says when a step began and how long it took, never when it was recorded."""
    with open_workspace(str(producer.root), batch=True) as ws:
        then = []
        for snapshot in ws.index.snapshots(ws.id):
            keys = [c.id for c in held_at(ws.index, snapshot)]
            found = ws.index.lineage_then(keys, moment_of(snapshot))
            then.append(sorted(n.name for n in found.nodes if n.kind == "step"))

    steps = ["clean", "evaluate", "featurize"]
    assert then == [steps, sorted(steps * 2), sorted(steps * 3)]


def test_opening_changes_nothing_that_git_sees(producer: Person):
    before = producer.git("status", "--porcelain"), producer.head()

    producer("report", "lineage")

    assert (producer.git("status", "--porcelain"), producer.head()) == before
    assert (
        producer("doctor").out.endswith("0 errors, 1 note.\n")
        or "no errors" in producer("doctor").out
    )


def test_what_1_6_recorded_since_its_last_snapshot_is_upstream_of_a_new_step(producer: Person):
    producer("run", "--step-name", "count", "-i", "intermediate-data:/clean", "-o", "results", "--",
             "sh", "-c", "echo {} > results/results.json")  # fmt: skip

    producer("snapshot", "V4")

    rows = {row[0]: row for row in lineage(producer, "V4")}
    assert rows["intermediate-data:/clean"][2] == "clean at 2026-11-24 13:00:17.158647"
    assert rows["results"][3] == "intermediate-data:/clean (current)"
    graph = producer.json("lineage", "upstream", "--snapshot", "V4", "results")
    assert {"count", "clean"} <= {n["name"] for n in graph["nodes"] if n["kind"] == "step"}
    assert producer.json("report", "history")[0]["tags"] == ["V4"]


def test_a_second_clone_folds_the_same(lab: Path, at: At):
    one, two = clone(lab, at, "one"), clone(lab, at, "two")

    found = shared_part(one)
    two("graph", "rebuild")

    assert [n for n in found[0] if "Snapshot" in n["labels"]]
    assert [n for n in found[0] if "Step" in n["labels"]]
    assert shared_part(two) == found


def test_in_another_time_zone_it_is_the_same(lab: Path, at: At, monkeypatch: pytest.MonkeyPatch):
    found = shared_part(clone(lab, at, "one"))

    try:
        monkeypatch.setenv("TZ", "Asia/Tokyo" if time.timezone != -32400 else "UTC")
        time.tzset()
        assert shared_part(clone(lab, at, "two")) == found
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_snapshot_that_a_colleague_took_with_1_6_is_there_after_a_pull(lab: Path, at: At):
    origin = lab / "origins/producer.git"
    newest = git("rev-parse", "master", cwd=origin)
    before = git("rev-parse", "master~6", cwd=origin)
    git("update-ref", "refs/heads/master", before, cwd=origin)
    one = clone(lab, at, "one")
    assert [row["tags"] for row in one.json("report", "history")] == [["V2"], ["V1"]]
    git("update-ref", "refs/heads/master", newest, cwd=origin)

    one("pull", "--only-workspace")

    assert [row["tags"] for row in one.json("report", "history")] == [["V3"], ["V2"], ["V1"]]
    assert lineage(one, "V3") == sorted(reports()["producer"]["V3"])
    assert shared_part(one) == shared_part(clone(lab, at, "two"))


def test_a_tag_that_1_6_gave_to_a_snapshot_of_this_project_is_in_the_graph(producer: Person):
    producer("snapshot", "ours")
    [taken, *_] = producer.json("report", "history")
    path = f".dataworkspace/snapshot_metadata/{taken['hash']}_md.json"
    metadata = json.loads(producer.read(path))
    producer.write(path, json.dumps({**metadata, "tags": ["ours", "theirs"]}, indent=2))
    producer.git("commit", "-qam", "as 1.6 does")

    producer("report", "lineage")

    nodes = [n["properties"] for n in producer.dump()["nodes"] if "Snapshot" in n["labels"]]
    assert [n["tags"] for n in nodes if n["hash"] == taken["hash"]] == [["ours", "theirs"]]


def test_a_clone_by_dws_has_the_lineage_and_what_is_current(lab: Path, at: At):
    at(lab)("clone", "--hostname", "beta", str(lab / "origins/producer.git"), "cloned")
    note_local(lab / "cloned", "raw", lab / "raw")

    cloned = at(lab / "cloned")

    assert lineage(cloned, "V3") == sorted(reports()["producer"]["V3"])
    assert {row[0] for row in lineage(cloned)} >= {"intermediate-data:/clean", "code"}


def test_it_is_under_its_name_of_now_after_a_renaming(producer: Person):
    producer("lineage", "upstream", "--snapshot", "V3", "results")

    producer("rename", "intermediate-data", "cleaned")

    rows = {row[0]: row for row in lineage(producer, "V3")}
    assert rows["cleaned:/clean"][1] == "Step"
    assert rows["features"][3] == "cleaned:/clean (current)"


@pytest.mark.needs("setpriv")
def test_it_is_read_where_nothing_can_be_written(lab: Path, at: At):
    root = clone(lab, at, "one").root
    for folder in (root, *root.rglob("*")):
        if folder.is_dir():
            folder.chmod(0o555)

    ran = without_root("report", "lineage", "--snapshot", "V3", "--format", "json", cwd=root)

    assert ran.returncode == 0, ran.stderr
    told = {(row["ref"], row["details"]) for row in json.loads(ran.stdout)}
    assert told == {(ref, details) for ref, _, details, _ in reports()["producer"]["V3"]}


def test_a_damaged_lineage_file_is_named_and_once_mended_all_is_there(producer: Person):
    [path, *_] = sorted(
        (producer.root / ".dataworkspace/snapshot_lineage").glob("500b*/intermediate-data.json")
    )
    path.write_text("{")

    ran = producer("report", "lineage")

    assert str(path) in ran.err
    assert "git checkout HEAD -- " in ran.err
    producer.git("checkout", str(path))
    for snapshot in SNAPSHOTS["producer"]:
        assert lineage(producer, snapshot) == sorted(reports()["producer"][snapshot])


def test_the_teams_graph_holds_the_same_and_lets_go_of_it(
    producer: Person, neo4j_address: Address, monkeypatch: pytest.MonkeyPatch
):
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    try:
        producer("graph", "sync", "--view", "neo4j")

        assert api.dump("neo4j", str(producer.root)) == producer.dump()
    finally:
        producer("graph", "drop", "--view", "neo4j")
    assert api.dump("neo4j", str(producer.root)) == {"nodes": [], "edges": []}


def test_every_view_holds_the_same(producer: Person):
    producer("graph", "rebuild")

    dump = producer.dump()

    assert api.dump("cypher", str(producer.root)) == dump
