"""Views that lag, are synced, are folded anew; and what doctor finds."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from dws_graph.errors import ConfigurationError
from dws_graph.workspace.metadata import SnapshotMetadata, blob_hash
from tests.api.labs import Lab


def status(view: str) -> api.ViewStatus:
    return next(s for s in api.graph_status() if s["view"] == view)


def test_facts_wait_for_the_cypher_view_until_it_is_synced(trained: Lab):
    before = status("cypher")
    assert (before["applied"], before["size"]) == (0, 0)
    assert before["waiting"]
    seen: list[tuple[int, int]] = []

    synced = api.graph_sync("cypher", progress=lambda done, total: seen.append((done, total)))

    assert synced == [{"view": "cypher", "applied": before["waiting"]}]
    assert seen[-1] == (before["waiting"], before["waiting"])
    assert (status("cypher")["waiting"], status("index")["waiting"]) == (0, 0)
    assert status("index")["applied"] == status("cypher")["applied"]


def test_both_views_hold_the_same_and_do_so_when_folded_anew(taken: Lab):
    api.graph_sync()
    before = api.dump("index")
    assert diff_dumps(before, api.dump("cypher")) == []

    rebuilt = api.graph_rebuild()

    assert [r["applied"] for r in rebuilt] == [status("index")["applied"]] * 2
    assert diff_dumps(before, api.dump("index")) == []
    assert diff_dumps(before, api.dump("cypher")) == []


def test_an_open_workspace_goes_on_after_its_index_is_folded_anew(trained: Lab):
    with trained.open() as ws:
        api.graph_rebuild_in(ws, "index")

        assert len(ws.index.steps(ws.id)) == 2


def test_an_unknown_view_says_which_there_are(lab: Lab):
    with pytest.raises(ConfigurationError) as e:
        api.graph_sync("indx")

    assert "index, neo4j, cypher" in e.value.hint


def test_a_sound_workspace_has_no_findings(taken: Lab):
    taken.write("intermediate-data/other.txt", "more")
    taken.train(0.6)
    taken.snapshot("V2")
    api.graph_sync()

    assert api.doctor() == []


def one_error(word: str) -> api.Finding:
    [finding] = [f for f in api.doctor() if f["level"] == "error"]
    assert word in finding["what"]
    assert finding["mend"]
    return finding


def test_a_damaged_metadata_file_is_found_when_the_workspace_cannot_open(lab: Lab):
    lab.write(".dataworkspace/resources.json", "[")

    one_error("resources.json")


def test_a_manifest_of_another_hash_is_found(taken: Lab):
    [manifest] = (taken.root / ".dataworkspace/snapshots").glob("*.json")
    manifest.write_text(manifest.read_text() + "\n")

    mend = one_error("this manifest's content")["mend"]

    assert (
        mend == f"Take it back from git: git checkout HEAD -- {manifest.relative_to(taken.root)}."
    )


def test_a_snapshot_without_manifest_or_metadata_is_found(taken: Lab):
    [manifest] = (taken.root / ".dataworkspace/snapshots").glob("*.json")
    text = manifest.read_text()
    manifest.unlink()
    one_error("no manifest")
    manifest.write_text(text)
    [metadata] = (taken.root / ".dataworkspace/snapshot_metadata").glob("*.json")

    metadata.unlink()

    one_error("no metadata")


def with_another_hash(path: Path, hashval: str) -> None:
    """A lineage file whose first certificate has this hash."""
    lineage = json.loads(path.read_bytes())
    lineage["lineages"][0]["certificate"]["hashval"] = hashval
    path.write_text(json.dumps(lineage))


@pytest.mark.parametrize("known", [True, False])
def test_a_lineage_hash_of_ours_that_is_not_the_manifests_is_an_error(taken: Lab, known: bool):
    [lineage] = (taken.root / ".dataworkspace/snapshot_lineage").glob("*/source-data.json")
    code = json.loads(lineage.with_name("code.json").read_bytes())
    other = code["lineages"][0]["certificate"]["hashval"] if known else "f" * 40

    with_another_hash(lineage, other)

    found = one_error(f"source-data has the hash {other[:8]}; in its manifest ")
    assert found["mend"].endswith(f"git checkout HEAD -- {lineage.relative_to(taken.root)}.")


def test_the_same_of_a_snapshot_that_1_6_took_is_a_note(lab: Lab):
    params = json.loads((lab.root / ".dataworkspace/resources.json").read_bytes())
    manifest = json.dumps([{**p, "hash": "a" * 40} for p in params], indent=2).encode()
    name = blob_hash(manifest)
    lab.write(f".dataworkspace/snapshots/snapshot-{name}.json", manifest.decode())
    metadata = SnapshotMetadata(name, ["old"], "", "host", "2020-01-01T00:00:00", "snapshots/x", {})
    lab.write(f".dataworkspace/snapshot_metadata/{name}_md.json", json.dumps(metadata.to_json()))
    for resource, hashval in (("code", "b" * 40), ("source-data", "a" * 40)):
        certificate = {"cert_type": "hash", "hashval": hashval, "comment": ""}
        leaf = {"resource_name": resource, "subpath": None, "certificate": certificate}
        lineage = {"resource_name": resource, "lineages": [{**leaf, "type": "code"}]}
        path = f".dataworkspace/snapshot_lineage/{name}/{resource}.json"
        lab.write(path, json.dumps(lineage))

    [found] = api.doctor()

    assert found["level"] == "note"
    assert "code has the hash bbbbbbbb; in its manifest aaaaaaaa" in found["what"]
    assert "Data Workspaces 1.6" in found["mend"]


def test_a_journal_line_that_was_changed_is_found(trained: Lab):
    journal = trained.root / ".dataworkspace/local/journal.jsonl"
    lines = journal.read_text().splitlines()
    fact = json.loads(lines[1])
    fact["time"] = "2001-01-01T00:00:00.000000Z"
    lines[1] = json.dumps(fact, separators=(",", ":"))
    journal.write_text("\n".join(lines) + "\n")

    errors = [f["what"] for f in api.doctor() if f["level"] == "error"]

    assert f"{journal}: fact 3 does not follow fact 2" in errors


def test_an_index_that_differs_from_the_journal_is_found_and_mended(trained: Lab):
    with trained.open() as ws:
        ws.index._store.connection.execute("DELETE FROM edge WHERE type = 'WROTE'")

    finding = one_error("view index")

    assert "dws graph rebuild --view index" in finding["mend"]
    api.graph_rebuild("index")
    assert api.doctor() == []


def test_a_missing_folder_is_found(lab: Lab):
    (lab.root / "results").rmdir()

    one_error("resource 'results'")


@pytest.mark.parametrize("folder_stays", [True, False])
def test_files_that_git_has_and_the_disk_has_not_are_found(trained: Lab, folder_stays):
    api.take_snapshot("V1")
    shutil.rmtree(trained.root / "code")
    if folder_stays:  # as in a copied folder, whose first command makes what is missing
        (trained.root / "code").mkdir()

    finding = one_error("resource 'code'")

    command = finding["mend"].removeprefix("Bring them back: ").partition(". ")[0]
    subprocess.run(shlex.split(command), check=True)
    assert api.doctor() == []


def test_no_workspace_is_an_error_not_a_finding(lab: Lab):
    with pytest.raises(ConfigurationError):
        api.doctor("/")
