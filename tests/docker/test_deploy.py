"""`dws deploy`: the demo in an image, where its history is the same and its steps run again."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import pytest

from tests.docker.deployed import Deployed, git
from tests.docker.engine import ask, docker, inspect

IMAGE = "dws-deploy:tested"
PLANTED = f"planted-{secrets.token_hex(8)}"
HISTORY = ("report", "history", "--format", "json")


@pytest.fixture(scope="module")
def deployed(folder: Path, base: str, programs: Path) -> Iterator[Deployed]:
    """The demo, with resources beside it and secrets around it; and its image."""
    place = folder / "deploy"
    home, outside = place / "home", place / "outside"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    (home / ".ssh" / "id_test").write_text(f"{PLANTED}\n")
    made = Deployed(place / "demo", home, programs, outside, IMAGE)
    made.root.mkdir()
    made("demo", str(made.root))
    add_resources(made)
    plant(made)
    made(*made.build("--git-user-name", "Deployed", "--git-user-email", "in@example.com"))
    yield made
    docker("image", "rm", "-f", IMAGE)


def add_resources(made: Deployed) -> None:
    for name in ("tables", "models"):
        (made.outside / name).mkdir(parents=True)
    (made.outside / "tables" / "one.csv").write_text("1,2\n")
    (made.outside / "tables" / "\udcff.bin").write_bytes(b"\xff")
    (made.outside / "models" / "fit.py").write_text("print('fit')\n")
    models = made.outside / "models"
    git(models, "init", "-q", "-b", "main")
    git(models, "add", ".")
    git(models, "commit", "-q", "-m", "models")
    made("add", "local-files", "--role", "source-data", str(made.outside / "tables"))
    made("add", "git", "--role", "code", str(models))


def plant(made: Deployed) -> None:
    """Put secrets where people have them, and what is not committed."""
    git(made.root, "config", "http.https://example.com/.extraheader", f"Token {PLANTED}")
    git(made.root, "remote", "add", "origin", f"https://ada:{PLANTED}@example.com/demo.git")
    (made.root / ".dataworkspace" / "local" / "note.json").write_text(PLANTED)
    (made.root / ".env").write_text(f"PASSWORD={PLANTED}\n")
    (made.root / ".git" / "hooks").mkdir(exist_ok=True)
    (made.root / ".git" / "hooks" / "pre-push").write_text(f"#!/bin/sh\n# {PLANTED}\n")


def history(text: str) -> Any:
    return [(row["hash"], row["tags"], row["metrics"]) for row in json.loads(text)]


def test_history_and_lineage_inside_are_those_outside(deployed: Deployed):
    lineage = ("report", "lineage", "--snapshot", "LR-1", "--format", "json")

    assert history(deployed.inside("dws", *HISTORY)) == history(deployed(*HISTORY))
    assert json.loads(deployed.inside("dws", *lineage)) == json.loads(deployed(*lineage))


def test_the_last_snapshots_steps_run_again_by_their_recorded_command_lines(deployed: Deployed):
    step = json.loads(deployed("steps", "show", "digits_lr", "--format", "json"))
    again = step["command"]  # with the paths of this machine
    assert str(deployed.root) in again
    assert str(deployed.bin) in again
    script = f"exec 3>&1 1>&2; dws restore LR-1; {again}; cd /workspace; dws snapshot AGAIN; "
    script += "dws report history --format json >&3"

    rows = json.loads(deployed.inside("sh", "-euc", script))

    newest, before = rows[0], rows[1]
    assert newest["tags"] == ["AGAIN"]
    assert before["tags"] == ["LR-1"]
    assert newest["metrics"] == before["metrics"]


def test_dws_runs_a_step_there_that_has_its_lineage(deployed: Deployed):
    script = (
        "exec 3>&1 1>&2; dws run -i sklearn-digits-dataset -o results -- "
        "sh -c 'wc -l < sklearn-digits-dataset/target.csv > results/lines.txt'; "
        "dws snapshot COUNTED; dws lineage upstream results --snapshot COUNTED --format json >&3"
    )

    graph = json.loads(deployed.inside("sh", "-euc", script))

    names = {node["name"] for node in graph["nodes"] if node["kind"] == "step"}
    assert names == {"sh"}
    assert any(
        node["properties"].get("resource") == "sklearn-digits-dataset" for node in graph["nodes"]
    )


def test_its_user_has_no_privileges_and_owns_the_workspace(deployed: Deployed):
    uid = os.getuid() or 1000

    assert inspect(IMAGE)["Config"]["User"].startswith(f"{uid}:")
    said = deployed.inside("sh", "-c", "id -u; whoami; touch /workspace/new; git config user.name")
    assert said.split() == [str(uid), "dws", "Deployed"]
    assert "No broken requirements" in deployed.inside("pip", "check")


def test_resources_outside_of_the_workspace_are_in_their_place(deployed: Deployed):
    status = ("report", "status", "--format", "json")

    here, there = (
        json.loads(text) for text in (deployed(*status), deployed.inside("dws", *status))
    )

    assert here["resources"] == there["resources"]
    script = "cat tables/one.csv; ls tables | wc -l; git -C models log --format=%s"
    said = deployed.inside("sh", "-c", f"cd {deployed.outside} && {script}")
    assert said.split() == ["1,2", "2", "models"]


def test_no_layer_and_no_setting_holds_a_secret(deployed: Deployed, folder: Path):
    saved = folder / "deployed.tar"
    docker("save", "-o", saved, IMAGE)

    with saved.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as layers:
        assert layers.find(b"one.csv") >= 0  # stored, not compressed
        assert layers.find(PLANTED.encode()) < 0
    saved.unlink()
    assert PLANTED not in docker("history", "--no-trunc", IMAGE)
    assert PLANTED not in json.dumps(inspect(IMAGE))
    config = deployed.inside("cat", "/workspace/.git/config")
    assert "https://example.com/demo.git" in config
    assert "extraheader" not in config


def test_keys_are_mounted_for_reading_alone_and_only_where_the_user_can(deployed: Deployed):
    keys = deployed.home / ".ssh"
    look = "cat .ssh/id_test; touch .ssh/new || echo no"
    command = ("deploy", "run", "--image-name", IMAGE)
    if os.getuid() == 0:
        refused = deployed.ask(*command, "--", "ls", "-A", "/home/dws")
        assert ".ssh" not in refused.stdout
        assert "are not mounted" in refused.stderr
        for path in (keys, *keys.iterdir()):
            os.chown(path, 1000, 1000)

    assert deployed.inside("sh", "-c", f"cd; {look}").split() == [PLANTED, "no"]
    without = deployed.inside("ls", "-A", "/home/dws", options=("--no-mount-ssh-keys",))
    assert without.split() == [".gitconfig"]


def test_a_commands_exit_status_is_that_of_dws(deployed: Deployed):
    ran = deployed.ask("deploy", "run", "--image-name", IMAGE, "--", "sh", "-c", "exit 7")

    assert (ran.returncode, ran.stderr) == (7, "")


def test_an_image_that_is_there_is_left_and_replaced_only_when_told(deployed: Deployed):
    before = inspect(IMAGE)["Id"]
    git(deployed.root, "commit", "-q", "--allow-empty", "-m", "by hand")

    said = deployed(*deployed.build())

    assert "already" in said
    assert inspect(IMAGE)["Id"] == before
    deployed(*deployed.build("--force-rebuild", "--skip", "tables"))
    assert inspect(IMAGE)["Id"] != before
    assert ask("image", "inspect", before).returncode != 0
    head = deployed.inside("git", "log", "-1", "--format=%s")
    assert head.strip() == "by hand"


def test_a_resource_that_is_not_copied_can_be_mounted(deployed: Deployed):
    deployed(*deployed.build("--force-rebuild", "--skip", "tables"))
    look = ("sh", "-c", "ls /resources; cat /resources/tables/one.csv || true")

    assert deployed.inside(*look).split() == ["models"]
    mounted = deployed.inside(*look, options=("--mount", "tables"))
    assert mounted.split() == ["models", "tables", "1,2"]


def test_an_image_of_something_else_is_neither_run_nor_replaced(deployed: Deployed, base: str):
    before = inspect(base)["Id"]

    built = deployed.ask(*deployed.build("-f", image=base))
    ran = deployed.ask("deploy", "run", "--image-name", base, "--", "true")

    for refused in (built, ran):
        assert refused.returncode == 1
        assert "is not one of this workspace" in refused.stderr
    assert inspect(base)["Id"] == before


def test_a_build_that_fails_says_why_and_leaves_nothing(deployed: Deployed, tmp_path: Path):
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("this-package-is-not-there==1.2.3\n")
    name = "dws-deploy:failed"

    ran = deployed.ask(*deployed.build("--requirements", str(wanted), image=name))

    assert ran.returncode == 1
    assert "this-package-is-not-there" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ask("image", "inspect", name).returncode != 0


def test_the_written_files_build_the_same_image(deployed: Deployed, tmp_path: Path):
    image, name = tmp_path / "image", "dws-deploy:written"
    deployed(*deployed.build("--dockerfile-only", str(image)))

    docker("build", "-t", name, image)

    try:
        run = docker("run", "--rm", name, "dws", *HISTORY)
        assert history(run) == history(deployed(*HISTORY))
    finally:
        docker("image", "rm", name)
