"""Each query of docs/cypher.md, taken out of the page, against rows worked out without a graph."""

import json
import platform
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from dws_graph.api import query, retract_step

PAGE = Path(__file__).parents[2] / "docs" / "cypher.md"
QUERIES = dict(re.findall(r"^## ([^\n]+)\n```cypher\n(.+?)```", PAGE.read_text(), re.M | re.S))
DATA = "sklearn-digits-dataset"
PARAMS = {"data": DATA, "tag": "LR-1", "other": "SVC-1"}


class Files:
    """What the workspace's files and git say, in the order in which things happened."""

    def __init__(self, root):
        self.root = root
        self.folder = root / ".dataworkspace"
        found = [json.loads(p.read_text()) for p in self.folder.glob("snapshot_metadata/*.json")]
        self.snapshots = sorted(found, key=lambda m: m["timestamp"])
        self.results = []
        for snapshot in self.snapshots:
            moved = root / "results" / snapshot["relative_destination_path"]
            self.results.append(json.loads((moved / "results.json").read_text()))

    def git(self, *args, cwd="."):
        run = subprocess.run(
            ["git", *args], cwd=self.root / cwd, capture_output=True, text=True, check=True
        )
        return run.stdout.strip()

    def manifest(self, snapshot):
        path = self.folder / "snapshots" / f"snapshot-{snapshot['hash']}.json"
        return {entry["name"]: entry["hash"] for entry in json.loads(path.read_text())}

    def data(self):
        return self.git("rev-parse", "HEAD", cwd=DATA)

    def code(self, snapshot):
        """The tree of the code that the snapshot's restore commit holds."""
        return self.git("rev-parse", f"{snapshot['restore_hashes']['code']}:code")


def steps_and_accuracy(files):
    return [[r["step"], r["metrics"]["accuracy"]] for r in files.results]


def made_from_the_data(files):
    return [
        [result["step"], "results", files.manifest(snapshot)["results"]]
        for result, snapshot in zip(files.results, files.snapshots, strict=True)
    ]


def upstream_of_lr(files):
    return [["code", files.code(files.snapshots[1])], [DATA, files.data()]]


def downstream_of_data(files):
    return sorted([r["step"]] for r in files.results)


def code_versions(files):
    return [
        [result["step"], files.code(snapshot)]
        for result, snapshot in zip(files.results, files.snapshots, strict=True)
    ]


def best_run(files):
    best = max(files.results, key=lambda r: r["metrics"]["accuracy"])
    params = best["parameters"]
    return [[best["step"], params["C"], params.get("gamma"), best["metrics"]["accuracy"]]]


def environments(files):
    here = [platform.python_version(), [f"scikit-learn=={version('scikit-learn')}"]]
    return [[r["step"], *here] for r in files.results]


def snapshots(files):
    return [
        [number, s["tags"], s["message"], s["metrics"]["accuracy"]]
        for number, s in enumerate(files.snapshots, start=1)
    ]


def in_common(files):
    first, second = (files.manifest(s) for s in files.snapshots)
    return sorted([name, h] for name, h in first.items() if second[name] == h)


def retracted(files):
    return []


def versions(files):
    names = ["code", "results", DATA]
    found = {n: {files.manifest(s)[n] for s in files.snapshots} for n in names}
    return sorted([n, len(hashes)] for n, hashes in found.items())


EXPECTED = {
    "Which steps ran, and how good were they?": steps_and_accuracy,
    "What was made from this data set?": made_from_the_data,
    "What was a snapshot's result made from?": upstream_of_lr,
    "What depends on this data set, however far?": downstream_of_data,
    "Which version of the code did each step run?": code_versions,
    "With which parameters did the best run work?": best_run,
    "On which Python, with which version of scikit-learn?": environments,
    "Which snapshots are there?": snapshots,
    "What do two snapshots have in common?": in_common,
    "Which steps were retracted?": retracted,
    "How many versions of each resource are known?": versions,
}


def test_the_page_has_these_queries_and_no_other():
    assert sorted(QUERIES) == sorted(EXPECTED)


@pytest.mark.parametrize("heading", sorted(EXPECTED))
def test_a_cookbook_query_gives_the_rows_that_the_files_tell(demo, view, heading):
    used = {name: value for name, value in PARAMS.items() if f"${name}" in QUERIES[heading]}

    answer = query(QUERIES[heading], used, view=view, workspace_uri_or_path=str(demo.root))

    assert not answer.truncated
    assert [list(row) for row in answer.rows] == EXPECTED[heading](Files(demo.root))


def test_the_query_for_retracted_steps_finds_one_that_was(demo, tmp_path):
    copy = shutil.copytree(demo.root, tmp_path / "copy", symlinks=True)
    done = retract_step("digits_svc", "only to see it", str(copy))

    answer = query(QUERIES["Which steps were retracted?"], {}, workspace_uri_or_path=str(copy))

    assert [list(row) for row in answer.rows] == [["digits_svc", "only to see it", done["time"]]]
