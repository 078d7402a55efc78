"""rclone resources, through `dws` and the real rclone: added, shared, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.fixtures.rclone import Remote, Remotes, add, prepare, publish, rclone, train
from tests.sharing.team import Person, Team

pytestmark = pytest.mark.needs("rclone")

HASHES = ".dataworkspace/file/source-data"


def changed(person: Person, name: str = "raw") -> bool | None:
    rows = person.json("report", "status")["resources"]
    found: bool | None = next(row["changed"] for row in rows if row["name"] == name)
    return found


# The whole way


def test_from_the_remote_to_results_and_to_another_machine(ann: Person, team: Team, remote: Remote):
    remote.put("a.csv", "1,2\n")
    remote.put("deep/b.csv", "5,6\n")
    add(ann, remote, "--master", "remote", "--compute-hash")
    assert (ann.read("raw/a.csv"), ann.read("raw/deep/b.csv")) == ("1,2\n", "5,6\n")
    prepare(ann)
    train(ann)
    ann("snapshot", "V1")
    assert changed(ann) is False
    bob = publish(team, ann)

    assert bob.read("raw/deep/b.csv") == "5,6\n"
    assert bob.upstream("results") == {"prepare", "train"}
    names = {n["name"] for n in bob.json("lineage", "upstream", "results")["nodes"]}
    assert "raw" in names
    assert bob("lineage", "stale", "--exit-code").status == 0

    remote.put("a.csv", "1,2\n3,4\n")
    ran = bob("pull")
    assert ran.out.startswith("Pulled raw from")
    assert bob.read("raw/a.csv") == "1,2\n3,4\n"
    stale = bob.json("lineage", "stale")
    assert [(s["step"], s["reasons"][0]["reason"]) for s in stale] == [
        ("prepare", "input changed"),
        ("train", "upstream stale"),
    ]
    prepare(bob)
    bob("snapshot", "V2")
    bob("push")

    assert "raw was left out" not in ann("pull").err
    assert ann.read("raw/a.csv") == "1,2\n3,4\n"
    assert ann("pull").out.startswith("Nothing is new")
    difference = ann.json("diff", "V1", "V2")["resources"]
    assert [r["files"]["changed"] for r in difference if r["name"] == "raw"] == [["a.csv"]]
    ran = ann("restore", "V1")
    assert "raw is not as in snapshot V1 and cannot come back, for an rclone resource" in ran.err
    assert "raw" in ann.refused("restore", "--only", "raw", "V1")
    ann.check()
    bob.check()


def test_to_the_remote_whose_master_is_here(ann: Person, remote: Remote):
    ann.write("raw/a.csv", "1\n")
    ann.write("raw/deep/b.csv", "2\n")
    add(ann, remote, "--master", "local", "--sync-mode", "sync")
    ann("publish", str(ann.root.parent / "origin.git"))
    assert remote.files() == ["a.csv", "deep/b.csv"]

    assert ann("push").out.startswith("Nothing is new")
    (ann.root / "raw/a.csv").unlink()
    ann.write("raw/c.csv", "three\n")
    assert ann("push").out.startswith("Pushed raw to")

    assert remote.files() == ["c.csv", "deep/b.csv"]
    assert remote.get("c.csv") == "three\n"
    assert "raw was left out: its master is the folder here" in ann("pull").err


def test_what_the_remote_is_given_by_others_keeps_its_lineage(
    ann: Person, team: Team, store: Remote
):
    store.put("rows.csv", "1\n")
    add(ann, store, "--compute-hash", "--master", "remote", "--name", "features")
    bob = publish(team, ann)

    for text in ("one", "three"):
        script = f"echo {text} > raw/rows.csv"
        ann("run", "--no-trace", "--step-name", text, "--code", "code", "-o", "features",
            "--", "sh", "-c", script)  # fmt: skip
        rclone("copy", str(ann.root / "raw"), store.at)
        ann("snapshot", text)
        ann("push")
        bob("pull")
        assert bob.read("features/rows.csv") == f"{text}\n"
        assert bob.upstream("features") == {text}
    bob("push")
    ann("pull")
    assert bob.dump() == ann.dump()


def test_content_that_nobody_recorded_has_no_lineage(ann: Person, store: Remote):
    store.put("rows.csv", "1\n")
    add(ann, store, "--compute-hash", "--master", "remote")
    ann("run", "--no-trace", "--step-name", "write", "--code", "code", "-o", "raw", "--",
        "sh", "-c", "echo one > raw/rows.csv")  # fmt: skip
    rclone("copy", str(ann.root / "raw"), store.at)
    ann("snapshot", "V1")
    ann("publish", str(ann.root.parent / "origin.git"))
    assert ann.upstream("raw") == {"write"}
    assert ann("pull").out.startswith("Nothing is new")

    store.put("rows.csv", "nobody knows\n")
    ann("pull")

    prepare(ann)
    assert ann.upstream("intermediate-data/clean") == {"prepare"}


def test_part_of_it_has_lineage_of_its_own(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    store.put("deep/b.csv", "2\n")
    add(ann, store, "--compute-hash")
    prepare(ann, "raw/a.csv")
    ann("snapshot", "V1")
    ann.write("raw/deep/b.csv", "another\n")
    assert ann("lineage", "stale", "--exit-code").status == 0
    ann.write("raw/a.csv", "another\n")
    [stale] = ann.json("lineage", "stale")
    assert stale["reasons"][0]["ref"] == "raw:/a.csv"
    ran = ann.run("lineage", "verify")
    assert (ran.status, "raw:/a.csv" in ran.out, "changed" in ran.out) == (1, True, True)
    assert "not kept" in ann("lineage", "verify", "--snapshot", "V1").out


def test_results_go_to_their_snapshot_and_to_the_remote(ann: Person, store: Remote):
    ann("add", "rclone", "--role", "r", "--master", "local", store.at, str(ann.root / "out"))
    ann.write("out/results.json", json.dumps({"metrics": {"accuracy": 0.5}}))
    ann("snapshot", "V1")
    assert [p.name for p in (ann.root / "out").iterdir()] == ["snapshots"]
    ann("publish", str(ann.root.parent / "origin.git"))
    assert store.files() == ["snapshots/ann-V1/results.json"]
    assert ann.json("report", "history")[0]["metrics"] == {"accuracy": 0.5}


def test_exported_by_one_workspace_and_imported_by_another(ann: Person, team: Team, store: Remote):
    ann("add", "rclone", "--role", "i", "--master", "local", "--compute-hash", "--export",
        "--name", "features", store.at, str(ann.root / "raw"))  # fmt: skip
    ann("run", "--no-trace", "--step-name", "make", "--code", "code", "-o", "features", "--",
        "sh", "-c", "echo 1 > raw/rows.csv")  # fmt: skip
    ann("snapshot", "V1")
    ann("publish", str(team.origin))
    assert store.files() == ["lineage.json", "rows.csv"]

    eve = team.person("eve")
    eve.root.mkdir()
    eve("init", "other", "--create-resources", "code,intermediate-data")
    eve.write("code/main.py", "print(2)\n")
    eve("snapshot", "E0")
    eve("add", "rclone", "--imported", "--master", "remote", "--compute-hash", "--name",
        "features", store.at, str(eve.root / "raw"))  # fmt: skip
    prepare(eve, "features")
    eve("snapshot", "E1")
    eve("publish", str(team.own))

    assert eve.upstream("intermediate-data/clean") == {"prepare", "make"}
    ann("run", "--no-trace", "--step-name", "make again", "--code", "code", "-o", "features",
        "--", "sh", "-c", "echo 2222 > raw/rows.csv")  # fmt: skip
    ann("snapshot", "V2")
    ann("push")
    eve("pull")
    assert eve.read("raw/rows.csv") == "2222\n"
    prepare(eve, "features")
    assert eve.upstream("intermediate-data/clean") == {"prepare", "make again"}


def test_a_pull_leaves_the_lineage_file_of_an_exported_one(ann: Person, store: Remote):
    store.put("rows.csv", "1\n")
    store.put("lineage.json", "{}")
    store.drop("lineage.json")
    add(ann, store, "--master", "remote", "--sync-mode", "sync", "--export")
    ann("snapshot", "V1")
    ann("publish", str(ann.root.parent / "origin.git"))
    store.put("more.csv", "2\n")

    ann("pull")

    assert json.loads(ann.read("raw/lineage.json"))["resource_name"] == "raw"
    assert ann.read("raw/more.csv") == "2\n"


# Adding


def test_what_is_written_of_it(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    add(ann, store, "--sync-mode", "sync", "--size-only")
    params = json.loads(ann.read(".dataworkspace/resources.json"))[-1]
    assert list(params.items()) == [
        ("resource_type", "rclone"),
        ("name", "raw"),
        ("role", "source-data"),
        ("global_local_path", str(ann.root / "raw")),
        ("compute_hash", False),
        ("export", False),
        ("imported", False),
        ("remote_origin", store.at),
        ("config", None),
        ("master", "none"),
        ("sync_mode", "sync"),
        ("size_only", True),
    ]
    local = json.loads(ann.read(".dataworkspace/resource_local_params.json"))
    assert local["raw"] == {"local_path": None}
    ann("snapshot", "V1")
    assert len(list((ann.root / HASHES / "raw").iterdir())) == 2
    assert "/raw" in ann.read(".gitignore").splitlines()


def test_its_name_is_the_last_part_of_the_remotes_path(ann: Person, store: Remote):
    store.put("deep/er/a.csv", "1\n")
    at = Remote(f"{store.at}/deep/er/")
    add(ann, at, at="here")
    assert "er" in ann("report", "status").out
    rclone("copy", store.at, f"{store.at.partition(':')[0]}:top")
    add(ann, Remote("store:"), at="all")
    assert {"er", "all"} <= {r["name"] for r in ann.json("report", "status")["resources"]}


def test_with_no_master_it_is_copied_once(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    add(ann, store)
    assert ann.read("raw/a.csv") == "1\n"
    ann("publish", str(ann.root.parent / "origin.git"))
    ann.write("raw/a.csv", "mine\n")
    for command in ("push", "pull"):
        said = ann(command).err
        assert "raw was left out: it has no master: copy it with rclone yourself" in said
    assert (store.get("a.csv"), ann.read("raw/a.csv")) == ("1\n", "mine\n")


def test_with_the_master_here_an_empty_folder_is_made(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    add(ann, store, "--master", "local")
    assert list((ann.root / "raw").iterdir()) == []


def test_a_folder_that_is_there_is_taken_as_it_is(ann: Person, store: Remote):
    store.put("a.csv", "theirs\n")
    store.put("b.csv", "new\n")
    ann.write("raw/a.csv", "theirs\n")
    said = add(ann, store, "--master", "remote")
    assert "was there already, so nothing was copied" in said
    assert not (ann.root / "raw/b.csv").exists()
    ann("publish", str(ann.root.parent / "origin.git"))
    ann("pull")
    assert ann.read("raw/b.csv") == "new\n"


def test_an_empty_folder_is_filled(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    (ann.root / "raw").mkdir()
    add(ann, store)
    assert ann.read("raw/a.csv") == "1\n"


def test_a_configuration_of_its_own(ann: Person, store: Remote, remotes: Remotes,
                                    monkeypatch: pytest.MonkeyPatch):  # fmt: skip
    store.put("a.csv", "1\n")
    monkeypatch.delenv("RCLONE_CONFIG")
    assert "no remote 'store'" in ann.refused("add", "rclone", "--role", "s", store.at, "raw")

    add(ann, store, "--config", str(remotes.config), "--master", "remote")
    ann("publish", str(ann.root.parent / "origin.git"))
    (remotes.place / "raw/a.csv").write_text("22\n")
    ann("pull")
    assert ann.read("raw/a.csv") == "22\n"

    moved = remotes.config.rename(remotes.config.with_name("moved.conf"))
    said = ann.refused("pull")
    assert "rclone.conf is not there" in said
    assert "resource_local_params.json" in said
    path = ann.root / ".dataworkspace/resource_local_params.json"
    local = json.loads(path.read_text())
    path.write_text(json.dumps({**local, "raw": {**local["raw"], "config": str(moved)}}))
    assert ann("pull").out.startswith("Nothing is new")


def test_a_configuration_in_the_workspace_is_refused(ann: Person, store: Remote, remotes: Remotes):
    store.put("a.csv", "1\n")
    own = ann.write("rclone.conf", remotes.config.read_text())
    said = ann.refused("add", "rclone", "--role", "s", "--config", str(own), store.at, "raw")
    assert "lies in the workspace" in said
    assert not (ann.root / "raw").exists()


@pytest.mark.parametrize(
    "remote",
    ["folder", "/etc", ":local:/etc", ":sftp,ssh='touch pwned':x", "a,type=local:x", " a:b",
     "-v:x", ":", ":x", "a\nb:c"],
)  # fmt: skip
def test_what_names_no_remote_is_refused(ann: Person, remote: str):
    said = ann.refused("add", "rclone", "--role", "s", "--name", "n", "--", remote, "raw")
    assert "does not name a place at an rclone remote" in said
    assert not list(ann.root.glob("**/pwned"))


@pytest.mark.parametrize("mode", ["--master=both", "--sync-mode=move", "--role=data"])
def test_what_is_no_choice_is_refused(ann: Person, mode: str):
    assert ann.run("add", "rclone", "--role", "s", mode, "store:x", "raw").status == 2


def test_a_password_in_the_remote_is_refused(ann: Person, store: Remote):
    at = "store:https://ann:hunter2@host/x"
    said = ann.refused("add", "rclone", "--role", "s", at, "raw")
    assert "password" in said
    assert "hunter2" not in said


def test_an_imported_one_is_not_written(ann: Person, store: Remote):
    said = ann.refused("add", "rclone", "--imported", "--master", "local", store.at, "raw")
    assert "only read" in said
    store.put("a.csv", "1\n")
    said = ann.refused("add", "rclone", "--imported", store.at, str(ann.root / "raw"))
    assert "lineage.json" in said
    assert not (ann.root / "raw").exists()


def test_it_lies_beside_other_resources(ann: Person, store: Remote):
    store.put("a.csv", "1\n")
    ann.refused("add", "rclone", "--role", "s", store.at, str(ann.root / "code/raw"))
    ann.refused("add", "rclone", "--role", "s", store.at, str(ann.root))
    assert not (ann.root / "code/raw").exists()
    assert not (ann.root / "a.csv").exists()


def test_a_remote_that_has_nothing_there(ann: Person, store: Remote):
    said = ann.refused("add", "rclone", "--role", "s", store.at, str(ann.root / "raw"))
    assert f"'{store.at}': there is nothing at that path" in said
    assert not (ann.root / "raw").exists()


def test_its_master_can_be_changed(ann: Person, team: Team, store: Remote):
    store.put("a.csv", "1\n")
    add(ann, store)
    publish(team, ann)
    store.put("a.csv", "22\n")
    ann("config", "--resource", "raw", "master", "remote")
    ann("pull")
    assert ann.read("raw/a.csv") == "22\n"
    ann("config", "--resource", "raw", "size_only", "on")
    ann("config", "--resource", "raw", "sync_mode", "sync")
    params = json.loads(ann.read(".dataworkspace/resources.json"))[-1]
    assert [params[key] for key in ("master", "sync_mode", "size_only")] == ["remote", "sync", True]
    for name, value in (("master", "both"), ("keep", "on"), ("remote_origin", "store:x")):
        ann.refused("config", "--resource", "raw", name, value)
    ann("config", "--resource", "raw", "--unset", "master")
    assert "it has no master" in ann("pull").err
