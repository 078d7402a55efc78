"""A process killed anywhere leaves the state before or the state after."""

from __future__ import annotations

from pathlib import Path

import pytest

from dws_graph.backends.git.command import MANY
from dws_graph.workspace.opening import open_workspace
from tests.rules.lab import CLEAN, Lab, check_journal, files_below, fresh_dump, git, python

KILLED = """
import os, signal, sys
from pathlib import Path
from dws_graph.backends import faults
from tests.rules.lab import Lab

root, operation, point, nth = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
lab = None if operation == "open" else Lab.at(root)
seen = 0

def fault(now):
    global seen
    if now == point:
        seen += 1
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

faults.hook = fault
if operation == "snapshot":
    lab.snapshot("V2", "second")
elif operation == "restore":
    lab.restore("V1")
elif operation == "add":
    more = lab.place / "more"
    more.mkdir()
    (more / "x.csv").write_text("x")
    lab.ws.add_resource("more", "file", "source-data", str(more), compute_hash=True)
elif operation == "open":
    Lab.at(root)
elif operation == "undo":
    from dws_graph.workspace.taking_back import undo_last
    undo_last(lab.ws)
elif operation == "tag":
    from dws_graph.workspace.tagging import tag_snapshot
    tag_snapshot(lab.ws, "V1", "best")
print("alive")
"""

COMMIT_POINT = "branch moved"
AFTER = [COMMIT_POINT, "journal appended", "files written", "index reset"]
SNAPSHOT = ["intent written", "results moved", "content committed", "intent names commit", *AFTER]
MOVED_TWICE = ("results moved", 2)  # of two results resources
RESTORE = ["intent written", "resource restored", "intent names commit", *AFTER]
CHANGE = ["intent names commit", *AFTER]


def grown(place: Path) -> Lab:
    """A workspace with a snapshot, and much that changed since."""
    lab = Lab(place)
    out = place / "out"
    out.mkdir()
    lab.ws.add_resource("out", "file", "results", str(out), compute_hash=True)
    lab.step("prepare", ["raw"], [CLEAN], text="first\n")
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.write("code:/more/new.py", "new\n")
    lab.step("prepare", ["raw"], [CLEAN], text="second\n")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.write("results:/plots/deep/a.bin", bytes(range(256)))
    (lab.path("results") / "empty").mkdir()
    lab.step("report", ["raw"], ["out"])
    (lab.root / "notes.txt").write_text("mine\n")
    lab.git("add", "notes.txt")
    return lab


def state(lab: Lab) -> dict[str, object]:
    """What a user sees of it."""
    folders = sorted(
        str(p.relative_to(lab.root))
        for p in lab.root.rglob("*")
        if p.is_dir() and ".git" not in p.parts and ".dataworkspace" not in p.parts
    )
    results = [p for p in lab.path("results").rglob("*") if p.is_file()]
    return {
        "files": files_below(lab.root),
        "folders": folders,
        "modes": {str(p.relative_to(lab.root)): p.stat().st_mode for p in results},
        "status": lab.status(),
        "out": files_below(lab.path("out")),
        "metadata": sorted(
            str(p.relative_to(lab.root))
            for p in (lab.root / ".dataworkspace").rglob("*.json")
            if not {"local", "graph", "journal"} & set(p.relative_to(lab.root).parts)
        ),
        "resources": list(lab.ws.get_resource_names()),
        "entries": {
            str(e.ref): (e.certificate.status, e.output)
            for e in lab.ws.index.entries(lab.ws.id, lab.ws.instance)
        },
    }


def kill(lab: Lab, operation: str, point: str, nth: int = 1) -> None:
    process = python(KILLED, lab.root, operation, point, str(nth))
    out, err = process.communicate(timeout=60)
    assert process.returncode == -9, (out, err)


def check_sound(lab: Lab) -> None:
    check_journal(lab.root)
    assert fresh_dump(lab.ws) == lab.ws.index.dump()
    assert not (lab.root / ".dataworkspace/local/intent.json").exists()
    lab.git("fsck", "--strict")
    for path in (lab.root / ".dataworkspace").rglob("*"):
        assert not path.name.endswith(".tmp")


def check_goes_on(lab: Lab) -> None:
    """Everything works after it as if nothing had been."""
    lab.step("goes on", ["raw"], ["intermediate-data:/on"])
    lab.write("code:/prep.py", "n = 9\n")
    lab.snapshot("V9")
    check_sound(lab)
    folder = lab.root / f".dataworkspace/journal/{lab.ws.instance}"
    sealed = b"".join(p.read_bytes() for p in sorted(folder.iterdir()))
    assert sealed.splitlines() == lab.journal_lines()  # nothing lost, nothing twice
    assert lab.status() == "A  notes.txt"


@pytest.mark.parametrize(("point", "nth"), [*((point, 1) for point in SNAPSHOT), MOVED_TWICE])
def test_a_killed_snapshot_is_as_before_or_after(tmp_path, point, nth):
    lab = grown(tmp_path)
    before, head = state(lab), lab.git("rev-parse", "HEAD")
    journal = lab.journal_lines()
    lab.close()
    kill(lab, "snapshot", point, nth)
    told: list[str] = []
    lab.ws = open_workspace(lab.root, notify=told.append)

    check_sound(lab)
    assert len(told) == 1
    if point in AFTER:
        assert "snapshot" in told[0]
        assert lab.git("rev-list", "--count", f"{head}..HEAD") == "2"
        after = state(lab)
        assert after["status"] == "A  notes.txt"
        assert lab.ws.index.snapshots(lab.ws.id)[-1].tags == ("V2",)
        assert "results/snapshots/bench-V2/model.bin" in after["files"]
        assert "results/model.bin" not in after["files"]
        assert "snapshots/bench-V2/lineage.json" in after["out"]
        assert lab.snapshot("V2b").is_new is False
    else:
        assert lab.git("rev-parse", "HEAD") == head
        assert lab.journal_lines() == journal
        assert state(lab) == before
        assert lab.snapshot("V2").is_new
    check_goes_on(lab)
    lab.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", RESTORE)
def test_a_killed_restore_is_as_before_or_after(tmp_path, point):
    lab = grown(tmp_path)
    lab.write("code:/not_committed.py", "mine\n")
    before, head = state(lab), lab.git("rev-parse", "HEAD")
    lab.close()
    kill(lab, "restore", point)
    lab.ws = open_workspace(lab.root)

    check_sound(lab)
    if point in AFTER:
        assert lab.path("code:/prep.py").read_text() == "n = 1\n"
        assert not lab.path("code:/more/new.py").exists()
        assert lab.path(f"{CLEAN}/data.txt").read_text() == "first\n"
        assert lab.path("results:/plots/deep/a.bin").exists()
        assert lab.git("show", "HEAD~1:code/not_committed.py") == "mine"
        assert lab.upstream(CLEAN).steps == {"prepare"}
        assert "code" not in lab.status()
        assert lab.git("rev-parse", "HEAD:code") == lab.git(
            "rev-parse", f"{lab.metadata(first(lab))['restore_hashes']['code']}:code"
        )
    else:
        assert lab.git("rev-parse", "HEAD") == head
        assert state(lab) == before
    check_goes_on(lab)
    lab.close()


def folders_below(root: Path) -> set[str]:
    below = [path.relative_to(root) for path in root.rglob("*") if path.is_dir()]
    return {str(path) for path in below if path.parts[0] != ".git"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "point"), [("restore", "intent names commit"), ("undo", "files taken back")]
)
def test_a_recovery_killed_between_a_file_and_its_folder_leaves_no_empty_folder(
    tmp_path, operation, point
):
    lab = Lab(tmp_path)
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.txt").write_text("a\n")
    git("init", "-q", cwd=own)
    git("add", ".", cwd=own)
    git("commit", "-qm", "first", cwd=own)
    lab.ws.add_resource("own", "git", "source-data", str(own))
    places = [own, lab.path("code")]
    for place in places:
        (place / "old").mkdir()
        (place / "old/a.txt").write_text("a\n")
    lab.snapshot("V1")
    for place in places:
        (place / "old").rename(place / "new")  # each way a folder comes, and another goes
    if operation == "undo":
        lab.restore("V1")
    before = [(files_below(place), folders_below(place)) for place in places]
    lab.close()
    kill(lab, operation, point)
    kill(lab, "open", "restoring: rmdir")  # in the repository
    kill(lab, "open", "restoring: rmdir", 2)  # in the folder, when the first is over
    lab.ws = open_workspace(lab.root)

    check_sound(lab)
    assert [(files_below(place), folders_below(place)) for place in places] == before
    lab.close()


def first(lab: Lab) -> str:
    return lab.ws.index.snapshots(lab.ws.id)[0].hash


@pytest.mark.slow
@pytest.mark.parametrize("point", AFTER[1:])
def test_a_recovery_that_is_killed_too_is_finished_by_the_next(tmp_path, point):
    lab = grown(tmp_path)
    lab.close()
    kill(lab, "snapshot", COMMIT_POINT)
    kill(lab, "open", point)
    kill(lab, "open", point)
    lab.ws = open_workspace(lab.root)
    check_sound(lab)
    assert lab.status() == "A  notes.txt"
    assert [f["body"]["tag"] for f in check_journal(lab.root) if "number" in f["body"]] == [
        "V1",
        "V2",
    ]
    check_goes_on(lab)
    lab.close()


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["add", "tag"])
@pytest.mark.parametrize("point", CHANGE)
def test_a_killed_change_is_as_before_or_after(tmp_path, operation, point):
    lab = grown(tmp_path)
    before, head = state(lab), lab.git("rev-parse", "HEAD")
    lab.close()
    kill(lab, operation, point)
    lab.ws = open_workspace(lab.root)

    check_sound(lab)
    tags = lab.ws.index.snapshots(lab.ws.id)[0].tags
    done = point in AFTER
    assert ("more" in lab.ws.get_resource_names()) is (done and operation == "add")
    assert ("best" in tags) is (done and operation == "tag")
    if not done:
        assert lab.git("rev-parse", "HEAD") == head
        assert state(lab) == before
    assert state(lab)["status"] == before["status"]
    check_goes_on(lab)
    lab.close()


@pytest.mark.parametrize("point", ["branch moved", "journal appended"])
def test_a_step_goes_on_after_a_killed_snapshot_without_opening_anew(tmp_path, point):
    """A step needs the journal's lock alone: it too finds what the commit has sealed."""
    lab = grown(tmp_path)
    lineage = lab.begin("under way", ["raw"])
    kill(lab, "snapshot", point)
    lineage.complete()
    facts = check_journal(lab.root)
    assert [f["kind"] for f in facts[-2:]] == ["SnapshotTaken", "StepCompleted"]
    lab.reopen()
    check_sound(lab)
    check_goes_on(lab)
    lab.close()


@pytest.mark.slow
@pytest.mark.parametrize("point", ["intent written", "results moved", "intent names commit"])
def test_a_step_goes_on_after_a_snapshot_killed_before_its_commit(tmp_path, point):
    lab = grown(tmp_path)
    lineage = lab.begin("under way", ["raw"])
    kill(lab, "snapshot", point)
    lineage.complete()
    facts = check_journal(lab.root)
    assert facts[-1]["kind"] == "StepCompleted"
    assert all(f["kind"] != "SnapshotTaken" or f["body"]["tag"] == "V1" for f in facts)
    lab.reopen()
    assert lab.path("results:/model.bin").exists()
    check_goes_on(lab)
    lab.close()


@pytest.mark.slow
def test_killed_with_the_index_of_many_new_files_written_beside(tmp_path):
    lab = grown(tmp_path)
    for n in range(MANY):
        lab.write(f"code:/many/{n}", f"{n}\n")
    lab.git("rm", "--cached", "notes.txt")  # nothing else is staged
    kill(lab, "snapshot", "index written")

    lab.reopen()
    assert lab.status() == "?? notes.txt"
    lab.git("add", "notes.txt")
    check_sound(lab)
    check_goes_on(lab)
    lab.close()
