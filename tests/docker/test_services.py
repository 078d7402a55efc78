"""The services of the compose file have no privileges, and say how they are."""

from __future__ import annotations

from tests.docker.engine import Stack, docker, inspect
from tests.neo4j.local import Address, wait_ready


def test_the_server_has_no_privileges_and_answers_this_machine_alone(stack: Stack):
    container = stack.container("neo4j")
    found = inspect(container)
    processes = docker("top", container, "-eo", "pid,uid,args").splitlines()[1:]

    assert found["Config"]["User"] == "7474:7474"
    assert [line.split()[1] for line in processes] == ["7474"] * len(processes)
    assert found["HostConfig"]["CapDrop"] == ["ALL"]
    assert found["HostConfig"]["Privileged"] is False
    published = [
        port for ports in found["NetworkSettings"]["Ports"].values() for port in ports or ()
    ]
    assert [port["HostIp"] for port in published] == ["127.0.0.1"]


def test_a_server_that_hangs_is_unhealthy_until_it_goes_on(stack: Stack, graph: Address):
    container = stack.container("neo4j")
    docker("kill", "--signal=STOP", container)
    try:
        stack.wait("neo4j", "unhealthy")
    finally:
        docker("kill", "--signal=CONT", container)

    stack.wait("neo4j", "healthy")

    wait_ready(graph)


def test_without_a_secret_nothing_starts(stack: Stack):
    without = {**stack.environment, "DWS_NEO4J_AUTH_FILE": ""}
    ran = Stack(stack.file, "dwstestnone", without).ask("up", "-d", "neo4j")

    assert ran.returncode != 0
    assert "write neo4j/PASSWORD into a file that DWS_NEO4J_AUTH_FILE names" in ran.stderr
