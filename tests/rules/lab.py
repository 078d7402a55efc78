"""A small workspace to try the rules on, and what the tests expect of it, worked out by git."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dws_graph import api
from dws_graph.backends.views import Entry
from dws_graph.lineage import Lineage, LineageBuilder, ResourceRef
from dws_graph.model.certificates import Certificate
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.workspace.initializing import initialize
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.restoring import RestoreReport, restore_snapshot
from dws_graph.workspace.taking import SnapshotTaken, take_snapshot
from dws_graph.workspace.workspace import Workspace

ROLES = ("code", "intermediate-data", "results")
DATA = "intermediate-data"
CLEAN, MODEL = f"{DATA}:/clean", f"{DATA}:/model"
TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Upstream:
    """The answer to where something came from, in the words of the tests."""

    graph: Subgraph

    @property
    def steps(self) -> set[str]:
        return {n.name for n in self.graph.nodes if n.kind == "step"}

    @property
    def certificates(self) -> list[Node]:
        return [n for n in self.graph.nodes if n.kind == "certificate"]

    @property
    def hashes(self) -> dict[str, set[str | None]]:
        found: dict[str, set[str | None]] = {}
        for node in self.certificates:
            found.setdefault(node.name, set()).add(node.properties["hash"])
        return found

    @property
    def statuses(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for node in self.certificates:
            found.setdefault(node.name, set()).add(node.properties["status"])
        return found


class Lab:
    """A workspace with code, intermediate data, results, and raw files outside of it.

    Refs are text: `raw`, `intermediate-data:/clean`.
    """

    def __init__(self, place: Path, *, raw: bool = True, roles: Sequence[str] = ROLES) -> None:
        self.place = place
        self.root = place / "ws"
        self.raw = place / "raw"
        self.root.mkdir(parents=True)
        self.ws = initialize(self.root, "lab", hostname="bench", create_resources=roles)
        if raw:
            self.raw.mkdir()
            (self.raw / "a.csv").write_text("1,2\n")
            self.ws.add_resource("raw", "file", "source-data", str(self.raw), compute_hash=True)
        if "code" in roles:
            self.write("code:/prep.py", "n = 1\n")

    @classmethod
    def at(cls, root: Path) -> Lab:
        """The lab of a workspace that is there already: a clone, a copy."""
        lab = cls.__new__(cls)
        lab.place, lab.root = root.parent, root
        lab.ws = open_workspace(root)
        here = "raw" in lab.ws.get_resource_names()
        lab.raw = Path((here and lab.ws.get_resource("raw").local_path) or root / "none")
        return lab

    def close(self) -> None:
        self.ws.close()

    def reopen(self) -> Workspace:
        """As a new process finds it."""
        self.ws.close()
        self.ws = open_workspace(self.root)
        return self.ws

    # Files

    def path(self, ref: str) -> Path:
        at = ResourceRef.parse(ref)
        folder = self.ws.get_resource(at.name).local_path
        assert folder is not None
        return folder if at.subpath is None else folder / at.subpath

    def write(self, ref: str, content: str | bytes) -> Path:
        """A file as a person edits it, outside any step."""
        path = self.path(ref)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    # Steps

    def builder(
        self,
        name: str,
        reads: Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
        code: Iterable[str] = ("code",),
    ) -> LineageBuilder:
        builder = LineageBuilder().with_step_name(name).with_parameters(params or {})
        builder.with_workspace_directory(str(self.root))
        reads = list(reads)
        for ref in reads:
            builder.with_input_ref(ResourceRef.parse(ref))
        if not reads:
            builder.with_no_inputs()
        for ref in code:
            builder.with_code_ref(ResourceRef.parse(ref))
        return builder

    def begin(
        self,
        name: str,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
        code: Iterable[str] = ("code",),
    ) -> Lineage:
        """A step under way."""
        lineage = self.builder(name, reads, params, code).eval()
        for ref in writes:
            lineage.add_output_ref(ResourceRef.parse(ref))
        return lineage

    def step(
        self,
        name: str,
        reads: Iterable[str] = (),
        writes: Iterable[str] = (),
        params: Mapping[str, Any] | None = None,
        *,
        code: Iterable[str] = ("code",),
        text: str | None = None,
        meanwhile: Callable[[], object] | None = None,
    ) -> str:
        """Run a step that writes `data.txt` below each ref it writes; returns its id."""
        writes = list(writes)
        with self.begin(name, reads, writes, params, code) as lineage:
            for ref in writes:
                folder = self.path(ref)
                folder.mkdir(parents=True, exist_ok=True)
                content = f"{name} wrote {ref}: {lineage.key}\n" if text is None else text
                (folder / "data.txt").write_text(content)
            if meanwhile is not None:
                meanwhile()
        self.ws.catch_up()
        return lineage.key

    def results_step(
        self, reads: Iterable[str], metrics: Mapping[str, Any], name: str = "train", **params: Any
    ) -> str:
        """A step that leaves `model.bin` and `results.json` in results."""
        builder = self.builder(name, reads, params).as_results_step(str(self.path("results")))
        with builder.eval() as lineage:
            self.write("results:/model.bin", b"\0\1" + lineage.key.encode())
            lineage.write_results(metrics)  # type: ignore[attr-defined]
        self.ws.catch_up()
        return lineage.key

    # Snapshots

    def snapshot(self, tag: str | None = None, message: str = "", **how: Any) -> SnapshotTaken:
        return take_snapshot(self.ws, tag, message, **how)

    def restore(self, name: str, **how: Any) -> RestoreReport:
        return restore_snapshot(self.ws, name, **how)

    def manifest(self, snapshot_hash: str) -> dict[str, Any]:
        """{resource: its entry} of a snapshot's manifest."""
        path = self.root / f".dataworkspace/snapshots/snapshot-{snapshot_hash}.json"
        return {entry["name"]: entry for entry in json.loads(path.read_bytes())}

    def metadata(self, snapshot_hash: str) -> dict[str, Any]:
        path = self.root / f".dataworkspace/snapshot_metadata/{snapshot_hash}_md.json"
        return json.loads(path.read_bytes())

    # Answers

    def entry(self, ref: str) -> Entry | None:
        """What is current for exactly this ref."""
        self.ws.catch_up()
        at = ResourceRef.parse(ref)
        found = self.ws.index.entries(self.ws.id, self.ws.instance, at.name)
        return next((e for e in found if e.ref == at), None)

    def current(self, ref: str) -> Certificate:
        entry = self.entry(ref)
        assert entry is not None, f"nothing is current for {ref}"
        return entry.certificate

    def held(self, ref: str, snapshot_hash: str) -> Certificate:
        """The certificate of a ref in a snapshot."""
        self.ws.catch_up()
        contained = self.ws.index.contains(self.ws.id, snapshot_hash)
        (cert,) = [c for c, _ in contained if str(c.ref) == ref]
        return cert

    def upstream(self, ref: str, *, at: str | None = None) -> Upstream:
        """What a ref was made from: as it is now, or in the snapshot of hash `at`."""
        found = api.upstream(ref, snapshot=at, workspace_uri_or_path=str(self.root))
        return Upstream(found.subgraph)

    def certificate(self, key: str) -> Certificate:
        self.ws.catch_up()
        cert = self.ws.index.certificate(key)
        assert cert is not None
        return cert

    def read_by(self, step: str, ref: str) -> Certificate:
        """The certificate that a step read or ran."""
        self.ws.catch_up()
        info = self.ws.index.step(step)
        assert info is not None
        return _only(c for c in (*info.inputs, *info.code) if str(c.ref) == ref)

    def written_by(self, step: str, ref: str) -> Certificate:
        self.ws.catch_up()
        info = self.ws.index.step(step)
        assert info is not None
        return _only(c for c in info.outputs if str(c.ref) == ref)

    def step_names(self) -> list[str]:
        """Of all steps recorded, newest first."""
        self.ws.catch_up()
        return [s.name for s in self.ws.index.steps(self.ws.id)]

    def facts(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The bodies of the local journal's facts."""
        lines = self.journal_lines()
        return [f["body"] for f in map(json.loads, lines) if kind in (None, f["kind"])]

    def step_fact(self, step: str) -> dict[str, Any]:
        """The last fact of a step."""
        ends = [b for kind in ("StepCompleted", "StepAborted") for b in self.facts(kind)]
        return next(body for body in reversed(ends) if body["id"] == step)

    def journal_lines(self) -> list[bytes]:
        return (self.root / ".dataworkspace/local/journal.jsonl").read_bytes().splitlines()

    # What git says

    def git(self, *args: str, cwd: Path | None = None, stdin: bytes | None = None) -> str:
        return git(*args, cwd=cwd or self.root, stdin=stdin)

    def status(self) -> str:
        return self.git("status", "--porcelain")


def _only(certificates: Iterable[Certificate]) -> Certificate:
    found = list(certificates)
    assert len(found) == 1, f"{len(found)} certificates, not one"
    return found[0]


def git(*args: str, cwd: Path, stdin: bytes | None = None) -> str:
    done = subprocess.run(["git", *args], cwd=cwd, input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def sha1(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


def folder_text(entries: Mapping[str, str]) -> bytes:
    """A folder's text in a hash tree: {name: hash of a file, or text of a folder}."""
    return "".join(f"{value}\tblob\t{name}\n" for name, value in sorted(entries.items())).encode()


def flat_hash(folder: Path) -> str:
    """The hash of a folder that holds files alone, as the format of hash trees has it."""
    return sha1(folder_text({p.name: sha1(p.read_bytes()) for p in folder.iterdir()}))


def check_journal(root: Path) -> list[dict[str, Any]]:
    """The local journal, its chain followed by hand: numbers, hashes, ids."""
    raw = (root / ".dataworkspace/local/journal.jsonl").read_bytes()
    assert raw.endswith(b"\n")
    prev, last_id, facts = "", "", []
    for number, line in enumerate(raw.splitlines(), start=1):
        fact = json.loads(line)
        assert fact["seq"] == number
        assert fact["prev"] == prev
        assert fact["id"] > last_id
        prev, last_id = hashlib.sha256(line).hexdigest(), fact["id"]
        facts.append(fact)
    return facts


def files_below(root: Path, *, but: Sequence[str] = ()) -> dict[str, bytes]:
    """{path: content} of a folder, less git's and the product's own."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [n for n in folders if n not in (".git", ".dataworkspace")]
        for name in names:
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if relative not in but:
                found[relative] = path.read_bytes()
    return found


def python(code: str, *args: str | Path, cwd: Path | None = None) -> subprocess.Popen[str]:
    """A process of its own that has this library on its path."""
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    env = {**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)}
    command = [sys.executable, "-c", code, *map(str, args)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=env, cwd=cwd, text=True, stdin=pipe, stdout=pipe, stderr=pipe
    )


def run_python(code: str, *args: str | Path) -> str:
    process = python(code, *args)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def fresh_dump(ws: Workspace) -> Any:
    """The dump of an index folded anew from all that the journal has."""
    from dws_graph.backends.index import Index

    with closing(Index(None)) as index:
        index.apply(ws.journal.since({}))
        return index.dump()
