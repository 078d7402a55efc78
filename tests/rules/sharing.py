"""Workspaces that share data: what one exports, another imports, each through its commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.workspace import Workspace
from tests.cli.conftest import Dws
from tests.rules.lab import git

FEATURES, TABLE = "features", "table.csv"


class Site:
    """A workspace, and `dws` in it."""

    def __init__(self, root: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self._dws, self._patch = root, dws, monkeypatch

    def __call__(self, *args: str) -> str:
        self._patch.chdir(self.root)
        return self._dws(*args).out

    def json(self, *args: str) -> Any:
        self._patch.chdir(self.root)
        return self._dws.json(*args)

    def refused(self, *args: str) -> str:
        self._patch.chdir(self.root)
        return self._dws.refused(*args)

    def told(self, *args: str) -> str:
        """What a command that works says to people beside its answer."""
        self._patch.chdir(self.root)
        return self._dws(*args).err

    def step(self, name: str, reads: str, writes: str, script: str) -> None:
        self("run", "--step-name", name, "-i", reads, "-o", writes, "--", "sh", "-c", script)

    def upstream(self, *args: str) -> Any:
        return self.json("lineage", "upstream", *args)

    def open(self) -> Workspace:
        return open_workspace(self.root)


class Sites:
    """Makes workspaces beside one another."""

    def __init__(self, place: Path, dws: Dws, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self._dws, self._patch = place, dws, monkeypatch

    def make(self, name: str) -> Site:
        root = self.place / name
        root.mkdir()
        site = Site(root, self._dws, self._patch)
        site("--batch", "init", "--create-resources", "code,results")
        (root / "code" / "main.py").write_text(f"print('{name}')\n")
        return site

    def copy(self, site: Site, name: str) -> Site:
        """Clone a workspace."""
        git("clone", "-q", str(site.root), name, cwd=self.place)
        return Site(self.place / name, self._dws, self._patch)

    def repository(self, name: str) -> Path:
        path = self.place / name
        git("init", "-q", str(path), cwd=self.place)
        (path / "README").write_text("features\n")
        git("add", ".", cwd=path)
        git("commit", "-qm", "first", cwd=path)
        return path

    def clone(self, path: Path, name: str) -> Path:
        """What somebody else gets of a folder: a clone of a repository, else a copy."""
        target = self.place / name
        if (path / ".git").exists():
            git("clone", "-q", str(path), str(target), cwd=self.place)
        else:
            shutil.copytree(path, target)
        return target

    def producer(self, kind: str = "git", name: str = "producer") -> tuple[Site, Path]:
        """A workspace that made `features` of `raw`, and exports them; where they are."""
        site = self.make(name)
        raw = self.place / f"{name}-raw"
        raw.mkdir()
        (raw / "a.csv").write_text("1,2\n")
        site("add", "local-files", "--role", "s", "--compute-hash", "--name", "raw", str(raw))
        if kind == "git":
            path = self.repository(f"{name}-features")
            add = ["add", "git"]
        elif kind == "git-subdirectory":
            path = site.root / "features"
            path.mkdir()
            add = ["add", "git"]
        else:
            path = self.place / f"{name}-features"
            path.mkdir()
            add = ["add", "local-files", "--compute-hash"]
        site(*add, "--role", "i", "--export", "--name", FEATURES, str(path))
        site.step(
            "featurize",
            "raw",
            FEATURES,
            f"cat {raw}/a.csv > {path}/{TABLE}; echo f >> {path}/{TABLE}",
        )
        return site, path

    def consumer(self, path: Path, kind: str = "git", name: str = "consumer") -> Site:
        """A workspace that imports `features` from this folder, and made results of them."""
        site = self.make(name)
        add_imported(site, path, kind)
        site.step("consume", FEATURES, "results", f"wc {path}/{TABLE} > results/out")
        return site


def add_imported(site: Site, path: Path, kind: str = "git", name: str = FEATURES) -> None:
    how = ["git"] if kind == "git" else ["local-files", "--compute-hash"]
    site("--batch", "add", *how, "--imported", "--name", name, str(path))


def lineage_json(path: Path) -> Any:
    return json.loads((path / "lineage.json").read_text())


def steps(graph: Any) -> list[str]:
    return [n["name"] for n in graph["nodes"] if n["kind"] == "step"]


def keys(graph: Any) -> set[str]:
    return {n["key"] for n in graph["nodes"]}
