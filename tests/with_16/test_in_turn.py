"""1.6 and this project work on one workspace in turn: each reads what the other added."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from dws_graph.model.values import Json
from tests.sharing.team import Person
from tests.with_16 import program
from tests.with_16.conftest import At
from tests.with_16.labs import table_row
from tests.with_16.test_reading import clone, lineage, shared_part

pytestmark = pytest.mark.needs("dataworkspaces")

CLEAN = "intermediate-data/clean"


def clean_with_16(person: Person, lab: Path, factor: int) -> None:
    """A step that 1.6 records."""
    words = ["clean.py", str(lab / "raw"), f"../{CLEAN}", str(factor)]
    program.run(*words, cwd=person.root / "code")


def history_of_16(person: Person) -> list[str]:
    """The tags that 1.6 lists, newest first."""
    out = program.dws("report", "history", cwd=person.root)
    return [row[1] for row in map(table_row, out.splitlines()) if row]


def lineage_of_16(person: Person, snapshot: str | None = None) -> list[tuple[str, ...]]:
    """The rows that 1.6 prints."""
    words = ["--snapshot", snapshot] if snapshot else []
    out = program.dws("report", "lineage", *words, cwd=person.root)
    return sorted(row for row in map(table_row, out.splitlines()) if row)


def sum_up(person: Person, text: str) -> None:
    """A step that this project records: it reads what 1.6 wrote, and writes results."""
    metrics = shlex.quote(f'{{"metrics": {{"accuracy": 0.{text}}}}}')
    script = f"echo {metrics} > results/results.json; cp {CLEAN}/rows.csv results/rows.csv"
    person("run", "--step-name", "sum up", "--param", f"round={text}", "-i", CLEAN,
           "--code", "code", "-o", "results", "--", "sh", "-c", script)  # fmt: skip


def upstream(person: Person, snapshot: str, ref: str) -> list[Json]:
    graph = person.json("lineage", "upstream", "--snapshot", snapshot, ref)
    return [{"name": n["name"], **n["properties"]} for n in graph["nodes"] if n["kind"] == "step"]


def test_five_rounds(lab: Path, at: At, producer: Person):
    producer("report", "lineage")
    tags = ["V3", "V2", "V1"]
    for n in range(1, 6):
        clean_with_16(producer, lab, n)
        program.dws("snapshot", "-m", f"by 1.6, {n}", f"old-{n}", cwd=producer.root)
        assert lineage(producer, f"old-{n}") == lineage_of_16(producer, f"old-{n}")

        clean_with_16(producer, lab, n + 10)
        sum_up(producer, str(n))
        producer("snapshot", "-m", f"by this, {n}", f"new-{n}")

        tags = [f"new-{n}", f"old-{n}", *tags]
        assert history_of_16(producer) == tags
        assert lineage_of_16(producer, f"new-{n}") == lineage(producer, f"new-{n}")
        [made] = [s for s in upstream(producer, f"new-{n}", "results") if s["name"] == "clean"]
        assert made["parameters"] == {"factor": n + 10}
    assert [row["tags"][0] for row in producer.json("report", "history")] == tags
    assert "Error" not in producer.run("doctor").out

    producer.git("push", "-q", str(lab / "origins/producer.git"), "master")
    found = shared_part(producer)
    assert shared_part(clone(lab, at, "two")) == found


def test_1_6_restores_what_this_project_took_and_the_other_way_round(producer: Person, lab: Path):
    clean_with_16(producer, lab, 3)
    sum_up(producer, "3")
    producer("snapshot", "ours")
    three = producer.read(f"{CLEAN}/rows.csv")
    clean_with_16(producer, lab, 4)
    program.dws("snapshot", "theirs", cwd=producer.root)
    four = producer.read(f"{CLEAN}/rows.csv")

    program.dws("restore", "--leave", "features", "ours", cwd=producer.root)

    assert producer.read(f"{CLEAN}/rows.csv") == three != four
    [clean] = [row[:3] for row in lineage_of_16(producer, "ours") if row[0].endswith("/clean")]
    assert clean in [row[:3] for row in lineage_of_16(producer)]
    assert clean in [row[:3] for row in lineage(producer)]
    producer("restore", "theirs", "--leave", "features")
    assert producer.read(f"{CLEAN}/rows.csv") == four
    [clean] = [row[:3] for row in lineage(producer, "theirs") if row[0].endswith("/clean")]
    assert clean in [row[:3] for row in lineage(producer)]


def test_a_step_of_1_6_is_taken_in_whenever_there_is_a_new_one(producer: Person, lab: Path):
    def factor() -> object:
        graph = producer.json("lineage", "upstream", CLEAN)
        [step] = [node for node in graph["nodes"] if node["kind"] == "step"]
        return step["properties"]["parameters"]["factor"]

    assert factor() == 5
    for n in (6, 7):
        clean_with_16(producer, lab, n)
        assert factor() == n
    producer("run", "--step-name", "clean", "--param", "factor=8", "-o", CLEAN, "--",
             "sh", "-c", f"echo 1 > {CLEAN}/rows.csv")  # fmt: skip

    assert factor() == 8, "what was recorded here since stays"


def test_snapshots_without_tags_keep_their_results_apart(producer: Person, lab: Path):
    program.dws("snapshot", cwd=producer.root)
    sum_up(producer, "1")

    producer("snapshot")

    assert producer.read("results/snapshots/alpha-005/results.json")


def test_the_consumer_goes_on_with_1_6_after_a_snapshot_of_this_project(lab: Path, at: At):
    consumer = at(lab / "consumer")
    consumer("run", "--step-name", "look", "-i", "features", "-o", "results", "--",
             "sh", "-c", "echo {} > results/results.json")  # fmt: skip

    consumer("snapshot", "C2")

    assert lineage_of_16(consumer, "C2") == lineage(consumer, "C2")
    steps = {row[2].split(" at ")[0] for row in lineage(consumer, "C2") if row[1] == "Step"}
    assert steps == {"look", "featurize", "clean"}
    program.dws("snapshot", "C3", cwd=consumer.root)
    assert history_of_16(consumer) == ["C3", "C2", "C1"]
