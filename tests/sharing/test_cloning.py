"""clone: everything that can be brought is, and the rest is named."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.rules.lab import git
from tests.sharing.team import Person, Team


def test_a_clone_has_history_lineage_and_resources(team: Team, both: tuple[Person, Person]):
    _, bob = both
    assert bob.tags() == [["V1"]]
    assert bob.read("own/a.txt") == "1\n"
    assert bob.upstream("intermediate-data/clean") == {"make clean"}
    assert bob("lineage", "stale", "--exit-code").status == 0
    assert json.loads(bob.read(".dataworkspace/local_params.json"))["hostname"] == "bob"
    assert sorted(p.name for p in team.place.iterdir() if p.name.startswith(".")) == []
    bob.check()
    bob("restore", "V1")


def test_what_cannot_be_brought_is_named_and_pull_brings_it_later(team: Team, ann: Person):
    ann("publish", str(team.origin))
    team.own.rename(team.place / "away.git")
    shutil.move(team.place / "files", team.place / "moved")
    team.bob()
    bob = team.person("bob")
    assert bob.tags() == [["V1"]]
    err = bob("pull").err
    assert "own was left out" in err
    assert "is not on this machine" in err
    assert "files was left out: the files of resource 'files' are not here" in err
    (team.place / "away.git").rename(team.own)
    shutil.move(team.place / "moved", team.place / "files")
    assert "own is now in" in bob("pull").err
    assert bob.read("own/a.txt") == "1\n"
    assert bob.upstream("intermediate-data/clean") == {"make clean"}


def test_what_is_no_workspace_is_not_brought(team: Team, ann: Person):
    ann("publish", str(team.origin))
    empty = team.place / "empty.git"
    git("init", "-q", "--bare", str(empty), cwd=team.place)
    for url, told in (
        (str(empty), "is empty"),
        (str(team.own), "is not a workspace: it has no .dataworkspace/config.json"),
    ):
        assert told in ann.refused("clone", url, "../there")
        assert not (team.place / "there").exists()
    taken = team.place / "taken"
    taken.mkdir()
    (taken / "mine").write_text("mine")
    assert "is there already" in ann.refused("clone", str(team.origin), str(taken))
    assert (taken / "mine").read_text() == "mine"
    assert [p.name for p in team.place.iterdir() if p.name.startswith(".")] == []


def test_a_repository_outside_of_the_workspace(team: Team, ann: Person):
    bare, work = team.place / "code.git", team.place / "code"
    git("init", "-q", "--bare", str(bare), cwd=team.place)
    git("clone", "-q", str(bare), str(work), cwd=team.place)
    (work / "x").write_text("x")
    git("add", ".", cwd=work)
    git("commit", "-qm", "x", cwd=work)
    ann("add", "git", "--role", "c", "--name", "lib", str(work))
    ann("publish", str(team.origin))
    bob = team.bob()
    assert bob.read("lib/x") == "x"  # where --batch puts it
    assert bob.git("status", "--porcelain") == ""


def test_hooks_and_submodules_are_left_alone(team: Team, ann: Person):
    other = team.place / "other.git"
    git("init", "-q", "--bare", str(other), cwd=team.place)
    module = f'[submodule "x"]\n\tpath = x\n\turl = {other}\n'
    ann.write(".gitmodules", module)
    ann.git("update-index", "--add", "--cacheinfo", f"160000,{ann.head()},x")
    ann.git("add", ".gitmodules")
    ann.git("commit", "-qm", "a submodule")
    ann("publish", str(team.origin))
    bob = team.bob()
    assert not (bob.root / ".git/modules").exists()
    assert not list((bob.root / ".git").glob("hooks/*"))


@pytest.mark.parametrize("path", [".dataworkspace/local/journal.jsonl", ".dataworkspace/a-link"])
def test_what_no_copy_commits_is_refused(team: Team, ann: Person, path: str):
    if path.endswith("link"):
        (ann.root / path).symlink_to("/etc/passwd")
    ann.git("add", "-f", path)
    ann.git("commit", "-qm", "odd")
    ann("publish", str(team.origin))
    err = ann.refused("clone", str(team.origin), "../there")
    assert f"the origin has {path}, which" in err
    assert not (team.place / "there").exists()


def test_a_clone_and_a_pull_bring_what_a_restore_needs(team: Team, ann: Person):
    ann("publish", str(team.origin))
    bob = team.bob()
    ann.commit_own("2\n")
    ann.snapshot("V2")
    ann("restore", "V1")  # the branch goes back: its origin never has V2's commit on it
    ann("push")
    carl = team.bob(name="carl")

    carl("restore", "V2")
    bob("pull")
    bob("restore", "V2")

    assert (carl.read("own/a.txt"), bob.read("own/a.txt")) == ("2\n", "2\n")
    carl.check()
    bob.check()
