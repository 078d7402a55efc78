"""The operations of the main job, as the suite does them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Act = list[Any]


@dataclass(frozen=True)
class Operation:
    """One operation; `{place}` in an act is the folder of the trial.

    Attributes:
        name: For people.
        act: What is killed.
        again: What is done afterwards where the killed one had happened; None: the same.
        before: What is done first, each time: results that no snapshot has hashed would count as
            edited where their files are put back.
        setup: What the place needs besides a workspace, once.
        writes: What the step itself writes, which is there whether or not it is recorded.
        root: The workspace's folder, in the place.
        empty: There is no workspace before: the operation is `init`, or `clone`.
        next: The commands that follow where it was killed; None: `dws report status`.
        partly: Where files are brought one by one: there each may be as before or as after.
        needs: What it needs beside a workspace, which is then a small one; see conftest.py.
    """

    name: str
    act: Act
    again: Act | None = None
    before: list[Act] = field(default_factory=list)
    setup: list[Act] = field(default_factory=list)
    writes: tuple[str, ...] = ()
    root: str = "ws"
    empty: bool = False
    next: list[Act] | None = None
    partly: tuple[str, ...] = ()
    needs: str = ""


RESULTS = ["results", "{place}/ws"]
COPIED = ["sh", "-c", "cp ../raw/a.csv intermediate-data/copied"]
INIT = ["dws", "init", "lab", "--hostname", "bench"]
STATUS = ["dws", "report", "status"]
CLONE = ["dws", "--batch", "clone", "--hostname", "bench", "{place}/origin.git", "{place}/other"]
SNAPSHOT = ["dws", "--workspace-dir", "{place}/ws", "snapshot", "more"]
SHARE = [["dws", *SNAPSHOT[1:4], "shared"], ["share", "{place}"]]
CLEAN = "ws/intermediate-data/clean"
OPERATIONS = [
    Operation("init", INIT, empty=True, next=[STATUS, INIT]),
    Operation(
        "init in a repository",
        INIT,
        setup=[["dws", "version"]],
        empty=True,
        next=[STATUS, INIT],
    ),
    Operation(
        "add",
        ["dws", "add", "local-files", "--role", "s", "--name", "more", "{place}/more"],
        again=["dws", "config", "results.dir_template", "snapshots/{TAG}"],
    ),
    Operation("step", ["step", "{place}/ws"], writes=(CLEAN,)),
    Operation("results step", ["results_step", "{place}/ws"], writes=("ws/results",)),
    Operation("step, aborted", ["failed_step", "{place}/ws"]),
    Operation(
        "run",
        ["dws", "run", "-i", "raw", "-o", "intermediate-data/copied", "--", *COPIED],
        writes=("ws/intermediate-data/copied",),
    ),
    Operation(
        "snapshot",
        ["dws", "snapshot", "-m", "second", "V2"],
        again=["dws", "snapshot", "V3"],
        before=[RESULTS],
    ),
    Operation(
        "snapshot of exported results",
        ["dws", "snapshot", "V2"],
        again=["dws", "snapshot", "V3"],
        before=[["exported_results", "{place}/ws"]],
        setup=[["export", "{place}"]],
    ),
    Operation(
        "undo a snapshot of exported results",
        ["dws", "undo"],
        setup=[
            ["export", "{place}"],
            ["exported_results", "{place}/ws"],
            ["dws", "snapshot", "V2"],
        ],
    ),
    Operation("restore", ["dws", "--batch", "restore", "V1"], before=[RESULTS]),
    Operation(
        "snapshot of kept files",
        ["dws", "snapshot", "V2"],
        again=["dws", "snapshot", "V3"],
        setup=[["keep", "{place}"]],
    ),
    Operation(
        "restore of kept files",
        ["dws", "--batch", "restore", "--only", "kept", "K1"],
        setup=[["keep", "{place}"]],
    ),
    Operation(
        "undo a restore of kept files",
        ["dws", "undo"],
        setup=[["keep", "{place}"], ["dws", "--batch", "restore", "--only", "kept", "K1"]],
    ),
    Operation("gc", ["dws", "--batch", "gc", "--grace", "0"], setup=[["drop", "{place}"]]),
    Operation("push of kept files", ["dws", "push"], setup=[["share_kept", "{place}"]]),
    Operation("config", ["dws", "config", "results.dir_template", "snapshots/{TAG}"]),
    Operation("config, local", ["dws", "config", "hostname", "other"]),
    Operation("tag", ["dws", "tag", "V1", "best"], again=["dws", "tag", "V1", "better"]),
    Operation(
        "tag --delete", ["dws", "tag", "--delete", "V1"], again=["dws", "tag", "latest", "again"]
    ),
    Operation("undo a snapshot", ["dws", "undo"], setup=[RESULTS, ["dws", "snapshot", "V2"]]),
    Operation("undo a restore", ["dws", "undo"], setup=[["dws", "--batch", "restore", "V1"]]),
    Operation(
        "delete-snapshot",
        ["dws", "--batch", "delete-snapshot", "V1"],
        again=["dws", "config", "results.dir_template", "snapshots/{TAG}"],
        setup=[RESULTS, ["dws", "snapshot", "V2"]],
    ),
    Operation(
        "remove",
        ["dws", "--batch", "remove", "--delete-files", "intermediate-data"],
        again=["dws", "tag", "V1", "better"],
    ),
    Operation("rename", ["dws", "rename", "raw", "measured"], again=["dws", "tag", "V1", "better"]),
    Operation(
        "retract",
        ["dws", "steps", "retract", "prepare", "--yes"],
        again=["dws", "tag", "V1", "better"],
    ),
    Operation("push", ["dws", "push"], setup=[*SHARE, ["more", "{place}/ws"], SNAPSHOT]),
    Operation(
        "pull",
        ["dws", "pull"],
        setup=[*SHARE, ["others", "{place}"]],
    ),
    Operation(
        "do a pull again",
        ["dws", "undo"],
        setup=[*SHARE, ["others", "{place}"], ["dws", "pull"], ["dws", "undo"]],
    ),
    Operation(
        "undo a pull",
        ["dws", "undo"],
        again=["dws", "pull"],
        setup=[*SHARE, ["others", "{place}"], ["dws", "pull"]],
    ),
    Operation(
        "clone",
        CLONE,
        setup=SHARE,
        root="other",
        empty=True,
        next=[STATUS, CLONE, ["dws", "--batch", "--workspace-dir", "{place}/other", "pull"]],
    ),
    Operation("graph sync", ["dws", "graph", "sync", "--view", "cypher"]),
    Operation("graph rebuild", ["dws", "graph", "rebuild"]),
    Operation(
        "open a clone",
        ["dws", "report", "status"],
        setup=[["clone", "{place}"]],
        root="other",
    ),
    Operation(
        "open a copied folder",
        ["dws", "report", "status"],
        setup=[["copy", "{place}"]],
        root="other",
    ),
]
