"""Section 4 of the rules: what a snapshot does in which order, restore, numbers, names."""

from __future__ import annotations

import getpass
import json
import re
import stat
from datetime import datetime

import pytest

from dws_graph.errors import (
    AmbiguousSnapshotError,
    ApiParamError,
    ConfigurationError,
    DwsError,
    SnapshotNotFoundError,
    UserAbort,
)
from dws_graph.workspace.configuring import set_param
from dws_graph.workspace.snapshots import find_snapshot
from dws_graph.workspace.tagging import tag_snapshot, untag
from tests.rules.lab import CLEAN, DATA, MODEL, Lab, files_below, flat_hash, git

TEMPLATE = "results.dir_template"


def unchanged(lab: Lab) -> dict[str, object]:
    """What a refusal leaves as it was."""
    return {
        "files": files_below(lab.root),
        "head": lab.git("rev-parse", "HEAD"),
        "status": lab.status(),
        "journal": lab.journal_lines(),
        "intent": (lab.root / ".dataworkspace/local/intent.json").exists(),
    }


def number_of(lab: Lab, tag: str) -> int:
    lab.ws.catch_up()
    return next(s.number for s in lab.ws.index.snapshots(lab.ws.id) if tag in s.tags)


# The sequence


def test_rule_4_the_manifest_lists_each_resource_with_its_hash(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    taken = lab.snapshot("V1", "the first")
    path = lab.root / f".dataworkspace/snapshots/snapshot-{taken.hash}.json"
    params = json.loads((lab.root / ".dataworkspace/resources.json").read_text())
    hashes = {
        "code": lab.git("rev-parse", "HEAD:code"),
        DATA: lab.git("rev-parse", f"HEAD:{DATA}"),
        "results": lab.git("hash-object", "-t", "tree", "--stdin", stdin=b""),
        "raw": flat_hash(lab.raw),
    }
    wanted = [{**entry, "hash": hashes[entry["name"]]} for entry in params]
    assert path.read_text() == json.dumps(wanted, indent=2)
    assert taken.hash == lab.git("hash-object", str(path))
    assert lab.git("show", f"HEAD:.dataworkspace/snapshots/{path.name}") == path.read_text()


def test_rule_4_the_metadata_name_restore_hashes_and_metrics(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.results_step([CLEAN], {"accuracy": 0.75})
    taken = lab.snapshot("V1", "the first")
    data = lab.metadata(taken.hash)
    assert data["tags"] == ["V1"]
    assert data["message"] == "the first"
    assert data["hostname"] == "bench"
    assert data["metrics"] == {"accuracy": 0.75}
    assert data["relative_destination_path"] == "snapshots/bench-V1"
    restore = data["restore_hashes"]
    assert set(restore) == {"code", DATA, "results", "raw"}
    assert restore["raw"] is None
    commit = restore["code"]
    assert lab.git("merge-base", commit, "HEAD") == commit
    for folder in ("code", DATA, "results"):
        assert restore[folder] == commit
        tree = lab.manifest(taken.hash)[folder]["hash"]
        assert lab.git("rev-parse", f"{commit}:{folder}") == tree
    datetime.strptime(data["timestamp"], "%Y-%m-%dT%H:%M:%S.%f")  # noqa: DTZ007
    assert re.search(r"\.\d{6}$", data["timestamp"])


def test_rule_4_the_branch_moves_once_and_the_work_tree_is_clean(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.results_step([CLEAN], {"accuracy": 0.75})
    before = len(lab.git("reflog").splitlines())
    lab.snapshot("V1")
    assert len(lab.git("reflog").splitlines()) == before + 1
    assert lab.status() == ""


def test_rule_4_results_move_to_their_snapshot_and_become_read_only(lab):
    lab.write("results:/plots/deep/a.txt", "a")
    lab.results_step(["raw"], {"accuracy": 0.75})
    lab.snapshot("V1")
    there = lab.path("results") / "snapshots/bench-V1"
    moved = {p.relative_to(there).as_posix() for p in there.rglob("*") if p.is_file()}
    assert moved == {"model.bin", "results.json", "plots/deep/a.txt", "lineage.json"}
    for name in moved - {"lineage.json"}:
        assert not (there / name).stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    assert {p.name for p in lab.path("results").iterdir()} == {"snapshots"}


def test_rule_4_excluded_files_and_earlier_snapshots_stay_where_they_are(lab):
    set_param(lab.ws, "results.move_exclude_files", ["README.txt", "sub/keep.txt"])
    lab.write("results:/README.txt", "about")
    lab.write("results:/sub/keep.txt", "kept")
    lab.write("results:/sub/README.txt", "moves: the paths are from the root")
    lab.snapshot("V1")
    set_param(lab.ws, TEMPLATE, "snapshots/{YEAR}/{TAG}")
    lab.write("results:/b.txt", "b")
    lab.snapshot("V2")

    results = files_below(lab.path("results"))
    year = datetime.now().strftime("%Y")  # noqa: DTZ005
    assert set(results) == {
        "README.txt",
        "sub/keep.txt",
        "snapshots/bench-V1/sub/README.txt",
        f"snapshots/{year}/V2/b.txt",
    }


def test_rule_4_results_in_plain_folders_move_and_keep_their_lineage_beside_them(tmp_path):
    lab = Lab(tmp_path, roles=("code", "intermediate-data"))
    folder = tmp_path / "out"
    folder.mkdir()
    lab.ws.add_resource("out", "file", "results", str(folder), compute_hash=True)
    step = lab.step("train", ["raw"], ["out"])
    taken = lab.snapshot("V1")
    assert set(files_below(folder)) == {
        "snapshots/bench-V1/data.txt",
        "snapshots/bench-V1/lineage.json",
    }
    assert lab.written_by(step, "out").hash == lab.manifest(taken.hash)["out"]["hash"]
    assert lab.snapshot("V1b").is_new is False
    lab.close()


def test_rule_4_lineage_entries_of_moved_results_are_cleared(lab):
    lab.step("prepare", ["raw"], [CLEAN])
    lab.results_step([CLEAN], {"accuracy": 0.75})
    taken = lab.snapshot("V1")
    assert lab.entry("results") is None
    assert lab.entry(CLEAN) is not None
    assert lab.upstream("results", at=taken.hash).steps == {"prepare", "train"}


def test_rule_4_lineage_of_each_resource_is_saved_as_1_6_has_it(lab):
    prepare = lab.step("prepare", ["raw"], [CLEAN], {"n": 3})
    taken = lab.snapshot("V1")
    folder = lab.root / f".dataworkspace/snapshot_lineage/{taken.hash}"
    saved = json.loads((folder / f"{DATA}.json").read_text())
    assert saved["resource_name"] == DATA
    (step,) = saved["lineages"]
    assert (step["type"], step["step_name"]) == ("step", "prepare")
    assert step["parameters"] == {"n": 3}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}", step["start_time"])
    (read,) = step["input_resources"]
    assert read["certificate"]["hashval"] == flat_hash(lab.raw)
    (written,) = step["output_resources"]
    assert written["certificate"]["hashval"] == lab.git("rev-parse", f"HEAD:{DATA}")
    assert step["id"] == prepare
    (raw,) = json.loads((folder / "raw.json").read_text())["lineages"]
    assert raw["type"] == "source_data"
    (code,) = json.loads((folder / "code.json").read_text())["lineages"]
    assert code["type"] == "code"


def test_rule_4_an_empty_results_resource_is_no_error(lab):
    taken = lab.snapshot("V1")
    assert lab.metadata(taken.hash)["metrics"] in (None, {})


# Refusals: nothing has moved


def test_rule_4_a_tag_in_use_is_refused_before_anything_moves(lab):
    lab.snapshot("V1")
    lab.results_step(["raw"], {"accuracy": 0.75})
    before = unchanged(lab)
    with pytest.raises(ConfigurationError, match="V1"):
        lab.snapshot("V1")
    assert unchanged(lab) == before


def test_rule_4_a_destination_that_exists_is_refused_before_anything_moves(lab):
    lab.write("results:/snapshots/bench-V1/old.txt", "old")
    lab.write("results:/new.txt", "new")
    before = unchanged(lab)
    with pytest.raises(ConfigurationError, match="bench-V1"):
        lab.snapshot("V1")
    assert unchanged(lab) == before


def test_rule_4_results_that_a_running_step_writes_are_refused_naming_it(lab):
    builder = lab.builder("train", ["raw"]).as_results_step(str(lab.path("results")))
    running = builder.eval()
    lab.write("results:/half.bin", "half")
    before = unchanged(lab)
    with pytest.raises(ConfigurationError, match="'train'"):
        lab.snapshot("V1")
    assert unchanged(lab) == before
    running.complete()
    assert lab.snapshot("V1").is_new


def test_rule_4_a_resource_that_is_gone_is_refused_before_anything_moves(lab):
    lab.write("results:/new.txt", "new")
    (lab.raw / "a.csv").unlink()
    lab.raw.rmdir()
    before = unchanged(lab)
    with pytest.raises(DwsError, match="raw"):
        lab.snapshot("V1")
    assert unchanged(lab) == before


# Nothing changed


def test_rule_4_nothing_changed_adds_the_tag_to_the_latest_asking_first(lab):
    first = lab.snapshot("V1")
    asked = []
    again = lab.snapshot("V1b", confirm=lambda question: asked.append(question) or True)
    assert (again.is_new, again.hash, again.number) == (False, first.hash, first.number)
    assert lab.metadata(first.hash)["tags"] == ["V1", "V1b"]
    assert len(asked) == 1
    assert "V1" in asked[0]
    lab.ws.catch_up()
    (snapshot,) = lab.ws.index.snapshots(lab.ws.id)
    assert set(snapshot.tags) == {"V1", "V1b"}


def test_rule_4_the_lineage_file_in_results_is_no_change(lab):
    lab.results_step(["raw"], {"accuracy": 0.5})
    first = lab.snapshot("V1")
    assert lab.snapshot("V1b").hash == first.hash
    assert lab.status() == ""


def test_rule_4_the_answer_no_changes_nothing(lab):
    lab.snapshot("V1")
    before = unchanged(lab)
    with pytest.raises(UserAbort):
        lab.snapshot("V1b", confirm=lambda question: False)
    assert unchanged(lab) == before


def test_rule_4_a_hash_equal_to_an_earlier_ones_adds_the_tag_to_that(lab):
    lab.write("code:/prep.py", "n = 1\n")
    first = lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    second = lab.snapshot("V2")
    lab.write("code:/prep.py", "n = 1\n")
    third = lab.snapshot("V3")
    assert second.hash != first.hash
    assert (third.hash, third.is_new) == (first.hash, False)
    assert lab.metadata(first.hash)["tags"] == ["V1", "V3"]


def test_rule_4_a_step_alone_that_changed_no_file_is_sealed_all_the_same(lab):
    lab.snapshot("V1")
    lab.step("look", ["raw"])
    again = lab.snapshot("V1b")
    assert again.is_new is False
    committed = "\n".join(
        lab.git("show", f"HEAD:{path}")
        for path in lab.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
        if path.startswith(".dataworkspace/journal/")
    )
    assert '"name":"look"' in committed
    assert lab.status() == ""


# The template


def test_rule_4_the_results_folder_is_named_by_the_template(lab):
    template = "snapshots/{USERNAME}_{HOSTNAME}_{SNAPSHOT_NO}_{YEAR}-{MONTH}-{DAY}_{TAG}"
    set_param(lab.ws, TEMPLATE, template)
    lab.write("results:/a.txt", "a")
    taken = lab.snapshot()
    at = datetime.fromisoformat(lab.metadata(taken.hash)["timestamp"])
    user = re.sub(r"[^\w.-]", "_", getpass.getuser())
    number = f"{taken.number:03}"
    wanted = f"snapshots/{user}_bench_{number}_{at:%Y-%m-%d}_{number}"  # no tag: the number
    assert lab.metadata(taken.hash)["relative_destination_path"] == wanted
    assert (lab.path("results") / wanted / "a.txt").read_text() == "a"


def test_rule_4_an_iso_timestamp_is_to_the_second(lab):
    set_param(lab.ws, TEMPLATE, "snapshots/{ISO_TIMESTAMP}-{SHORT_MONTH}-{DAY_OF_WEEK}")
    lab.write("results:/a.txt", "a")
    data = lab.metadata(lab.snapshot("V1").hash)
    at = datetime.fromisoformat(data["timestamp"])
    wanted = f"snapshots/{at:%Y-%m-%dT%H:%M:%S-%b-%A}"
    assert data["relative_destination_path"] == wanted


def test_rule_4_a_template_must_start_with_snapshots(lab):
    for template in ["results/{TAG}", "snapshots", "snapshots/../{TAG}", "/x/{TAG}"]:
        with pytest.raises(ConfigurationError):
            set_param(lab.ws, TEMPLATE, template)


# Restore


def two_versions(lab: Lab) -> None:
    lab.step("prepare", ["raw"], [CLEAN], text="first\n")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.step("prepare again", ["raw"], [CLEAN], text="second\n")
    lab.results_step([CLEAN], {"accuracy": 0.7})
    lab.snapshot("V2")


def test_rule_4_restore_brings_back_files_and_lineage_and_leaves_results(lab):
    two_versions(lab)
    results = files_below(lab.path("results"))
    report = lab.restore("V1")
    assert report.count == 2
    assert set(report.restored) == {"code", DATA}
    assert lab.path("code:/prep.py").read_text() == "n = 1\n"
    assert lab.path(f"{CLEAN}/data.txt").read_text() == "first\n"
    assert files_below(lab.path("results")) == results
    assert lab.upstream(CLEAN).steps == {"prepare"}
    assert lab.status() == ""
    lab.step("train", [CLEAN], [MODEL])
    assert lab.upstream(MODEL).steps == {"prepare", "train"}


def test_rule_4_restore_clears_what_had_no_lineage_in_the_snapshot(lab):
    lab.snapshot("V0")
    lab.step("prepare", ["raw"], [CLEAN])
    lab.restore("V0")
    assert lab.entry(CLEAN) is None
    assert not lab.path(CLEAN).exists()


def test_rule_4_a_restore_loses_nothing_that_was_not_committed(lab):
    two_versions(lab)
    lab.write("code:/prep.py", "not committed\n")
    lab.write("code:/new.py", "new\n")
    lab.restore("V1")
    kept = [
        commit
        for commit in lab.git("rev-list", "--all").splitlines()
        if lab.git("ls-tree", commit, "code/new.py")
    ]
    assert any(lab.git("show", f"{c}:code/new.py") == "new" for c in kept)
    assert any(lab.git("show", f"{c}:code/prep.py") == "not committed" for c in kept)
    assert not lab.path("code:/new.py").exists()


def test_rule_4_restore_commits_first_what_was_not_committed(lab):
    two_versions(lab)
    lab.write("code:/prep.py", "not committed\n")
    lab.write("code:/new.py", "new\n")
    before = lab.git("rev-parse", "HEAD")
    report = lab.restore("V1")
    saved = lab.git("rev-list", "--reverse", f"{before}..HEAD").splitlines()[0]
    assert lab.git("ls-tree", "--name-only", saved, "code/").split() == [
        "code/new.py",
        "code/prep.py",
    ]
    assert lab.git("show", f"{saved}:code/prep.py") == "not committed"
    assert any(saved[:8] in note for note in report.notes)
    assert lab.git("ls-tree", "--name-only", "HEAD", "code/") == "code/prep.py"


def test_rule_4_restore_of_results_alone_is_an_error(lab):
    two_versions(lab)
    with pytest.raises(ConfigurationError, match="results"):
        lab.restore("V1", only=["results"])


def test_rule_4_only_excludes_leave_and_implies_strict(lab):
    two_versions(lab)
    with pytest.raises(ApiParamError):
        lab.restore("V1", only=["code"], leave=["raw"])
    with pytest.raises(ConfigurationError, match="raw"):  # its restore hash is None
        lab.restore("V1", only=["code", "raw"])
    report = lab.restore("V1", only=["code"])
    assert report.restored == ("code",)
    assert lab.path(f"{CLEAN}/data.txt").read_text() == "second\n"
    assert lab.upstream(CLEAN).steps == {"prepare again"}


def test_rule_4_what_is_left_stays_and_is_named(lab):
    two_versions(lab)
    report = lab.restore("V1", leave=["code"])
    assert report.restored == (DATA,)
    assert {"code", "raw", "results"} == set(report.left)
    assert lab.path("code:/prep.py").read_text() == "n = 2\n"


@pytest.mark.parametrize("how", ["only", "leave"])
def test_rule_4_an_unknown_name_is_an_error(lab, how):
    two_versions(lab)
    before = unchanged(lab)
    with pytest.raises(ConfigurationError, match="nowhere"):
        lab.restore("V1", **{how: ["nowhere"]})
    assert unchanged(lab) == before


def test_rule_4_no_restore_hash_is_skipped_or_an_error_under_strict(lab):
    two_versions(lab)
    before = unchanged(lab)
    with pytest.raises(ConfigurationError, match="raw"):
        lab.restore("V1", strict=True)
    assert unchanged(lab) == before
    assert "raw" in lab.restore("V1").left


def test_rule_4_a_resource_added_since_is_left_or_an_error_under_strict(lab):
    two_versions(lab)
    (lab.root / "more").mkdir()
    lab.ws.add_resource("more", "git", "code", str(lab.root / "more"))
    lab.write("more:/x.py", "x\n")
    with pytest.raises(ConfigurationError, match="more"):
        lab.restore("V1", strict=True, leave=["raw"])
    assert "more" in lab.restore("V1").left
    assert lab.path("more:/x.py").read_text() == "x\n"


def test_rule_4_the_plan_is_shown_before_anything_changes(lab):
    two_versions(lab)
    before = unchanged(lab)
    plans = []
    with pytest.raises(UserAbort):
        lab.restore("V1", confirm=lambda plan: plans.append(plan))
    assert unchanged(lab) == before
    assert "code" in plans[0]
    assert "results" in plans[0]


def test_rule_4_a_restore_does_not_pull_files_from_under_a_running_step(lab):
    two_versions(lab)
    running = lab.begin("prepare", ["raw"], [CLEAN])
    with pytest.raises(ConfigurationError, match="'prepare'"):
        lab.restore("V1")
    running.complete()


# Numbers and names


def test_rule_4_a_number_is_above_all_that_the_instance_ever_used(lab):
    before = lab.git("rev-parse", "HEAD")
    assert lab.snapshot("V1").number == 1
    lab.write("code:/prep.py", "n = 2\n")
    assert lab.snapshot("V2").number == 2
    lab.git("reset", "-q", "--hard", before)
    lab.reopen()
    lab.write("code:/prep.py", "n = 3\n")
    assert lab.snapshot("V3").number == 3


def test_rule_4_a_tag_that_is_no_name_is_refused(lab):
    for tag in ["latest", "a" * 40, "-v1", ".v1", "v 1", "v/1", "", "x" * 101, "é", "_v"]:
        before = unchanged(lab)
        with pytest.raises(ConfigurationError):
            lab.snapshot(tag)
        assert unchanged(lab) == before


def test_rule_4_a_tag_that_is_a_name_is_taken(lab):
    for tag in ["v1", "1.0", "V_1-b", "x" * 100]:
        assert tag in lab.snapshot(tag).tags


def test_rule_4_a_resource_name_that_will_not_do_is_refused(lab):
    for name in ["a/b", "a\\b", "a:b", "a,b", "a*", "a\nb", "-a", ".a", "", "RAW"]:
        (lab.place / "more").mkdir(exist_ok=True)
        before = unchanged(lab)
        with pytest.raises(ConfigurationError):
            lab.ws.add_resource(name, "file", "source-data", str(lab.place / "more"))
        assert unchanged(lab) == before


def test_rule_4_a_hostname_is_a_tag_less_the_underscore(lab):
    for name in ["my_host", "-host", "a b", "x" * 101]:
        with pytest.raises(ConfigurationError):
            set_param(lab.ws, "hostname", name)


def test_rule_4_a_snapshot_is_named_by_tag_hash_or_six_digits_of_it(lab):
    taken = lab.snapshot("V1")
    for name in ("V1", taken.hash, taken.hash[:6], taken.hash[:11].upper()):
        assert find_snapshot(lab.ws, name).hashval == taken.hash
    for name in (taken.hash[:5], "V2", "0" * 40):
        with pytest.raises(SnapshotNotFoundError):
            find_snapshot(lab.ws, name)


def test_rule_4_an_exact_tag_wins_over_a_prefix(lab):
    first = lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    second = lab.snapshot(first.hash[:8])
    assert find_snapshot(lab.ws, first.hash[:8]).hashval == second.hash
    assert find_snapshot(lab.ws, first.hash[:7]).hashval == first.hash


def test_rule_4_an_ambiguous_prefix_lists_the_candidates(lab):
    taken = lab.snapshot("V1")
    folder = lab.root / ".dataworkspace/snapshot_metadata"
    other = taken.hash[:10] + "0" * 30
    data = lab.metadata(taken.hash) | {"hash": other, "tags": ["W1"]}
    (folder / f"{other}_md.json").write_text(json.dumps(data))
    with pytest.raises(AmbiguousSnapshotError) as refused:
        find_snapshot(lab.ws, taken.hash[:8])
    assert "V1" in str(refused.value)
    assert "W1" in str(refused.value)


def test_rule_4_tags_can_be_given_and_taken_away_one_commit_each(lab):
    taken = lab.snapshot("V1")
    before = lab.git("rev-parse", "HEAD")
    tag_snapshot(lab.ws, "V1", "best")
    assert lab.git("rev-parse", "HEAD~1") == before
    assert lab.metadata(taken.hash)["tags"] == ["V1", "best"]
    untag(lab.ws, "V1")
    assert lab.metadata(taken.hash)["tags"] == ["best"]
    assert number_of(lab, "best") == 1
    assert lab.snapshot("V1").is_new is False  # free again


def test_rule_4_what_the_user_has_staged_elsewhere_stays_staged(lab):
    lab.snapshot("V0")
    (lab.root / "notes.txt").write_text("mine\n")
    lab.git("add", "notes.txt")
    lab.step("prepare", ["raw"], [CLEAN])
    lab.snapshot("V1")
    assert lab.status() == "A  notes.txt"
    assert "notes.txt" not in git("ls-tree", "-r", "--name-only", "HEAD", cwd=lab.root)
