"""An api-resource: its hash is what a program has saved last, its data are nowhere."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.errors import ApiParamError, ConfigurationError
from dws_graph.resources import api_resource
from dws_graph.resources.api_resource import ApiResource
from dws_graph.workspace import find_and_load_workspace
from tests.cli.conftest import Dws
from tests.resources.places import Place
from tests.sharing.team import Team

HASH_1, HASH_2 = "1" * 40, "2" * 40


@pytest.fixture
def api(tmp_path: Path) -> ApiResource:
    return api_resource.FACTORY.from_command_line("source-data", "weather", Place(tmp_path))


def save(root: Path, hashval: str, name: str = "weather") -> None:
    """As Data Workspaces 1.6 saves a hash."""
    folder = root / ".dataworkspace" / "scratch" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hashval.txt").write_text(hashval)


def use(dws: Dws, output: str = "intermediate-data") -> None:
    """A step that reads the data behind the API."""
    dws("run", "--step-name", "get", "-i", "weather", "-o", output, "--no-trace", "--",
        "sh", "-c", f"date +%s%N > {output}/got")  # fmt: skip


# the hash that kits hand over


def test_a_hash_is_begun_saved_and_gone_on_from_in_a_copy(api: ApiResource) -> None:
    assert (api.saved_hash(), api.is_here(), api.snapshot()) == (None, False, (None, None))
    api.init_hash_state()
    api.get_hash_state().update(b"training")
    api.save_current_hash("of the training")
    trained = api.saved_hash()
    assert api.snapshot() == (trained, None)
    folder = api.workspace.root / ".dataworkspace/scratch/weather"
    assert (folder / "comment.txt").read_text() == "of the training\n"

    api.dup_hash_state()
    api.get_hash_state().update(b"test")
    api.save_current_hash()
    assert api.saved_hash() not in (None, trained)
    assert not (folder / "comment.txt").exists()

    api.pop_hash_state()
    api.save_current_hash()
    assert api.saved_hash() == trained


def test_a_hash_goes_on_from_one_that_was_handed_on(api: ApiResource) -> None:
    api.init_hash_state()
    api.get_hash_state().update(b"a")
    state = api.get_hash_state().copy()
    api.get_hash_state().update(b"b")
    whole = api.get_hash_state().hexdigest()

    api.init_hash_state(state)
    api.get_hash_state().update(b"b")

    assert api.get_hash_state().hexdigest() == whole


@pytest.mark.parametrize(
    "misuse", ["dup_hash_state", "pop_hash_state", "get_hash_state", "save_current_hash"]
)
def test_without_a_hash_under_way_a_sentence_says_what_to_call(
    api: ApiResource, misuse: str
) -> None:
    with pytest.raises(ApiParamError, match="no hash was begun for resource 'weather'") as caught:
        getattr(api, misuse)()
    assert "init_hash_state()" in caught.value.hint


def test_its_fingerprint_is_the_hash(api: ApiResource) -> None:
    nothing = api.fingerprint()
    assert nothing is not None
    assert api.unchanged(None, nothing)
    save(api.workspace.root, HASH_1)
    assert not api.unchanged(None, nothing)
    saved = api.fingerprint()
    assert saved is not None
    save(api.workspace.root, HASH_1)  # the same data again
    assert api.unchanged(None, saved)
    save(api.workspace.root, HASH_2)
    assert not api.unchanged(None, saved)


def test_what_is_no_hash_is_refused_by_file(api: ApiResource) -> None:
    save(api.workspace.root, "no hash\n")
    with pytest.raises(ConfigurationError, match=r"weather/hashval\.txt.* holds no hash") as caught:
        api.snapshot_precheck()
    assert "Delete it" in caught.value.hint


def test_a_name_is_never_a_path(tmp_path: Path) -> None:
    made = ApiResource("../../out", "source-data", Place(tmp_path / "ws"))
    made.init_hash_state()
    made.save_current_hash()
    assert [p.relative_to(tmp_path).parts[:3] for p in tmp_path.rglob("hashval.txt")] == [
        ("ws", ".dataworkspace", "scratch")
    ]
    assert made.saved_hash() is not None


# adding


def test_it_is_added_with_two_roles_and_a_name_of_its_role(workspace: Path, dws: Dws) -> None:
    said = dws("add", "api-resource", "--role", "s").out
    assert said == "Added resource source-data-api (api-resource) with the role source-data.\n"
    dws("add", "api-resource", "--role", "intermediate-data", "--name", "features")
    written = json.loads((workspace / ".dataworkspace/resources.json").read_text())
    assert written[-1] == {
        "resource_type": "api-resource",
        "name": "features",
        "role": "intermediate-data",
    }
    local = json.loads((workspace / ".dataworkspace/resource_local_params.json").read_text())
    assert local["features"] == {}
    for role in ("code", "results"):
        err = dws.refused("add", "api-resource", "--role", role)
        assert f"source-data or intermediate-data, not {role}" in err
    assert "--role is missing" in dws.refused("--batch", "add", "api-resource")


def test_it_has_no_subpaths(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    save(workspace, HASH_1)
    err = dws.refused("run", "-i", "weather:/paris", "--no-trace", "--", "true")
    assert "an api-resource has no subpaths" in err
    assert "Name the whole of it: weather" in err
    err = dws.refused("lineage", "upstream", "weather:/paris")
    assert "neither on disk nor in what was recorded" in err


# through the commands


def test_lineage_follows_the_hash(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    save(workspace, HASH_1)
    use(dws)
    dws("snapshot", "v1")
    (row,) = [r for r in dws.json("show", "v1")["resources"] if r["name"] == "weather"]
    assert row["hash"] == HASH_1
    assert "v1" in dws("snapshot", "again").out + dws("report", "history").out
    assert dws.json("lineage", "stale") == []
    status = {r["name"]: r["changed"] for r in dws.json("report", "status")["resources"]}
    assert status["weather"] is False
    verified = {r["ref"]: r["status"] for r in dws.json("lineage", "verify")["refs"]}
    assert verified["weather"] == "same"

    save(workspace, HASH_2)

    assert dws.json("lineage", "stale")[0]["reasons"] == [
        {"ref": "weather", "reason": "input changed"}
    ]
    status = {r["name"]: r["changed"] for r in dws.json("report", "status")["resources"]}
    assert status["weather"] is True
    assert dws.run("lineage", "verify").status == 1
    now = {r["name"]: r for r in dws.json("diff", "v1")["resources"]}
    assert now["weather"]["change"] == "changed"
    dws("snapshot", "v2")
    then = {r["name"]: r for r in dws.json("diff", "v1", "v2")["resources"]}
    assert then["weather"]["change"] == "changed"
    assert "compared by its hash" in dws("diff", "v1", "v2").out
    graph = dws.json("lineage", "upstream", "intermediate-data", "--snapshot", "v1")
    hashes = [n["properties"].get("hash") for n in graph["nodes"]]
    assert HASH_1 in hashes
    assert HASH_2 not in hashes
    assert (workspace / ".dataworkspace/.gitignore").read_text().count("scratch/") == 1


def test_the_same_data_again_keep_their_lineage(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    save(workspace, HASH_1)
    use(dws)
    dws("snapshot", "v1")
    save(workspace, HASH_2)
    save(workspace, HASH_1)
    assert dws.json("lineage", "stale") == []
    use(dws)
    dws("snapshot", "v2")
    with closing(find_and_load_workspace(True, False, str(workspace))) as ws:
        held = [ws.index.contains(ws.id, s.hash) for s in ws.index.snapshots(ws.id)]
        ids = [{c.id for c, _ in rows if c.ref.name == "weather"} for rows in held]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 1


def test_none_saved_yet_is_a_warning_and_null(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    took = dws("snapshot", "v1")
    assert "resource 'weather' has no hash: no kit has saved one here" in took.err
    (row,) = [r for r in dws.json("show", "v1")["resources"] if r["name"] == "weather"]
    assert row["hash"] is None
    assert "has no hash yet on this machine" in dws("doctor").out
    err = dws.refused("restore", "--only", "weather", "v1")
    assert "keep no content to restore" in err


def test_a_damaged_hash_is_named_by_every_command(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    save(workspace, "?")
    for args in (["snapshot", "v1"], ["run", "-i", "weather", "--no-trace", "--", "true"]):
        assert "holds no hash" in dws.refused(*args)
    ran = dws.run("doctor")
    assert (ran.status, "holds no hash" in ran.out) == (1, True)


def test_a_new_name_keeps_the_hash(workspace: Path, dws: Dws) -> None:
    dws("add", "api-resource", "--role", "s", "--name", "weather")
    save(workspace, HASH_1)
    use(dws)
    dws("snapshot", "v1")
    dws("rename", "weather", "climate")
    assert dws.json("lineage", "stale") == []
    with closing(find_and_load_workspace(True, False, str(workspace))) as ws:
        found = ws.get_resource("climate")
        assert isinstance(found, ApiResource)
        assert found.saved_hash() == HASH_1
        found.init_hash_state()
        found.save_current_hash()
        assert found.saved_hash() != HASH_1
    dws("remove", "climate")
    assert "climate" not in dws("report", "status").out


def test_a_colleague_cannot_tell_and_is_not_kept_from_working(team: Team) -> None:
    ann = team.ann()
    ann("add", "api-resource", "--role", "s", "--name", "weather")
    save(ann.root, HASH_1)
    got = "intermediate-data/got"
    script = f"mkdir -p {got} && echo 1 > {got}/x"
    ann(
        "run",
        "--step-name",
        "get",
        "-i",
        "weather",
        "-o",
        got,
        "--no-trace",
        "--",
        "sh",
        "-c",
        script,
    )
    ann.snapshot("V2")
    ann("publish", str(team.origin))
    pushed = ann("push").err
    assert "weather was left out: its data is behind an API" in pushed

    bob = team.bob()

    assert "weather" not in bob("pull").err.replace("weather was left out: its data", "")
    assert bob.upstream("intermediate-data:/got") == {"get"}
    assert bob.json("lineage", "stale") == []
    verified = {r["ref"]: r for r in json.loads(bob.run(
        "lineage", "verify", "--format", "json").out)["refs"]}  # fmt: skip
    assert verified["weather"]["status"] == "not kept"
    status = {r["name"]: r["changed"] for r in bob.json("report", "status")["resources"]}
    assert status["weather"] is None
    bob.write("results/note.txt", "bob was here\n")
    bob.snapshot("V3")
    assert bob.upstream("intermediate-data:/got") == {"get"}
    save(bob.root, HASH_1)  # the same data, seen here too
    assert bob.json("lineage", "stale") == []
    save(bob.root, HASH_2)
    assert [s["step"] for s in bob.json("lineage", "stale")] == ["get"]
