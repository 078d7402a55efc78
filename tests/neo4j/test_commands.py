"""A workspace with a Neo4j, by the commands and the API."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path

import platformdirs
import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from dws_graph.errors import ConfigurationError, ViewUnavailableError
from tests.api.labs import Lab, make_lab
from tests.neo4j.conftest import done, run_dws
from tests.neo4j.local import Address, free_port

SECRET = "s3cr3t-of-the-team"


def neo4j_status() -> api.ViewStatus:
    return next(s for s in api.graph_status() if s["view"] == "neo4j")


def test_steps_and_snapshots_reach_the_graph_by_the_way(lab: Lab):
    api.graph_sync("neo4j")  # the schema, once
    lab.clean()
    lab.train()
    lab.snapshot("v1")
    api.graph_sync("neo4j")

    status = neo4j_status()

    assert status["waiting"] == 0
    assert status["where"] == os.environ["DWS_GRAPH_URL"]
    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []
    assert api.doctor() == []


def test_a_view_folded_anew_holds_the_same(lab: Lab):
    lab.clean()
    lab.train()
    lab.snapshot("v1")
    seen: list[tuple[int, int]] = []

    (rebuilt,) = api.graph_rebuild("neo4j", lambda done, total: seen.append((done, total)))

    assert rebuilt["applied"] == seen[-1][1] > 0
    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []


def test_what_another_took_out_is_folded_again(lab: Lab):
    lab.clean()
    api.graph_sync("neo4j")
    done(run_dws(lab.root, "--batch", "graph", "drop", "--view", "neo4j"))

    done(run_dws(lab.root, "graph", "sync", "--view", "neo4j"))

    assert diff_dumps(api.dump("index"), api.dump("neo4j")) == []


def test_dropping_one_workspace_touches_no_other(lab: Lab, tmp_path: Path):
    lab.clean()
    api.graph_sync("neo4j")
    other = make_lab(tmp_path / "other")
    other.clean()
    where = str(other.root)
    api.graph_sync("neo4j", workspace_uri_or_path=where)
    before = api.dump("neo4j", workspace_uri_or_path=where)

    api.graph_drop("neo4j")

    assert diff_dumps(before, api.dump("neo4j", workspace_uri_or_path=where)) == []
    found = api.query("MATCH (s:Step {name: 'clean'}) RETURN s.workspace", view="neo4j")
    assert found.rows  # folded again, for it was asked


def test_what_was_dropped_is_not_folded_again_by_the_way(lab: Lab):
    lab.clean()
    api.graph_sync("neo4j")

    api.graph_drop("neo4j")

    for thread in threading.enumerate():
        if thread.name == "dws-neo4j":
            thread.join()
    with lab.open() as ws, ws.neo4j_driver() as driver:
        found = driver.execute_query("MATCH (n:Step) WHERE n.workspace = $id RETURN n", id=ws.id)
    assert found.records == []


def test_a_query_goes_to_the_server_and_names_other_workspaces(lab: Lab, tmp_path: Path):
    lab.clean()
    other = make_lab(tmp_path / "other")
    other.clean(7)
    api.graph_sync("neo4j", workspace_uri_or_path=str(other.root))
    ids = [api.report_status(str(at.root))["id"] for at in (lab, other)]
    asked = "MATCH (s:Step) WHERE s.workspace IN $ids RETURN s.param_factor ORDER BY s.param_factor"

    assert api.query(asked, {"ids": ids}).rows == ((1,), (7,))
    assert api.query(asked, {"ids": ids}, view="cypher").rows == ((1,),)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"neo4j://neo4j:{SECRET}@host:7687", "must not hold a user or password"),
        ("http://host:7474", "names no Neo4j server"),
    ],
)
def test_a_url_is_checked_when_it_is_set_and_when_it_is_used(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, url: str, says: str
):
    monkeypatch.delenv("DWS_GRAPH_URL")
    run = run_dws(lab.root, "--verbose", "config", "graph.url", url)
    assert run.returncode == 1
    assert says in run.stderr
    assert SECRET not in run.stdout + run.stderr

    monkeypatch.setenv("DWS_GRAPH_URL", url)
    lab.clean()  # recorded all the same
    run = run_dws(lab.root, "graph", "sync", "--view", "neo4j")
    assert (run.returncode, says in run.stderr) == (1, True)
    assert SECRET not in run.stdout + run.stderr


def test_the_parameter_names_the_server_of_this_copy_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
):
    monkeypatch.delenv("DWS_GRAPH_URL")
    assert [s["view"] for s in api.graph_status()] == ["index", "cypher"]
    with pytest.raises(ConfigurationError, match="no Neo4j is configured"):
        api.graph_sync("neo4j")

    done(run_dws(lab.root, "config", "graph.url", neo4j_address.url))

    assert neo4j_status()["where"] == neo4j_address.url
    assert done(run_dws(lab.root, "status"))
    committed = [lab.root / ".dataworkspace" / name for name in ("config.json", "dws-graph.json")]
    assert not any("bolt" in file.read_text() for file in committed)


def test_the_users_file_lets_in_and_must_be_private(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
):
    for name in ("DWS_GRAPH_USER", "DWS_GRAPH_PASSWORD"):
        monkeypatch.delenv(name)
    file = platformdirs.user_config_path("dws-graph") / "graph.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    entry = {"user": neo4j_address.user, "password": neo4j_address.password}
    file.write_text(json.dumps({neo4j_address.url + "/": entry}))
    file.chmod(0o600)
    try:
        api.graph_sync("neo4j")
        assert neo4j_status()["waiting"] == 0

        file.chmod(0o640)
        with pytest.raises(ConfigurationError, match="others can read") as caught:
            api.graph_sync("neo4j")
        assert f"chmod 600 {file}" in caught.value.hint

        file.chmod(0o600)
        file.write_text(f'{{"{neo4j_address.url}": {{"password": "{SECRET}"')
        with pytest.raises(ConfigurationError, match="line 1, is not JSON") as caught:
            api.graph_sync("neo4j")
        assert SECRET not in str(caught.value)
    finally:
        file.unlink()


def test_a_server_that_is_away_costs_a_word_and_nothing_else(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("DWS_GRAPH_URL", f"bolt://127.0.0.1:{free_port()}")
    lab.clean()

    for words in (["status"], ["snapshot", "v1"], ["report", "history"], ["graph", "status"]):
        run = run_dws(lab.root, *words)
        assert run.returncode == 0
        assert len(re.findall("cannot be reached|does not answer", run.stderr)) == 1
    status = json.loads(done(run_dws(lab.root, "report", "status", "--format", "json")))
    assert status["lineage"]["waiting_facts"]["neo4j"] is None
    with pytest.raises(ViewUnavailableError) as caught:
        api.query("MATCH (s:Step) RETURN s.name")
    assert "--view cypher" in caught.value.hint


def test_no_password_is_in_any_file_or_message(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, neo4j_address: Address
):
    said = ""
    asking = (["graph", "status"], ["--verbose", "graph", "sync"], ["doctor"])
    recording = (
        ["run", "-i", "source-data", "-o", "intermediate-data:/x", "--", "true"],
        *(["snapshot", "t1"], ["config"], ["status"]),
        ["lineage", "query", "MATCH (n) RETURN count(n)"],
    )
    for password, commands in ((neo4j_address.password, (*recording, *asking)), (SECRET, asking)):
        monkeypatch.setenv("DWS_GRAPH_PASSWORD", password)
        for words in commands:
            run = run_dws(lab.root, *words)
            said += run.stdout + run.stderr

    for secret in (neo4j_address.password, SECRET):
        assert secret not in said
        for file in lab.root.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file
