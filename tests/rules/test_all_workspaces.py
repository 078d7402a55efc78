"""Lineage across the borders of workspaces, asked of the team's Neo4j by the commands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dws_graph import api
from dws_graph.backends.views import diff_dumps
from dws_graph.errors import ConfigurationError, ViewUnavailableError
from dws_graph.model.refs import ResourceRef
from tests.neo4j.local import Address, free_port
from tests.rules.sharing import FEATURES, Site, Sites, steps

ALL = "--all-workspaces"


class Team(NamedTuple):
    """Two workspaces that are in one graph, with their ids."""

    producer: Site
    consumer: Site
    ids: dict[str, str]


@pytest.fixture
def team(sites: Sites, neo4j_address: Address, monkeypatch: pytest.MonkeyPatch) -> Team:
    """A producer, and a consumer that imports its `features`, both synced."""
    producer, path = sites.producer()
    producer("snapshot", "v1")
    consumer = sites.consumer(sites.clone(path, "theirs"))
    consumer("snapshot", "c1")
    for name, value in neo4j_address.environment().items():
        monkeypatch.setenv(name, value)
    ids = {}
    for site in (producer, consumer):
        site("graph", "sync", "--view", "neo4j")
        with site.open() as ws:
            ids[site.root.name] = ws.id
    return Team(producer, consumer, ids)


def names(graph: Any, kind: str = "certificate") -> set[str]:
    return {node["name"] for node in graph["nodes"] if node["kind"] == kind}


def test_downstream_goes_on_in_the_workspace_that_imported(team: Team):
    here = team.producer.json("lineage", "downstream", "raw")
    everywhere = team.producer.json("lineage", "downstream", "raw", ALL)

    assert steps(here) == ["featurize"]
    assert "workspaces" not in here
    assert steps(everywhere) == ["featurize", "consume"]
    assert names(everywhere) == {"raw", FEATURES, "results"}
    assert {"IMPORTED_AS", "WROTE", "READ_BY"} <= {e["type"] for e in everywhere["edges"]}
    assert everywhere["workspaces"] == {key: name for name, key in team.ids.items()}
    by_step = {n["name"]: n["properties"]["workspace"] for n in everywhere["nodes"]}
    assert by_step["featurize"] == team.ids["producer"]
    assert by_step["consume"] == team.ids["consumer"]
    assert here["root"] == everywhere["root"]


def test_depth_counts_steps_in_any_workspace(team: Team):
    near = team.producer.json("lineage", "downstream", "raw", ALL, "--depth", "1")

    assert steps(near) == ["featurize"]
    assert names(near) == {"raw", FEATURES}


def test_upstream_goes_back_to_the_workspace_that_exported(team: Team):
    everywhere = team.consumer.json("lineage", "upstream", "results", "--snapshot", "c1", ALL)

    assert steps(everywhere) == ["featurize", "consume"]
    assert {"raw", FEATURES, "results"} <= names(everywhere)
    assert set(everywhere["workspaces"].values()) == {"producer", "consumer"}


def test_workspaces_are_named_where_more_than_one_is_shown(team: Team):
    table = team.producer("lineage", "downstream", "raw", ALL)
    mermaid = team.producer("lineage", "downstream", "raw", ALL, "--format", "mermaid")
    here = team.consumer("lineage", "downstream", "results", "--snapshot", "c1", ALL)

    for shown in (table, mermaid):
        assert "featurize (producer)" in shown
        assert "consume (consumer)" in shown
    assert "(consumer)" not in here


def test_a_later_step_of_the_importer_is_found_by_the_exporter(team: Team, tmp_path: Path):
    script = f"wc {tmp_path}/theirs/table.csv > results/more"
    team.consumer.step("count", FEATURES, "results:/more", script)
    team.consumer("graph", "sync", "--view", "neo4j")

    found = team.producer.json("lineage", "downstream", FEATURES, ALL)

    assert set(steps(found)) == {"consume", "count"}


def test_the_api_answers_the_same(team: Team):
    told = team.producer.json("lineage", "downstream", "raw", ALL)

    graph = api.downstream(
        "raw", all_workspaces=True, workspace_uri_or_path=str(team.producer.root)
    )

    assert graph.to_json() == told
    assert graph.workspaces == {key: name for name, key in team.ids.items()}


def differences(site: Site) -> list[str]:
    """Between what a workspace's index holds, and its part of the team's graph."""
    root = str(site.root)
    return diff_dumps(api.dump("index", root), api.dump("neo4j", root))


def test_the_part_of_one_is_dropped_and_rebuilt_beside_the_other(team: Team):
    producer, consumer, _ = team
    assert differences(producer) == []
    assert differences(consumer) != []  # told by the producer itself, which knows more

    producer("--batch", "graph", "drop", "--view", "neo4j")

    assert differences(consumer) == []
    producer("graph", "sync", "--view", "neo4j")
    consumer("--batch", "graph", "drop", "--view", "neo4j")
    assert differences(producer) == []
    consumer("graph", "rebuild", "--view", "neo4j")
    producer("graph", "rebuild", "--view", "neo4j")
    assert differences(producer) == []
    assert steps(producer.json("lineage", "downstream", "raw", ALL)) == ["featurize", "consume"]


def test_doctor_finds_nothing_amiss_in_either_workspace(team: Team):
    """Neither while the exporter knows more of its nodes, nor once the importer has them alone."""
    producer, consumer, _ = team
    [step] = producer.json("steps")
    producer("steps", "retract", step["key"], "--yes")
    producer("snapshot", "v2")
    for site in team[:2]:
        site("graph", "sync", "--view", "neo4j")
        assert "All is well" in site("doctor")

    producer("--batch", "graph", "drop", "--view", "neo4j")
    assert "All is well" in consumer("doctor")


def test_doctor_says_what_differs_in_the_part_of_the_workspace(team: Team):
    root = str(team.consumer.root)
    change = """
        MATCH (s:Step {workspace: $workspace, name: 'consume'}) SET s.name = 'renamed'
        WITH s MATCH (s)<-[e:READ_BY]-() DELETE e
    """
    with team.consumer.open() as ws, ws.neo4j_driver() as driver:
        driver.execute_query(change, workspace=ws.id)

    [found] = api.doctor(root)

    assert found["level"] == "error"
    assert "the view neo4j is not what the journal gives" in found["what"]
    assert "name is 'renamed' and 'consume'" in found["what"]
    assert 'edge only in the journal: {"type": "READ_BY"' in found["what"]
    assert "dws graph rebuild --view neo4j" in found["mend"]
    team.consumer("graph", "rebuild", "--view", "neo4j")
    assert "All is well" in team.consumer("doctor")


def test_doctor_does_not_blame_the_graph_for_what_a_pull_would_bring(team: Team, sites: Sites):
    other = sites.copy(team.consumer, "other")
    other.step("again", "code", "results:/again", "echo 1 > results/again")
    other("graph", "sync", "--view", "neo4j")

    [found] = api.doctor(str(team.consumer.root))

    assert found["level"] == "note"
    assert "facts of other copies that are not here" in found["what"]
    assert "dws pull" in found["mend"]


PAGE = Path(__file__).parents[2] / "docs" / "cypher.md"
COOKBOOK = dict(re.findall(r"^### ([^\n]+)\n```cypher\n(.+?)```", PAGE.read_text(), re.M | re.S))


def test_the_cookbook_crosses_workspaces_and_is_answered_alike_by_both_engines(team: Team):
    with team.producer.open() as ws:
        [raw] = [c.hash for c in ws.index.certificates_of(ws.id, ResourceRef("raw"))]
    expected: dict[str, tuple[str, list[list[str | None]]]] = {
        "Which steps of other workspaces read what this one made?": (
            "producer",
            [["consumer", FEATURES, "consume"]],
        ),
        "Which sources of other workspaces does this one rest on, however far?": (
            "consumer",
            [["producer", "raw", raw]],
        ),
    }
    assert COOKBOOK.keys() == expected.keys()

    for heading, (whose, rows) in expected.items():
        for view in ("neo4j", "cypher"):
            parameter = f"workspace={team.ids[whose]}"
            asked = ["--view", view, "--param", parameter, COOKBOOK[heading]]
            answer = team.consumer.json("lineage", "query", *asked)
            assert answer["rows"] == rows, (heading, view)


@pytest.mark.parametrize("command", ["upstream", "downstream"])
def test_without_a_neo4j_it_is_refused(sites: Sites, command: str):
    producer, _ = sites.producer()

    said = producer.refused("lineage", command, FEATURES, ALL)

    assert "no Neo4j is configured" in said
    assert "dws config graph.url" in said
    with pytest.raises(ConfigurationError):
        getattr(api, command)(
            FEATURES, all_workspaces=True, workspace_uri_or_path=str(producer.root)
        )


def test_one_that_does_not_answer_is_an_error_and_no_other_answer(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
):
    producer, _ = sites.producer()
    monkeypatch.setenv("DWS_GRAPH_URL", f"bolt://127.0.0.1:{free_port()}")

    said = producer.refused("lineage", "upstream", FEATURES, ALL)

    assert "127.0.0.1" in said
    assert "Traceback" not in said
    with pytest.raises(ViewUnavailableError):
        api.upstream(FEATURES, all_workspaces=True, workspace_uri_or_path=str(producer.root))
    assert steps(producer.upstream(FEATURES)) == ["featurize"]  # without it: the index
