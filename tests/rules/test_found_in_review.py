"""Mistakes that a review found, each with the test that would have."""

import json
import os
import subprocess
import threading

import pytest

from dws_graph.errors import ConfigurationError
from dws_graph.lineage import LineageBuilder, ResourceRef
from dws_graph.model.values import clean_text
from dws_graph.workspace import layout
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.intent import Intent, write_intent
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.taking import take_snapshot


@pytest.fixture
def ws(tmp_path):
    root = tmp_path / "ws"
    root.mkdir()
    made = initialize(root, create_resources=["code", "results"])
    yield made
    made.close()


def git(folder, *args):
    subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)


def begin(ws, **kwargs):
    builder = LineageBuilder().with_step_name("s").with_parameters({}).with_no_inputs()
    return builder.with_workspace_directory(str(ws.root)).eval()


def test_a_repository_outside_the_workspace_is_found_again_after_it_was_added(ws, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text("1\n")
    git(outside, "init", "-q")
    git(outside, "add", ".")
    git(outside, "commit", "-q", "-m", "data")

    added = ws.add_resource("outside", "git", "source-data", str(outside))

    assert added.local_path == outside
    take_snapshot(ws, "V1", "")
    with open_workspace(ws.root) as again:
        assert again.get_resource("outside").local_path == outside


def test_two_open_workspaces_add_without_losing_each_others_resources(ws, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with open_workspace(ws.root) as other:
        ws.add_resource("a", "file", "source-data", str(tmp_path / "a"))
        other.add_resource("b", "file", "source-data", str(tmp_path / "b"))

        assert list(other.get_resource_names()) == ["code", "results", "a", "b"]
    listed = json.loads((ws.root / layout.RESOURCES).read_text())
    assert [r["name"] for r in listed] == ["code", "results", "a", "b"]


def test_an_open_workspace_undoes_what_a_killed_process_left_before_it_changes_anything(ws):
    moved = ws.root / "results" / "snapshots" / "x"
    moved.mkdir(parents=True)
    (moved / "r.txt").write_text("r")
    branch = subprocess.run(
        ["git", "symbolic-ref", "HEAD"], cwd=ws.root, capture_output=True, text=True
    ).stdout.strip()
    folder = str(ws.root / "results")
    moves = {folder: [("r.txt", "snapshots/x/r.txt", 0o644)]}
    at = {"instance": ws.instance, "branch": branch, "old": ws.git.head()}
    intent = Intent(operation="snapshot", **at)
    raw = intent.to_json()
    write_intent(ws.root / layout.INTENT, _with_moves(intent, moves))
    assert raw["commit"] is None

    ws.set_local_param("hostname", "elsewhere")

    assert (ws.root / "results" / "r.txt").read_text() == "r"
    assert not (ws.root / layout.INTENT).exists()


def _with_moves(intent, moves):
    from dataclasses import replace

    from dws_graph.resources.moving import Move

    return replace(intent, moves={f: [Move(*m) for m in ms] for f, ms in moves.items()})


def test_a_disk_that_is_full_takes_back_half_a_line_and_nothing_else(ws, monkeypatch):
    before = ws.journal.path.read_bytes()
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:5]))
    ws.journal._head = None

    with pytest.raises(OSError, match="No space left"):
        ws.journal.append([("CurrentSet", {"current": []})])

    monkeypatch.undo()
    assert ws.journal.path.read_bytes() == before


@pytest.mark.parametrize("path", ["../../../etc/passwd", "/etc/passwd", "a/../b", "a/", "./a"])
def test_a_ref_that_is_not_plain_is_refused(ws, path):
    lineage = begin(ws)
    with pytest.raises(ConfigurationError, match=r"not in its plain form|leads out of"):
        lineage.add_output_ref(ResourceRef("results", path))
    lineage.abort()
    take_snapshot(ws, "V1", "")


def test_secrets_in_metrics_and_descriptions_are_taken_out(ws):
    token = "ghp_" + "a1B2" * 9
    builder = LineageBuilder().with_step_name("s").with_parameters({}).with_no_inputs()
    builder.with_workspace_directory(str(ws.root))
    with builder.as_results_step(str(ws.root / "results"), f"with {token}").eval() as lineage:
        lineage.write_results({"api_key": "hunter22", "accuracy": 0.5})

    written = ws.journal.path.read_text() + (ws.root / "results" / "results.json").read_text()
    assert token not in written
    assert "hunter22" not in written
    assert "0.5" in written


def test_a_name_from_a_hostile_file_never_leaves_the_workspace(ws, tmp_path):
    assert layout.snapshot_lineage("h", "../../../../x").count("/") == 3
    assert layout.snapshot_lineage("h", "plain name.v1") == (
        ".dataworkspace/snapshot_lineage/h/plain name.v1.json"
    )


def test_a_surrogate_that_stands_for_no_byte_is_spelled_out():
    assert clean_text("\ud800") == "\\ud800"
    assert clean_text("a\udcff") == "a\\xff"


def test_init_on_a_branch_without_the_workspace_takes_nothing_away(ws):
    git(ws.root, "checkout", "-q", "--orphan", "fresh")
    before = ws.journal.path.read_bytes()

    with pytest.raises(ConfigurationError, match="is a workspace already"):
        initialize(ws.root)

    assert ws.journal.path.read_bytes() == before


def test_a_token_in_the_url_of_a_remote_is_not_committed(ws, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    git(outside, "init", "-q")
    git(outside, "remote", "add", "origin", "https://me:s3cret@example.org/data.git")
    git(outside, "commit", "-q", "--allow-empty", "-m", "data")

    ws.add_resource("outside", "git", "source-data", str(outside))

    written = (ws.root / layout.RESOURCES).read_text()
    assert "s3cret" not in written
    assert "https://example.org/data.git" in written


def test_a_step_may_end_in_another_thread(ws):
    lineage = begin(ws)
    ended = threading.Thread(target=lineage.complete)
    ended.start()
    ended.join()

    ws.catch_up()
    assert [s.name for s in ws.index.steps(ws.id)] == ["s"]


def test_no_step_waits_while_a_person_thinks_about_a_tag(ws):
    take_snapshot(ws, "V1", "")
    ended = []

    def think(question):
        step = threading.Thread(target=lambda: ended.append(begin(ws).complete()))
        step.start()
        step.join(timeout=20)
        return True

    again = take_snapshot(ws, "V2", "", confirm=think)

    assert ended == [None]
    assert again.tags == ("V1", "V2")


def test_what_a_user_wrote_after_a_killed_restore_is_kept(ws, tmp_path):
    (ws.root / "code" / "a.py").write_text("one\n")
    take_snapshot(ws, "V1", "")
    saved = ws.git.head()
    branch = f"refs/heads/{ws.git.branch()}"
    at = {"instance": ws.instance, "branch": branch, "old": saved}
    intent = Intent(operation="restore", **at, save=saved, folders=("code",))
    write_intent(ws.root / layout.INTENT, intent)
    (ws.root / "code" / "a.py").write_text("two\n")
    said = []

    open_workspace(ws.root, notify=said.append).close()

    kept = said[0].rpartition("commit ")[2]
    shown = subprocess.run(
        ["git", "show", f"{kept}:code/a.py"], cwd=ws.root, capture_output=True, text=True
    )
    assert shown.stdout == "two\n"
    assert (ws.root / "code" / "a.py").read_text() == "one\n"
