"""What the pages of a step and of a result say besides what was recorded of the run itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from dws_graph.backends.graph.neo4j import Neo4jGraph
from tests.backends.conftest import graph_address
from tests.backends.histories import Recorder
from tests.neo4j.local import Address
from tests.service.of_records import recorded_workspace
from tests.service.pipelines import keys
from tests.service.processes import PATIENCE, Served, dws, serving
from tests.service.serving import Served as Recording

REASON = "the <b>scale</b> was wrong"


class Words(HTMLParser):
    """What a person reads of a page: its text, and that of each element that has an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.by_id = "", dict[str, str]()
        self._open: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "img", "br"):
            self._open.append(dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        for key in filter(None, self._open):
            self.by_id[key] = self.by_id.get(key, "") + data


@pytest.fixture(scope="module")
def troubled(pipeline_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The small pipeline, with a step that was retracted and one that failed."""
    root = tmp_path_factory.mktemp("troubled") / "pipeline"
    shutil.copytree(pipeline_root, root, symlinks=True)
    broken = ("-o", "intermediate-data/half", "-o", "results/none")
    assert dws(root, "run", "--step-name", "broken", *broken, "--", "sh", "-c", "exit 3").returncode
    extra = next(row["key"] for row in told(root, "steps") if row["name"] == "=1+1")
    retracted = dws(root, "steps", "retract", extra, "--reason", REASON)
    assert retracted.returncode == 0, retracted.stderr
    with serving(root, tmp_path_factory.mktemp("of_troubled")) as served:
        yield served


def told(root: Path, *args: str) -> Any:
    ran = dws(root, *args, "--format", "json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def client(troubled: Served) -> Iterator[httpx.Client]:
    with troubled.client() as made:
        yield made


def page(client: httpx.Client, path: str) -> Words:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return Words(answer.text)


def step_page(client: httpx.Client, name: str) -> Words:
    return page(client, f"/steps/{keys(client)[name]}")


def test_a_stale_step_says_so_and_why_as_the_graph_does(client: httpx.Client):
    known = keys(client)
    drawn = client.get("/graph/drawing", params={"node": known["clean"]}).json()
    for name in ("clean", "fit"):
        [node] = [node for node in drawn["nodes"] if node["id"] == known[name]]
        why = [value for fact, value, *_ in node["details"] if fact == "stale because"]
        assert why, name

        said = step_page(client, name).by_id["stale"]

        assert said == f"Stale because: {'; '.join(why)}"
    assert "stale" not in step_page(client, "=1+1").by_id  # retracted: nothing to run again


def test_the_page_of_a_stale_version_says_so_and_why(client: httpx.Client):
    fit = client.get(f"/api/v1/steps/{keys(client)['fit']}").json()
    [wrote] = fit["outputs"]
    drawn = client.get("/graph/drawing", params={"node": wrote["id"]}).json()
    [node] = [node for node in drawn["nodes"] if node["id"] == wrote["id"]]
    why = [value for fact, value, *_ in node["details"] if fact == "stale because"]
    assert why

    assert page(client, f"/certificates/{wrote['id']}").by_id["stale"] == (
        f"Stale because: {'; '.join(why)}"
    )
    raw = client.get(f"/api/v1/steps/{keys(client)['clean']}").json()["inputs"][0]
    assert "stale" not in page(client, f"/certificates/{raw['id']}").by_id


def test_a_retraction_is_told_with_its_reason_time_and_host(troubled: Served, client: httpx.Client):
    key = keys(client)["=1+1"]
    shown = told(troubled.root, "steps", "show", key)["retracted"]

    one = client.get(f"/api/v1/steps/{key}").json()
    said = step_page(client, "=1+1").by_id["retraction"]

    assert one["status"] == "retracted"
    assert one["retraction"] == {name: shown[name] for name in ("reason", "time", "hostname")}
    assert said.endswith(f" UTC on {shown['hostname']}: {REASON}")
    assert client.get(f"/api/v1/steps/{keys(client)['fit']}").json()["retraction"] is None


def test_a_failed_step_names_what_it_left_unknown(client: httpx.Client):
    said = step_page(client, "broken")

    assert said.by_id["left"] == "intermediate-data:/half, results:/none"
    assert "left" not in step_page(client, "fit").by_id


def test_a_step_page_calls_a_commit_a_commit_and_python_by_its_name(client: httpx.Client):
    said = step_page(client, "clean").text
    one = client.get(f"/api/v1/steps/{keys(client)['clean']}").json()

    assert f"Commit{one['commit']}" in said
    assert "Python 3." in said


def result_page(client: httpx.Client) -> Words:
    workspace = client.get("/api/v1/workspaces").json()["items"][0]["id"]
    [one] = client.get(f"/api/v1/workspaces/{workspace}/results").json()["items"]
    ref = one["certificate"]["ref"]["name"]
    asked = httpx.QueryParams({"workspace": workspace, "ref": ref})
    return page(client, f"/result?{asked}")


def test_a_result_says_whether_it_still_holds_as_explain_does(
    troubled: Served, client: httpx.Client
):
    stale = told(troubled.root, "lineage", "explain", "results:/report")["stale"]
    assert {one["step"] for one in stale} == {"clean", "fit", "report"}

    said = result_page(client)

    for one in stale:
        assert f"{one['reason']}: {one['ref']}" in said.by_id["stale"]
    assert "It does not follow any more from what is on disk:" in said.text
    assert "source-data is another than step clean read." in said.text


def test_a_result_that_holds_says_that_it_does(pipeline_root: Path, tmp_path: Path):
    root = tmp_path / "pipeline"
    shutil.copytree(pipeline_root, root, symlinks=True)
    (root / "source-data" / "raw").write_text("abc\n")
    with serving(root, tmp_path / "served") as served, served.client() as client:
        said = result_page(client)

    assert "stale" not in said.by_id
    assert "It does: all that it was made from is on disk as it was then." in said.text


def test_times_are_told_with_seconds_and_their_zone(client: httpx.Client):
    one = client.get(f"/api/v1/steps/{keys(client)['clean']}").json()
    day, second = one["start_time"][:10], one["start_time"][11:19]
    steps, home = page(client, "/steps").text, page(client, f"/workspaces/{one['workspace']}").text

    assert f"Began{day} {second} UTC" in page(client, f"/steps/{one['id']}").text
    assert "Began (UTC)" in steps
    assert f"{day} {second}" in steps
    assert f"{day} {second} UTC" in home
    assert "Taken (UTC)" in home
    assert "Last step (UTC)" in home
    assert "Last activity (UTC)" in page(client, "/").text
    last = client.get(f"/api/v1/steps/{keys(client)['report']}").json()["start_time"]
    assert f"on {last[:10]} at {last[11:19]} UTC" in result_page(client).text


def test_how_long_a_step_took_is_told_as_people_read_it(tmp_path: Path):
    took = {
        "12:00:00.123456": "0.12 s",
        "12:00:03.412300": "3.4 s",
        "12:01:59.960000": "2 min 0 s",
        "12:02:05.200000": "2 min 5 s",
        "13:02:05.000000": "1 h 2 min",
    }
    served = Recording(tmp_path)
    served.start()
    with served.client() as client:
        for ended in took:
            at = {"started": "2026-11-28T12:00:00Z", "ended": f"2026-11-28T{ended}Z"}
            answer = client.post(f"runs/{ended}/complete", json={"name": "train", **at})
            assert answer.status_code == 200, answer.text
        told = client.get(f"{served.url}/steps", headers={"accept": "text/html"}).text
    served.end()

    shown = re.findall(r'<td class="number">(.*?)</td>', told)
    assert sorted(shown) == sorted(took.values())


def test_metrics_stand_first_where_there_are_no_parameters(tmp_path: Path):
    def tell(a: Recorder) -> None:
        a.resource("raw", "source-data")
        a.step("score", ["raw"], [], parameters={}, metrics={"f1": 0.5})

    recorded_workspace(tmp_path / "work", tell)
    with serving(tmp_path / "work", tmp_path / "served") as served, served.client() as client:
        [row] = client.get("/api/v1/steps").json()["items"]
        text = client.get(f"/steps/{row['id']}", headers={"accept": "text/html"}).text

    assert '<div class="columns"><section><h3>Metrics</h3>' in text


def test_a_result_lists_other_snapshots_alone(client: httpx.Client):
    assert "In other snapshots\nNo other snapshot holds it." in result_page(client).text


def test_what_is_served_is_called_as_the_overview_calls_it(pipeline_root: Path, tmp_path: Path):
    root = tmp_path / "a folder"
    shutil.copytree(pipeline_root, root, symlinks=True)
    own = tmp_path / "own"
    for words in (("--workspace-dir", str(root), "serve"), ("serve", "--data", str(own))):
        line, shown = begun(tmp_path, *words)
        assert line.startswith(f"Serving {shown} at http://")
        assert shown == ("own" if "--data" in words else "pipeline")


def begun(folder: Path, *words: str) -> tuple[str, str]:
    """What a service prints when it answers, and the name of the workspace on its pages."""
    file = folder / "tokens.json"
    with subprocess.Popen(
        [sys.executable, "-m", "dws_graph", *words, "--port", "0", "--token-file", str(file)],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            url = line.partition(" at ")[2].split()[0]
            told = httpx.get(url, headers={"accept": "text/html"}, timeout=PATIENCE).text
        finally:
            process.terminate()
    [name] = re.findall(r'<a href="/workspaces/[^"]*">(.*?)</a>', told)
    return line, name


@pytest.mark.slow
@pytest.mark.needs("neo4j")
def test_a_result_of_a_workspace_that_is_elsewhere_is_judged_by_what_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
):
    other = Recorder(workspace="0d0e0f00-1111-4222-8333-555555555555")
    other.created("elsewhere")
    other.resource("results", "results")
    other.step("train", ["raw"], ["results:/stale"])
    other.step("count", ["others"], ["results:/good"])
    other.step("draw", ["others"], ["results:/again"])
    other.snapshot("v1")
    other.edit("raw")
    other.step("look", ["raw"])
    other.step("draw", ["others"], ["results:/again"])
    other.snapshot("v2")
    graph = Neo4jGraph(graph_address(neo4j_address), other.workspace)
    graph.apply(other.lines)
    graph.close()
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "mine"
    root.mkdir()
    assert dws(root, "init", "mine").returncode == 0

    def told_of(client: httpx.Client, ref: str, snapshot: str) -> Words:
        shots = client.get(f"/api/v1/workspaces/{other.workspace}/snapshots").json()["items"]
        [key] = [one["hash"] for one in shots if snapshot in one["tags"]]
        asked = {"workspace": other.workspace, "ref": ref, "snapshot": key}
        return page(client, f"/result?{httpx.QueryParams(asked)}")

    with serving(root, tmp_path / "served") as served, served.client() as client:
        stale = told_of(client, "results:/stale", "v2")
        good = told_of(client, "results:/good", "v2")
        older = told_of(client, "results:/again", "v1")
        step = page(client, f"/steps/{other.steps[0].id}")

    assert stale.by_id["stale"] == step.by_id["stale"] == "Stale because: input changed: raw"
    assert "not follow any more from what is recorded as current:" in stale.text
    assert "stale" not in good.by_id
    assert "It does: all that it was made from is recorded as it was then." in good.text
    assert "This is not the version that is current now." in older.text
