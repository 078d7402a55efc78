"""push, pull and clone, killed at the moments that matter: the next command goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.rules.lab import TESTS, git
from tests.sharing.team import Person, Team, tip

KILLED = 77
CHILD = f"""
import os, sys
sys.path.insert(0, {str(TESTS)!r})
from dws_graph.backends import faults
from dws_graph.cli.running import run

def hook(point):
    if point == sys.argv[1]:
        os._exit({KILLED})

faults.hook = hook
sys.exit(run(["--batch", *sys.argv[2:]]))
"""


def killed(point: str, *args: str, cwd: Path) -> None:
    """Run a command in a process of its own, which dies at the first fault point of this name."""
    command = [sys.executable, "-c", CHILD, point, *args]
    ran = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == KILLED, (point, ran.stdout, ran.stderr)


def test_a_killed_pull_is_undone_or_finished(both: tuple[Person, Person]):
    ann, bob = both
    before_commit = {"intent written", "resource pulled", "intent names commit"}
    after_commit = {"branch moved", "restoring: unlink", "files written", "index reset"}
    for n, point in enumerate([*sorted(before_commit), *sorted(after_commit)]):
        bob.commit_own(f"{n} own\n")
        bob.write("code/main.py", f"print({n})\n")
        bob.git("commit", "-qam", f"{n}")
        bob.git("push", "-q", "origin", "main")
        bob.git("push", "-q", at="own")
        state = (ann.head(), ann.head("own"), ann.read("own/a.txt"), ann.read("code/main.py"))

        # the first file that is deleted is one of the resource, before the commit
        killed(point, "pull", cwd=ann.root)
        told = ann("report", "status").err

        now = (ann.head(), ann.head("own"), ann.read("own/a.txt"), ann.read("code/main.py"))
        if point in before_commit or point == "restoring: unlink":
            assert "undid an interrupted pull" in told, point
            assert now == state, point
        else:
            assert "finished an interrupted pull" in told, point
            assert now == (bob.head(), bob.head("own"), f"{n} own\n", f"print({n})\n"), point
        ann.check()
        ann("pull")
        assert ann.read("code/main.py") == f"print({n})\n"
        assert ann.read("own/a.txt") == f"{n} own\n"
        ann.check()


def test_in_a_copied_folder_a_killed_undo_of_a_pull_takes_nothing_from_who_began_it(
    both: tuple[Person, Person], team: Team
):
    ann, bob = both
    bob.commit_own("2\n")
    bob.prepare("bob's", "b")
    bob.snapshot("B")
    bob("push")
    ann("pull")
    killed("files written", "undo", cwd=ann.root)
    journal = (ann.root / ".dataworkspace/local/journal.jsonl").read_bytes()
    begun = ann.read(".dataworkspace/local/instance.json")
    shutil.copytree(ann.root, team.place / "copy", symlinks=True)

    copy = team.person("copy")
    told = copy("report", "status").err

    assert "finished an interrupted undo" in told
    kept = copy.root / ".dataworkspace/local/segments" / json.loads(begun)["instance"]
    assert (kept / "0000000001.jsonl").read_bytes() == journal
    assert copy.tags() == [["V1"]]
    copy.dump()
    assert ann.tags() == [["V1"]]
    ann.check()


def test_a_pull_killed_between_a_file_and_its_folder_leaves_no_empty_folder(
    both: tuple[Person, Person],
):
    ann, bob = both
    bob.write("code/old/part.py", "print(1)\n")
    bob.git("add", "code")
    bob.git("commit", "-qm", "a part")
    bob.git("push", "-q", "origin", "main")
    ann("pull")
    bob.git("rm", "-qr", "code/old")
    bob.git("commit", "-qm", "no part")
    bob.git("push", "-q", "origin", "main")

    killed("restoring: rmdir", "pull", cwd=ann.root)

    assert [path.name for path in (ann.root / "code/old").iterdir()] == []
    assert "finished an interrupted pull" in ann("report", "status").err
    assert not (ann.root / "code/old").exists()
    ann.check()


def test_a_killed_push_is_finished_by_the_next(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    for n, point in enumerate(["git: push", "resource pushed", "branch moved"]):
        ann.commit_own(f"{n}\n")
        ann.write("code/main.py", f"print({n})\n")
        ann.snapshot(f"S{n}")
        ann.prepare(f"{n}")
        ann.snapshot(f"T{n}")
        ann.prepare(f"{n}")  # the same again: a fact, and nothing to commit
        killed(point, "push", cwd=ann.root)
        ann("push")
        assert (tip(team.origin), tip(team.own)) == (ann.head(), ann.head("own"))
        ann.check()
    bob("pull")
    assert bob.read("own/a.txt") == "2\n"
    assert len(bob.tags()) == 7


def test_a_killed_clone_leaves_nothing_or_a_workspace(team: Team, ann: Person):
    ann("publish", str(team.origin))
    for point in ("git: clone", "workspace cloned", "clone: rename"):
        killed(point, "clone", str(team.origin), "there", cwd=team.place)
        assert not (team.place / "there").exists()
    team.bob(name="there")
    there = team.person("there")
    assert there.read("own/a.txt") == "1\n"
    assert [p.name for p in team.place.iterdir() if p.name.startswith(".")] == []
    killed("resource cloned", "clone", str(team.origin), "half", cwd=team.place)
    half = team.person("half")
    half("pull")
    assert half.read("own/a.txt") == "1\n"
    half.check()


def test_a_resource_that_a_killed_clone_has_brought_is_taken_by_the_next_pull(
    team: Team, ann: Person
):
    git("clone", "-q", str(team.own), str(team.place / "lib"), cwd=team.place)
    (team.place / "lib/x").write_text("x")
    git("add", ".", cwd=team.place / "lib")
    git("commit", "-qm", "x", cwd=team.place / "lib")
    ann("add", "git", "--role", "c", "--name", "lib", str(team.place / "lib"))
    ann("remove", "own")
    ann("publish", str(team.origin))
    url = str(team.origin)
    killed("write_atomic: create exclude", "clone", url, "half", cwd=team.place)
    half = team.person("half")
    assert half.read("lib/x") == "x"

    half("pull")

    half.check()
    assert '"lib"' in half.read(".dataworkspace/resource_local_params.json")
