"""Steps recorded against the services are there for good, and nobody tells the password."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import neo4j

from tests.docker.engine import Stack, docker, inspect
from tests.docker.lab import Lab
from tests.neo4j.local import Address

STEPS = "MATCH (s:Step {name: $name})-[:WROTE]->() RETURN count(DISTINCT s) AS n"


def recorded(graph: Address, name: str) -> int:
    """How many steps of this name the graph holds."""
    with neo4j.GraphDatabase.driver(
        graph.url, auth=(graph.user, graph.password), notifications_min_severity="OFF"
    ) as driver:
        (record,) = driver.execute_query(STEPS, {"name": name}).records
        return int(record["n"])


def record(lab: Lab, graph: Address, name: str) -> None:
    """Record a step from outside, in a workspace made for it, and have it applied.

    Recording waits two seconds for the graph: a new one, on a busy machine, takes longer.
    """
    environment = graph.environment()
    if not (lab.path / ".dataworkspace").exists():
        lab.dws("init", "--create-resources", "all")
    command = ["touch", f"results/{name}"]
    lab.dws("run", "--step-name", name, "-o", "results", "--", *command, environment=environment)
    lab.dws("graph", "sync", environment=environment)


def test_steps_recorded_from_outside_are_found_after_a_restart_and_in_new_containers(
    stack: Stack, graph: Address, lab: Lab
):
    record(lab, graph, "from-outside")
    assert recorded(graph, "from-outside") == 1

    stack("restart", "neo4j")
    stack.wait("neo4j", "healthy")
    record(lab, graph, "restarted")
    assert (recorded(graph, "from-outside"), recorded(graph, "restarted")) == (1, 1)

    stack("down")
    stack("up", "-d", "neo4j")
    stack.wait("neo4j", "healthy")
    assert (recorded(graph, "from-outside"), recorded(graph, "restarted")) == (1, 1)


def test_the_command_beside_the_server_records_there_as_its_user(
    stack: Stack, graph: Address, guests_lab: Lab
):
    run = ["run", "--rm", "-T", "dws"]
    stack.environment.update(guests_lab.environment)
    stack(*run, "init", "--create-resources", "all")
    command = ["sh", "-c", "id -u > results/user"]
    stack(*run, "run", "--step-name", "inside", "-o", "results", "--", *command)
    stack(*run, "graph", "sync")
    views = json.loads(stack(*run, "graph", "status", "--format", "json"))
    rows = json.loads(
        stack(*run, "lineage", "query", "--format", "json", "MATCH (s:Step) RETURN s.name")
    )

    assert recorded(graph, "inside") == 1
    assert (guests_lab.path / "results/user").read_text() == f"{guests_lab.uid}\n"
    (team,) = [view for view in views if view["view"] == "neo4j"]
    assert (team["where"], team["waiting"]) == ("bolt://neo4j:7687", 0)
    assert ["inside"] in rows["rows"]


def test_the_password_is_in_no_log_setting_or_file(
    stack: Stack, graph: Address, password: str, lab: Lab, tmp_path: Path
):
    stack.environment.update(lab.environment)
    beside = f"{Path(stack.container('neo4j')).name[:12]}-dws"
    stack("run", "-T", "--name", beside, "dws", "init", "--create-resources", "all")
    try:
        shown = [docker("inspect", beside), docker("logs", beside)]
    finally:
        docker("rm", "-f", beside)
    record(lab, graph, "quiet")
    container = stack.container("neo4j")
    found = inspect(container)
    shown += [docker("inspect", container), stack("logs", "neo4j"), stack("config")]
    for image in (found["Image"], stack.environment["DWS_IMAGE"]):
        shown += [docker("inspect", image), docker("history", "--no-trunc", image)]
    for mount in found["Mounts"]:
        if mount["Type"] == "volume":
            shown.append(docker("volume", "inspect", mount["Name"]))
    docker("cp", f"{container}:/logs", tmp_path / "logs")
    kept = [tmp_path / "logs", lab.path]
    grep = subprocess.run(["grep", "-rl", password, *kept], capture_output=True, text=True)

    assert recorded(graph, "quiet") == 1
    assert [text for text in shown if password in text] == []
    assert (grep.returncode, grep.stdout) == (1, "")
