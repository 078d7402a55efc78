"""`undo` brings dump, git's tree and files back; undoing that does the operation again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dws_graph.api.checking import doctor
from dws_graph.api.views import dump_in, graph_rebuild_in, graph_sync_in
from dws_graph.backends.views import Dump, diff_dumps
from dws_graph.errors import ConfigurationError, UserAbort
from dws_graph.workspace.configuring import set_param
from dws_graph.workspace.deleting import delete_snapshot
from dws_graph.workspace.removing import remove_resource
from dws_graph.workspace.renaming import rename_resource
from dws_graph.workspace.tagging import tag_snapshot, untag
from dws_graph.workspace.taking_back import plan_undo, undo_last
from tests.rules.lab import CLEAN, DATA, Lab, git

Do = Callable[[Lab], Any]


@pytest.fixture
def busy(lab: Lab) -> Lab:
    """A workspace with a snapshot, and much that has changed since."""
    out = lab.place / "out"
    out.mkdir()
    lab.ws.add_resource("out", "file", "results", str(out), compute_hash=True)
    lab.step("prepare", ["raw"], [CLEAN], text="first\n")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.step("report", ["raw"], ["out"])
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.write("raw:/deep/b.csv", "3\n")
    lab.step("prepare", ["raw"], [CLEAN], text="second\n")
    lab.results_step([CLEAN], {"accuracy": 0.75})
    lab.write("results:/plots/deep/a.bin", bytes(range(256))).chmod(0o640)
    lab.step("report", ["raw"], ["out"])
    return lab


def files(lab: Lab) -> dict[str, str]:
    """Mode and content of all that a user sees."""
    found = {}
    for path in sorted(lab.place.rglob("*")):
        name = path.relative_to(lab.place).as_posix()
        own = (".git", ".dataworkspace/local", ".dataworkspace/graph", ".dataworkspace/journal")
        if any(f"/{part}/" in f"/{name}/" for part in own) or path.name.startswith(".~"):
            continue
        text = "folder" if path.is_dir() else path.read_bytes().decode("latin-1")
        found[name] = f"{path.lstat().st_mode:o} {text}"
    return found


def tree(lab: Lab) -> list[str]:
    """What git's tree holds beside the journal."""
    listed = git("ls-tree", "-r", "HEAD", cwd=lab.root).splitlines()
    return [line for line in listed if ".dataworkspace/journal/" not in line]


def currents(lab: Lab) -> list[list[Any]]:
    """What is current, and whether the files are those of it."""
    return [
        [
            str(e.ref),
            e.certificate.id,
            e.output,
            e.fingerprint is not None
            and lab.ws.get_resource(e.ref.name).unchanged(e.ref.subpath, e.fingerprint),
        ]
        for e in lab.ws.index.entries(lab.ws.id, lab.ws.instance)
    ]


def state(lab: Lab) -> tuple[Dump, dict[str, Any]]:
    lab.reopen()
    seen = {
        "tree": tree(lab),
        "files": files(lab),
        "status": git("status", "--porcelain", cwd=lab.root),
        "current": currents(lab),
        "params": lab.ws.param_values(),
    }
    return dump_in(lab.ws), seen


def same(one: tuple[Dump, dict[str, Any]], other: tuple[Dump, dict[str, Any]]) -> None:
    for key, value in one[1].items():
        assert other[1][key] == value, key
    assert diff_dumps(one[0], other[0]) == []


def sound(lab: Lab) -> None:
    """Each view folded anew holds the same; nothing is to mend."""
    graph_sync_in(lab.ws, "cypher")
    now = dump_in(lab.ws)
    assert diff_dumps(now, dump_in(lab.ws, "cypher")) == []
    graph_rebuild_in(lab.ws, "index")
    assert diff_dumps(now, dump_in(lab.ws)) == []
    assert [f for f in doctor(str(lab.root)) if f["level"] == "error"] == []


def add(lab: Lab) -> None:
    more = lab.place / "more"
    more.mkdir(exist_ok=True)
    lab.ws.add_resource("more", "file", "source-data", str(more), compute_hash=True)


OPERATIONS: dict[str, Do] = {
    "snapshot": lambda lab: lab.snapshot("V2", "second"),
    "restore": lambda lab: lab.restore("V1"),
    "add": add,
    "config": lambda lab: set_param(lab.ws, "results.dir_template", "snapshots/{TAG}"),
    "config, local": lambda lab: set_param(lab.ws, "hostname", "other"),
    "tag": lambda lab: tag_snapshot(lab.ws, "V1", "best"),
    "tag --delete": lambda lab: untag(lab.ws, "V1"),
    "delete-snapshot": lambda lab: delete_snapshot(lab.ws, "V1"),
    "delete-snapshot, results kept": lambda lab: delete_snapshot(
        lab.ws, "V1", include_resources=False
    ),
    "rename": lambda lab: rename_resource(lab.ws, DATA, "tables"),
    "rename, local files": lambda lab: rename_resource(lab.ws, "raw", "measured"),
    "remove": lambda lab: remove_resource(lab.ws, DATA),
    "remove, its files too": lambda lab: remove_resource(lab.ws, DATA, delete_files=True),
    "remove, its files elsewhere too": lambda lab: remove_resource(
        lab.ws, "raw", delete_files=True
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_undo_takes_an_operation_back_and_again_does_it_again(busy: Lab, name: str):
    (busy.place / "more").mkdir()
    before = state(busy)
    OPERATIONS[name](busy)
    after = state(busy)
    assert before != after

    undo_last(busy.ws)
    same(before, state(busy))
    sound(busy)

    undo_last(busy.ws)
    same(after, state(busy))
    sound(busy)

    undo_last(busy.ws)
    same(before, state(busy))


def test_lineage_goes_on_after_a_snapshot_was_undone(busy: Lab):
    busy.snapshot("V2")
    undo_last(busy.ws)

    busy.step("more", [CLEAN], [f"{DATA}:/more"])
    assert busy.upstream(f"{DATA}:/more").steps == {"more", "prepare"}
    taken = busy.snapshot("V2")

    assert taken.number == 3  # a number is not given twice
    assert busy.upstream(f"{DATA}:/more").steps == {"more", "prepare"}
    sound(busy)


@pytest.mark.parametrize("name", ["snapshot", "restore"])
def test_what_a_step_since_depends_on_is_not_undone(busy: Lab, name: str):
    OPERATIONS[name](busy)
    busy.step("later", ["raw"], [f"{DATA}:/later"])
    before = state(busy)

    with pytest.raises(ConfigurationError, match=r"'later' was recorded since the"):
        undo_last(busy.ws)

    same(before, state(busy))


def test_a_resource_that_a_step_reads_is_not_taken_back(busy: Lab):
    (busy.place / "more").mkdir()
    (busy.place / "more/x").write_text("x")
    add(busy)
    busy.step("other", ["raw"], [f"{DATA}:/other"])
    assert plan_undo(busy.ws).operation == "add"
    busy.step("later", ["more"], [f"{DATA}:/later"])

    with pytest.raises(ConfigurationError, match=r"'later' was recorded since the add"):
        undo_last(busy.ws)


def test_what_a_user_committed_or_edited_since_is_not_taken_back(busy: Lab):
    set_param(busy.ws, "results.dir_template", "snapshots/{TAG}")
    config = busy.root / ".dataworkspace/config.json"
    mine = {**json.loads(config.read_bytes()), "name": "mine"}
    config.write_text(json.dumps(mine))

    with pytest.raises(ConfigurationError, match="was changed since the config"):
        undo_last(busy.ws)
    busy.git("commit", "-qam", "mine")
    with pytest.raises(ConfigurationError, match="was committed since the config"):
        undo_last(busy.ws)

    assert json.loads(config.read_bytes()) == mine


def test_commits_of_other_files_since_are_kept(busy: Lab):
    set_param(busy.ws, "results.dir_template", "snapshots/{TAG}")
    (busy.root / "notes.txt").write_text("mine\n")
    busy.git("add", "notes.txt")
    busy.git("commit", "-qm", "notes", "notes.txt")

    undo_last(busy.ws)

    assert busy.git("show", "HEAD:notes.txt") == "mine"
    assert busy.ws.get_global_param("results.dir_template") == "snapshots/{HOSTNAME}-{TAG}"


def test_a_snapshot_that_was_pushed_is_not_undone(busy: Lab, tmp_path: Path):
    git("init", "-q", "--bare", str(tmp_path / "origin.git"), cwd=tmp_path)
    busy.git("remote", "add", "origin", str(tmp_path / "origin.git"))
    busy.snapshot("V2")
    busy.git("push", "-q", "origin", "HEAD")

    with pytest.raises(ConfigurationError, match="was pushed"):
        undo_last(busy.ws)


def test_results_written_since_a_snapshot_are_not_overwritten(busy: Lab):
    busy.snapshot("V2")
    busy.write("results:/model.bin", "new")

    with pytest.raises(ConfigurationError, match=r"model\.bin was written since the snapshot"):
        undo_last(busy.ws)

    assert busy.path("results:/model.bin").read_text() == "new"


def test_results_changed_since_a_snapshot_was_undone_are_not_put_into_it(busy: Lab):
    busy.snapshot("V2")
    undo_last(busy.ws)
    busy.write("results:/model.bin", "edited since")

    with pytest.raises(ConfigurationError, match="were changed since the snapshot was undone"):
        undo_last(busy.ws)


def test_saying_no_changes_nothing(busy: Lab):
    busy.snapshot("V2")
    before = state(busy)

    with pytest.raises(UserAbort):
        undo_last(busy.ws, confirm=lambda plan: False)

    same(before, state(busy))


def test_where_nothing_was_done_nothing_is_undone(lab: Lab):
    clone = lab.place / "clone"
    git("clone", "-q", str(lab.root), str(clone), cwd=lab.place)
    other = Lab.at(clone)

    with pytest.raises(ConfigurationError, match="nothing was done here"):
        undo_last(other.ws)
    other.close()


def test_a_clone_folds_what_was_undone_to_the_same_graph(busy: Lab):
    clone = busy.place / "clone"
    git("clone", "-q", str(busy.root), str(clone), cwd=busy.place)
    other = Lab.at(clone)
    busy.snapshot("V2")
    other.git("pull", "-q")
    other.reopen()
    undo_last(busy.ws)
    other.git("pull", "-q")
    other.reopen()

    assert [s.tags for s in other.ws.index.snapshots(other.ws.id)] == [("V1",)]
    sound(other)
    other.close()
