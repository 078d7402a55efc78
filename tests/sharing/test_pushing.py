"""publish and push: what goes where, in which order, and what is refused before anything goes."""

from __future__ import annotations

from pathlib import Path

from tests.rules.lab import git
from tests.sharing.team import Person, Team, tip


def test_publish_brings_the_workspace_and_its_resources_to_their_origins(team: Team, ann: Person):
    ran = ann("publish", str(team.origin))

    assert ran.out == f"Published the workspace at {team.origin}; own at {team.own}.\n"
    assert "files was left out: it has no remote" in ran.err
    assert tip(team.origin) == ann.head()
    assert tip(team.own) == ann.head("own")
    assert ann.git("remote", "get-url", "origin") == str(team.origin)
    ann.check()


def test_publish_again_has_nothing_to_do(team: Team, ann: Person):
    ann("publish", str(team.origin))
    assert ann("publish", str(team.origin)).out.startswith("Nothing is new")


def test_publish_elsewhere_is_refused(team: Team, ann: Person):
    ann("publish", str(team.origin))
    err = ann.refused("publish", str(team.own))
    assert f"has an origin already, {team.origin}" in err
    assert "dws push" in err


def test_publish_to_where_something_else_is_changes_nothing(team: Team, ann: Person):
    other = team.place / "other"
    git("init", "-q", str(other), cwd=team.place)
    (other / "x").write_text("x")
    git("add", ".", cwd=other)
    git("commit", "-qm", "x", cwd=other)

    err = ann.refused("publish", str(other))

    assert "is not empty" in err
    assert ann.git("remote") == ""
    assert tip(team.own) == ""


def test_publish_can_leave_a_resource_out(team: Team, ann: Person):
    assert ann("publish", "--skip", "own", str(team.origin)).out.startswith(
        "Published the workspace at"
    )
    assert tip(team.own) == ""


def test_publish_takes_a_relative_path(team: Team, ann: Person):
    ann("publish", "../origin.git")
    assert ann.git("remote", "get-url", "origin") == str(team.origin)


def test_push_needs_an_origin(ann: Person):
    err = ann.refused("push")
    assert "has no origin yet" in err
    assert "dws publish URL" in err


def test_push_brings_steps_that_no_snapshot_has_sealed(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    ann.prepare("first")  # the same content once more: nothing is left to commit
    assert ann("push").out.startswith("Pushed the workspace to")

    bob("pull")
    assert len(bob.json("steps")) == 2
    bob("push")  # that he cloned is a fact, too
    ann("pull")
    assert bob.dump() == ann.dump()


def test_push_is_refused_when_the_origin_is_ahead(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    bob.write("code/main.py", "print(2)\n")
    bob.snapshot("V2")
    bob("push")
    ann.commit_own("mine")
    before = tip(team.own)

    err = ann.refused("push")

    assert "the origin of the workspace has commits that are not here" in err
    assert "dws pull" in err
    assert tip(team.own) == before  # not even what could be pushed was


def test_push_is_refused_when_a_resource_is_behind(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    bob.commit_own("2\n")
    bob.git("push", "-q", at="own")
    ann.write("code/main.py", "print(3)\n")
    ann.snapshot("V3")
    before = tip(team.origin)

    err = ann.refused("push")

    assert "the origin of resource 'own' has commits that are not here" in err
    assert tip(team.origin) == before
    assert ann("push", "--skip", "own").out.startswith("Pushed the workspace to")


def test_a_dirty_resource_is_named_before_anything_goes(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    bob.commit_own("2\n")
    bob.write("code/new.py", "2\n")
    bob.snapshot("V2")
    bob("push")
    for path in ("own/a.txt", "code/main.py", "results/r"):
        name = path.partition("/")[0]
        before = ann.root.joinpath(path).read_text() if ann.root.joinpath(path).exists() else None
        ann.write(path, "not committed\n")
        tips, heads = (tip(team.origin), tip(team.own)), (ann.head(), ann.head("own"))
        for command in ("push", "pull"):
            err = ann.refused(command)
            assert f"resource '{name}' has changes that are not committed" in err
        assert (tip(team.origin), tip(team.own)) == tips
        assert (ann.head(), ann.head("own")) == heads
        assert ann.read(path) == "not committed\n"
        ann.root.joinpath(path).unlink() if before is None else ann.write(path, before)


def test_which_resources_are_pushed(team: Team, both: tuple[Person, Person]):
    ann, _ = both
    ann.commit_own("2\n")
    ann.write("code/main.py", "print(2)\n")
    ann.snapshot("V2")
    own = tip(team.own)

    ann("push", "--only-workspace")
    assert tip(team.origin) == ann.head()
    assert tip(team.own) == own
    ann("push", "--only", "code,files")
    assert tip(team.own) == own
    assert ann("push", "--only", "own").out.startswith("Pushed own to")
    assert tip(team.own) == ann.head("own")


def test_choices_that_do_not_fit(team: Team, both: tuple[Person, Person]):
    ann, _ = both
    for command in ("push", "pull"):
        for args in (["--only", "own", "--skip", "code"], ["--only", "own", "--only-workspace"]):
            ran = ann.run(command, *args)
            assert ran.status == 2
            assert "exclude one another" in ran.err
        for option in ("--only", "--skip"):
            assert "there is no resource 'none'" in ann.refused(command, option, "none")


def test_a_read_only_resource_is_pulled_and_never_pushed(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    git("clone", "-q", str(team.own), "shared", cwd=team.place)
    ann("add", "git", "--role", "s", "--read-only", "--name", "fixed", str(team.place / "shared"))
    err = ann("push").err
    assert "fixed was left out: it is read-only" in err
    bob.commit_own("2\n")
    bob("pull")
    bob("push")
    ann("pull")
    assert (team.place / "shared" / "a.txt").read_text() == "2\n"


def test_a_push_that_an_origin_refuses_is_finished_by_the_next(
    team: Team, both: tuple[Person, Person]
):
    ann, bob = both
    names = [f"r{n}" for n in range(5)]
    for name in names:
        git("init", "-q", "--bare", str(team.place / f"{name}.git"), cwd=team.place)
        git("clone", "-q", str(team.place / f"{name}.git"), name, cwd=ann.root)
        ann.write(f"{name}/x", name)
        ann.git("add", ".", at=name)
        ann.git("commit", "-qm", name, at=name)
        ann("add", "git", "--role", "s", name)
    hook = refuse(team.place / "r2.git")
    before = tip(team.origin)

    err = ann.refused("push")

    assert "the origin of resource 'r2'" in err
    assert "it refused what was pushed" in err
    assert "not today" in err
    there = [bool(tip(team.place / f"{name}.git")) for name in names]
    assert there == [True, True, False, False, False]
    assert tip(team.origin) == before  # it would name what is not there
    hook.unlink()
    assert ann("push").out.startswith(f"Pushed the workspace to {team.origin}; r2 to ")
    bob("pull")
    assert [bob.read(f"{name}/x") for name in names] == names


def test_what_the_workspace_commits_is_refused_by_its_origin(
    team: Team, both: tuple[Person, Person]
):
    ann, _ = both
    refuse(team.origin)
    ann.write("code/main.py", "print(2)\n")
    ann.snapshot("V2")
    err = ann.refused("push")
    assert "the origin of the workspace" in err
    assert "not today" in err
    ann.check()


def refuse(repository: Path) -> Path:
    hook = repository / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
    hook.chmod(0o755)
    return hook


def test_another_branch_is_not_pushed(team: Team, both: tuple[Person, Person]):
    ann, _ = both
    ann.git("switch", "-qc", "trial")
    err = ann.refused("push")
    assert "is on branch 'trial', and 'main' is shared" in err
    assert "git switch main" in err


def test_a_hook_of_the_repository_is_not_run(team: Team, both: tuple[Person, Person]):
    ann, _ = both
    hook = ann.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch ../ran\nexit 1\n")
    hook.chmod(0o755)
    ann.write("code/main.py", "print(2)\n")
    ann.snapshot("V2")
    ann("push")
    assert not (team.place / "ran").exists()


def test_commits_that_only_snapshots_name_are_pushed_too(team: Team, both: tuple[Person, Person]):
    ann, bob = both
    ann.commit_own("2\n")
    ann.snapshot("V2")
    ann("restore", "V1")
    ann.commit_own("3\n")
    ann.snapshot("V3")
    ann("push")

    bob("pull")
    bob("restore", "--only", "own", "V2")

    assert bob.read("own/a.txt") == "2\n"
