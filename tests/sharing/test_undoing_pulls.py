"""`dws undo` of a pull: branch, files, repositories and lineage are those of before it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rules.lab import git
from tests.sharing.team import Person, Team

Both = tuple[Person, Person]


def state(person: Person) -> dict[str, Any]:
    """Everything that a pull changes, and that undoing it brings back."""
    files = {
        str(path.relative_to(person.root)): path.read_bytes()
        for path in sorted(person.root.rglob("*"))
        if path.is_file()
        and not {".git", ".dataworkspace"} & {*path.relative_to(person.root).parts}
    }
    return {
        "head": person.head(),
        "own": person.head("own"),
        "status": person.git("status", "--porcelain"),
        "files": files,
        "history": person.json("report", "history"),
        "resources": person.json("report", "status")["resources"],
        "dump": person.dump(),
        "local": json.loads(person.read(".dataworkspace/local_params.json")),
        "places": json.loads(person.read(".dataworkspace/resource_local_params.json")),
    }


def same(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """All but the commit, which another merge makes anew."""
    for what in wanted.keys() - {"head"}:
        assert found[what] == wanted[what], what


def apart(both: Both) -> Both:
    """What each did alone: a merge, for who pulls."""
    ann, bob = both
    ann.prepare("ann's", "a")
    ann.snapshot("A")
    ann.prepare("not in a snapshot yet", "later")
    ann.git("add", "intermediate-data")
    ann.git("commit", "-qm", "by hand")
    bob.commit_own("2\n")
    bob.prepare("bob's", "b")
    bob.snapshot("B")
    bob("tag", "B", "best")
    bob("push")
    return ann, bob


def test_all_is_as_before_the_pull_and_another_pull_brings_it_again(both: Both):
    ann, bob = apart(both)
    before = state(ann)
    ann("pull")
    after = state(ann)
    assert after["head"] != before["head"]
    assert after["own"] != before["own"]
    assert ann.upstream("intermediate-data/b") == {"make b"}

    plan = ann("undo", "--dry-run").out
    assert state(ann) == after
    done = ann("undo").out

    assert plan.splitlines()[0].startswith("Undo: pull of ")
    assert "  delete   intermediate-data/b/data" in plan.splitlines()
    assert "  restore  the files of own" in plan.splitlines()
    assert done.startswith("Undone: pull of ")
    assert "own" in done
    assert state(ann) == before
    assert ann.upstream("intermediate-data/later") == {"make later"}
    assert "All is well" in ann("doctor").out
    told = [(row["what"], row["details"], row["undone"]) for row in ann.json("log")[:2]]
    assert told == [
        ("undo", "pull undone", False),
        ("pull", "intermediate-data, own", True),
    ]

    assert ann("undo", "--dry-run").out.startswith("Do again: pull of ")
    assert ann("undo").out.startswith("Done again: pull of ")
    assert ann.head() == after["head"]
    same(state(ann), after)
    assert ann.upstream("intermediate-data/b") == {"make b"}
    assert "All is well" in ann("doctor").out
    assert ann("undo").out.startswith("Undone: pull of ")
    assert state(ann) == before

    assert ann("pull").out.startswith("Pulled the workspace from")
    same(state(ann), after)
    ann.snapshot("C")
    for person in (ann, bob, ann, bob):
        person("pull")
        person("push")
    assert bob.dump() == ann.dump()
    bob.check()


def test_what_only_the_origin_had_is_not_known_any_more(both: Both):
    ann, bob = both
    bob.prepare("bob's", "b")
    bob.snapshot("B")
    bob("push")
    before = state(ann)
    ann("pull")
    ann("lineage", "query", "MATCH (n) RETURN count(n)")
    ann("undo")

    assert state(ann) == before
    assert ann.tags() == [["V1"]]
    counted = ann.json("lineage", "query", "MATCH (s:Snapshot) RETURN count(s) AS found")
    assert counted["rows"] == [[1]]
    assert "dws pull" in ann.refused("push")
    ann.git("merge", "-q", "--ff-only", f"origin/{ann.git('branch', '--show-current')}")
    ann("pull")  # the merge by hand is news
    assert ann.upstream("intermediate-data/b") == {"make b"}
    assert ann("lineage", "stale", "--exit-code").status == 0


def test_a_resource_that_was_renamed_there_has_its_name_again(both: Both):
    ann, bob = both
    bob("rename", "own", "measured")
    bob("push")
    before = state(ann)
    ann("pull")
    assert ann.upstream("measured") == set()
    ann("undo")
    assert state(ann) == before
    ann("undo")
    assert ann.upstream("measured") == set()
    ann("undo")
    assert state(ann) == before
    ann("pull")
    assert [r["name"] for r in ann.json("report", "status")["resources"]].count("measured") == 1
    ann.check()


@pytest.mark.parametrize("again", ["pull", "undo"])
def test_a_resource_that_the_pull_cloned_stays_on_disk(both: Both, team: Team, again: str):
    ann, bob = both
    git("init", "-q", "--bare", str(team.place / "more.git"), cwd=team.place)
    git("clone", "-q", str(team.place / "more.git"), str(bob.root / "more"), cwd=team.place)
    bob.write("more/b.txt", "b\n")
    bob.git("add", ".", at="more")
    bob.git("commit", "-qm", "first", at="more")
    bob("add", "git", "--role", "s", "more")
    bob("push")
    before = state(ann)
    ann("pull")
    more = ann.root / "more" / "b.txt"
    assert more.read_text() == "b\n"

    plan = ann("undo", "--dry-run").out
    ann("undo")

    assert f"  leave    {more.parent}, which the pull has cloned" in plan.splitlines()
    found = state(ann)
    assert found["files"].pop("more/b.txt") == b"b\n"
    assert found.pop("status") in ("", "?? more/")
    before.pop("status")
    assert found == before
    if again == "pull":
        ann("pull")
    else:
        ann("undo")
    assert more.read_text() == "b\n"
    assert "more" in [r["name"] for r in ann.json("report", "status")["resources"]]
    ann.check()


@pytest.mark.parametrize("since", ["step", "commit", "edit", "commit in own", "edit in own"])
def test_what_came_since_the_pull_keeps_it(both: Both, since: str):
    ann, _ = apart(both)
    ann("pull")
    if since == "step":
        ann.prepare("built on it", "c")
    elif since == "commit":
        ann.write("code/main.py", "print(2)\n")
        ann.git("commit", "-qam", "mine")
    elif since == "edit":
        ann.write("intermediate-data/b/data", "mine\n")
    elif since == "commit in own":
        ann.commit_own("mine\n")
    else:
        ann.write("own/a.txt", "mine\n")
    before = state(ann)

    told = ann.refused("undo")

    named = {
        "step": "'make c' was recorded since the pull",
        "commit": "there are commits since the pull",
        "edit": "undoing the pull would change intermediate-data/b/data",
        "commit in own": "there are commits in",
        "edit in own": "own",
    }
    assert named[since] in told
    assert state(ann) == before
