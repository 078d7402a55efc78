"""The service of the compose file: up with its graph, for people and programs, whatever ends."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from dws_graph.backends.views import diff_dumps
from tests.docker.engine import docker, inspect
from tests.docker.served import DATA, PATIENCE, Client, Service, crash
from tests.neo4j.local import Address
from tests.service.browsing import browser, see  # noqa: F401

RUNS = 200


def test_up_starts_a_service_that_nobody_enters_without_a_token(service: Service):
    known = json.loads(
        service.stack("exec", "-T", "service", "dws", "token", "list", "--format", "json")
    )
    anyone = httpx.get(f"{service.url}/api/v1/workspaces")
    with service.client("read") as client:
        (workspace,) = service.told(client, "workspaces")["items"]
        health = service.told(client, "ready")

    assert known[0]["name"] == "nobody's: it was thrown away"
    assert anyone.status_code == 401
    assert (workspace["name"], health) == ("service", {"status": "ok", "view": "neo4j"})


def test_no_log_or_file_tells_a_token(service: Service):
    token = service.token("read")
    logs = service.stack("logs", "--no-color", "service")
    found = service.stack.ask("exec", "-T", "service", "grep", "-rl", token.split("_")[-1], "/data")

    assert "exec service dws token create" in logs
    assert "dws_" not in logs
    assert (found.returncode, found.stdout) == (1, "")


def test_the_service_has_no_privileges(service: Service):
    found = inspect(service.container)
    published = [p for ports in found["NetworkSettings"]["Ports"].values() for p in ports or ()]

    assert found["Config"]["User"] == "1000:1000"
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert {port["HostIp"] for port in published} == {"127.0.0.1"}


def test_a_person_logs_in_and_sees_what_a_program_recorded(service: Service, see):  # noqa: F811
    with service.client("write") as client:
        body = {"name": "seen", "outputs": [{"resource": "shown"}], "metrics": {"rows": 1234}}
        run = client.post("runs/seen/complete", json=body).raise_for_status().json()
        service.told(client, f"steps/{run['step']}")
    looked = see(service)
    looked.page.set_default_timeout(PATIENCE * 1e3)

    looked.go("/")
    looked.page.fill("input[name=token]", service.token("read"))
    looked.page.click("main button")
    looked.page.click("text=service")
    looked.page.click("text=seen")
    assert looked.page.url.endswith(run["step"])
    assert "1234" in looked.page.inner_text("main")
    looked.go(f"/graph?node={run['step']}")
    looked.page.wait_for_selector("canvas")
    assert "shown" in (looked.page.text_content("#twin") or "")


def test_what_was_recorded_is_there_after_a_restart_of_both(service: Service):
    with service.client("write") as client:
        body = {"name": "before", "outputs": [{"resource": "kept"}]}
        run = client.post("runs/restarted/complete", json=body).raise_for_status().json()

        service.stack("restart", "neo4j", "service")
        service.is_ready()

        assert client.get("runs/restarted").json() == run
        assert service.told(client, f"steps/{run['step']}")["name"] == "before"


@pytest.mark.parametrize("new", [False, True], ids=["stopped", "in new containers"])
def test_the_journal_is_committed_when_the_service_is_stopped(service: Service, new: bool):
    with service.client("write") as client:
        body = {"name": "stopped", "outputs": [{"resource": "sealed"}]}
        run = client.post(f"runs/stopped-{new}/complete", json=body).raise_for_status().json()
        if new:
            service.stack("down")
            service.stack("up", "-d")
        else:
            service.stack("stop", "service")
            assert inspect(service.stack("ps", "-aq", "service").strip())["State"]["ExitCode"] in (
                0,
                143,
            )
            service.stack("start", "service")
        service.is_ready()
        git = ["git", "-C", DATA]
        left = service.stack("exec", "-T", "service", *git, "status", "--porcelain")
        last = service.stack("exec", "-T", "service", *git, "log", "-1", "--format=%s")

        assert (left.strip(), last.strip()) == ("", "Recorded lineage")
        assert service.told(client, f"steps/{run['step']}")["name"] == "stopped"


def test_nothing_acknowledged_is_lost_when_both_are_killed_meanwhile(
    service: Service, graph: Address, tmp_path: Path
):
    client = Client(service, RUNS)
    client.start()

    client.until(20)
    docker("kill", service.container)
    docker("start", service.container)
    client.until(60)
    neo4j = service.stack.container("neo4j")
    docker("kill", neo4j)
    client.until(100)  # recording goes on without the graph
    docker("start", neo4j)
    client.until(140)
    crash(service.container)  # nobody starts it: the engine does
    acknowledged = client.ended()
    service.is_ready()
    with service.client("write") as asking:
        known = {run: asking.get(f"runs/{run}").json() for run in acknowledged}
    service.stack("stop", "service")  # at its end it brings the graph what that lacks
    try:
        in_graph, anew = service.dumps(graph, tmp_path / "copy")
    finally:
        service.stack("start", "service")
        service.is_ready()

    assert len(acknowledged) == RUNS
    assert client.again > 0
    assert known == acknowledged
    ids = {n["properties"]["id"] for n in in_graph["nodes"] if n["labels"] == ["Step"]}
    assert {run["step"] for run in acknowledged.values()} <= ids
    assert diff_dumps(in_graph, anew) == []
