"""git-fat over rsync to a real sshd: in the workspace and in a git resource."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dws_graph.workspace.initializing import init_workspace
from tests.rules.lab import git
from tests.sharing.servers import ssh_server
from tests.sharing.team import Person, Team

pytestmark = [pytest.mark.needs("rsync"), pytest.mark.needs("sshd")]

ONE, TWO = "0123456789" * 300, "abcdefghij" * 300


class Store:
    """A folder that rsync reaches over ssh."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.user = getpass.getuser()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.folder}"

    @property
    def options(self) -> list[str]:
        return ["--git-fat-remote", self.place, "--git-fat-user", self.user,
                "--git-fat-port", str(self.port)]  # fmt: skip

    @property
    def file(self) -> str:
        """`.gitfat` as the git-fat of 2012 had it."""
        return f"[rsync]\nremote = {self.place}\nsshuser = {self.user}\nsshport = {self.port}\n"

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir() if not path.name.startswith(".")}


@pytest.fixture(autouse=True)
def _git_fat_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By plain git, too, as where the environment of dws is active."""
    path = f"{os.environ['PATH']}{os.pathsep}{os.path.dirname(sys.executable)}"
    monkeypatch.setenv("PATH", path)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with ssh_server(tmp_path) as (url, command):
        monkeypatch.setenv("GIT_SSH_COMMAND", command)
        (tmp_path / "store").mkdir()
        yield Store(tmp_path / "store", urlsplit(url).port or 0)


def digest(text: str) -> str:
    return sha1(text.encode()).hexdigest()


def placeholder(text: str) -> str:
    """Without the line feed at its end."""
    return f"#$# git-fat {digest(text)} {len(text):20d}"


def large(team: Team, store: Store) -> Person:
    """Ann, with large files in a folder of the workspace and in a repository of its own."""
    ann = team.person("ann")
    ann.root.mkdir()
    ann("init", "lab", "--hostname", "ann", "--create-resources", "all", *store.options,
        "--git-fat-attributes", "*.gz")  # fmt: skip
    git("init", "-q", str(ann.root / "own"), cwd=team.place)
    ann.write("own/.gitattributes", "*.gz filter=fat -crlf\n")
    ann.write("own/.gitfat", store.file)
    ann.git("add", ".", at="own")
    ann.git("commit", "-qm", "first", at="own")
    ann.git("remote", "add", "origin", str(team.own), at="own")
    ann("add", "git", "--role", "s", "own")
    return ann


def edit(person: Person, text: str, tag: str) -> None:
    """A large file of each kind, a step that reads one and writes another, and a snapshot."""
    person.write("own/raw.gz", text)
    person.write("source-data/more.gz", text * 2)
    script = "cat own/raw.gz source-data/more.gz > intermediate-data/made.gz"
    person("run", "--step-name", "make", "-i", "own", "-i", "source-data", "--code", "code",
           "-o", "intermediate-data", "--", "sh", "-c", script)  # fmt: skip
    person.snapshot(tag)


def contents(person: Person) -> tuple[str, str, str]:
    names = ("own/raw.gz", "source-data/more.gz", "intermediate-data/made.gz")
    one, two, three = (person.read(name) for name in names)
    return one, two, three


def made_of(text: str) -> tuple[str, str, str]:
    return text, text * 2, text * 3


def digests_of(*texts: str) -> set[str]:
    return {digest(part) for text in texts for part in made_of(text)}


def published(team: Team, store: Store) -> Person:
    ann = large(team, store)
    edit(ann, ONE, "V1")
    edit(ann, TWO, "V2")
    ann("publish", str(team.origin))
    return ann


def objects(person: Person, at: str = ".") -> Path:
    return person.root / at / ".git/fat/objects"


def test_a_snapshot_commits_placeholders_and_a_restore_brings_content(team: Team, store: Store):
    ann = large(team, store)
    settings = [f"rsync.remote={store.place}", f"rsync.sshuser={store.user}",
                f"rsync.sshport={store.port}"]  # fmt: skip
    assert ann.git("config", "--file", ".gitfat", "--list").splitlines() == settings
    assert ann.read(".gitattributes") == "*.gz filter=fat -text\n"
    edit(ann, ONE, "V1")
    assert ann.git("show", "HEAD:raw.gz", at="own") == placeholder(ONE)
    assert ann.git("show", "HEAD:source-data/more.gz") == placeholder(ONE * 2)
    assert (objects(ann) / digest(ONE * 3)).read_text() == ONE * 3
    edit(ann, TWO, "V2")

    ann("restore", "V1")

    assert contents(ann) == made_of(ONE)
    assert ann.json("lineage", "stale") == []
    ann.check()
    assert ann.git("status", "--porcelain", at="own") == ""
    changes = {c["name"]: c["files"]["changed"] for c in ann.json("diff", "V1", "V2")["resources"]
               if c["change"] == "changed"}  # fmt: skip
    assert changes["own"] == ["raw.gz"]
    assert store.names() == set()


def test_in_python_the_arguments_are_those_of_1_6(team: Team, store: Store):
    given = (store.place, store.user, store.port, "*.gz,*.zip", None)
    root = team.place / "lab"
    root.mkdir()
    with init_workspace("git", "lab", "here", True, False, None, str(root), *given):
        assert (root / ".gitattributes").read_text().split("\n")[1] == "*.zip filter=fat -text"
        port = git("config", "--file", ".gitfat", "rsync.sshport", cwd=root)
        assert port == str(store.port)


def test_content_goes_with_a_push_and_comes_with_a_clone(team: Team, store: Store):
    ann = published(team, store)
    assert store.names() == digests_of(ONE, TWO)
    assert (store.folder / digest(TWO)).read_text() == TWO

    team._patch.chdir(team.place)
    ann("clone", "--hostname", "bob", "--filters", "fat", str(team.origin), "../bob")
    bob = team.person("bob")

    assert contents(bob) == made_of(TWO)
    assert bob.upstream("intermediate-data") == {"make"}
    assert bob.json("lineage", "stale") == []
    bob.check()
    here = {path.name for at in (".", "own") for path in objects(bob, at).iterdir()}
    assert here == digests_of(TWO)  # what the older snapshot has is not brought before it is asked
    bob("restore", "V1")
    assert contents(bob) == made_of(ONE)


def test_none_is_brought_into_a_clone_until_it_is_allowed(team: Team, store: Store):
    published(team, store)
    bob = team.bob()
    bob("pull")
    bob("restore", "V1")
    bob("restore", "latest")
    assert contents(bob)[0] == placeholder(TWO) + "\n"
    assert not (bob.root / ".git/fat").exists()
    bob.write("source-data/more.gz", placeholder(TWO * 2) + "\n")
    bob("push")
    assert not (bob.root / ".git/fat").exists()

    bob("config", "git.filters", "fat")

    assert contents(bob) == made_of(TWO)
    bob("config", "--unset", "git.filters")
    assert contents(bob)[0] == placeholder(TWO) + "\n"
    bob.check()


def test_a_pull_brings_content_and_a_push_sends_what_is_missing(team: Team, store: Store):
    ann = published(team, store)
    bob = team.bob()
    bob("config", "git.filters", "fat")
    before = {path.name: path.stat().st_ino for path in store.folder.iterdir()}

    edit(bob, ONE + TWO, "V3")
    bob("push")
    ann("pull")

    assert contents(ann) == made_of(ONE + TWO)
    assert ann.upstream("intermediate-data") == {"make"}
    assert ann.json("lineage", "stale") == []
    ann.check()
    after = {path.name: path.stat().st_ino for path in store.folder.iterdir()}
    assert {name: after[name] for name in before} == before
    assert store.names() == digests_of(ONE, TWO, ONE + TWO)


def test_what_was_half_brought_is_gone_on_with(team: Team, store: Store):
    published(team, store)
    bob = team.bob()
    incoming = bob.root / ".git/fat/incoming"
    incoming.mkdir(parents=True)
    (incoming / digest(TWO * 2)).write_text((TWO * 2)[:2500])
    (incoming / digest(TWO * 3)).write_text("something else")

    bob("config", "git.filters", "fat")

    assert contents(bob) == made_of(TWO)
    assert list(incoming.iterdir()) == []


def test_what_was_half_sent_is_gone_on_with(team: Team, store: Store):
    ann = large(team, store)
    edit(ann, ONE, "V1")
    half = store.folder / ".rsync-partial"
    half.mkdir()
    (half / digest(ONE * 2)).write_text((ONE * 2)[:2500])

    ann("publish", str(team.origin))

    assert {p.name: p.read_text() for p in store.folder.iterdir() if p.is_file()} == {
        digest(text): text for text in made_of(ONE)
    }


def test_content_that_the_store_lacks_is_named(team: Team, store: Store):
    published(team, store)
    bob = team.bob()
    (store.folder / digest(TWO * 2)).unlink()

    told = bob.refused("config", "git.filters", "fat")

    assert "source-data/more.gz" in told
    assert "made.gz" not in told
    assert digest(TWO * 2) in told
    assert contents(bob)[1] == placeholder(TWO * 2) + "\n"
    assert bob.json("config", "git.filters")[0]["value"] == []
    bob.check()


def test_content_that_is_damaged_in_the_store_is_refused(team: Team, store: Store):
    ann = published(team, store)
    bob = team.bob()
    damaged = store.folder / digest(TWO)
    damaged.unlink()
    damaged.write_text(TWO.upper())

    told = bob.refused("config", "git.filters", "fat")
    assert "raw.gz" in told
    assert "damaged" in told
    assert contents(bob)[0] == placeholder(TWO) + "\n"
    bob.check()

    damaged.unlink()  # as the message says
    run_fat(ann.root / "own", "push")
    bob("config", "git.filters", "fat")
    assert contents(bob) == made_of(TWO)


def test_content_that_is_damaged_here_is_refused(team: Team, store: Store):
    ann = large(team, store)
    edit(ann, ONE, "V1")
    edit(ann, TWO, "V2")
    damaged = objects(ann, "own") / digest(ONE)
    damaged.unlink()
    damaged.write_text(ONE.replace("0", "1"))
    heads = ann.head(), ann.head("own")

    told = ann.refused("restore", "V1")

    assert str(damaged) in told
    assert "damaged" in told
    assert contents(ann) == made_of(TWO)
    assert (ann.head(), ann.head("own")) == heads
    ann.check()


def test_a_store_that_cannot_be_reached_changes_nothing(
    team: Team, store: Store, monkeypatch: pytest.MonkeyPatch
):
    ann = published(team, store)
    bob = team.bob()
    bob("config", "git.filters", "fat")
    edit(ann, ONE + TWO, "V3")
    ann("push")
    edit(ann, "x" * 4000, "V4")
    heads, origin = (bob.head(), bob.head("own")), git("rev-parse", "main", cwd=team.origin)
    monkeypatch.setenv("GIT_SSH_COMMAND", f"{os.environ['GIT_SSH_COMMAND']} -o HostName=127.0.0.9")
    told = bob.refused("pull")
    assert f"git-fat's store, {store.place}, cannot be used: it cannot be reached" in told
    assert (bob.head(), bob.head("own")) == heads
    assert contents(bob) == made_of(TWO)
    assert "it cannot be reached" in bob.refused("restore", "V1")
    assert contents(bob) == made_of(TWO)
    bob.check()
    assert "it cannot be reached" in ann.refused("push")
    assert git("rev-parse", "main", cwd=team.origin) == origin


def test_a_store_without_its_folder_is_named(team: Team, store: Store):
    published(team, store)
    bob = team.bob()
    store.folder.rename(store.folder.with_name("moved"))

    assert "there is no such folder" in bob.refused("config", "git.filters", "fat")
    bob.check()


def test_a_folder_is_not_taken_for_what_rsync_says(team: Team, store: Store):
    published(team, store)
    bob = team.bob()
    place = team.place / "Connection refused" / "store"
    bob.write(".gitfat", f"[rsync]\n\tremote = {place}\n")
    bob.git("commit", "-qam", "elsewhere")

    assert "there is no such folder" in bob.refused("config", "git.filters", "fat")


def test_without_rsync_it_is_named(team: Team, store: Store, monkeypatch: pytest.MonkeyPatch):
    ann = large(team, store)
    edit(ann, ONE, "V1")
    programs = team.place / "programs"
    programs.mkdir()
    for entry in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(entry) if os.path.isdir(entry) else []:
            if name != "rsync" and not (programs / name).is_symlink():
                (programs / name).symlink_to(os.path.join(entry, name))
    monkeypatch.setenv("PATH", str(programs))

    told = ann.refused("publish", str(team.origin))

    assert "rsync is not installed" in told
    assert git("for-each-ref", cwd=team.own) == ""


# What others wrote


def run_fat(cwd: Path, *args: str, status: int = 0) -> str:
    """`git fat`, as typed."""
    ran = subprocess.run(["git", "fat", *args], cwd=cwd, capture_output=True, text=True)
    assert ran.returncode == status, ran.stderr
    return ran.stdout + ran.stderr


def of_2012(store: Store, root: Path) -> None:
    """A repository as the git-fat of 2012 left it: both kinds of placeholder, its settings."""
    git("init", "-q", str(root), cwd=root.parent)
    (root / ".gitattributes").write_text("*.gz filter=fat -crlf\n")
    (root / ".gitfat").write_text(store.file)
    (root / "old.gz").write_text(f"#$# git-fat {digest(ONE)}\n")  # of its first version
    (root / "new.gz").write_text(placeholder(TWO) + "\n")
    git("add", ".", cwd=root)
    git("commit", "-qm", "of 2012", cwd=root)
    git("config", "filter.fat.clean", "git-fat filter-clean", cwd=root)
    git("config", "filter.fat.smudge", "git-fat filter-smudge", cwd=root)
    for text in (ONE, TWO):
        (store.folder / digest(text)).write_text(text)


def test_a_repository_of_the_git_fat_of_2012_is_read(team: Team, store: Store):
    ann = team.person("ann")
    ann.root.mkdir()
    ann("init", "lab", "--hostname", "ann")
    of_2012(store, ann.root / "data")

    ann("add", "git", "--role", "s", "data")

    assert (ann.read("data/old.gz"), ann.read("data/new.gz")) == (ONE, TWO)
    # the first version's placeholders become those of the second, as they did in 2012
    assert ann.git("status", "--porcelain", at="data") == "M old.gz"
    ann.snapshot("V1")
    assert ann.git("show", "HEAD:old.gz", at="data") == placeholder(ONE)
    ann.write("data/new.gz", ONE)
    ann.snapshot("V2")
    assert ann.git("show", "HEAD:new.gz", at="data") == placeholder(ONE)
    ann("restore", "V1")
    assert ann.read("data/new.gz") == TWO


def test_the_command_does_what_that_of_2012_did(tmp_path: Path, store: Store):
    root = tmp_path / "repo"
    of_2012(store, root)
    assert "in no git repository" in run_fat(root.parent, "init", status=1)
    assert "set up already" in run_fat(root, "init")
    assert run_fat(root, "status").splitlines() == [
        "Not here:", *sorted([f"  {digest(ONE)} old.gz", f"  {digest(TWO)} new.gz"])
    ]  # fmt: skip
    assert "Not here: old.gz" in run_fat(root, "checkout")

    assert "Restored old.gz" in run_fat(root, "pull")

    assert (root / "old.gz").read_text() == ONE
    assert (root / "new.gz").read_text() == TWO
    assert git("status", "--porcelain", cwd=root) == "M old.gz"
    assert run_fat(root, "status") == ""
    (root / "more.gz").write_text(ONE + TWO)
    git("add", ".", cwd=root)
    git("commit", "-qm", "more", cwd=root)
    run_fat(root, "push")
    assert (store.folder / digest(ONE + TWO)).read_text() == ONE + TWO
    assert run_fat(root, "verify") == ""
    mine = root / ".git/fat/objects" / digest(TWO)
    mine.chmod(0o644)
    mine.write_text("damaged")
    assert str(mine) in run_fat(root, "verify", status=1)
    assert "takes no '--force'" in run_fat(root, "push", "--force", status=2)
    assert "usage: git fat" in run_fat(root, "fly", status=2)


# What nobody should have written


@pytest.mark.parametrize(
    "place",
    ["", "-oProxyCommand=x:/p", "-e sh:/p", "host:-x", "relative/path", "a b:/p",
     "u@-h:/p", "host:/p\n/q"],
)  # fmt: skip
def test_a_place_that_is_none_is_refused(team: Team, place: str):
    other = team.person("other")
    other.root.mkdir()
    assert "no place where git-fat" in other.refused("init", "--git-fat-remote", place)
    assert os.listdir(other.root) == []


@pytest.mark.parametrize("user", ["-l", "a b", "", "a;b"])
def test_a_user_who_is_none_is_refused(team: Team, user: str):
    other = team.person("other")
    other.root.mkdir()
    told = other.refused("init", "--git-fat-remote", "host:/p", "--git-fat-user", user)
    assert "is not the name of a user" in told
    assert os.listdir(other.root) == []


def test_options_that_need_others_are_refused(team: Team):
    other = team.person("other")
    other.root.mkdir()
    assert "--git-fat-remote" in other.refused("init", "--git-fat-attributes", "*.gz")
    told = other.refused("init", "--git-fat-remote", "host:/p", "--git-lfs-attributes", "*.gz")
    assert "not by both" in told
    assert os.listdir(other.root) == []


@pytest.mark.parametrize(
    "line",
    ["options = -e touch@ran", "options = --rsync-path=touch@ran", "options = --delete",
     "sshuser = -oProxyCommand=touch@ran", "sshport = 1 -oProxyCommand=touch@ran",
     "remote = -etouch@ran:/p"],
)  # fmt: skip
def test_what_a_repository_says_runs_no_program(team: Team, store: Store, line: str):
    """Who clones has allowed the filter, and nothing else."""
    ann = published(team, store)
    line = line.replace("@", f" {team.place}/")
    key, _, value = line.partition(" = ")
    ann.git("config", "--file", ".gitfat", f"rsync.{key}", value)
    ann.git("commit", "-qam", "harmful")
    ann.git("push", "-q", "origin", "HEAD:main")
    bob = team.bob()

    told = bob.refused("config", "git.filters", "fat")

    assert "let in" in told or "no place" in told or "is not the n" in told
    assert not (team.place / "ran").exists()
    assert contents(bob)[1] == placeholder(TWO * 2) + "\n"
    bob.check()


def test_options_that_do_no_harm_are_let_in(team: Team, store: Store):
    ann = published(team, store)
    ann.git("config", "--file", ".gitfat", "rsync.options", "-z --bwlimit=9000")
    ann.git("commit", "-qam", "slower")
    ann.git("push", "-q", "origin", "HEAD:main")
    bob = team.bob()
    bob("config", "git.filters", "fat")
    assert contents(bob) == made_of(TWO)
