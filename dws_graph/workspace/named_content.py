"""What kept content is named by: snapshots of any branch and copy, and what can be undone.

Source: docs/formats.md, "Kept content".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from dws_graph.errors import JsonError
from dws_graph.model import facts as f
from dws_graph.model.facts import Fact
from dws_graph.model.values import parse_json
from dws_graph.workspace import layout
from dws_graph.workspace.intent import read_intent
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata

_REFS = ("refs/heads", "refs/remotes", "refs/tags", "refs/dws", "refs/stash")


@dataclass(frozen=True, slots=True)
class Named:
    """The hashes of kept states.

    Attributes:
        needed: Of snapshots, and of what the last command can be undone to.
        known: Of every snapshot that was ever told of here, those that were deleted too.
    """

    needed: frozenset[str]
    known: frozenset[str]


def named_content(ws: OpenWorkspace) -> Named:
    """What is named now; the caller holds the workspace's lock, and its index is up to date."""
    needed = set(_roots(all_metadata(ws)))
    for commit in _commits(ws):
        needed |= set(_roots(_committed(ws, commit)))
    said, known = _told(ws)
    needed |= {root for roots in said.values() for root in roots}
    last = read_intent(ws.root / layout.LAST)
    if last is not None:
        needed |= set(last.states.values())
    return Named(frozenset(needed), frozenset(needed | known))


def _roots(found: list[SnapshotMetadata]) -> Iterator[str]:
    for metadata in found:
        yield from (root for root in metadata.restore_hashes.values() if root is not None)


def _commits(ws: OpenWorkspace) -> list[str]:
    """The tips of all branches, what was saved, and what the last command can be undone to."""
    tips = ws.git.text("for-each-ref", "--format=%(objectname) %(objecttype)", *_REFS).splitlines()
    found = {line.split()[0] for line in tips if line.endswith(" commit")}
    last = read_intent(ws.root / layout.LAST)
    if last is not None:
        found |= {commit for commit in (last.old, last.commit) if commit is not None}
    return sorted(commit for commit in found if ws.git.has_commit(commit))


def _committed(ws: OpenWorkspace, commit: str) -> list[SnapshotMetadata]:
    folder = layout.metadata("x").rpartition("/")[0]
    paths = [f"{folder}/{name}" for name in ws.git.names_in(commit, folder)]
    found = []
    for path, raw in ws.git.cats(commit, paths).items():
        with suppress(JsonError):  # of another branch: whoever uses that one is told
            found.append(SnapshotMetadata.from_json(parse_json(raw or b"", file=path)))
    return found


def _told(ws: OpenWorkspace) -> tuple[dict[str, set[str]], set[str]]:
    """{snapshot: hashes of its resources} of those that facts say there are, and of all ever."""
    facts = sorted((line.fact for line in ws.journal.since({})), key=lambda fact: fact.id)
    said: dict[str, set[str]] = {}
    for fact in facts:
        if fact.kind == f.SNAPSHOT_TAKEN:
            said.setdefault(fact.body["hash"], set()).update(_hashes(fact))
        elif fact.kind == f.SNAPSHOT_DELETED:
            said.pop(fact.body["snapshot"], None)
    every = (line.fact for line in ws.journal.lines())
    known = {root for fact in every if fact.kind == f.SNAPSHOT_TAKEN for root in _hashes(fact)}
    return said, known


def _hashes(fact: Fact) -> Iterator[str]:
    yield from (found for found in fact.body["resources"].values() if found)
