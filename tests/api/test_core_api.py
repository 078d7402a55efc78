"""The core workspace API of the reference, each method called for real and for what it says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dws_graph import api
from dws_graph.errors import (
    AmbiguousSnapshotError,
    ApiParamError,
    ConfigurationError,
    InternalError,
    NotSupportedError,
    ParamNotFoundError,
    ParamValidationError,
    PathNotAResourceError,
    SnapshotNotFoundError,
)
from dws_graph.lineage import ResourceRef
from dws_graph.resources.file_resource import FileResource
from dws_graph.workspace import (
    RESOURCE_ROLE_CHOICES,
    FileResourceMixin,
    LocalStateResourceMixin,
    Resource,
    ResourceRoles,
    SnapshotMetadata,
    SnapshotResourceMixin,
    SnapshotWorkspaceMixin,
    SyncedWorkspaceMixin,
    Workspace,
    find_and_load_workspace,
    init_workspace,
    load_workspace,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a folder of each role, and one of each other type."""
    root = tmp_path / "lab"
    root.mkdir()
    roles = {"create_resources": RESOURCE_ROLE_CHOICES}
    with closing(
        init_workspace("git", "lab", "desk", True, False, None, str(root), **roles)
    ) as made:
        own = tmp_path / "own"
        subprocess.run(["git", "init", "-q", str(own)], check=True)
        (own / "a").write_text("1")
        for args in (["add", "."], ["commit", "-qm", "first"]):
            subprocess.run(["git", *args], cwd=own, check=True)
        made.add_resource("own", "git", "code", str(own))
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "f.csv").write_text("1,2\n")
        made.add_resource("files", "file", "source-data", str(tmp_path / "files"), True)
        made.add_resource("weather", "api-resource", ResourceRoles.SOURCE_DATA_SET)
    (root / "code" / "train.py").write_text("print(1)\n")
    return root


@pytest.fixture
def ws(root: Path) -> Iterator[Workspace]:
    with closing(load_workspace(f"git:{root}", True, False)) as found:
        yield found


def files_of(ws: Workspace, name: str) -> FileResource:
    resource = ws.get_resource(name)
    assert isinstance(resource, FileResource)
    return resource


def two_snapshots(ws: Workspace, root: Path) -> tuple[SnapshotMetadata, SnapshotMetadata]:
    first, _ = ws.snapshot("v1", "the first")
    (root / "code" / "train.py").write_text("print(2)\n")
    second, _ = ws.snapshot("v2")
    return first, second


# Opening


def test_a_workspace_is_named_by_path_or_uri(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DWS_WORKSPACE_DIR", raising=False)
    for name in (f"git:{root}", str(root)):
        with closing(load_workspace(name, True, False)) as ws:
            assert ws.name == "lab"
    monkeypatch.setenv("HOME", str(root.parent))
    for name in (f"git:{root}", str(root / "code"), "~/lab/code", "git:~/lab"):
        with closing(find_and_load_workspace(True, True, name)) as ws:
            assert (ws.root, ws.batch, ws.verbose) == (root, True, True)
    monkeypatch.chdir(root / "code")
    with closing(find_and_load_workspace(True, False)) as ws:
        assert ws.root == root
    with closing(find_and_load_workspace(True, False, "git:..")) as ws:
        assert ws.root == root
    with pytest.raises(ConfigurationError, match="the scheme is 's3', not 'git'"):
        find_and_load_workspace(True, False, "s3://bucket")
    with pytest.raises(ConfigurationError, match="there is no backend 'hub'"):
        init_workspace("hub", "x", "desk", True, False, None)


def test_every_function_of_the_api_takes_a_uri(root: Path) -> None:
    uri = f"git:{root}"
    assert [info.name for info in api.get_resource_info(uri)][:2] == RESOURCE_ROLE_CHOICES[:2]
    assert api.get_local_path_for_resource("code", uri) == str(root / "code")
    assert api.get_local_path_for_resource("weather", uri) is None
    hashval = api.take_snapshot(uri, "v1")
    assert [s.hashval for s in api.get_snapshot_history(uri)] == [hashval]
    assert api.restore("v1", uri) == 4
    assert api.get_results(uri) is None
    api.make_lineage_graph(str(root / "results" / "g.html"), uri, "code", "v1")
    assert list(api.make_lineage_table(uri)) == []


# A workspace


def test_what_a_workspace_tells_of_itself(ws: Workspace, root: Path) -> None:
    assert (ws.name, ws.batch, ws.verbose) == ("lab", True, False)
    assert ws.dws_version == api.get_version()
    assert ws.get_instance() == "desk"
    assert ws.get_workspace_local_path_if_any() == str(root)
    assert ws.get_scratch_directory() == str(root / "scratch")
    assert (root / "scratch").is_dir()
    assert ws.supports_lineage()
    assert ws.as_lineage_ws() is ws.as_snapshot_ws() is ws
    assert isinstance(ws, SnapshotWorkspaceMixin)
    assert isinstance(ws, SyncedWorkspaceMixin)


def test_parameters_are_validated_and_kept(ws: Workspace, root: Path) -> None:
    assert ws.get_global_param("results.dir_template") == "snapshots/{HOSTNAME}-{TAG}"
    ws.set_global_param("results.dir_template", "snapshots/{TAG}")
    ws.set_local_param("hostname", "bench")
    with closing(load_workspace(str(root), True, False)) as again:
        assert again.get_global_param("results.dir_template") == "snapshots/{TAG}"
        assert again.get_local_param("hostname") == again.get_instance() == "bench"
    with pytest.raises(ParamValidationError):
        ws.set_global_param("results.dir_template", "elsewhere")
    for ask in (ws.get_global_param, ws.get_local_param):
        with pytest.raises(ParamNotFoundError):
            ask("unheard.of")


def test_the_resources_of_a_workspace(ws: Workspace, root: Path) -> None:
    names = [*RESOURCE_ROLE_CHOICES, "own", "files", "weather"]
    assert list(ws.get_resource_names()) == names
    assert [r.name for r in ws.get_resources()] == names
    assert ws.get_resource_role("files") == "source-data"
    assert [ws.get_resource_type(name) for name in names[3:]] == [
        *("git-subdirectory", "git", "file", "api-resource")
    ]
    assert list(ws.get_names_of_resources_with_local_state()) == names
    assert list(ws.get_names_for_resources_that_need_to_be_cloned()) == []
    with pytest.raises(ConfigurationError, match="no resource 'unheard_of'"):
        ws.get_resource("unheard_of")


def test_names_and_paths_of_resources_are_looked_after(
    ws: Workspace, root: Path, tmp_path: Path
) -> None:
    assert ws.suggest_resource_name("file", "code", "/elsewhere/code") == "code-code"
    ws.validate_resource_name("files", "f.csv", "source-data")
    for args in (("files", None, "code"), ("files", "gone.csv"), ("unheard_of",)):
        with pytest.raises(ConfigurationError):
            ws.validate_resource_name(*args)
    (tmp_path / "fresh").mkdir()
    ws.validate_local_path_for_resource("fresh", str(tmp_path / "fresh"))
    for taken in (root, root / "code", tmp_path / "files" / "part"):
        with pytest.raises(ConfigurationError):
            ws.validate_local_path_for_resource("fresh", str(taken))
    inside = str(root / "code" / "sub" / "x.py")
    assert ws.map_local_path_to_resource(inside) == ResourceRef("code", "sub/x.py")
    with pytest.raises(PathNotAResourceError):
        ws.map_local_path_to_resource(str(tmp_path / "files"), expecting_a_code_resource=True)


def test_save_commits_the_metadata_as_they_are(ws: Workspace, root: Path) -> None:
    config = root / ".dataworkspace" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "name": "renamed"}))
    ws.save("Renamed by hand")
    log = subprocess.run(
        ["git", "log", "-1", "--format=%s"], cwd=root, check=True, capture_output=True, text=True
    )
    assert log.stdout == "Renamed by hand\n"


# Resources


def test_what_a_resource_can_do_is_asked_of_its_class(ws: Workspace) -> None:
    for resource in ws.get_resources():
        assert isinstance(resource, Resource)
        assert isinstance(resource, SnapshotResourceMixin)
        assert isinstance(resource, LocalStateResourceMixin)
        assert isinstance(resource, FileResourceMixin) == (resource.name != "weather")


def test_what_a_resource_tells_of_itself(ws: Workspace, root: Path) -> None:
    code = ws.get_resource("code")
    assert (code.name, code.role, code.resource_type) == ("code", "code", "git-subdirectory")
    assert code.workspace is ws
    assert (code.has_results_role(), ws.get_resource("results").has_results_role()) == (False, True)
    assert (code.is_exported(), code.is_imported()) == (False, False)
    assert code.get_params()["relative_path"] == "code"
    assert code.get_local_params() == {"local_path": str(root / "code")}
    assert code.get_local_path_if_any() == str(root / "code")
    code.validate_subpath_exists("train.py")
    with pytest.raises(ConfigurationError, match=r"has no 'gone\.py'"):
        code.validate_subpath_exists("gone.py")


@pytest.mark.parametrize("name", ["intermediate-data", "own", "files"])
def test_files_of_a_resource(ws: Workspace, tmp_path: Path, name: str) -> None:
    resource = files_of(ws, name)
    source = tmp_path / "source.txt"
    source.write_text("text")

    resource.add_results_file({"a": [1]}, "sub/r.json")
    resource.upload_file(str(source), "sub/copy.txt")

    assert resource.read_results_file("sub/r.json") == {"a": [1]}
    assert (resource.folder / "sub" / "copy.txt").read_text() == "text"
    asked = [("sub", {}), ("sub", {"must_be_directory": True}), ("sub", {"must_be_file": True})]
    assert [resource.does_subpath_exist(s, **kinds) for s, kinds in asked] == [True, True, False]
    resource.delete_file("sub/copy.txt")
    assert not resource.does_subpath_exist("sub/copy.txt")
    for refused in ("sub/copy.txt", "../elsewhere"):
        with pytest.raises(ConfigurationError):
            resource.delete_file(refused)
        with pytest.raises(ConfigurationError):
            resource.read_results_file(refused)


def test_results_are_moved_or_copied(ws: Workspace) -> None:
    results = files_of(ws, "results")
    results.add_results_file({"a": 1}, "results.json")

    results.results_copy_current_files("snapshots/one", set(), None)
    assert results.does_subpath_exist("results.json")
    results.results_move_current_files("snapshots/two", {"keep.txt"}, None)

    assert not results.does_subpath_exist("results.json")
    for folder in ("one", "two"):
        assert results.read_results_file(f"snapshots/{folder}/results.json") == {"a": 1}
    results.delete_snapshot("0" * 40, None, "snapshots/one")
    assert not results.does_subpath_exist("snapshots/one")


def test_a_snapshot_of_one_resource(ws: Workspace) -> None:
    own = ws.get_resource("own")
    own.snapshot_precheck()
    compare, restore = own.snapshot()
    assert compare == restore
    assert restore is not None
    files_of(ws, "own").add_results_file({}, "new.json")
    own.snapshot()
    own.restore_precheck(restore)
    own.restore(restore)
    assert not files_of(ws, "own").does_subpath_exist("new.json")
    with pytest.raises(ConfigurationError, match="has no commit"):
        own.restore_precheck("0" * 40)
    files = ws.get_resource("files")
    assert files.snapshot()[1] is None
    with pytest.raises(NotSupportedError):
        files.restore("0" * 40)


# Snapshots


def test_snapshots_are_taken_listed_and_found(ws: Workspace, root: Path) -> None:
    assert (ws.get_most_recent_snapshot(), ws.get_next_snapshot_number()) == (None, 1)
    first, manifest = ws.snapshot("v1", "the first")
    assert (first.tags, first.message, first.hostname) == (["v1"], "the first", "desk")
    assert json.loads(manifest) == ws.get_snapshot_manifest(first.hashval)
    assert {entry["name"] for entry in json.loads(manifest)} == set(ws.get_resource_names())
    same, _ = ws.snapshot("again")
    assert (same.hashval, same.tags) == (first.hashval, ["v1", "again"])
    (root / "code" / "train.py").write_text("print(2)\n")
    second, _ = ws.snapshot("v2")

    assert ws.get_next_snapshot_number() == 3
    newest_first = [second.hashval, first.hashval]
    assert [m.hashval for m in ws.list_snapshots()] == newest_first
    assert [m.hashval for m in ws.list_snapshots(reverse=False)] == newest_first[::-1]
    assert [m.hashval for m in ws.list_snapshots(max_count=1)] == newest_first[:1]
    assert ws.get_most_recent_snapshot() == second
    found = [
        ws.get_snapshot_metadata(second.hashval),
        ws.get_snapshot_by_tag("v2"),
        ws.get_snapshot_by_partial_hash(second.hashval[:8].upper()),
        ws.get_snapshot_by_tag_or_hash("v2"),
        ws.get_snapshot_by_tag_or_hash(second.hashval[:7]),
    ]
    assert found == [second] * 5


def test_a_snapshot_that_is_not_there_is_said_so(ws: Workspace, root: Path) -> None:
    two_snapshots(ws, root)
    for ask, name in (
        (ws.get_snapshot_metadata, "0" * 40),
        (ws.get_snapshot_by_tag, "v3"),
        (ws.get_snapshot_by_partial_hash, "x"),
        (ws.get_snapshot_by_tag_or_hash, "v3"),
        (ws.get_snapshot_manifest, "0" * 40),
    ):
        with pytest.raises(SnapshotNotFoundError, match=f"no snapshot '{name}'"):
            ask(name)
    with pytest.raises(ApiParamError):
        ws.get_snapshot_by_partial_hash("")


def test_digits_that_fit_several_snapshots_are_refused(ws: Workspace, root: Path) -> None:
    seen: dict[str, int] = {}
    for n in range(17):  # of 17 hashes two begin alike
        (root / "code" / "train.py").write_text(f"print({n})\n")
        digit = ws.snapshot()[0].hashval[0]
        seen[digit] = seen.get(digit, 0) + 1
        if seen[digit] > 1:
            break
    [twice] = [digit for digit, count in seen.items() if count > 1]
    with pytest.raises(AmbiguousSnapshotError, match="fits 2 snapshots"):
        ws.get_snapshot_by_partial_hash(twice)


def test_tags_are_taken_away_and_snapshots_deleted(ws: Workspace, root: Path) -> None:
    first, second = two_snapshots(ws, root)
    ws.remove_tag_from_snapshot(first.hashval, "v1")
    assert ws.get_snapshot_metadata(first.hashval).tags == []
    for args in ((first.hashval, "v1"), (second.hashval, "v1"), ("0" * 40, "v2")):
        with pytest.raises(InternalError):
            ws.remove_tag_from_snapshot(*args)
    ws.delete_snapshot(first.hashval, include_resources=True)
    assert [m.hashval for m in ws.list_snapshots()] == [second.hashval]


def test_resources_are_restored(ws: Workspace, root: Path) -> None:
    first, second = two_snapshots(ws, root)
    code = ws.get_resource("code")

    assert ws.restore(first.hashval, first.restore_hashes, [code]) == 1
    assert (root / "code" / "train.py").read_text() == "print(1)\n"
    assert ws.restore(second.hashval) == 4
    assert (root / "code" / "train.py").read_text() == "print(2)\n"
    assert ws.restore(first.hashval, restore_resources=[]) == 0
    with pytest.raises(ApiParamError, match="'code' has another restore hash"):
        ws.restore(first.hashval, second.restore_hashes, [code])
    with pytest.raises(ConfigurationError, match="keep no content"):
        ws.restore(first.hashval, None, [ws.get_resource("files")])


def test_metadata_of_a_snapshot_go_to_json_and_back() -> None:
    made = SnapshotMetadata(
        *("ab" * 20, ["v1"], "text", "desk", "2020-01-01T00:00:00.000000", "snapshots/desk-v1"),
        {"code": "cd" * 20, "files": None},
        {"accuracy": 0.5},
    )
    assert SnapshotMetadata.from_json(made.to_json()) == made
    assert list(made.to_json())[:2] == ["hash", "tags"]
    assert (made.has_tag("v1"), made.has_tag("v")) == (True, False)
    fits = [made.matches_partial_hash(part) for part in ("abab", "ABAB", "b")]
    assert fits == [True, True, False]


# Sharing


def test_a_workspace_is_published_pushed_pulled_and_cloned(
    ws: Workspace, root: Path, tmp_path: Path
) -> None:
    origin, elsewhere = tmp_path / "origin.git", tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", "--bare", str(origin)], check=True)
    ws.snapshot("v1")
    ws.publish(str(origin))
    with pytest.raises(ApiParamError, match="publish takes one argument"):
        ws.publish()
    subprocess.run(["git", "clone", "-q", str(origin), str(elsewhere)], check=True)
    ws.snapshot("v2")
    ws.push([ws.get_resource("code")])
    with closing(load_workspace(str(elsewhere), True, False)) as other:
        assert other.pull_workspace() is other
        assert other.get_snapshot_by_tag("v2").tags == ["v1", "v2"]
        other.pull_resources([other.get_resource("code")])
        assert list(other.get_names_for_resources_that_need_to_be_cloned()) == ["own"]
        found: Any = other.clone_resource("own")
        assert (found.folder / "a").read_text() == "1"
