"""pull: what comes keeps its lineage; what went apart is merged, or refused with what to do."""

from __future__ import annotations

import json

import pytest

from tests.rules.lab import git
from tests.sharing.team import Person, Team, tip

Both = tuple[Person, Person]


def settle(*people: Person) -> None:
    """Pull and push until nobody has anything new."""
    for _ in range(2):
        for person in people:
            person("pull")
            person("push")
    people[0]("pull")


def test_what_was_pulled_has_its_lineage_at_once(both: Both):
    ann, bob = both
    bob.commit_own("2\n")
    bob.prepare("bob's")
    bob.snapshot("V2")
    bob("push")

    ran = ann("pull")

    assert ran.out.startswith("Pulled the workspace from")
    assert "files was left out: it has no remote" in ran.err
    assert ann.read("intermediate-data/clean/data") == "2\nbob's\n"
    assert ann.tags() == [["V2"], ["V1"]]
    assert ann.upstream("intermediate-data/clean") == {"make clean"}
    ups = ann.json("lineage", "upstream", "intermediate-data/clean")
    assert {n["name"] for n in ups["nodes"]} >= {"own"}
    assert ann("lineage", "stale", "--exit-code").status == 0
    ann.check()
    ann.prepare("again", "next")  # what it reads is the pulled version
    ann.snapshot("V3")
    settle(ann, bob)
    assert ann.dump() == bob.dump()
    assert bob.upstream("intermediate-data/next") == {"make next"}


def test_pull_with_nothing_new(both: Both):
    ann, _ = both
    assert ann("pull").out.startswith("Nothing is new")


def test_two_snapshot_at_once_and_both_push(both: Both):
    ann, bob = both
    ann.prepare("ann's", "a")
    ann.write("code/main.py", "print(1)\nprint('ann')\n")
    bob.prepare("bob's", "b")
    bob.write("code/other.py", "print('bob')\n")
    ann.snapshot("A")
    bob.snapshot("B")
    ann("push")
    assert "dws pull" in bob.refused("push")

    bob("pull")
    assert bob.read("code/main.py") == "print(1)\nprint('ann')\n"
    assert bob.read("code/other.py") == "print('bob')\n"
    bob("push")
    ann("pull")
    settle(bob, ann)

    for person in (ann, bob):
        assert person.upstream("intermediate-data/a") == {"make a"}
        assert person.upstream("intermediate-data/b") == {"make b"}
        reasons = {r["reason"] for s in person.json("lineage", "stale") for r in s["reasons"]}
        assert reasons == {"code changed"}  # into what neither has run
        person.check()
    assert ann.history() == bob.history()
    assert sorted(ann.tags()) == [["A"], ["B"], ["V1"]]
    assert ann.dump() == bob.dump()


def test_resources_and_parameters_are_merged_by_content(team: Team, both: Both):
    ann, bob = both
    for person in both:
        name = person.root.name
        git("init", "-q", "--bare", str(team.place / f"{name}-data.git"), cwd=team.place)
        git("clone", "-q", str(team.place / f"{name}-data.git"), f"{name}-data", cwd=person.root)
        person.write(f"{name}-data/x", name)
        person.git("add", ".", at=f"{name}-data")
        person.git("commit", "-qm", name, at=f"{name}-data")
        person("add", "git", "--role", "s", f"{name}-data")
    ann("config", "results.dir_template", "snapshots/{TAG}")
    bob("config", "results.move_exclude_files", "README.md")
    ann("tag", "V1", "ann-likes-it")
    bob("tag", "V1", "bob-likes-it")
    ann("push")

    ran = bob("pull")

    assert "ann-data is now in" in ran.err
    assert bob.read("ann-data/x") == "ann"
    names = [r["name"] for r in json.loads(bob.read(".dataworkspace/resources.json"))]
    assert names[-2:] == ["ann-data", "bob-data"]
    params = json.loads(bob.read(".dataworkspace/config.json"))["global_params"]
    assert params["results.dir_template"] == "snapshots/{TAG}"
    assert params["results.move_exclude_files"] == ["README.md"]
    assert {"/ann-data", "/bob-data"} <= set(bob.read(".gitignore").splitlines())
    settle(bob, ann)
    assert ann.read("bob-data/x") == "bob"
    assert sorted(ann.tags()[0]) == ["V1", "ann-likes-it", "bob-likes-it"]
    assert ann.history() == bob.history()
    assert ann.dump() == bob.dump()
    bob.check()


def test_a_conflict_over_a_file_that_is_gone_at_the_origin_says_what_to_type(both: Both):
    ann, bob = both
    ann.git("rm", "-q", "code/main.py")
    ann.git("commit", "-qm", "no code")
    ann("push")
    bob.write("code/main.py", "print(2)\n")
    bob.snapshot("bob")

    assert "To take the origin's: git rm -- code/main.py, and commit it" in bob.refused("pull")

    bob.git("rm", "-q", "--", "code/main.py")
    bob.git("commit", "-qm", "no code")
    bob("pull")
    bob.check()


def test_a_resource_of_its_own_is_merged_too(team: Team, both: Both):
    ann, bob = both
    ann.write("own/new.txt", "ann\n")
    ann.git("add", ".", at="own")
    ann.git("commit", "-qm", "ann", at="own")
    bob.commit_own("2\n")
    bob("push")

    ann("pull")

    assert (ann.read("own/new.txt"), ann.read("own/a.txt")) == ("ann\n", "2\n")
    assert len(ann.git("rev-list", "--parents", "-1", "HEAD", at="own").split()) == 3
    ann.check()


@pytest.mark.parametrize("path", ["code/main.py", "own/a.txt", "intermediate-data/clean/data"])
def test_a_conflict_is_refused_and_what_is_told_works(both: Both, path: str):
    ann, bob = both
    for person in both:
        person.write(path, f"{person.root.name}\n")
        if path.startswith("own"):
            person.git("commit", "-qam", "mine", at="own")
        person.snapshot(person.root.name)
    ann("push")
    heads = bob.head(), bob.head("own")
    at, _, file = path.partition("/") if path.startswith("own") else (".", "", path)

    err = bob.refused("pull")

    what = "resource 'own'" if at == "own" else "the workspace"
    assert f"{file} of {what} was changed both here and at its origin" in err
    assert (bob.head(), bob.head("own")) == heads
    assert bob.read(path) == "bob\n"
    bob.check()
    command = "-C " + str(bob.root / "own") + " " if at == "own" else ""
    assert f"git {command}checkout origin/main -- {file}" in err
    bob.git("checkout", "origin/main", "--", file, at=at)
    bob.git("commit", "-qm", "theirs", at=at)
    bob("pull")
    bob("push")
    assert bob.read(path) == "ann\n"
    bob.check()


def test_a_tag_that_both_gave_is_refused_and_what_is_told_works(both: Both):
    ann, bob = both
    ann.write("code/a.py", "a\n")
    bob.write("code/b.py", "b\n")
    ann.snapshot("best")
    bob.snapshot("best")
    (mine,) = [row["hash"] for row in bob.json("report", "history") if row["tags"] == ["best"]]
    ann("push")

    err = bob.refused("pull")

    assert f"the tag 'best' names snapshot {mine[:8]} here" in err
    assert f"dws tag {mine[:8]} NEW_TAG; dws tag --delete best" in err
    bob("tag", mine[:8], "bobs-best")
    bob("tag", "--delete", "best")
    bob("pull")
    settle(bob, ann)
    assert sorted(ann.tags()) == [["V1"], ["best"], ["bobs-best"]]
    assert ann.history() == bob.history()
    assert ann.dump() == bob.dump()
    bob.check()


def test_both_take_the_snapshot_of_the_same_content(both: Both):
    ann, bob = both
    for person in both:
        person.write("code/same.py", "same\n")
        person.snapshot(person.root.name)
    ann("push")
    bob("pull")
    settle(bob, ann)
    assert sorted(map(sorted, ann.tags())) == [["V1"], ["ann", "bob"]]
    assert ann.history() == bob.history()
    assert ann.dump() == bob.dump()


def test_names_that_differ_by_case_alone_are_refused(team: Team, both: Both):
    ann, bob = both
    for person, name in ((ann, "Extra"), (bob, "extra")):
        person.write(f"in-{person.root.name}/x", name)
        person("add", "git", "--role", "s", "--name", name, f"in-{person.root.name}")
    ann("push", "--skip", "Extra")
    head = bob.head()
    err = bob.refused("pull", "--skip", "extra")
    assert "a resource named 'extra' was added here, and one named 'Extra' at the origin" in err
    assert "dws rename extra NAME" in err
    assert bob.head() == head


def test_a_rewritten_history_is_named_and_nothing_is_lost(team: Team, both: Both):
    ann, bob = both
    ann.write("code/a.py", "a\n")
    ann.snapshot("A")
    ann("push")
    bob("pull")
    ann.git("reset", "-q", "--hard", "HEAD~3")
    ann.git("commit", "-q", "--allow-empty", "-m", "rewritten")
    ann.git("push", "-qf", "origin", "main")
    head = bob.head()

    for command in ("pull", "push"):
        err = bob.refused(command)
        if command == "pull":
            assert "was rewritten at its origin" in err
            assert "git merge origin/main" in err
    assert bob.head() == head
    assert bob.read("code/a.py") == "a\n"
    bob.git("merge", "-q", "origin/main")
    bob("pull")
    bob("push")
    assert tip(team.origin) == bob.head()
    bob.check()


def test_a_history_that_was_cut_off_is_not_put_back_unasked(team: Team, both: Both):
    ann, bob = both
    ann.write("code/a.py", "a\n")
    ann.snapshot("A")
    ann("push")
    bob("pull")
    git("update-ref", "refs/heads/main", "main~2", cwd=team.origin)
    for command in ("pull", "push"):
        err = bob.refused(command)
        assert "was rewritten at its origin" in err
        assert "git push origin main" in err
    bob.git("push", "-q", "origin", "main")
    bob("pull")
    bob("push")


def test_files_of_the_user_outside_of_resources(both: Both):
    ann, bob = both
    bob.write("notes.md", "bob's\n")
    bob.write("tool.sh", "#!/bin/sh\n").chmod(0o755)
    bob.git("add", "notes.md", "tool.sh")
    bob.git("commit", "-qm", "notes")
    bob("push")
    ann.write("notes.md", "ann's\n")
    ann.write("other.md", "not committed\n")
    head = ann.head()

    err = ann.refused("pull")
    assert "the pull would change notes.md" in err
    assert ann.head() == head
    assert ann.read("notes.md") == "ann's\n"

    (ann.root / "notes.md").unlink()
    ann("pull")
    assert ann.read("notes.md") == "bob's\n"
    assert (ann.root / "tool.sh").stat().st_mode & 0o111
    assert ann.git("status", "--porcelain") == "?? other.md"

    bob.git("rm", "-q", "notes.md")
    bob.git("commit", "-qm", "no notes")
    bob("pull")
    bob("push")
    ann("pull")
    assert not (ann.root / "notes.md").exists()


def test_a_hand_made_merge_is_taken_as_a_pull(both: Both):
    ann, bob = both
    bob.prepare("bob's")
    bob.snapshot("V2")
    bob("push")
    ann.git("fetch", "-q")
    ann.git("merge", "-q", "origin/main")
    ann("pull")
    assert ann.upstream("intermediate-data/clean") == {"make clean"}
    ann("lineage", "stale", "--exit-code")
    ann.check()


def test_what_is_current_is_unknown_when_its_content_is(both: Both):
    ann, bob = both
    bob.write("intermediate-data/clean/data", "by hand\n")
    bob.git("commit", "-qam", "by hand")
    bob("push")
    ann("pull")
    assert "no lineage of intermediate-data:/clean is known" in ann.refused(
        "lineage", "upstream", "intermediate-data/clean"
    )


def test_what_belongs_to_one_copy_is_refused(team: Team, both: Both):
    ann, bob = both
    path = ".dataworkspace/local/journal.jsonl"
    ann.git("add", "-f", path)
    ann.git("commit", "-qm", "by mistake")
    ann.git("push", "-q", "origin", "main")
    before = bob.read(path)
    err = bob.refused("pull")
    assert f"the origin has {path}, which belongs to one copy alone" in err
    assert bob.read(path) == before


def test_facts_that_nobody_of_that_name_recorded_are_refused(team: Team, both: Both):
    ann, bob = both
    (segment,) = [p for p in (bob.root / ".dataworkspace/local/segments").glob("*/*.jsonl")][:1]
    instance = json.loads(bob.read(".dataworkspace/local/instance.json"))["instance"]
    for text, told in (
        (segment.read_text(), "facts of another workspace or copy"),
        (segment.read_text().replace(segment.parent.name, instance), "that it never recorded"),
    ):
        ann.write(f".dataworkspace/journal/{instance}/0000000001.jsonl", text)
        ann.git("add", "-A")
        ann.git("commit", "-qm", "lies")
        ann.git("push", "-q", "origin", "main")
        assert told in bob.refused("pull")
    bob.check()
