"""Two people, each with a workspace of his own, and the bare repositories they share."""

from __future__ import annotations

import json
import shlex
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dws_graph.backends.views import Dump
from dws_graph.workspace.opening import load_workspace
from tests.cli.conftest import Dws, Ran
from tests.fixtures.prepared import put
from tests.rules.lab import fresh_dump, git


class Person:
    """A copy of the workspace, and `dws` in it."""

    def __init__(self, root: Path, dws: Dws, patch: pytest.MonkeyPatch) -> None:
        self.root, self._dws, self._patch = root, dws, patch

    def run(self, *args: str) -> Ran:
        self._patch.chdir(self.root)
        return self._dws.run("--batch", *args)

    def __call__(self, *args: str) -> Ran:
        ran = self.run(*args)
        assert ran.status == 0, (args, ran.err)
        return ran

    def json(self, *args: str) -> Any:
        return json.loads(self(*args, "--format", "json").out)

    def refused(self, *args: str) -> str:
        ran = self.run(*args)
        assert (ran.status, ran.out) == (1, ""), (args, ran)
        assert "Traceback" not in ran.err
        return ran.err

    # Work

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def prepare(self, text: str, name: str = "clean") -> None:
        """A step that reads `own`, and writes a file of intermediate data."""
        into = f"intermediate-data/{name}"
        line = shlex.quote(text)
        script = f"mkdir -p {into} && cat own/a.txt > {into}/data && echo {line} >> {into}/data"
        self("run", "--step-name", f"make {name}", "-i", "own", "--code", "code", "-o", into, "--",
             "sh", "-c", script)  # fmt: skip

    def snapshot(self, tag: str) -> None:
        self("snapshot", tag)

    def commit_own(self, text: str) -> str:
        """A commit in the resource that is a repository of its own."""
        self.write("own/a.txt", text)
        return self.git("commit", "-qam", text, at="own")

    # Looking

    def git(self, *args: str, at: str = ".") -> str:
        return git(*args, cwd=self.root / at)

    def head(self, at: str = ".") -> str:
        return self.git("rev-parse", "HEAD", at=at)

    def tags(self) -> list[list[str]]:
        return [row["tags"] for row in self.json("report", "history")]

    def history(self) -> list[Any]:
        """What both must have alike: a snapshot's number is its instance's."""
        return [{k: v for k, v in row.items() if k != "number"} for row in
                self.json("report", "history")]  # fmt: skip

    def upstream(self, ref: str) -> set[str]:
        graph = self.json("lineage", "upstream", ref)
        return {node["name"] for node in graph["nodes"] if node["kind"] == "step"}

    def dump(self) -> Dump:
        """Folded anew from what is in git and in the journal, which the index must equal."""
        with closing(load_workspace(str(self.root))) as ws:
            dump = ws.index.dump()
            assert dump == fresh_dump(ws)
            return dump

    def check(self) -> None:
        """Nothing is damaged, and no change waits to be committed."""
        assert self.git("status", "--porcelain") == ""
        assert self("doctor").out.startswith("All is well")


class Team:
    """A place with bare repositories, and persons who work there.

    Attributes:
        place: A folder for it all.
        origin: Of the workspace.
        own: Of the resource `own`.
    """

    def __init__(self, place: Path, dws: Dws, patch: pytest.MonkeyPatch) -> None:
        self.place, self._dws, self._patch = place, dws, patch
        self.origin, self.own = place / "origin.git", place / "own.git"
        for path in (self.origin, self.own):
            git("init", "-q", "--bare", str(path), cwd=place)

    def person(self, name: str) -> Person:
        return Person(self.place / name, self._dws, self._patch)

    def ann(self, own: str | None = None) -> Person:
        """The first: her workspace has resources of three types, and one snapshot.

        Args:
            own: URL of the repository of `own`; else its path.
        """
        ann = self.person("ann")
        if own is None:
            kept = self.place.with_name("made-ann")
            put(kept, self.place, lambda _: self._begin(ann, str(self.own)))
        else:
            self._begin(ann, own)
        ann.prepare("first")
        ann.snapshot("V1")
        return ann

    def _begin(self, ann: Person, own: str) -> None:
        """Her workspace, before anything is recorded."""
        ann.root.mkdir()
        ann("init", "lab", "--hostname", "ann", "--create-resources", "all")
        git("init", "-q", str(ann.root / "own"), cwd=self.place)
        ann.write("own/a.txt", "1\n")
        ann.git("add", ".", at="own")
        ann.git("commit", "-qm", "first", at="own")
        ann.git("remote", "add", "origin", own, at="own")
        ann("add", "git", "--role", "s", "own")
        files = self.place / "files"
        files.mkdir()
        (files / "f.csv").write_text("1,2\n")
        ann("add", "local-files", "--role", "s", "--compute-hash", str(files))
        ann.write("code/main.py", "print(1)\n")

    def bob(self, url: str | None = None, name: str = "bob") -> Person:
        """The second, who clones."""
        self._patch.chdir(self.place)
        self._dws("--batch", "clone", "--hostname", name, url or str(self.origin), name)
        return self.person(name)

    def both(self) -> tuple[Person, Person]:
        ann = self.ann()
        ann("publish", str(self.origin))
        return ann, self.bob()


def tip(repository: Path, branch: str = "main") -> str:
    """The commit of a branch of a bare repository; empty for none."""
    ran = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", branch],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    return ran.stdout.strip()
