"""Exported results: a snapshot copies them, so that who imports the folder finds them."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest

from dws_graph.backends import faults
from dws_graph.resources import moving
from dws_graph.workspace.verifying import verify
from tests.rules.lab import Lab, git
from tests.rules.sharing import Site, Sites, add_imported, lineage_json, steps
from tests.rules.test_killed import kill

MODELS = "models"
KINDS = ["git", "git-subdirectory", "local-files"]
WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def producer(sites: Sites, kind: str) -> tuple[Site, Path]:
    """A workspace that made results of `raw`, and exports them; where they are."""
    site = sites.make("producer")
    raw = sites.place / "producer-raw"
    raw.mkdir()
    (raw / "a.csv").write_text("1,2\n")
    site("add", "local-files", "--role", "s", "--compute-hash", "--name", "raw", str(raw))
    path = site.root / MODELS if kind == "git-subdirectory" else sites.place / MODELS
    if kind == "git":
        path = sites.repository(MODELS)
    else:
        path.mkdir()
    how = ["local-files", "--compute-hash"] if kind == "local-files" else ["git"]
    site("--batch", "add", *how, "--role", "r", "--export", "--name", MODELS, str(path))
    train(site, path, "first")
    return site, path


def train(site: Site, path: Path, text: str) -> None:
    script = f"mkdir -p {path}/deep; echo {text} > {path}/model.bin; echo {text} > {path}/deep/log"
    site.step("train", "raw", MODELS, script)


def names(folder: Path) -> set[str]:
    found = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {name for name in found if not name.startswith(".git/")}


def snapshot_of(path: Path, tag: str) -> Path:
    [found] = (path / "snapshots").glob(f"*-{tag}")
    return found


def statuses(site: Site, *args: str) -> set[tuple[str, str]]:
    return {(row["ref"], row["status"]) for row in site.json("lineage", "verify", *args)["refs"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_copies_them_and_they_stay_current(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    site("snapshot", "V1")

    copies = snapshot_of(path, "V1")
    for name in ("model.bin", "deep/log"):
        assert (path / name).read_text() == "first\n"
        assert (path / name).stat().st_mode & stat.S_IWUSR
        assert (copies / name).read_text() == "first\n"
        assert not (copies / name).stat().st_mode & WRITABLE
    assert lineage_json(path)["resource_name"] == MODELS
    assert lineage_json(copies)["lineages"] == lineage_json(path)["lineages"]
    assert steps(site.upstream(MODELS)) == ["train"]
    assert site.json("lineage", "stale") == []
    assert (MODELS, "same") in statuses(site)
    assert (MODELS, "same") in statuses(site, "--snapshot", "V1")
    assert git("status", "--porcelain", cwd=path) == "" if kind == "git" else True
    assert "All is well" in site("doctor")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changed_makes_no_copies_and_no_snapshot(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    site("snapshot", "V1")
    before = names(path)

    site("snapshot", "V2")

    [only] = site.json("report", "history")
    assert only["tags"] == ["V1", "V2"]
    assert names(path) == before
    assert site.json("lineage", "stale") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_elsewhere_copies_them_into_that_snapshot_too(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    site("snapshot", "V1")
    (site.root / "code" / "main.py").write_text("other\n")

    site("snapshot", "V2")

    assert len(site.json("report", "history")) == 2
    assert (snapshot_of(path, "V2") / "model.bin").read_text() == "first\n"
    assert "lineage.json" not in names(snapshot_of(path, "V2") / "deep")
    assert not (snapshot_of(path, "V2") / "snapshots").exists()
    assert (MODELS, "same") in statuses(site, "--snapshot", "V2")
    assert (MODELS, "same") in statuses(site)


@pytest.mark.parametrize("kind", KINDS)
def test_written_again_and_edited_they_are_compared_like_others(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    site("snapshot", "V1")
    train(site, path, "second")
    site("snapshot", "V2")

    difference = site.json("diff", "V1", "V2")
    [models] = [r for r in difference["resources"] if r["name"] == MODELS]
    assert models["files"]["changed"] == ["deep/log", "model.bin"]
    assert models["files"]["added"] == models["files"]["removed"] == []
    (path / "model.bin").write_text("by hand\n")
    [stale] = site.json("lineage", "stale")
    assert [r["reason"] for r in stale["reasons"]] == ["output changed outside a step"]
    with closing(site.open()) as ws:
        assert {str(v.ref): v.status for v in verify(ws)}[MODELS] == "changed"

    site("--batch", "restore", "V1")
    assert (path / "model.bin").read_text() == "by hand\n"
    site("snapshot", "V3")
    assert steps(site.upstream(MODELS)) == [], "what was edited is nobody's output"
    assert steps(site.upstream(MODELS, "--snapshot", "V2")) == ["train"]


@pytest.mark.parametrize("kind", ["git", "local-files"])
def test_who_imports_them_gets_the_results_with_their_lineage(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    site("snapshot", "V1")
    theirs = sites.clone(path, "theirs")
    importer = sites.make("importer")
    add_imported(importer, theirs, kind, MODELS)
    importer.step("serve", MODELS, "results", f"cp {theirs}/model.bin results/served")

    assert set(steps(importer.upstream("results"))) == {"train", "serve"}
    importer("snapshot", "W1")
    assert set(steps(importer.upstream("results"))) == {"train", "serve"}
    assert importer.json("lineage", "stale") == []
    (theirs / "model.bin").write_text("changed here\n")
    importer.step("serve", MODELS, "results", f"cp {theirs}/model.bin results/served")
    assert steps(importer.upstream("results")) == ["serve"]


@pytest.mark.parametrize("kind", KINDS)
def test_undo_takes_the_copies_back_and_again_makes_them(sites: Sites, kind: str):
    site, path = producer(sites, kind)
    before = names(path)
    site("snapshot", "V1")
    after = names(path)

    assert f"its copies of {len(before)} files" in site("--batch", "undo", "--dry-run")
    site("--batch", "undo")
    assert names(path) == before
    assert steps(site.upstream(MODELS)) == ["train"]
    site("--batch", "undo")
    assert names(path) == after
    assert not (snapshot_of(path, "V1") / "model.bin").stat().st_mode & WRITABLE
    assert (MODELS, "same") in statuses(site, "--snapshot", "V1")


def test_excluded_files_are_not_copied_and_the_rest_is_verified(sites: Sites):
    site, path = producer(sites, "git-subdirectory")
    site("config", "results.move_exclude_files", '["deep/log"]')
    site("snapshot", "V1")

    assert names(snapshot_of(path, "V1")) == {"model.bin", "lineage.json"}
    assert (MODELS, "same") in statuses(site)
    assert (MODELS, "same") in statuses(site, "--snapshot", "V1")
    assert site.json("lineage", "stale") == []


@pytest.mark.parametrize("point", ["moving: copy", "moving: chmod", "branch moved"])
def test_killed_it_is_before_or_after(sites: Sites, point: str):
    site, path = producer(sites, "local-files")
    before = names(path)
    with closing(Lab.at(site.root)) as lab:
        kill(lab, "snapshot", point)
        lab.reopen()
    if point != "branch moved":
        assert names(path) == before
        site("snapshot", "V2")
    assert lineage_json(path)["resource_name"] == MODELS
    assert "All is well" in site("doctor")


def test_a_lock_in_their_repository_is_named_and_the_next_command_goes_on(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
):
    site, path = producer(sites, "git")
    lock = path / ".git" / f"{git('symbolic-ref', 'HEAD', cwd=path)}.lock"

    def lay(point: str) -> None:
        if point == "branch moved":
            lock.touch()

    monkeypatch.setattr(faults, "hook", lay)
    said = site.refused("snapshot", "V1")
    monkeypatch.setattr(faults, "hook", None)
    still = site.refused("report", "history")
    lock.unlink()

    assert f"If no git runs there, one was killed: delete {lock}." in said
    assert f"delete {lock}." in still
    assert [row["tags"] for row in site.json("report", "history")] == [["V1"]]
    assert git("log", "--format=%s", "-1", cwd=path) == "Added lineage.json"
    assert git("status", "--porcelain", cwd=path) == ""


def test_written_to_while_they_are_copied_they_are_refused_and_nothing_is_left(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
):
    site, path = producer(sites, "local-files")
    before = names(path)
    chmod = moving._make_read_only

    def written(target: Path) -> None:
        chmod(target)
        (path / "model.bin").write_text("while\n")

    monkeypatch.setattr(moving, "_make_read_only", written)
    said = site.refused("snapshot", "V1")
    monkeypatch.undo()

    assert "results 'models' were written to while they were being copied" in said
    assert names(path) == before
    assert site.json("report", "history") == []
