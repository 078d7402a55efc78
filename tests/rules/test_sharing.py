"""Exported and imported resources: lineage that crosses the border between workspaces."""

from __future__ import annotations

import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import diff_dumps
from tests.rules.lab import Lab, check_journal, flat_hash, git
from tests.rules.sharing import (
    FEATURES,
    TABLE,
    Site,
    Sites,
    add_imported,
    keys,
    lineage_json,
    steps,
)
from tests.rules.test_killed import kill

# Exporting


@pytest.mark.parametrize("kind", ["git", "local-files", "git-subdirectory"])
def test_a_snapshot_writes_the_lineage_into_an_exported_resource(sites: Sites, kind: str):
    producer, path = sites.producer(kind)
    producer("snapshot", "V1")
    told = lineage_json(path)
    assert told["resource_name"] == FEATURES
    assert told["complete"] is True
    assert told["workspace_name"] == "producer"
    assert [item["type"] for item in told["lineages"]] == ["step", "source_data"]
    (step,) = [item for item in told["lineages"] if item["type"] == "step"]
    assert step["id"] in keys(producer.upstream(FEATURES))
    assert "is up to date" in git("status", cwd=producer.root) or not git(
        "status", "--porcelain", cwd=producer.root
    )


def test_git_commits_the_content_and_then_the_lineage(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    assert git("show", "--format=", "--name-only", "HEAD", cwd=path) == "lineage.json"
    content = git("rev-parse", "HEAD^", cwd=path)
    assert (
        lineage_json(path)["lineages"][0]["output_resources"][0]["certificate"]["hashval"]
        == content
    )
    assert git("status", "--porcelain", cwd=path) == ""


def test_a_stale_lineage_is_no_part_of_the_next_content(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    (sites.place / "producer-raw" / "a.csv").write_text("3,4\n")
    producer.step(
        "featurize", "raw", FEATURES, f"cat {sites.place}/producer-raw/a.csv > {path}/{TABLE}"
    )
    producer("snapshot", "V2")
    assert "lineage.json" not in git("ls-tree", "--name-only", "HEAD^", cwd=path)
    assert git("rev-list", "--count", "HEAD", cwd=path) == "5"  # first, twice two


def test_local_files_are_hashed_without_the_lineage(sites: Sites):
    producer, path = sites.producer("local-files")
    expected = flat_hash(path)
    producer("snapshot", "V1")
    producer("snapshot", "V2")  # lineage.json is there now
    (out,) = [n for n in producer.upstream(FEATURES)["nodes"] if n["name"] == FEATURES]
    assert out["properties"]["hash"] == expected
    history = producer.json("report", "history")
    assert len(history) == 1, "nothing had changed: the tag goes to the same snapshot"


@pytest.mark.parametrize("kind", ["git", "local-files", "git-subdirectory"])
def test_nothing_changed_is_seen_beside_the_lineage(sites: Sites, kind: str):
    producer, path = sites.producer(kind)
    producer("snapshot", "V1")
    before = lineage_json(path)
    producer("snapshot", "V2")
    assert len(producer.json("report", "history")) == 1
    assert lineage_json(path) == before
    assert "stale" not in producer("lineage", "stale", "--format", "json").replace("[]", "")


def test_what_no_step_wrote_is_exported_as_source_data(sites: Sites):
    site = sites.make("owner")
    path = sites.repository("pictures")
    site("add", "git", "--role", "s", "--export", str(path))
    site("snapshot", "V1")
    (leaf,) = lineage_json(path)["lineages"]
    assert leaf["type"] == "source_data"
    importer = sites.make("importer")
    add_imported(importer, sites.clone(path, "copy"), name="pictures")
    assert "pictures" in importer("report", "lineage")


def test_a_repository_on_another_branch_since_is_left_alone(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    head = git("rev-parse", "HEAD", cwd=path)
    git("switch", "-qc", "elsewhere", cwd=path)
    assert "elsewhere" in producer.refused("snapshot", "V2")
    assert git("rev-parse", "main", cwd=path) == head


def test_a_file_of_the_users_is_not_overwritten(sites: Sites):
    site = sites.make("owner")
    path = sites.repository("pictures")
    (path / "lineage.json").write_text('{"my": "own"}')
    said = site.refused("add", "git", "--role", "s", "--export", str(path))
    assert "lineage.json is there already" in said
    assert json.loads((path / "lineage.json").read_text()) == {"my": "own"}


def test_a_link_in_place_of_the_lineage_is_replaced_not_followed(sites: Sites):
    producer, path = sites.producer("local-files")
    outside = sites.place / "outside.json"
    outside.write_text("mine")
    (path / "lineage.json").symlink_to(outside)
    producer("snapshot", "V1")
    assert outside.read_text() == "mine"
    assert not (path / "lineage.json").is_symlink()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--role", "i", "--export", "--read-only"], "cannot be exported"),
        (["--role", "s", "--export", "--imported"], "lineage.json"),
        (["--role", "r", "--export", "--read-only"], "cannot be exported"),
        (["--role", "i", "--imported"], "has the role source-data"),
        (["--role", "s", "--imported"], "has no lineage.json"),
    ],
)
def test_options_that_do_not_go_together_are_refused(sites: Sites, options: list[str], said: str):
    site = sites.make("owner")
    path = sites.repository("pictures")
    assert said in site.refused("add", "git", *options, str(path))
    assert "pictures" not in site("report", "status")


# Importing


@pytest.mark.parametrize("kind", ["git", "local-files"])
def test_lineage_goes_on_across_the_border(sites: Sites, kind: str):
    producer, path = sites.producer(kind)
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy, kind)
    graph = consumer.upstream("results")
    assert steps(graph) == ["featurize", "consume"]
    assert "IMPORTED_AS" in {e["type"] for e in graph["edges"]}
    consumer("snapshot", "C1")
    later = consumer.upstream("results", "--snapshot", "C1")
    assert steps(later) == ["featurize", "consume"]
    assert keys(producer.upstream(FEATURES)) < keys(later), "the producer's own nodes, by id"
    assert "consume" in steps(consumer.json("lineage", "downstream", FEATURES))


def test_it_holds_for_a_clone_and_after_a_snapshot(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy)
    consumer("snapshot", "C1")
    clone = sites.copy(consumer, "clone")
    local = clone.root / ".dataworkspace" / "resource_local_params.json"
    clone("report", "status")
    local.write_text(json.dumps({FEATURES: {"local_path": str(copy)}}))
    clone.step("again", FEATURES, "results", f"cat {copy}/{TABLE} > results/again")
    assert steps(clone.upstream("results")) == ["featurize", "again"]
    assert keys(clone.upstream(FEATURES)) == keys(consumer.upstream(FEATURES))


def test_content_that_was_edited_has_no_lineage(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy)
    (copy / TABLE).write_text("edited\n")
    consumer.step("again", FEATURES, "results", f"cat {copy}/{TABLE} > results/again")
    assert steps(consumer.upstream("results")) == ["again"]


def test_content_that_was_edited_before_it_is_added_is_told(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    (copy / TABLE).write_text("edited\n")
    git("commit", "-qam", "edited", cwd=copy)
    consumer = sites.make("consumer")
    said = consumer.told("--batch", "add", "git", "--imported", "--name", FEATURES, str(copy))
    assert "they were changed since it was exported" in said
    consumer.step("consume", FEATURES, "results", f"cat {copy}/{TABLE} > results/out")
    assert steps(consumer.upstream("results")) == ["consume"]


def test_a_new_export_is_taken_in_by_the_next_command(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy)
    producer.step("refine", "raw", FEATURES, f"echo refined > {path}/{TABLE}")
    producer("snapshot", "V2")
    git("pull", "-q", cwd=copy)
    assert steps(consumer.upstream(FEATURES)) == ["refine"]
    assert "consume" in consumer("lineage", "stale")
    consumer.step("consume", FEATURES, "results", f"cat {copy}/{TABLE} > results/out")
    assert steps(consumer.upstream("results")) == ["refine", "consume"]
    before = len((consumer.root / ".dataworkspace/local/journal.jsonl").read_bytes().splitlines())
    consumer("report", "lineage")
    after = len((consumer.root / ".dataworkspace/local/journal.jsonl").read_bytes().splitlines())
    assert after == before, "it is taken in once"


def test_imports_within_imports(sites: Sites):
    """`last` imports from `middle`, which imports from `producer`."""
    producer, path = sites.producer()
    producer("snapshot", "V1")
    middle = sites.make("middle")
    copy = sites.clone(path, "copy")
    add_imported(middle, copy)
    scores = sites.repository("scores")
    middle("add", "git", "--role", "i", "--export", str(scores))
    middle.step("score", FEATURES, "scores", f"wc {copy}/{TABLE} > {scores}/out")
    middle("snapshot", "M1")
    told = lineage_json(scores)
    (nested,) = [item for item in told["lineages"] if item["type"] == "imported"]
    assert nested["workspace_name"] == "producer"
    last = sites.make("last")
    add_imported(last, sites.clone(scores, "scores-copy"), name="scores")
    last.step("report", "scores", "results", "echo done > results/out")
    graph = last.upstream("results")
    assert steps(graph) == ["featurize", "score", "report"]
    assert keys(middle.upstream("scores")) < keys(graph)
    assert len({n["properties"].get("workspace") for n in graph["nodes"]} - {None}) == 3
    table = last("report", "lineage")
    assert [word for word in ("featurize", "score", "report") if word in table]


def test_what_comes_back_is_the_workspaces_own(sites: Sites):
    """`producer` imports what `middle` made of its features: a ring of workspaces, not of data."""
    producer, path = sites.producer()
    producer("snapshot", "V1")
    middle = sites.make("middle")
    copy = sites.clone(path, "copy")
    add_imported(middle, copy)
    scores = sites.repository("scores")
    middle("add", "git", "--role", "i", "--export", str(scores))
    middle.step("score", FEATURES, "scores", f"wc {copy}/{TABLE} > {scores}/out")
    middle("snapshot", "M1")
    add_imported(producer, sites.clone(scores, "back"), name="scores")
    graph = producer.upstream("scores")
    assert steps(graph) == ["featurize", "score"]
    own = {k for k in keys(graph) if k in keys(producer.upstream(FEATURES))}
    assert own == keys(producer.upstream(FEATURES))
    body = json.loads(
        (producer.root / ".dataworkspace/local/journal.jsonl").read_bytes().splitlines()[-1]
    )
    assert body["kind"] == "LineageImported"
    assert [s["name"] for s in body["body"]["steps"]] == ["score"]


def test_names_may_be_the_same_in_both_workspaces(sites: Sites):
    """Each has a `raw` of its own: no two versions of one thing."""
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.make("consumer")
    add_imported(consumer, copy)
    raw = sites.place / "other-raw"
    raw.mkdir()
    (raw / "b.csv").write_text("5\n")
    consumer("add", "local-files", "--role", "s", "--name", "raw", str(raw))
    consumer(
        *("run", "--step-name", "join", "-i", FEATURES, "-i", "raw", "-o", "results"),
        *("--", "sh", "-c", "echo done > results/out"),
    )
    assert steps(consumer.upstream("results")) == ["featurize", "join"]


def test_two_imports_of_two_versions_of_one_thing_are_refused(sites: Sites):
    producer, path = sites.producer()
    other = sites.repository("labels")
    producer("add", "git", "--role", "i", "--export", str(other))
    producer.step("label", "raw", "labels", f"echo one > {other}/out")
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    (sites.place / "producer-raw" / "a.csv").write_text("3,4\n")
    producer.step("label", "raw", "labels", f"echo two > {other}/out")
    producer("snapshot", "V2")
    consumer = sites.make("consumer")
    add_imported(consumer, copy)
    add_imported(consumer, sites.clone(other, "labels-copy"), name="labels")
    said = consumer.refused(
        *("run", "--step-name", "join", "-i", FEATURES, "-i", "labels", "-o", "results"),
        *("--", "sh", "-c", "echo done > results/out"),
    )
    assert "two versions" in said
    assert "producer" in said


def test_two_clones_that_import_the_same_give_it_the_same_ids(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    one = sites.make("one")
    one("snapshot", "empty")
    two = sites.copy(one, "two")
    add_imported(one, copy)
    add_imported(two, copy)
    assert keys(one.upstream(FEATURES)) == keys(two.upstream(FEATURES))


def test_files_of_another_type_are_believed(sites: Sites):
    """Exported from a repository, imported as plain files: no hash of one is one of the other."""
    producer, path = sites.producer("git")
    producer("snapshot", "V1")
    copy = sites.place / "copy"
    copy.mkdir()
    for name in (TABLE, "lineage.json"):
        (copy / name).write_bytes((path / name).read_bytes())
    consumer = sites.consumer(copy, "local-files")
    consumer("snapshot", "C1")
    assert steps(consumer.upstream("results", "--snapshot", "C1")) == ["featurize", "consume"]
    consumer.step("again", FEATURES, "results", "echo again > results/again")
    assert steps(consumer.upstream("results")) == ["featurize", "again"]


def test_the_cypher_view_and_the_index_hold_the_same(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    consumer = sites.consumer(sites.clone(path, "copy"))
    consumer("snapshot", "C1")
    consumer("graph", "sync")
    assert "All is well" in consumer("doctor")
    border = "MATCH (a:Certificate)-[:IMPORTED_AS]->(b:Certificate) RETURN a.resource, b.resource"
    assert consumer.json("lineage", "query", border)["rows"] == [[FEATURES, FEATURES]]
    check_journal(consumer.root)


@pytest.mark.parametrize("view", ["index", "cypher"])
def test_the_order_of_exporter_and_importer_does_not_matter(sites: Sites, view: str):
    """In one graph of both workspaces, what the exporter itself says of its nodes stays."""
    producer, path = sites.producer()
    producer("snapshot", "V1")
    consumer = sites.consumer(sites.clone(path, "copy"))
    with closing(producer.open()) as a, closing(consumer.open()) as b:
        made, used = list(a.journal.since({})), list(b.journal.since({}))
    dumps = []
    for n, lines in enumerate(([*made, *used], [*used, *made], [*made[:4], *used, *made[4:]])):
        if view == "index":
            with Index(None) as index:
                for line in lines:
                    index.apply([line])
                dumps.append(index.dump())
                index.close()
        else:
            graph = EmbeddedGraph(sites.place / f"{n}.kgl")
            graph.apply(lines[: len(lines) // 2])
            graph.apply(lines[len(lines) // 2 :])
            dumps.append(graph.dump())
    assert diff_dumps(dumps[0], dumps[1]) == []
    assert diff_dumps(dumps[0], dumps[2]) == []
    named = [n for n in dumps[0]["nodes"] if n["properties"].get("name") == "featurize"]
    assert [n["properties"]["instance"] for n in named] == [made[0].fact.instance]


# What is not believed


def damaged(sites: Sites, change: str) -> tuple[Site, Path, str]:
    """A consumer that has not added the copy yet, whose lineage.json was changed."""
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    file = copy / "lineage.json"
    told = json.loads(file.read_text())
    step, leaf = told["lineages"][0], told["lineages"][1]
    text = ""
    if change == "no JSON":
        text = file.read_text()[:200]
    elif change == "deep":
        text = "[" * 100_000
    elif change == "no list":
        told["lineages"] = {}
    elif change == "path":
        step["output_resources"][0]["subpath"] = "../../etc"
    elif change == "absolute path":
        step["run_from_directory"] = ["code", "/etc"]
    elif change == "no uuid":
        step["id"] = "x') DETACH DELETE n //"
    elif change == "one id twice":
        leaf["certificate"]["id"] = step["output_resources"][0]["certificate"]["id"]
    elif change == "ring":
        step["input_resources"] = step["output_resources"]
    elif change == "two writers":
        told["lineages"].append({**step, "id": leaf["certificate"]["id"][:-4] + "0000"})
    elif change == "nothing of it":
        told["exported"], told["lineages"] = [], [leaf]
    elif change == "exported unknown":
        told["exported"] = [leaf["certificate"]["id"]]
    elif change == "time":
        step["start_time"], step["start_time_utc"] = "yesterday", None
    file.write_text(text or json.dumps(told))
    return sites.make("consumer"), copy, str(file)


@pytest.mark.parametrize(
    "change",
    [
        *("no JSON", "deep", "no list", "path", "absolute path", "no uuid", "one id twice"),
        *("ring", "two writers", "nothing of it", "exported unknown", "time"),
    ],
)
def test_a_damaged_or_lying_file_is_refused_by_name(sites: Sites, change: str):
    consumer, copy, file = damaged(sites, change)
    commits = git("rev-list", "--count", "HEAD", cwd=consumer.root)
    said = consumer.refused("--batch", "add", "git", "--imported", "--name", FEATURES, str(copy))
    assert file in said
    assert git("rev-list", "--count", "HEAD", cwd=consumer.root) == commits
    assert FEATURES not in consumer("report", "status")


def test_it_cannot_speak_for_the_importing_workspace(sites: Sites):
    """A file that gives a step of ours another name, or tells of one we never ran."""
    consumer = sites.make("consumer")
    (sites.place / "raw").mkdir()
    consumer("add", "local-files", "--role", "s", str(sites.place / "raw"))
    consumer.step("mine", "raw", "results", "echo 1 > results/out")
    consumer("snapshot", "C1")
    with closing(consumer.open()) as ws:
        own, (mine,) = ws.id, ws.index.steps(ws.id)
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    file = copy / "lineage.json"
    told = json.loads(file.read_text())
    for change in ({"workspace_id": own}, {}):
        lie = json.loads(json.dumps({**told, **change}))
        if not change:
            lie["lineages"][0]["id"] = mine.id
        file.write_text(json.dumps(lie))
        said = consumer.refused(
            "--batch", "add", "git", "--imported", "--name", FEATURES, str(copy)
        )
        assert str(file) in said
    assert "mine" in consumer("steps")


def test_a_file_that_is_damaged_later_is_told_and_stops_nothing(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy)
    (copy / "lineage.json").write_text("{")
    assert f"what '{FEATURES}' was made from is not known" in consumer.told("report", "status")
    assert steps(consumer.upstream("results")) == ["featurize", "consume"]


def test_a_link_out_of_the_folder_is_not_read(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    moved = sites.place / "elsewhere.json"
    os.replace(copy / "lineage.json", moved)
    (copy / "lineage.json").symlink_to(moved)
    consumer = sites.make("consumer")
    said = consumer.refused("--batch", "add", "git", "--imported", "--name", FEATURES, str(copy))
    assert "leads out of" in said


def test_secrets_that_the_exporter_kept_are_not_taken_in(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    told = lineage_json(copy)
    told["lineages"][0]["parameters"] = {"password": "hunter2hunter2"}
    told["lineages"][0]["command_line"] = ["fetch", "--token", "hunter3hunter3"]
    (copy / "lineage.json").write_text(json.dumps(told))
    consumer = sites.make("consumer")
    add_imported(consumer, copy)
    journal = (consumer.root / ".dataworkspace/local/journal.jsonl").read_text()
    assert "hunter2" not in journal
    assert "hunter3" not in journal


# Of Data Workspaces 1.6


def made_by_16(sites: Sites) -> Path:
    """A repository as 1.6 exports it: the content, then its lineage in a commit of its own."""
    path = sites.repository("features-16")
    (path / "features.csv").write_text("1\n")
    git("add", ".", cwd=path)
    git("commit", "-qm", "autocommit ahead of snapshot", cwd=path)
    content = git("rev-parse", "HEAD", cwd=path)
    told = Path(__file__).parent / "data" / "dws16-lineage.json"
    (path / "lineage.json").write_text(told.read_text().replace("@CONTENT@", content))
    git("add", ".", cwd=path)
    git("commit", "-qm", "Added lineage.json", cwd=path)
    return path


def test_what_16_exported_is_understood(sites: Sites):
    path = made_by_16(sites)
    consumer = sites.make("consumer")
    add_imported(consumer, path)
    consumer.step("consume", FEATURES, "results", "echo 1 > results/out")
    assert steps(consumer.upstream("results")) == ["clean", "featurize", "consume"]
    consumer("snapshot", "C1")
    told = json.loads(
        (consumer.root / ".dataworkspace" / "snapshot_lineage")
        .glob("*/features.json")
        .__next__()
        .read_text()
    )
    (imported,) = told["lineages"]
    assert imported["type"] == "imported", "as 1.6 writes it"
    names = [item.get("step_name") for item in imported["nested_lineage"]]
    assert names == ["featurize", "clean", None, None]
    rows = [
        line.split()[0] for line in consumer("report", "lineage").splitlines() if "│" not in line
    ]
    assert rows.count(FEATURES) == 1, "one row a certificate"


def test_what_16_exported_has_the_same_ids_in_every_clone(sites: Sites):
    path = made_by_16(sites)
    one = sites.make("one")
    one("snapshot", "empty")
    two = sites.copy(one, "two")
    add_imported(one, path)
    add_imported(two, sites.clone(path, "copy"))
    assert keys(one.upstream(FEATURES)) == keys(two.upstream(FEATURES))
    assert steps(one.upstream(FEATURES)) == ["clean", "featurize"]


def test_a_resource_that_is_added_again_keeps_its_lineage(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "V1")
    copy = sites.clone(path, "copy")
    consumer = sites.consumer(copy)
    consumer("snapshot", "C1")
    head = git("rev-parse", "HEAD", cwd=copy)
    (copy / TABLE).write_text("edited\n")
    git("commit", "-qam", "edited", cwd=copy)
    consumer("snapshot", "C2")
    assert steps(consumer.upstream(FEATURES)) == []
    consumer("--batch", "restore", "C1")
    assert git("rev-parse", "HEAD", cwd=copy) == head
    assert steps(consumer.upstream(FEATURES)) == ["featurize"]


# Killed


@pytest.mark.parametrize(
    "point", ["content committed", "branch moved", "journal appended", "files written"]
)
def test_a_killed_export_is_undone_or_finished(sites: Sites, point: str):
    producer, path = sites.producer()
    with closing(Lab.at(producer.root)) as lab:
        kill(lab, "snapshot", point)
        lab.reopen()
    if point == "content committed":
        assert not (path / "lineage.json").exists()
        producer("snapshot", "V2")
    assert lineage_json(path)["resource_name"] == FEATURES
    assert git("show", "--format=", "--name-only", "HEAD", cwd=path) == "lineage.json"
    assert git("status", "--porcelain", cwd=path) == ""
    assert "All is well" in producer("doctor")


def test_a_step_of_another_workspace_is_retracted_there(sites: Sites):
    producer, path = sites.producer()
    producer("snapshot", "v1")
    consumer = sites.consumer(sites.clone(path, "theirs"))
    [step] = producer.json("steps")

    said = consumer.refused("steps", "retract", step["key"], "--yes")

    assert "step 'featurize' is of another workspace, producer, and is shown and retracted" in said
    assert f"dws steps retract {step['key']}" in said
    assert steps(consumer.upstream("results")) == ["featurize", "consume"]
    assert "Retracted" in producer("steps", "retract", step["key"], "--yes")
