"""Filters of the user's git configuration: in what dws cloned none runs until he has said so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.rules.lab import git
from tests.sharing.team import Person, Team

ATTRIBUTES = "".join(f"*.{name} filter={name}\n" for name in ("upper", "other", "later"))
LFS = "version https://git-lfs.github.com/spec/v1"


class Filters:
    """A git configuration of the user's with filters, each of which leaves a mark when it runs."""

    def __init__(self, place: Path, patch: pytest.MonkeyPatch) -> None:
        self.place, self.config = place, place / "gitconfig"
        self.config.write_text("[include]\n\tpath = ~/.gitconfig\n")
        if known := os.environ.get("GIT_CONFIG_GLOBAL"):
            self.config.write_text(f"[include]\n\tpath = {known}\n")
        patch.setenv("GIT_CONFIG_GLOBAL", str(self.config))

    def add(self, name: str, clean: str = "tr A-Z a-z", smudge: str = "tr a-z A-Z") -> None:
        for key, value in (("clean", clean), ("smudge", smudge)):
            line = f"echo x >> {self.place}/{name}-ran; {value}"
            git("config", "--file", str(self.config), f"filter.{name}.{key}", line, cwd=self.place)
        git("config", "--file", str(self.config), f"filter.{name}.required", "true", cwd=self.place)

    def ran(self, name: str) -> bool:
        """Whether it has run since last asked."""
        mark = self.place / f"{name}-ran"
        found = mark.exists()
        mark.unlink(missing_ok=True)
        return found


@pytest.fixture
def filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Filters:
    found = Filters(tmp_path, monkeypatch)
    found.add("upper")
    return found


def filtered(person: Person, name: str = "upper") -> None:
    """A file in code, and one of `own`, that go through a filter: git has them in small letters."""
    for at in ("code", "own"):
        person.write(f"{at}/a.{name}", "HELLO\n")
        person.write(f"{at}/.gitattributes", ATTRIBUTES)
    person.git("add", ".", at="own")
    person.git("commit", "-qm", "filtered", at="own")
    person.prepare("with", "with")
    person.snapshot(f"with-{name}")
    assert person.git("show", f"HEAD:code/a.{name}") == "hello"


def content(person: Person, name: str = "upper") -> set[str]:
    return {person.read(f"{at}/a.{name}") for at in ("code", "own")}


def all_of_a_day(person: Person) -> None:
    """Commands that look at every file, write some, and bring some."""
    person.write("code/main.py", f"print({person.head()!r})\n")
    person.prepare("day")
    person.snapshot(f"day-{person.head()[:6]}")
    person("restore", "V1")
    person("restore", "latest")
    person("lineage", "verify")
    person("pull")
    person.check()
    person.git("diff", "--quiet")
    person.git("checkout", "-q", "--", "code")
    person.git("status", "--porcelain", at="own")


def test_no_filter_runs_in_a_clone_until_it_is_allowed(team: Team, ann: Person, filters: Filters):
    filtered(ann)
    ann("publish", str(team.origin))
    assert filters.ran("upper")

    bob = team.bob()

    assert content(bob) == {"hello\n"}
    all_of_a_day(bob)
    assert content(bob) == {"hello\n"}
    filters.add("later")  # known to git only now
    bob.write("code/a.later", "x\n")
    all_of_a_day(bob)
    assert not filters.ran("upper")
    assert not filters.ran("later")


def test_the_user_is_told_what_brings_the_content(team: Team, ann: Person, filters: Filters):
    filtered(ann)
    ann("publish", str(team.origin))
    os.chdir(team.place)
    told = ann("clone", "--hostname", "bob", str(team.origin), "../bob").err
    bob = team.person("bob")
    assert "code/a.upper and 1 more: as git has it" in told
    assert "dws config git.filters upper" in told
    stale = bob.json("lineage", "stale")

    bob("config", "git.filters", "upper")

    assert content(bob) == {"HELLO\n"}
    assert filters.ran("upper")
    bob.check()
    assert bob.git("status", "--porcelain", at="own") == ""
    assert bob.json("lineage", "stale") == stale
    ann.write("code/b.upper", "MORE\n")
    ann.write("own/b.upper", "MORE\n")
    ann.git("add", ".", at="own")
    ann.git("commit", "-qm", "more", at="own")
    ann.snapshot("more")
    ann("push")
    assert "git has it" not in bob("pull").err
    assert (bob.read("code/b.upper"), bob.read("own/b.upper")) == ("MORE\n", "MORE\n")
    all_of_a_day(bob)
    assert content(bob) == {"HELLO\n"}


def test_only_what_is_allowed_runs(team: Team, ann: Person, filters: Filters):
    filters.add("other")
    filtered(ann)
    filtered(ann, "other")
    ann("publish", str(team.origin))
    bob = team.bob()
    for name in ("upper", "other"):
        filters.ran(name)

    bob("config", "git.filters", "upper")
    all_of_a_day(bob)

    assert (content(bob), content(bob, "other")) == ({"HELLO\n"}, {"hello\n"})
    assert not filters.ran("other")
    filters.add("later")
    ann.write("code/a.later", "SECRET\n")
    ann.snapshot("later")
    ann("push")
    assert filters.ran("later")
    assert "dws config git.filters upper,later,other" in bob("pull").err
    all_of_a_day(bob)
    assert bob.read("code/a.later") == "secret\n"
    assert not filters.ran("later")


def test_what_was_allowed_is_taken_back(team: Team, ann: Person, filters: Filters):
    filtered(ann)
    ann("publish", str(team.origin))
    bob = team.bob()
    bob("config", "git.filters", "upper")

    bob("undo")
    assert content(bob) == {"hello\n"}
    bob("undo")
    assert content(bob) == {"HELLO\n"}
    bob("config", "--unset", "git.filters")
    assert content(bob) == {"hello\n"}
    filters.ran("upper")
    all_of_a_day(bob)
    assert not filters.ran("upper")


def test_a_filter_that_fails_leaves_all_as_it_was(team: Team, ann: Person, filters: Filters):
    filtered(ann)
    ann("publish", str(team.origin))
    bob = team.bob()
    filters.add("upper", smudge="false")
    bob.write("own/a.upper", "hello, changed\n")

    told = bob.refused("config", "git.filters", "upper")

    assert "a filter of upper failed" in told
    assert bob.read("code/a.upper") == "hello\n"
    assert bob.read("own/a.upper") == "hello, changed\n"
    assert bob.json("config", "git.filters")[0]["value"] == []
    bob.git("checkout", "-q", "--", "a.upper", at="own")
    assert content(bob) == {"hello\n"}
    bob.check()


def test_a_file_that_was_changed_is_left_as_it_is(team: Team, ann: Person, filters: Filters):
    filtered(ann)
    ann("publish", str(team.origin))
    bob = team.bob()
    bob.write("code/a.upper", "mine\n")

    bob("config", "git.filters", "upper")

    assert bob.read("code/a.upper") == "mine\n"
    assert bob.read("own/a.upper") == "HELLO\n"


def test_a_filter_that_git_does_not_know_is_refused(both: tuple[Person, Person], filters: Filters):
    _, bob = both
    assert "has no filter 'other'" in bob.refused("config", "git.filters", "upper,other")
    assert "not the name of a filter" in bob.refused("config", "git.filters", "a b")
    assert bob.json("config", "git.filters")[0]["value"] == []


def test_what_the_user_made_himself_stays_as_it_is(ann: Person, filters: Filters):
    filtered(ann)
    for at in ("code", "own"):
        (ann.root / at / "a.upper").unlink()
        ann.git("checkout", "-q", "--", "a.upper", at=at)
    assert content(ann) == {"HELLO\n"}
    ann("config", "git.filters", "upper")
    assert not (ann.root / ".git/info/attributes").exists()
    ann.check()


@pytest.mark.needs("git-lfs")
def test_git_lfs(team: Team, ann: Person, filters: Filters, monkeypatch: pytest.MonkeyPatch):
    git("lfs", "install", "--skip-repo", cwd=team.place)
    ann.write("code/.gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    ann.write("code/model.bin", "0123456789" * 100)
    ann.snapshot("lfs")
    assert ann.git("show", "HEAD:code/model.bin").startswith(LFS)
    ann("publish", str(team.origin))
    ann.git("lfs", "push", "--all", "origin")

    bob = team.bob()
    assert bob.read("code/model.bin").startswith(LFS)
    bob("config", "git.filters", "lfs")

    assert bob.read("code/model.bin") == "0123456789" * 100
    bob.check()
