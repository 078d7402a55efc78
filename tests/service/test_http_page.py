"""The pipeline of docs/http.md, run as it stands there against a real service."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from tests.service.serving import Served, dumps, steps

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
NAMES = ("fetch", "clean", "train")


def text_of(kind, holding):
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    [text] = [block for block in found if holding in block]
    return text


WAYS = {
    "python": ([sys.executable, "-c", text_of("python", "urllib")], "python 2026-11-28/{}"),
    "curl": (["bash", "-ec", text_of("sh", "curl")], "curl-2026-11-28/{}"),
}


@pytest.fixture
def served(tmp_path):
    found = Served(tmp_path)
    found.start()
    yield found
    if found.process is not None:
        found.kill()


def told(served, way):
    command, runs = WAYS[way]
    done = subprocess.run(command, env=served.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return {runs.format(name): "completed" for name in NAMES}


def upstream(served):
    with served.client() as client:
        workspace = client.get("workspaces").json()["items"][0]["id"]
        asked = {"workspace": workspace, "ref": "model"}
        nodes = client.get("lineage/upstream", params=asked).json()["nodes"]
    return {node["name"] for node in nodes}


@pytest.mark.parametrize("way", WAYS)
def test_the_pipeline_of_the_page_is_in_journal_index_and_an_index_folded_anew(served, way):
    runs = told(served, way)

    assert {*NAMES, "raw", "tidy:/orders.parquet", "pipeline:/clean.sql"} <= upstream(served)
    served.end()
    index, anew = dumps(served.data)
    assert steps(index) == runs
    assert diff_dumps(index, anew) == []


@pytest.mark.slow
@pytest.mark.needs("neo4j")
def test_the_same_is_in_neo4j_and_again_in_one_that_was_lost(tmp_path, monkeypatch, neo4j_address):
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    served = Served(tmp_path)
    served.start()
    runs = told(served, "python")
    served.end()
    where = str(served.data)
    index, _ = dumps(served.data)
    assert steps(index) == runs
    assert diff_dumps(index, api.dump("neo4j", workspace_uri_or_path=where)) == []

    api.graph_drop("neo4j", where)
    served.start()
    served.end()

    assert diff_dumps(index, api.dump("neo4j", workspace_uri_or_path=where)) == []
    api.graph_drop("neo4j", where)
