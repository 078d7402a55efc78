"""No secret that was recorded is anywhere in a workspace: not in git's history, not beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.lineage import ResourceRef
from tests.rules.lab import Lab

# Put together here, so that no scanner takes this file for a leak.
TOKEN = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
WORDS = ("hunter2", "opensesame", "swordfish", "s1gnature", "8b1f2c3d4e5f60718293a4b5", TOKEN)
SNAPSHOT = [sys.executable, "-m", "dws_graph", "--batch", "snapshot"]


def held(root: Path, word: str) -> list[str]:
    """Where a workspace holds a word: in which commit and file, or in which file of its own."""
    commits = subprocess.run(
        ["git", "rev-list", "--all", "--reflog"], cwd=root, capture_output=True, text=True
    )
    grep = ["git", "grep", "-a", "-l", "-F", "-e", word, *commits.stdout.split()]
    found = subprocess.run(grep, cwd=root, capture_output=True, text=True, check=False)
    assert found.returncode in (0, 1), found.stderr
    log = ["git", "log", "--all", "--reflog", "--format=%H", "-F", f"--grep={word}"]
    messages = subprocess.run(log, cwd=root, capture_output=True, text=True, check=True)
    files = [p for p in (root / ".dataworkspace").rglob("*") if p.is_file()]
    local = [str(p) for p in files if word.encode() in p.read_bytes()]
    return [*found.stdout.split(), *messages.stdout.split(), *local]


@pytest.fixture
def outside(lab: Lab) -> Path:
    """Results outside of the workspace's repository, whose files are a person's own."""
    folder = lab.place / "outside"
    folder.mkdir()
    lab.ws.add_resource("outside", "file", "results", str(folder))
    return folder


def test_nothing_of_a_secret_is_in_the_history_nor_in_the_files_of_the_workspace(lab, outside):
    command = ["fit", "-u", "ann:hunter2", f"https://{WORDS[4]}@host/x?sig=s1gnature&keepme=1"]
    builder = lab.builder(f"train {TOKEN}", ["raw"], {"db": {"password": "hunter2"}, "a": command})
    builder.as_results_step(str(lab.path("results")), "described, token=opensesame, keepme")
    with builder.eval() as lineage:
        lineage.add_param("header", "Authorization: Bearer swordfish")
        lineage.write_results({"note": f"see {TOKEN}", "accuracy": 0.5})
    with pytest.raises(RuntimeError), lab.begin("fails") as lineage:  # noqa: PT012 - both matter
        lineage.add_output_ref(ResourceRef("intermediate-data", "clean"))
        raise RuntimeError(f"refused: https://ann:hunter2@host, {'x' * 1960} {TOKEN}")
    summary = {"metrics": {"password": 0.75, "api_key": "opensesame", "keepme": f"see {TOKEN}"}}
    (outside / "results.json").write_text(json.dumps(summary))

    message = f"curl -u ann:hunter2 {TOKEN}\n\nX-Api-Key: swordfish\nkeepme"
    done = subprocess.run(
        [*SNAPSHOT, "-m", message, "V1"], cwd=lab.root, capture_output=True, text=True, check=True
    )
    lab.reopen()
    api.graph_sync(workspace_uri_or_path=str(lab.root))

    assert {word: held(lab.root, word) for word in WORDS} == {word: [] for word in WORDS}
    assert held(lab.root, "keepme")
    assert "what looks like a secret in the message is not kept" in done.stderr
    (row,) = api.report_history(workspace_uri_or_path=str(lab.root))
    assert row["message"] == "curl -u ann:*** ***\n\nX-Api-Key: ***\nkeepme"
    assert row["metrics"]["outside/password"] == 0.75
    assert row["metrics"]["outside/api_key"] == "***"
    assert "train ***" in lab.step_names()


def test_names_of_ones_own_are_secret_in_messages_and_metrics_too(lab, outside):
    lab.ws.set_global_param("secrets.names", ["pin"])
    (outside / "results.json").write_text('{"metrics": {"PIN": 4711, "token": 4712}}')

    taken = lab.snapshot("V1", "with pin=4711")

    metadata = lab.metadata(taken.hash)
    assert metadata["message"] == "with pin=***"
    assert metadata["metrics"] == {"PIN": "***", "token": 4712}


def test_a_message_without_secrets_is_kept_as_it_is_and_nothing_is_said_of_it(lab):
    message = "tokens: 5 million\n\n  commit 8f4b2a61c9d0e3f7a5b6c7d8e9f0a1b2c3d4e5f6, lr=3e-4  "

    taken = lab.snapshot("V1", message)

    assert lab.metadata(taken.hash)["message"] == message
    assert taken.notes == ()
