"""Kept content in a store that copies of a workspace share: a folder, and a bucket."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest
import s3fs

from dws_graph.backends.kept.opening import open_store
from dws_graph.backends.kept.store import Store, StoreError
from tests.keeping.files import Files
from tests.sharing.team import Person, Team


@pytest.fixture(params=["folder", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store, in a folder or in a bucket."""
    if request.param == "folder":
        return f"file://{tmp_path}/shared store".replace(" ", "%20")
    return str(request.getfixturevalue("bucket"))


def alone(team: Team) -> Person:
    """Ann, with a new workspace."""
    ann = team.person("ann")
    ann.root.mkdir()
    ann("init", "lab", "--hostname", "ann")
    return ann


@pytest.fixture
def ann(team: Team, url: str) -> Person:
    """Ann, with kept files, one snapshot, and everything published."""
    ann = alone(team)
    Files(team.place / "data").make()
    keep = ("--keep", "--store", url)
    ann("add", "local-files", "--role", "source-data", *keep, str(team.place / "data"))
    ann("snapshot", "v1")
    ann("publish", str(team.origin))
    return ann


def bob(team: Team, ann: Person) -> Person:
    """Bob, on another machine: the files of Ann are not there."""
    shutil.move(team.place / "data", team.place / "hidden")
    return team.bob()


def contents(store: Store) -> set[str]:
    return {sha1 for sha1, _ in store.objects()}


def test_a_clone_has_the_files(team: Team, ann: Person) -> None:
    files = Files(team.place / "data").read()

    person = bob(team, ann)

    assert Files(person.root / "data").read() == files
    person.check()


def test_snapshots_go_round(team: Team, ann: Person, url: str) -> None:
    v1 = Files(team.place / "data").read()
    person = bob(team, ann)
    theirs = Files(person.root / "data")
    theirs.write(b"a.csv", b"bob\n")
    person("snapshot", "v2")
    v2 = theirs.read()
    person("push")
    shutil.move(team.place / "hidden", team.place / "data")

    ran = ann("pull")

    assert "1 kept file is here" in ran.err + ran.out
    assert Files(team.place / "data").read() == v1  # a pull changes no plain files
    ann("restore", "--only", "data", "v2")
    assert Files(team.place / "data").read() == v2
    ann("restore", "--only", "data", "v1")
    assert Files(team.place / "data").read() == v1


def test_the_second_snapshot_of_unchanged_files_stores_nothing(
    team: Team, ann: Person, url: str
) -> None:
    store = open_store(url, "test")
    before = dict(store.objects())

    ann("snapshot", "again")

    assert dict(store.objects()) == before


def test_the_store_may_come_later_and_push_carries_what_is_missing(team: Team, url: str) -> None:
    ann = alone(team)
    files = Files(team.place / "data")
    files.make()
    ann("add", "local-files", "--role", "source-data", "--keep", str(files.folder))
    ann("snapshot", "v1")
    ann("publish", str(team.origin))
    assert "kept on this machine alone" in ann("push").err
    files.write(b"never in a snapshot", b"mine\n")
    ann("restore", "--only", "data", "v1")  # keeps that, too

    ann("config", "--resource", "data", "store", url)
    store = open_store(url, "test")
    assert contents(store) == set()
    ann("push")

    assert len(contents(store)) == 5
    kept = dict(store.objects())
    ann("push")
    assert dict(store.objects()) == kept
    person = bob(team, ann)
    person("restore", "v1")


def test_content_that_is_missing_is_named(team: Team, ann: Person, url: str) -> None:
    person = bob(team, ann)
    theirs = Files(person.root / "data")
    theirs.write(b"a.csv", b"changed\n")
    theirs.write(b"same.csv", b"changed\n")
    store = open_store(url, "test")
    store.drop([hashlib.sha1(b"1,2\n").hexdigest()], lambda: None)
    now = theirs.read()

    said = person.refused("restore", "--only", "data", "v1")

    assert "is not in" in said
    assert theirs.read() == now
    assert person.run("lineage", "verify", "--snapshot", "v1").status == 1


def test_gc_leaves_what_other_copies_need(team: Team, ann: Person, url: str) -> None:
    person = bob(team, ann)
    theirs = Files(person.root / "data")
    theirs.write(b"a.csv", b"bob's\n")
    person("snapshot", "v2")  # not pushed: Ann cannot know of it
    v2 = theirs.read()
    theirs.write(b"a.csv", b"changed\n")
    store = open_store(url, "test")
    before = contents(store)

    said = ann.json("gc", "--grace", "0")

    assert sum(row["files"] for row in said) == 0
    assert contents(store) == before
    person("restore", "--only", "data", "v2")
    assert theirs.read() == v2


def test_gc_drops_what_another_copy_deleted(team: Team, ann: Person, url: str) -> None:
    person = bob(team, ann)
    theirs = Files(person.root / "data")
    theirs.write(b"a.csv", b"bob's\n" * 100)
    person("snapshot", "v2")
    theirs.write(b"a.csv", b"1,2\n")
    person("snapshot", "v3")
    person("push")
    shutil.move(team.place / "hidden", team.place / "data")
    ann("pull")
    ann("delete-snapshot", "v2")
    ann("tag", "v1", "later")  # undo cannot bring it back
    ann("push")
    store = open_store(url, "test")
    before = contents(store)

    dropped = [row for row in ann.json("gc", "--grace", "0") if row["store"].startswith(url[:5])]
    dropped = dropped or ann.json("gc", "--grace", "0")

    assert before - contents(store)
    ann("restore", "--only", "data", "v3")
    person("pull")
    person("restore", "--only", "data", "v1")


def test_another_workspace_keeps_its_content(team: Team, ann: Person, url: str) -> None:
    other = team.place / "other"
    other.mkdir()
    files = Files(team.place / "others data")
    files.write(b"x.csv", b"of another workspace\n")
    person = Person(other, team._dws, team._patch)
    person("init", "other")
    person("add", "local-files", "--role", "s", "--name", "d", "--keep", "--store", url,
           str(files.folder))  # fmt: skip
    person("snapshot", "v1")
    kept = files.read()
    store = open_store(url, "test")
    before = contents(store)

    ann("gc", "--grace", "0")

    assert contents(store) == before
    files.write(b"x.csv", b"changed\n")
    person("restore", "v1")
    assert files.read() == kept


@contextmanager
def unreachable(url: str) -> Iterator[None]:
    """The store cannot be used meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        if urlsplit(url).scheme != "file":
            patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
            yield
            return
        place = Path(urlsplit(url).path.replace("%20", " "))
        place.rename(place.with_name("away"))
        place.write_text("no folder\n")
        yield
        place.unlink()
        place.with_name("away").rename(place)


def test_a_store_that_cannot_be_reached_costs_no_snapshot(
    team: Team, ann: Person, url: str
) -> None:
    files = Files(team.place / "data")
    files.write(b"a.csv", b"offline\n")
    with unreachable(url):
        ran = ann("snapshot", "v2")

        assert "kept on this machine alone until dws push" in ran.err + ran.out
        v2 = files.read()
        files.write(b"a.csv", b"changed\n")
        ann("restore", "--only", "data", "v2")
        assert files.read() == v2
        assert "cannot" in ann.refused("push")

    ann("push")
    assert Files(bob(team, ann).root / "data").read() == v2


def test_credentials_that_are_refused_are_said_in_one_line(
    team: Team, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = alone(team)
    files = Files(team.place / "data")
    files.make()
    ann("add", "local-files", "--role", "s", "--keep", "--store", bucket, str(files.folder))
    ann("snapshot", "v1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    said = ann("snapshot", "v2").err if files.write(b"new", b"new\n") else ""

    assert "credentials" in said.lower()
    assert "Traceback" not in said


def test_who_adds_waits_for_who_drops(bucket: str) -> None:
    said: list[str] = []
    one, two = open_store(bucket, "one"), open_store(bucket, "two", said.append)
    entered = Event()

    def add() -> None:
        with two.adding():
            entered.set()

    thread = Thread(target=add)
    with one.clearing() as beat:
        beat()
        thread.start()
        assert not entered.wait(0.5)
        with pytest.raises(StoreError, match="one clears the store"), two.clearing():
            pass
    assert entered.wait(30)
    thread.join()
    assert "waiting for one, who clears the store" in said[0]


def test_who_was_killed_while_dropping_is_forgotten(bucket: str) -> None:
    said: list[str] = []
    _leave_lease(bucket, time.time() - 3600)

    with open_store(bucket, "two", said.append).adding():
        assert said == []


def _leave_lease(bucket: str, when: float) -> None:
    fs = s3fs.S3FileSystem(skip_instance_cache=True)
    lease = json.dumps({"who": "one", "time": when})
    fs.pipe_file(f"{bucket.removeprefix('s3://')}/clearing", lease.encode())


def test_a_damaged_content_is_said_to_be_so_where_it_lies(team: Team):
    folder = team.place / "shared"
    folder.mkdir()
    ann = alone(team)
    Files(team.place / "data").make()
    keep = ("--keep", "--store", folder.as_uri())
    ann("add", "local-files", "--role", "source-data", *keep, str(team.place / "data"))
    ann("snapshot", "v1")
    ann("publish", str(team.origin))
    sha1 = hashlib.sha1(b"3,4\n").hexdigest()
    path = folder / "objects" / sha1[:2] / sha1[2:]
    path.chmod(0o644)
    path.write_bytes(b"4,3\n")
    (team.place / "data" / "deep" / "er" / "b.csv").unlink()

    said = ann.refused("--batch", "restore", "v1")

    assert f"{sha1} is damaged in the store {folder}" in said
    assert f"Delete objects/{sha1[:2]}/{sha1[2:]} there" in said
