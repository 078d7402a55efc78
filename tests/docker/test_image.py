"""The image holds the command, for any user, and nothing that it was not meant to hold."""

from __future__ import annotations

import json
import subprocess
from mmap import ACCESS_READ, mmap
from pathlib import Path

import pytest

import dws_graph
from tests.docker.conftest import PLANTED
from tests.docker.engine import ask, docker, inspect
from tests.docker.lab import Lab


def test_it_is_the_command_of_this_version(image: str):
    assert dws_graph.__version__ in docker("run", "--rm", image, "--version")
    assert "Usage: dws" in docker("run", "--rm", image)
    assert "No broken requirements" in docker("run", "--rm", "--entrypoint=pip", image, "check")


def test_its_user_has_no_privileges(image: str):
    assert inspect(image)["Config"]["User"] == "1000:1000"
    assert docker("run", "--rm", "--entrypoint=id", image, "-u").strip() == "1000"


def test_the_owner_of_a_mounted_workspace_works_in_it(
    image: str, guests_lab: Lab, machine_id: Path
):
    machine = f"--volume={machine_id}:/etc/machine-id:ro"
    run = ["run", "--rm", machine, *guests_lab.options, image]
    docker(*run, "init", "--create-resources", "all")
    docker(*run, "run", "--step-name=make", "-o", "results", "--", "touch", "results/made")
    first = guests_lab.instance()
    docker(*run, "snapshot", "-m", "made in a container", "V1")

    steps = json.loads(docker(*run, "steps", "--format", "json"))
    docker(*run, "lineage", "graph", "made.svg")

    assert [(step["name"], step["status"]) for step in steps] == [("make", "completed")]
    assert "</svg>" in (guests_lab.path / "made.svg").read_text()
    assert guests_lab.instance() == first
    assert first["machine"] == machine_id.read_text().strip()
    assert {path.stat().st_uid for path in guests_lab.path.rglob("*")} == {guests_lab.uid}


def test_a_container_that_is_stopped_ends_its_step_as_failed(image: str, lab: Lab):
    docker("run", "--rm", *lab.options, image, "init", "--create-resources", "all")
    command = ["sh", "-c", "echo begun; exec sleep 1000"]
    step = ["run", "--step-name=wait", "-o", "results", "--", *command]
    container = docker("run", "-d", *lab.options, image, *step).strip()
    try:
        with subprocess.Popen(
            ["docker", "logs", "-f", container], stdout=subprocess.PIPE, text=True
        ) as logs:
            assert logs.stdout is not None
            assert logs.stdout.readline() == "begun\n"
            docker("stop", "-t", "60", container)
        assert inspect(container)["State"]["ExitCode"] == 143
    finally:
        docker("rm", "-f", container)

    (ended,) = json.loads(docker("run", "--rm", *lab.options, image, "steps", "--format", "json"))
    assert (ended["name"], ended["status"]) == ("wait", "failed")


def test_what_lies_beside_the_sources_is_not_built_from(image: str, checkout: Path, base: str):
    stage = "dws-graph:tested-stage"
    arguments = ["--target=build", "--build-arg", f"BASE={base}", "-t", stage]
    docker("build", *arguments, "-f", checkout / "docker" / "Dockerfile", checkout)
    grep = ["run", "--rm", "--entrypoint=grep", stage, "-rl"]

    found = ask(*grep, PLANTED, "/opt", "/src", "/usr/local")

    assert "/src/dws_graph/cli/running.py" in docker(*grep, "def run", "/src")
    assert (found.returncode, found.stdout) == (1, "")


def test_no_layer_holds_what_lies_beside_the_sources(image: str, folder: Path):
    saved = folder / "layers.tar"
    docker("save", "-o", saved, image)

    with saved.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as layers:
        assert layers.find(b"dws_graph/cli/running.py") >= 0  # stored, not compressed
        assert layers.find(PLANTED.encode()) < 0
    assert PLANTED not in docker("history", "--no-trunc", image)
    saved.unlink()


@pytest.mark.parametrize(
    ("kept", "says"),
    [(None, "cannot read /run/secrets/graph_auth"), ("hunter2", "does not hold USER/PASSWORD")],
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(
    image: str, tmp_path: Path, kept: str | None, says: str
):
    options = ["--env=DWS_GRAPH_AUTH_FILE=/run/secrets/graph_auth"]
    if kept:
        (tmp_path / "auth").write_text(kept)
        options.append(f"--volume={tmp_path / 'auth'}:/run/secrets/graph_auth:ro")

    ran = ask("run", "--rm", "--user=0", *options, image, "--version")

    assert ran.returncode == 1
    assert ran.stdout == ""
    assert says in ran.stderr
    assert "Hint: " in ran.stderr
    assert "hunter2" not in ran.stderr
