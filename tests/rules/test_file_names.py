r"""Rule 2.5: files whose names are not UTF-8 are recorded, each such byte as `\xNN`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dws_graph import api
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.errors import ConfigurationError
from dws_graph.lineage import LineageBuilder, ResourceRef
from tests.rules.lab import CLEAN, DATA, Lab, folder_text, fresh_dump, git, sha1

RAW_IN, RAW_OUT = os.fsdecode(b"in\xff/a\xe9.csv"), os.fsdecode(b"out\xfe.csv")
IN, OUT = "in\\xff/a\\xe9.csv", "out\\xfe.csv"
KINDS = ("git-subdirectory", "git", "file")


def resource(lab: Lab, kind: str) -> str:
    """The name of a resource of this type, with a file to read in it."""
    name = DATA
    if kind != "git-subdirectory":
        name, folder = "other", lab.place / "other"
        folder.mkdir()
        more = {"compute_hash": True} if kind == "file" else {}
        if kind == "git":
            git("init", "-q", cwd=folder)
        lab.ws.add_resource(name, kind, "intermediate-data", str(folder), **more)
    put(lab, name, RAW_IN, "1\n")
    return name


def put(lab: Lab, name: str, below: str, text: str) -> Path:
    """Write a file by its name on disk, which a ref cannot hold."""
    folder = lab.ws.get_resource(name).local_path
    assert folder is not None
    path = folder / below
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def copied(lab: Lab, name: str, text: str = "2\n") -> str:
    """A step that reads and writes such files by their paths; its id."""
    builder = LineageBuilder().with_step_name("copy").with_parameters({})
    builder.with_workspace_directory(str(lab.root))
    with builder.with_input_path(str(lab.path(name) / RAW_IN)).eval() as lineage:
        lineage.add_output_path(str(put(lab, name, RAW_OUT, text)))
    return lineage.key


def blob(path: Path) -> str:
    """What git calls the content of a file."""
    return git("hash-object", "--", os.fspath(path), cwd=path.parent)


@pytest.mark.parametrize("kind", KINDS)
def test_rule_2_5_a_step_reads_and_writes_files_whose_names_are_not_utf_8(lab, kind):
    name = resource(lab, kind)
    step = copied(lab, name)
    assert str(lab.read_by(step, f"{name}:/{IN}").ref) == f"{name}:/{IN}"
    assert str(lab.written_by(step, f"{name}:/{OUT}").ref) == f"{name}:/{OUT}"

    taken = lab.snapshot("V1")

    for ref, on_disk in ((IN, RAW_IN), (OUT, RAW_OUT)):
        path = lab.path(name) / on_disk
        expected = sha1(path.read_bytes()) if kind == "file" else blob(path)
        assert lab.held(f"{name}:/{ref}", taken.hash).subpath_hash == expected


@pytest.mark.parametrize("kind", KINDS)
def test_rule_2_5_such_a_file_is_joined_while_unchanged_and_new_once_edited(lab, kind):
    name = resource(lab, kind)
    step = copied(lab, name)
    joined = lab.step("look", [f"{name}:/{OUT}"])  # as facts name it
    assert lab.read_by(joined, f"{name}:/{OUT}") == lab.written_by(step, f"{name}:/{OUT}")
    lab.snapshot("V1")
    assert lab.upstream(f"{name}:/{OUT}").steps == {"copy"}
    again = lab.begin("look")  # as the disk names it
    again.add_input_ref(ResourceRef(name, RAW_OUT))
    again.complete()
    assert lab.read_by(again.key, f"{name}:/{OUT}") == lab.written_by(step, f"{name}:/{OUT}")

    put(lab, name, RAW_OUT, "edited\n")

    edited = lab.read_by(lab.step("look", [f"{name}:/{OUT}"]), f"{name}:/{OUT}")
    assert (edited.hash, edited.kind) == (None, "input")
    assert lab.upstream(f"{name}:/{OUT}").steps == set()


@pytest.mark.parametrize("kind", KINDS)
def test_rule_2_5_every_view_names_such_files_alike(lab, tmp_path, kind):
    name = resource(lab, kind)
    copied(lab, name)
    lab.snapshot("V1")
    copied(lab, name, "3\n")
    lab.ws.catch_up()

    grown = lab.ws.index.dump()

    assert fresh_dump(lab.ws) == grown
    graph = EmbeddedGraph(tmp_path / "cypher.kgl")
    graph.apply(lab.ws.journal.since({}))
    assert graph.dump() == grown
    subpaths = {node["properties"].get("subpath") for node in grown["nodes"]}
    assert {IN, OUT} <= subpaths
    where = str(lab.root)
    by_disk = api.upstream(ResourceRef(name, RAW_OUT), workspace_uri_or_path=where)
    by_text = api.upstream(f"{name}:/{OUT}", workspace_uri_or_path=where)
    by_path = api.upstream(str(lab.path(name) / RAW_OUT), workspace_uri_or_path=where)
    assert by_disk.subgraph == by_text.subgraph == by_path.subgraph


def test_rule_2_5_a_clone_knows_such_a_file_by_its_content(lab):
    name = resource(lab, "git-subdirectory")
    copied(lab, name)
    lab.snapshot("V1")
    git("clone", "-q", str(lab.root), str(lab.place / "clone"), cwd=lab.place)
    clone = Lab.at(lab.place / "clone")

    clone.step("look", [f"{name}:/{OUT}"])

    assert clone.upstream(f"{name}:/{OUT}").steps == {"copy"}
    clone.close()


@pytest.mark.parametrize("kind", KINDS)
def test_rule_2_5_a_name_that_really_has_these_characters_wins(lab, kind):
    name = resource(lab, kind)
    put(lab, name, os.fsdecode(b"twice\xff"), "byte\n")
    literal = lab.write(f"{name}:/twice\\xff", "characters\n")
    step = lab.step("look", [f"{name}:/twice\\xff"])

    taken = lab.snapshot("V1")

    found = lab.held(f"{name}:/twice\\xff", taken.hash).subpath_hash
    assert found == (sha1(literal.read_bytes()) if kind == "file" else blob(literal))
    lab.write(f"{name}:/twice\\xff", "edited\n")
    later = lab.step("look", [f"{name}:/twice\\xff"])
    one, other = (lab.read_by(key, f"{name}:/twice\\xff") for key in (step, later))
    assert one.id != other.id


@pytest.mark.parametrize("kind", KINDS)
def test_rule_2_5_such_an_output_is_all_that_its_resource_holds(lab, kind):
    name = resource(lab, kind)
    (lab.path(name) / RAW_IN).unlink()
    (lab.path(name) / RAW_IN).parent.rmdir()
    with lab.builder("make").eval() as lineage:
        lineage.add_output_path(str(put(lab, name, RAW_OUT, "1\n")))

    reader = lab.step("read", [name])

    lab.ws.catch_up()
    info = lab.ws.index.step(reader)
    assert [str(cert.ref) for cert in info.inputs] == [f"{name}:/{OUT}"]


def test_rule_2_5_results_go_into_a_folder_of_such_a_name_and_are_moved_from_there(lab):
    folder = lab.path("results") / os.fsdecode(b"\xe9")
    folder.mkdir()
    builder = lab.builder("train", ["raw"]).as_results_step(str(folder))
    with builder.eval() as lineage:
        lineage.write_results({"accuracy": 0.5})
    assert [path.name for path in folder.iterdir()] == ["results.json"]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    taken = lab.snapshot("V1")

    moved = f"results/snapshots/bench-V1/{folder.name}"
    tree = git("rev-parse", f"HEAD:{moved}", cwd=lab.root)
    assert (lab.root / moved / "results.json").is_file()
    assert lab.held("results:/\\xe9", taken.hash).subpath_hash == tree


def test_rule_2_5_a_folder_of_such_a_name_is_known_by_its_hash_tree(lab):
    name = resource(lab, "file")
    lab.step("look", [f"{name}:/in\\xff"])

    taken = lab.snapshot("V1")

    folder = (lab.path(name) / RAW_IN).parent
    text = folder_text({"a": sha1(b"1\n")}).replace(b"\ta\n", b"\ta\xe9.csv\n")
    assert lab.held(f"{name}:/in\\xff", taken.hash).subpath_hash == sha1(text)
    assert [os.fsencode(path.name) for path in folder.iterdir()] == [b"a\xe9.csv"]


def test_rule_2_5_a_resource_lies_in_a_folder_of_such_a_name_and_is_named_otherwise(lab):
    folder = lab.place / os.fsdecode(b"raw\xff")
    folder.mkdir()
    (folder / "a.csv").write_text("1\n")
    add = ("file", "source-data", str(folder))
    with pytest.raises(ConfigurationError, match=r"'raw\\xff' cannot name a resource") as refused:
        lab.ws.add_resource(folder.name, *add, compute_hash=True)
    assert "--name" in refused.value.hint

    lab.ws.add_resource("more", *add, compute_hash=True)
    lab.step("look", ["more:/a.csv"])
    taken = lab.snapshot("V1")

    assert lab.held("more:/a.csv", taken.hash).subpath_hash == sha1(b"1\n")


def test_rule_2_5_a_workspace_lies_in_a_folder_of_such_a_name(tmp_path):
    lab = Lab(tmp_path / os.fsdecode(b"lab\xff"))
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    assert lab.upstream(CLEAN).steps == {"prepare"}
    lab.close()
