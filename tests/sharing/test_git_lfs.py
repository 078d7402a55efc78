"""git-lfs, its real program, and a small server: in the workspace and in a git resource."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rules.lab import git
from tests.sharing.lfs_server import LfsServer, lfs_server
from tests.sharing.team import Person, Team

pytestmark = pytest.mark.needs("git-lfs")

POINTER = "version https://git-lfs.github.com/spec/v1"
RULE = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
ONE, TWO = "0123456789" * 300, "abcdefghij" * 300


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LfsServer]:
    with lfs_server(tmp_path / "objects") as found:
        yield found


def large(team: Team, server: LfsServer) -> Person:
    """Ann, with large files in a folder of the workspace and in a repository of its own."""
    ann = team.person("ann")
    ann.root.mkdir()
    ann("init", "lab", "--hostname", "ann", "--create-resources", "all",
        "--git-lfs-attributes", "*.bin,*.zip")  # fmt: skip
    ann.write(".lfsconfig", f"[lfs]\n\turl = {server.url}\n")
    ann.git("add", ".lfsconfig")
    ann.git("commit", "-qm", "where large files are")
    git("init", "-q", str(ann.root / "own"), cwd=team.place)
    ann.write("own/.gitattributes", RULE)
    ann.write("own/.lfsconfig", f"[lfs]\n\turl = {server.url}\n")
    ann.git("add", ".", at="own")
    ann.git("commit", "-qm", "first", at="own")
    ann.git("remote", "add", "origin", str(team.own), at="own")
    ann("add", "git", "--role", "s", "own")
    return ann


def edit(person: Person, text: str, tag: str) -> None:
    """A large file of each kind, a step that reads one and writes another, and a snapshot."""
    person.write("own/raw.bin", text)
    person.write("source-data/more.bin", text * 2)
    script = "cat own/raw.bin source-data/more.bin > intermediate-data/made.bin"
    person("run", "--step-name", "make", "-i", "own", "-i", "source-data", "--code", "code",
           "-o", "intermediate-data", "--", "sh", "-c", script)  # fmt: skip
    person.snapshot(tag)


def contents(person: Person) -> tuple[str, str, str]:
    names = ("own/raw.bin", "source-data/more.bin", "intermediate-data/made.bin")
    one, two, three = (person.read(name) for name in names)
    return one, two, three


def made_of(text: str) -> tuple[str, str, str]:
    return text, text * 2, text * 3


def in_git(person: Person) -> list[str]:
    at = [("raw.bin", "own"), ("source-data/more.bin", "."), ("intermediate-data/made.bin", ".")]
    return [person.git("show", f"HEAD:{path}", at=where) for path, where in at]


def published(team: Team, server: LfsServer) -> Person:
    ann = large(team, server)
    edit(ann, ONE, "V1")
    edit(ann, TWO, "V2")
    ann("publish", str(team.origin))
    return ann


def test_a_snapshot_commits_pointers_and_a_restore_brings_content(team: Team, server: LfsServer):
    ann = large(team, server)
    edit(ann, ONE, "V1")
    assert all(text.startswith(POINTER) for text in in_git(ann))
    edit(ann, TWO, "V2")
    assert contents(ann) == made_of(TWO)

    ann("restore", "V1")

    assert contents(ann) == made_of(ONE)
    assert ann.json("lineage", "stale") == []
    assert ann.json("lineage", "verify")
    ann.check()
    assert ann.git("status", "--porcelain", at="own") == ""
    changes = {c["name"]: c["files"]["changed"] for c in ann.json("diff", "V1", "V2")["resources"]
               if c["change"] == "changed"}  # fmt: skip
    assert changes["own"] == ["raw.bin"]
    assert changes["source-data"] == ["more.bin"]
    assert server.sent == []


def test_content_goes_with_a_push_and_comes_with_a_clone(team: Team, server: LfsServer):
    ann = published(team, server)
    assert len(server.objects()) == 6  # three files in two snapshots
    assert {len(data) for data in server.objects().values()} == {3000, 6000, 9000}

    team._patch.chdir(team.place)
    ann("clone", "--hostname", "bob", "--filters", "lfs", str(team.origin), "../bob")
    bob = team.person("bob")

    assert contents(bob) == made_of(TWO)
    assert bob.upstream("intermediate-data") == {"make"}
    assert bob.json("lineage", "stale") == []
    bob.check()
    assert len(server.fetched) == 3  # what the older snapshot has is not brought before it is asked
    bob("restore", "V1")
    assert contents(bob) == made_of(ONE)
    assert len(server.fetched) == 6


def test_a_pull_brings_content_and_a_push_sends_it(team: Team, server: LfsServer):
    ann = published(team, server)
    bob = team.bob()
    assert contents(bob)[0].startswith(POINTER)
    bob("config", "git.filters", "lfs")
    assert contents(bob) == made_of(TWO)
    sent = len(server.sent)

    edit(bob, ONE + TWO, "V3")
    bob("push")
    ann("pull")

    assert contents(ann) == made_of(ONE + TWO)
    assert len(server.sent) == sent + 3
    ann.check()
    assert ann.upstream("intermediate-data") == {"make"}
    assert ann.json("lineage", "stale") == []


def test_what_restores_left_behind_is_sent_too(team: Team, server: LfsServer):
    ann = published(team, server)
    edit(ann, "x" * 5000, "V3")
    ann("restore", "V2")
    edit(ann, "y" * 5000, "V4")
    ann("push")
    bob = team.bob()
    bob("config", "git.filters", "lfs")
    bob("pull")  # a clone brings branches alone

    bob("restore", "V3")

    assert contents(bob) == made_of("x" * 5000)


def test_a_server_that_is_down_changes_nothing(team: Team, tmp_path: Path):
    with lfs_server(tmp_path / "objects") as server:
        ann = published(team, server)
        bob = team.bob()
        bob("config", "git.filters", "lfs")
        edit(ann, ONE + TWO, "V3")
        ann("push")
        edit(ann, "x" * 4000, "V4")
    heads, origin = (bob.head(), bob.head("own")), git("rev-parse", "main", cwd=team.origin)

    told = bob.refused("pull")
    assert "cannot be brought" in told
    assert "its server cannot be reached" in told
    assert "raw.bin" in told or "more.bin" in told
    assert (bob.head(), bob.head("own")) == heads
    assert contents(bob) == made_of(TWO)
    assert "its server cannot be reached" in bob.refused("restore", "V1")
    assert contents(bob) == made_of(TWO)
    bob.check()

    told = ann.refused("push")
    assert "its server cannot be reached" in told
    assert git("rev-parse", "main", cwd=team.origin) == origin

    cat = team.bob(name="cat")
    assert "its server cannot be reached" in cat.refused("config", "git.filters", "lfs")
    assert contents(cat)[0].startswith(POINTER)
    assert cat.json("config", "git.filters")[0]["value"] == []
    cat.check()

    ran = ann.run("clone", "--hostname", "dan", "--filters", "lfs", str(team.origin), "../dan")
    assert ran.status == 1
    assert "its server cannot be reached" in ran.err
    assert f"in {team.place}/dan: dws config git.filters lfs" in ran.err
    assert contents(team.person("dan"))[0].startswith(POINTER)


def test_content_that_the_server_lacks_is_named(team: Team, server: LfsServer):
    published(team, server)
    bob = team.bob()
    oid = next(o for o, data in server.objects().items() if data.decode() == TWO * 2)
    (server.folder / oid).unlink()

    told = bob.refused("config", "git.filters", "lfs")

    assert "source-data/more.bin" in told
    assert "its server does not have it" in told
    assert contents(bob)[1].startswith(POINTER)
    bob.check()


def damaged_as_401() -> bytes:
    """Content in whose id, which git-lfs prints, there is what could be taken for a status."""
    tries = (b"%d" % n for n in itertools.count())
    return next(data for data in tries if "401" in hashlib.sha256(data).hexdigest())


def test_content_that_is_damaged_at_the_server_is_refused(team: Team, server: LfsServer):
    published(team, server)
    bob = team.bob()
    oid = next(o for o, data in server.objects().items() if data.decode() == TWO)
    (server.folder / oid).write_bytes(damaged_as_401())

    told = bob.refused("config", "git.filters", "lfs")

    assert "raw.bin" in told
    assert "what its server has is damaged" in told
    assert contents(bob)[0].startswith(POINTER)
    bob.check()


def test_content_that_is_nowhere_is_not_pushed(team: Team, server: LfsServer):
    ann = large(team, server)
    ann.write("own/HTTP 401.bin", TWO)
    edit(ann, ONE, "V1")
    for name in ("raw.bin", "HTTP 401.bin"):  # or git would take the content again
        ann.write(f"own/{name}", ann.git("show", f"HEAD:{name}", at="own") + "\n")
    shutil.rmtree(ann.root / "own/.git/lfs/objects")
    (ann.root / "own/.git/lfs/objects").mkdir()

    told = ann.refused("publish", str(team.origin))

    assert "raw.bin" in told
    assert "HTTP 401.bin" in told
    assert "neither here nor there" in told
    assert git("for-each-ref", cwd=team.own) == ""


def without_lfs(place: Path) -> str:
    """A PATH with all programs but git-lfs."""
    folder = place / "programs"
    folder.mkdir()
    for entry in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(entry) if os.path.isdir(entry) else []:
            if name != "git-lfs" and not (folder / name).is_symlink():
                (folder / name).symlink_to(os.path.join(entry, name))
    return str(folder)


def test_without_git_lfs_it_is_named(
    team: Team, server: LfsServer, monkeypatch: pytest.MonkeyPatch
):
    ann = large(team, server)
    edit(ann, ONE, "V1")
    monkeypatch.setenv("PATH", without_lfs(team.place))
    other = team.person("other")
    other.root.mkdir()

    told = other.refused("init", "--git-lfs-attributes", "*.gz")
    assert "git-lfs is not installed" in told
    assert "apt-get install git-lfs" in told
    assert os.listdir(other.root) == []

    head = ann.head()
    ann.write("source-data/more.bin", TWO)
    told = ann.refused("snapshot", "V2")
    assert "needs git-lfs, which is not installed" in told
    assert ann.head() == head


def test_a_repository_of_the_users_is_set_up_when_it_is_added(team: Team, server: LfsServer):
    """As with 1.6: who cloned it before he had git-lfs has the content from then on."""
    published(team, server)
    other = team.person("other")
    other.root.mkdir()
    other("init", "lab-2", "--hostname", "other")
    git("clone", "-q", str(team.own), str(other.root / "data"), cwd=team.place)
    assert other.read("data/raw.bin").startswith(POINTER)

    other("add", "git", "--role", "s", "data")

    assert other.read("data/raw.bin") == TWO
    assert other.git("status", "--porcelain", at="data") == ""
    hooks = other.root / "data/.git/hooks"
    assert (hooks / "pre-push").exists()
    other.write("data/new.bin", ONE)
    other.snapshot("V1")
    assert other.git("show", "HEAD:new.bin", at="data").startswith(POINTER)


def test_a_pull_fills_in_what_is_here_as_pointers(team: Team, server: LfsServer):
    ann = published(team, server)
    for at, name in ((".", "source-data/more.bin"), ("own", "raw.bin")):
        pointer = ann.git("show", f"HEAD:{name}", at=at) + "\n"
        (ann.root / at / name).write_text(pointer)
    ann.git("status", "--porcelain")
    stale = ann.json("lineage", "stale")

    ann("pull")

    assert contents(ann) == made_of(TWO)
    assert ann.json("lineage", "stale") == stale == []
    ann.check()


def test_rules_and_files_that_come_at_once(team: Team, server: LfsServer):
    """In a clone that allows the filter, and in a repository of the user's that has none yet."""
    ann = team.ann()
    ann("publish", str(team.origin))
    bob = team.bob()
    bob("config", "git.filters", "lfs")
    git("clone", "-q", str(team.own), str(team.place / "mine"), cwd=team.place)
    cat = team.person("cat")
    cat.root.mkdir()
    cat("init", "lab-2", "--hostname", "cat")
    cat("add", "git", "--role", "s", "--name", "mine", "../mine")
    cat.git("init", "-q", "--bare", "../cats.git")
    cat("publish", "../cats.git")
    for at in ("source-data", "own"):
        ann.write(f"{at}/.gitattributes", RULE)
        ann.write(f"{at}/a.bin", ONE)
    for at in (".", "own"):
        ann.write(f"{at}/.lfsconfig", f"[lfs]\n\turl = {server.url}\n")
    ann.git("add", ".lfsconfig")
    ann.git("commit", "-qm", "where large files are")
    ann.snapshot("V2")
    assert ann.git("show", "HEAD:source-data/a.bin").startswith(POINTER)
    ann("push")

    bob("pull")
    cat("pull")

    assert (bob.read("source-data/a.bin"), bob.read("own/a.bin")) == (ONE, ONE)
    bob.check()
    assert (team.place / "mine/a.bin").read_text() == ONE
    assert cat.git("status", "--porcelain", at="../mine") == ""


def test_who_wants_pointers_keeps_them(
    team: Team, server: LfsServer, monkeypatch: pytest.MonkeyPatch
):
    published(team, server)
    monkeypatch.setenv("GIT_LFS_SKIP_SMUDGE", "1")
    bob = team.bob()
    bob("config", "git.filters", "lfs")
    bob("pull")
    bob("restore", "V1")
    assert contents(bob)[0].startswith(POINTER)
    assert server.fetched == []
    bob.check()


def test_patterns(team: Team):
    other = team.person("other")
    other.root.mkdir()
    listed = r"*.gz, my data/**,-x*.bin,#a,one\,two.bin,*.gz"
    other("init", "--hostname", "other", "--git-lfs-attributes", listed)
    lines = other.read(".gitattributes").splitlines()
    rule = "filter=lfs diff=lfs merge=lfs -text"
    patterns = ("*.gz", "my[[:space:]]data/**", "-x*.bin", "[#]a", "one,two.bin")
    assert lines[:5] == [f"{pattern} {rule}" for pattern in patterns]
    for name in ("a.gz", "my data/a b", "-x1.bin", "#a", "one,two.bin"):
        assert other.git("check-attr", "filter", "--", name).endswith("filter: lfs")
    # the product's own, which a folder of all files would have
    assert other.git("check-attr", "filter", "--", "my data/lineage.json").endswith("unspecified")
    assert other.git("log", "--format=%an", "--", ".gitattributes") != ""
    other.check()


@pytest.mark.parametrize("listed", ["", " , ", "!*.gz", "data/", 'a"b', "a\nb", "[attr]x"])
def test_patterns_that_git_would_not_take_are_refused(team: Team, listed: str):
    other = team.person("other")
    other.root.mkdir()
    assert "pattern" in other.refused("init", "--git-lfs-attributes", listed)
    assert os.listdir(other.root) == []


def test_a_pattern_for_everything_leaves_out_what_dws_keeps(team: Team):
    other = team.person("other")
    other.root.mkdir()
    other("init", "--hostname", "other", "--create-resources", "all", "--git-lfs-attributes", "*")
    other.write("source-data/a.txt", "a\n")
    other("run", "--step-name", "s", "-i", "source-data", "-o", "results", "--", "sh", "-c",
          "cp source-data/a.txt results/r.txt")  # fmt: skip
    other.snapshot("V1")
    assert other.git("show", "HEAD:source-data/a.txt").startswith(POINTER)
    assert other.git("show", "HEAD:.dataworkspace/config.json").startswith("{")
    other.check()
