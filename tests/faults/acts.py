"""What the suite does to a workspace, and how it looks at one; run by `child.py`."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from dws_graph.api.checking import doctor
from dws_graph.api.views import dump_in, graph_rebuild_in
from dws_graph.backends.views import Dump
from dws_graph.workspace.configuring import set_resource_param
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.pushing import publish_workspace
from dws_graph.workspace.snapshots import find_snapshot
from tests.faults.transfers import damaged
from tests.rules.lab import CLEAN, Lab, git

# what only this machine knows; and copies of what lies elsewhere, which are looked at by themselves
LOCAL = (
    *("store", "snapshot_cache", "objects"),
    *(f".dataworkspace/{name}" for name in ("local", "graph", "journal", "store")),
)
State = dict[str, Any]


# What is done


def make(place: str) -> None:
    """A workspace with one snapshot, and with much that has changed since."""
    lab = Lab(Path(place))
    own, out = lab.place / "own", lab.place / "out"
    for folder in (own, out):
        folder.mkdir()
    git("init", "-q", cwd=own)
    (own / "a.txt").write_text("a\n")
    git("add", ".", cwd=own)
    git("commit", "-qm", "first", cwd=own)
    lab.ws.add_resource("own", "git", "source-data", str(own))
    lab.ws.add_resource("out", "file", "results", str(out), compute_hash=True)
    lab.step("prepare", ["raw", "own"], [CLEAN], text="first\n")
    lab.snapshot("V1")
    lab.write("code:/prep.py", "n = 2\n")
    lab.write("code:/more/new.py", "new\n")
    lab.write("own:/b.txt", "not committed\n")
    lab.write("raw:/deep/b.csv", "3\n")
    lab.step("prepare", ["raw", "own"], [CLEAN], text="second\n")
    lab.write("results:/before.txt", "results of yesterday\n").chmod(0o640)
    (lab.root / "notes.txt").write_text("mine\n")
    lab.git("add", "notes.txt")
    lab.close()
    (lab.place / "more").mkdir()
    (lab.place / "more/x.csv").write_text("x\n")


def clone(place: str) -> None:
    """A fresh clone of the workspace, beside it."""
    git("clone", "-q", f"{place}/ws", f"{place}/other", cwd=Path(place))


def share(place: str) -> None:
    """Publish the workspace, and give its repository `own` an origin."""
    top = Path(place)
    for name in ("origin.git", "own.git"):
        git("init", "-q", "--bare", name, cwd=top)
    git("remote", "add", "origin", str(top / "own.git"), cwd=top / "own")
    git("push", "-q", "origin", "main", cwd=top / "own")
    with open_workspace(top / "ws") as ws:
        publish_workspace(ws, str(top / "origin.git"))


def more(root: str) -> None:
    """What is not shared yet, in a repository of its own too."""
    lab = Lab.at(Path(root))
    lab.write("own:/b.txt", "more\n")
    lab.step("prepare", ["raw", "own"], [CLEAN], text="more\n")
    lab.close()


def others(place: str) -> None:
    """What somebody else has pushed: to the workspace, and to `own`."""
    for name, below in (("origin.git", "code"), ("own.git", ".")):
        with tempfile.TemporaryDirectory(dir=place) as folder:
            git("clone", "-q", f"{place}/{name}", "theirs", cwd=Path(folder))
            root = Path(folder, "theirs")
            (root / below / "theirs.txt").write_text("theirs\n")
            old = root / below / ("prep.py" if below == "code" else "a.txt")
            old.write_text("theirs\n")
            if below == "code":
                git("rm", "-q", "code/more/new.py", cwd=root)
            git("add", ".", cwd=root)
            git("commit", "-qm", "theirs", cwd=root)
            git("push", "-q", "origin", "main", cwd=root)


def copy(place: str) -> None:
    """A copy of the workspace's folder, beside it."""
    subprocess.run(["cp", "-a", f"{place}/ws", f"{place}/other"], check=True)


def results(root: str) -> None:
    """Three steps, two of which make results."""
    lab = Lab.at(Path(root))
    # changed, each time: so is what was brought back, whose times are other ones
    lab.write("code:/prep.py", "n = 2\n")
    lab.write("own:/b.txt", "not committed\n")
    lab.step("prepare", ["raw", "own"], [CLEAN], text="second\n")
    lab.results_step([CLEAN], {"accuracy": 0.5})
    lab.write("results:/plots/deep/a.bin", bytes(range(256)))
    (lab.path("results") / "empty").mkdir(exist_ok=True)
    lab.step("report", ["raw"], ["out"])
    lab.close()


def export(place: str) -> None:
    """Results that are exported: plain files, a repository, a folder of the workspace's own."""
    lab = Lab.at(Path(place, "ws"))
    for folder in (lab.place / "files", lab.place / "served", lab.root / "models"):
        folder.mkdir()
    git("init", "-q", cwd=lab.place / "served")
    git("commit", "-qm", "first", "--allow-empty", cwd=lab.place / "served")
    files, add = str(lab.place / "files"), lab.ws.add_resource
    add("files", "file", "results", files, compute_hash=True, export=True)
    add("served", "git", "results", str(lab.place / "served"), export=True)
    add("models", "git", "results", str(lab.root / "models"), export=True)
    lab.close()


def exported_results(root: str) -> None:
    """Steps that write them."""
    lab = Lab.at(Path(root))
    for name in ("files", "served", "models"):
        lab.step(name, ["raw"], [name], text=f"{name}\n")
        lab.write(f"{name}:/deep/a.bin", bytes(range(256)))
    lab.close()


def keep(place: str, store: str = "") -> None:
    """Plain files whose content is kept, with a snapshot, and changes since."""
    lab = Lab.at(Path(place, "ws"))
    folder = lab.place / "kept"
    for name, text in {"a.csv": "1\n", "deep/b.csv": "2\n", "same.csv": "1\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    url = f"file://{place}/{store}" if store else None
    lab.ws.add_resource("kept", "file", "source-data", str(folder), keep=True, store=url)
    lab.snapshot("K1")
    (folder / "a.csv").write_text("changed\n")
    (folder / "same.csv").unlink()
    (folder / "new.csv").write_text("new\n")
    lab.close()


def drop(place: str) -> None:
    """A snapshot of the changes, which is deleted; what it kept is garbage."""
    keep(place)
    lab = Lab.at(Path(place, "ws"))
    lab.snapshot("K2")
    lab.ws.delete_snapshot(find_snapshot(lab.ws, "K2").hashval)
    lab.ws.set_global_param("results.dir_template", "snapshots/{TAG}")
    lab.close()


def share_kept(place: str) -> None:
    """What is kept here alone, and gets a store."""
    keep(place)
    share(place)
    lab = Lab.at(Path(place, "ws"))
    set_resource_param(lab.ws, "kept", "store", f"file://{place}/store")
    lab.close()


def step(root: str) -> None:
    """A step, completed."""
    lab = Lab.at(Path(root))
    lab.step("again", ["raw"], [CLEAN])
    lab.close()


def results_step(root: str) -> None:
    """A step that writes `results.json`, completed."""
    lab = Lab.at(Path(root))
    lab.results_step([CLEAN], {"accuracy": 0.75})
    lab.close()


def failed_step(root: str) -> None:
    """A step that fails."""
    lab = Lab.at(Path(root))
    lineage = lab.begin("fails", ["raw"], [CLEAN])
    lineage.abort("it failed")
    lab.close()


# How it is


def see(place: str, root: str) -> State:
    """What a user sees of a workspace; opening it finishes or undoes what was interrupted."""
    told: list[str] = []
    with open_workspace(root, notify=told.append) as ws:
        dump = dump_in(ws)
        current = sorted(
            [str(e.ref), e.certificate.status, str(e.output)]
            for e in ws.index.entries(ws.id, ws.instance)
        )
        params = ws.param_values()
    return {
        "told": told,
        "files": files(Path(place)),
        "repositories": {
            folder.name: repository(folder)
            for folder in sorted(Path(place).iterdir())
            if (folder / ".git").exists() or folder.suffix == ".git"
        },
        "dump": as_lines(dump),
        "current": current,
        "params": params,
        "journal": Path(root, ".dataworkspace/local/journal.jsonl").read_text().splitlines(),
    }


def check(place: str, root: str) -> State:
    """See it, then everything that must hold of a workspace at any time."""
    state = see(place, root)
    faults = [f["what"] for f in doctor(root) if f["level"] == "error"]
    with open_workspace(root) as ws:
        for view in ("index", "cypher") if ws.root.joinpath(CYPHER).exists() else ("index",):
            graph_rebuild_in(ws, view)
            found = dump_in(ws, view)
            if as_lines(found) != state["dump"]:
                faults.append(f"folding {view} anew changes it")
        local = ws.root / ".dataworkspace/local"
        if (local / "intent.json").exists():
            faults.append("the intent is still there")
    again = see(place, root)
    faults += [f"a second recovery: {text}" for text in again.pop("told")]
    faults += [f"a second recovery changes {key}" for key in again if again[key] != state[key]]
    for folder in sorted(Path(place).iterdir()):
        if (folder / ".git").exists() or folder.suffix == ".git":
            done = subprocess.run(["git", "fsck", "--strict"], cwd=folder, capture_output=True)
            if done.returncode:
                faults.append(f"git fsck in {folder.name}: {done.stderr.decode()}")
    return {**state, "faults": [*faults, *damaged(Path(place), root)]}


CYPHER = ".dataworkspace/graph/cypher.kgl"


def files(place: Path) -> dict[str, str]:
    """Mode and content of each file and folder, but for what git and the copy alone know."""
    found = {}
    for top, folders, names in os.walk(place):
        folders[:] = sorted(n for n in folders if not n.endswith(".git") and not n.startswith(".~"))
        for name in (*folders, *names):
            path = Path(top, name)
            relative = path.relative_to(place).as_posix()
            if name.startswith(".~") or any(f"/{local}" in f"/{relative}/" for local in LOCAL):
                continue
            text = "folder" if path.is_dir() else path.read_bytes().decode("latin-1")
            if name == "resource_local_params.json":
                text = _of_resources(path, text)
            if len(text) > 10_000:
                text = hashlib.sha1(text.encode()).hexdigest()
            found[relative] = f"{path.lstat().st_mode:o} {text}"
    return found


def _of_resources(path: Path, text: str) -> str:
    """Where the resources are that there are; one that was about to be added counts nowhere."""
    resources = json.loads(path.with_name("resources.json").read_bytes())
    names = [resource["name"] for resource in resources]
    return json.dumps({name: where for name, where in json.loads(text).items() if name in names})


def repository(folder: Path) -> dict[str, str]:
    """Its branches, and what differs from them; in few runs of git, since this is done often."""
    bare = folder.suffix == ".git"
    log = git("log", "--format=%T %s", cwd=folder).splitlines()
    return {
        "head": (folder if bare else folder / ".git").joinpath("HEAD").read_text(),
        "branches": git(
            "for-each-ref", "refs/heads", "--format=%(refname) %(objectname)", cwd=folder
        ),
        "subjects": "\n".join(line.partition(" ")[2] for line in log),
        **({} if bare else {"tree": log[0].partition(" ")[0], "status": status(folder)}),
    }


def status(folder: Path) -> str:
    """What a repository's files differ in from its commit."""
    return "\n".join(
        line
        for line in git("status", "--porcelain", "--ignored=no", cwd=folder).splitlines()
        if not re.search(r"[ /]\.~", line)  # begun beside the file that it would have replaced
    )


def as_lines(dump: Dump) -> dict[str, list[str]]:
    """A dump as it can be compared."""
    return {
        "nodes": sorted(json.dumps(row, sort_keys=True) for row in dump["nodes"]),
        "edges": sorted(json.dumps(row, sort_keys=True) for row in dump["edges"]),
    }
