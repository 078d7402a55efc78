"""A workspace made to do harm: cloned, opened, asked and restored, it touches nothing outside.

Each trick tries to run a command, or to read, write or delete a file beside the victim's copy. The
canary is a folder that any of them would change.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Ran
from tests.rules.lab import git
from tests.sharing.team import Person, Team

META = ".dataworkspace"
RESOURCES, CONFIG = f"{META}/resources.json", f"{META}/config.json"


class Mallory:
    """Who commits what dws would not, and pushes it with git alone."""

    def __init__(self, team: Team, ann: Person, canary: Path) -> None:
        self.team, self.root, self.canary = team, ann.root, canary
        self.command = f"touch {canary}/ran"
        self._whole = False  # the commit is made, and the index does not hold it

    def git(self, *args: str, data: bytes | None = None, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *args], cwd=at or self.root, input=data, capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def entry(self, path: str, data: str, mode: str = "100644") -> None:
        """An entry of the index, whatever git would say of a file of that name."""
        oid = self.git("hash-object", "-w", "--stdin", data=data.encode())
        self.git("update-index", "--add", "--cacheinfo", f"{mode},{oid},{path}")

    def edit(self, path: str, change: Callable[[Any], None]) -> None:
        """Change a JSON file."""
        value = json.loads((self.root / path).read_text())
        change(value)
        (self.root / path).write_text(json.dumps(value))
        self.git("add", "-f", path)

    def resource(self, which: str, **params: object) -> None:
        """Change what is said of a resource."""
        self.edit(
            RESOURCES, lambda all_: next(r for r in all_ if r["name"] == which).update(**params)
        )

    def wrapped(self, name: str, tree: str) -> None:
        """A commit whose root tree has one more entry, of a name that the index refuses."""
        listed = self.git("ls-tree", "HEAD")
        made = self.git("mktree", data=f"{listed}\n040000 tree {tree}\t{name}\n".encode())
        self._commit(made)
        self._whole = True

    def _commit(self, tree: str) -> None:
        commit = self.git("commit-tree", tree, "-p", "HEAD", "-m", "nothing to see here")
        self.git("update-ref", "HEAD", commit)

    def tree(self, files: dict[str, str]) -> str:
        """A tree of executable files, at any depth."""
        entries = []
        for folder in sorted({path.split("/")[0] for path in files if "/" in path}):
            below = {p.split("/", 1)[1]: t for p, t in files.items() if p.startswith(f"{folder}/")}
            entries.append(f"040000 tree {self.tree(below)}\t{folder}")
        for path, text in files.items():
            if "/" not in path:
                oid = self.git("hash-object", "-w", "--stdin", data=text.encode())
                entries.append(f"100755 blob {oid}\t{path}")
        return self.git("mktree", data="".join(f"{line}\n" for line in entries).encode())

    def push(self) -> None:
        if not self._whole:
            self._commit(self.git("write-tree"))
        branch = self.git("symbolic-ref", "--short", "HEAD")
        self.git("push", "-q", "--no-verify", str(self.team.origin), f"+HEAD:refs/heads/{branch}")


Trick = Callable[[Mallory], None]
TRICKS: dict[str, tuple[Trick, str]] = {}


def trick(name: str, said: str = "") -> Callable[[Trick], Trick]:
    """Register a trick, and what the victim is told of it; nothing where it has no effect."""

    def register(function: Trick) -> Trick:
        TRICKS[name] = (function, said)
        return function

    return register


# Git


@trick("a hook in a .git of the tree", "the origin has code2/.git/hooks/post-checkout")
def _(m: Mallory) -> None:
    script = f"#!/bin/sh\n{m.command}\n"
    hooks = {
        f".git/hooks/{n}": script for n in ("post-checkout", "pre-commit", "reference-transaction")
    }
    m.wrapped("code2", m.tree(hooks))


@trick("a .git of the root", "the origin has .git/config")
def _(m: Mallory) -> None:
    m.wrapped(".git", m.tree({"config": f"[core]\n\tfsmonitor = {m.command}\n"}))


@trick("a .GIT of the root", "the origin has .GIT/config")
def _(m: Mallory) -> None:
    m.wrapped(".GIT", m.tree({"config": f"[core]\n\tfsmonitor = {m.command}\n"}))


@trick("a bare repository among the results, with commands in its config")
def _(m: Mallory) -> None:
    bare = m.root / "results/model"
    git("init", "-q", "--bare", str(bare), cwd=m.root)
    (bare / "info/attributes").write_text("* filter=evil diff=evil merge=evil\n")
    for key in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor",
                "core.gitProxy", "filter.evil.clean", "filter.evil.smudge",
                "diff.evil.textconv", "diff.external", "gpg.program",
                "credential.helper"):  # fmt: skip
        git("config", key, f"sh -c '{m.command}'", cwd=bare)
    (bare / "refs/keep").write_text("")
    (bare / "objects/keep").write_text("")
    m.git("add", "-f", "results/model")


@trick("a submodule that runs a command")
def _(m: Mallory) -> None:
    m.entry(".gitmodules", f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "{m.command}"\n'
            f"\tupdate = !{m.command}\n\tfetchRecurseSubmodules = true\n")  # fmt: skip
    m.git("update-index", "--add", "--cacheinfo", f"160000,{m.git('rev-parse', 'HEAD')},x")


@trick("files with the names of options")
def _(m: Mallory) -> None:
    for name in (f"--output={m.canary}/ran", "-rf", "--force", f"--work-tree={m.canary}"):
        m.entry(f"code/{name.replace('/', '_')}", "x\n")


# Out of the resource


@trick("a link for a resource's folder")
def _(m: Mallory) -> None:
    m.git("rm", "-rq", "--cached", "code")
    m.entry("code", str(m.canary), "120000")


@trick("a link within a resource")
def _(m: Mallory) -> None:
    m.entry("code/out", str(m.canary), "120000")
    m.entry("source-data/out", f"{m.canary}/keep.txt", "120000")


@trick("a link for the folder of the results")
def _(m: Mallory) -> None:
    m.git("rm", "-rq", "--cached", "--ignore-unmatch", "results")
    m.entry("results", str(m.canary), "120000")


@trick("a link for the workspace's own folder", "which is no plain file")
def _(m: Mallory) -> None:
    m.git("rm", "-rq", "--cached", f"{META}/snapshots")
    m.entry(f"{META}/snapshots", str(m.canary), "120000")


@trick("a resource above the workspace", "'../canary' leads out of")
def _(m: Mallory) -> None:
    m.resource("code", relative_path="../canary")


@trick("a resource at an absolute path", "canary' leads out of")
def _(m: Mallory) -> None:
    m.resource("code", relative_path=str(m.canary))


@trick("a resource that is git's own folder", "code")
def _(m: Mallory) -> None:
    m.resource("code", relative_path=".git/hooks")


@trick("a repository above the workspace", "own")
def _(m: Mallory) -> None:
    m.resource("own", relative_local_path="../canary/own")


@trick("a name that is a path", "../../canary")
def _(m: Mallory) -> None:
    m.resource("code", name="../../canary")


# URLs


@trick("a URL that runs a command", "ext::")
def _(m: Mallory) -> None:
    m.resource("own", remote_origin_url=f"ext::sh -c '{m.command}'")


@trick("a URL that is an option", "own")
def _(m: Mallory) -> None:
    m.resource("own", remote_origin_url=f"--upload-pack={m.command}")


@trick("a host that is an option of ssh", "own")
def _(m: Mallory) -> None:
    m.resource("own", remote_origin_url=f"ssh://-oProxyCommand={m.command}/x")


@trick("a branch that is an option", "own")
def _(m: Mallory) -> None:
    m.resource("own", branch=f"--upload-pack={m.command}")


@trick("the workspace's branch is an option")
def _(m: Mallory) -> None:
    m.edit(CONFIG, lambda c: c["global_params"].update(dws_git_branch=f"--upload-pack={m.command}"))


# Parameters and metadata that lie


@trick("results go elsewhere", "'../../canary/{TAG}' cannot be a results directory")
def _(m: Mallory) -> None:
    m.edit(
        CONFIG,
        lambda c: c["global_params"].update({"results.dir_template": "../../canary/{TAG}"}),
    )


@trick("scratch files go elsewhere")
def _(m: Mallory) -> None:
    m.edit(CONFIG, lambda c: c["global_params"].update(scratch_directory="../canary"))


@trick("an operation that was never begun", "which belongs to one copy alone")
def _(m: Mallory) -> None:
    intent = {"operation": "restore", "removed": ["../canary/keep.txt"]}
    m.entry(f"{META}/local/intent.json", json.dumps(intent))


@trick("local parameters", "which belongs to one copy alone")
def _(m: Mallory) -> None:
    params = {"code": {"local_path": str(m.canary)}}
    m.entry(f"{META}/resource_local_params.json", json.dumps(params))


@trick("a journal outside")
def _(m: Mallory) -> None:
    m.entry(f"{META}/journal/..%2f..%2fcanary/0000000001.jsonl", '{"kind": "WorkspaceCreated"}\n')


@trick("a journal that says nothing true", "journal")
def _(m: Mallory) -> None:
    [folder] = (m.root / META / "journal").iterdir()
    first = min(folder.iterdir())
    line = first.read_text().splitlines()[0]
    m.entry(f"{META}/journal/../{folder.name}/x".replace("../", ""), line)
    lying = first.read_text().replace('"lab"', '"../../canary"')
    m.entry(f"{META}/journal/{folder.name}/{first.name}", lying)


@trick("a snapshot whose hashes are options and paths")
def _(m: Mallory) -> None:
    for path in sorted((m.root / META / "snapshots").rglob("*.json")):
        relative = path.relative_to(m.root).as_posix()

        def lie(value: Any) -> None:
            for row in value if isinstance(value, list) else [value]:
                for key in ("hash", "restore_hash"):
                    if key in row:
                        row[key] = "--output=../canary/ran"

        m.edit(relative, lie)


@pytest.fixture
def canary(team: Team) -> Path:
    folder = team.place / "canary"
    (folder / "deep").mkdir(parents=True)
    (folder / "keep.txt").write_text("mine\n")
    (folder / "deep/too.txt").write_text("mine too\n")
    return folder


def seen(folder: Path) -> dict[str, tuple[object, ...]]:
    """All that a command could have changed in a folder."""
    found: dict[str, tuple[object, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        about = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (about.st_mode, about.st_ino, about.st_mtime_ns, content)
    return found


WORK = (
    *(["report", "status"], ["report", "history"], ["report", "lineage"], ["report", "results"]),
    *(["lineage", "graph", "graph.html"], ["lineage", "stale"], ["diff", "V1"], ["doctor"]),
    *(["show", "V1"], ["lineage", "upstream", "intermediate-data/clean"]),
    *(
        ["restore", "V1"],
        ["snapshot", "V2"],
        ["restore", "V1"],
        ["delete-snapshot", "V2"],
        ["pull"],
    ),
)


@pytest.mark.parametrize("name", TRICKS)
def test_nothing_outside_is_run_read_or_touched(team: Team, ann: Person, canary: Path, name: str):
    play, said = TRICKS[name]
    ann("publish", str(team.origin))
    mallory = Mallory(team, ann, canary)
    play(mallory)
    mallory.push()
    before = seen(canary)

    told = [ran.err for ran in victims_day(team, ann)]

    assert seen(canary) == before
    assert not (canary / "ran").exists()
    assert not [text for text in told if "Traceback" in text or "internal error" in text]
    assert said in "".join(told), told


def victims_day(team: Team, ann: Person) -> list[Ran]:
    """A clone, and whatever a person does with one."""
    os.chdir(team.place)
    runs = [ann.run("clone", "--hostname", "bob", str(team.origin), "../bob")]
    if runs[0].status == 0:
        bob = team.person("bob")
        runs += [bob.run(*words) for words in WORK]
    return runs
