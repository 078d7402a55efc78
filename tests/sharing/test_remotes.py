"""Real remotes of all kinds, and those that cannot be used."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.rules.lab import git
from tests.sharing.servers import PASSWORD, USER, http_server, ssh_server
from tests.sharing.team import Person, Team, tip

KINDS = ["path", "file", pytest.param("ssh", marks=pytest.mark.needs("sshd")), "http"]


@contextmanager
def served(team: Team, kind: str, patch: pytest.MonkeyPatch) -> Iterator[str]:
    """The begin of the URLs of the team's repositories."""
    if kind == "path":
        yield str(team.place)
    elif kind == "file":
        yield f"file://{team.place}"
    elif kind == "ssh":
        with ssh_server(team.place) as (begin, command):
            patch.setenv("GIT_SSH_COMMAND", command)
            yield f"{begin}{team.place}"
    else:
        for repository in (team.origin, team.own):
            git("config", "http.receivepack", "true", cwd=repository)
        with http_server(team.place) as address:
            yield f"http://{USER}:{PASSWORD}@{address}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_workspace_is_shared(team: Team, kind: str, monkeypatch: pytest.MonkeyPatch):
    with served(team, kind, monkeypatch) as begin:
        ann = team.ann(f"{begin}/own.git")
        told = [ann("--verbose", "publish", f"{begin}/origin.git")]
        monkeypatch.chdir(team.place)
        if kind == "http":  # what is committed has no password: git knows it
            helper = f"!f() {{ echo username={USER}; echo password={PASSWORD}; }}; f"
            git("config", "--global", "credential.helper", helper, cwd=team.place)
        bob = team.bob(f"{begin}/origin.git")
        bob.commit_own("2\n")
        bob.prepare("by bob")
        bob.snapshot("V2")
        told.append(bob("--verbose", "push"))
        ann.write("code/main.py", "print(2)\n")
        ann.snapshot("V3")
        told.append(ann("--verbose", "pull"))
        told.append(ann("push"))
        bob("pull")

        assert ann.read("own/a.txt") == "2\n"
        assert bob.read("code/main.py") == "print(2)\n"
        assert sorted(bob.tags()) == [["V1"], ["V2"], ["V3"]]
        assert ann.upstream("intermediate-data/clean") == {"make clean"}
        assert (tip(team.origin), tip(team.own)) == (ann.head(), ann.head("own"))
        assert PASSWORD not in "".join(ran.out + ran.err for ran in told)
        held = subprocess.run(["git", "grep", "-q", PASSWORD, "HEAD"], cwd=bob.root)
        assert held.returncode == 1


def test_wrong_credentials_are_named(team: Team, ann: Person):
    with http_server(team.place) as address:
        err = ann.refused("publish", f"http://{USER}:wr0ng-w0rd@{address}/origin.git")
    assert "does not accept your name and password" in err
    assert "token may have expired" in err
    assert "wr0ng-w0rd" not in err
    assert ann.git("remote") == ""


def test_remotes_that_cannot_be_used_are_named(team: Team, ann: Person):
    canary = team.place / "canary"
    for url, told in {
        "http://127.0.0.1:9/lab.git": "cannot be reached",
        "ssh://nobody@127.0.0.1:9/lab.git": "cannot be reached",
        str(team.place / "none.git"): "there is no git repository",
        f"ext::sh -c 'touch {canary}'": "is no transport that is used",
        "git://127.0.0.1/lab.git": "is no transport that is used",
        "ssh://-oProxyCommand=touch/lab.git": "names no host",
        "-oProxyCommand=touch:x": "",
        "": "is not the address of a repository",
    }.items():
        for command in (["publish", "--", url], ["clone", "--", url, "there"]):
            ran = ann.run(*command)
            assert ran.status == 1, ran
            assert told in ran.err
            assert not (ann.root / "there").exists()
    assert not canary.exists()
    assert ann.git("remote") == ""
    ann.git("remote", "add", "origin", f"ext::sh -c 'touch {canary}'")
    for command in (["push"], ["pull"]):
        assert "is no transport that is used" in ann.refused(*command)
    assert not canary.exists()


def test_an_origin_that_is_away_loses_nothing(team: Team, both: tuple[Person, Person]):
    ann, _ = both
    ann.write("code/main.py", "print(2)\n")
    ann.snapshot("V2")
    away = team.place / "away.git"
    team.origin.rename(away)
    for command in ("push", "pull"):
        assert "there is no git repository" in ann.refused(command)
    away.rename(team.origin)
    ann("push")
    assert tip(team.origin) == ann.head()
    assert os.path.exists(ann.root / "code/main.py")


@pytest.mark.parametrize("name", ["returned error: 401", "Authentication failed", "fetch first"])
def test_a_folder_is_not_taken_for_what_git_says(team: Team, ann: Person, name: str):
    told = ann.refused("publish", str(team.place / name / "none.git"))

    assert "there is no git repository" in told


def test_without_ssh_it_is_named(team: Team, ann: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GIT_SSH_COMMAND", str(team.place / "none" / "ssh"))

    told = ann.refused("publish", "ssh://ann@localhost/none.git")

    assert "not installed" in told
