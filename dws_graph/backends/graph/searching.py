"""A text in what is recorded.

Hashes are found by an index. Names and parameters may hold the text anywhere, so those of a
workspace are looked at, newest first, and no more of them once there are enough.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read
from dws_graph.backends.matching import (
    LOOKED_AT,
    hits_of_steps,
    is_hash,
    needles,
    of_snapshot,
)
from dws_graph.backends.overviews import FIRST, LAST, NEWEST, Place
from dws_graph.backends.views import Hit, HitKind
from dws_graph.model.values import Json

FIND: dict[HitKind, str] = {
    "workspace": texts.FIND_WORKSPACES,
    "resource": texts.FIND_RESOURCES,
    "ref": texts.FIND_REFS,
    "certificate": texts.FIND_CERTIFICATES,
    "snapshot": texts.FIND_SNAPSHOTS,
    "step": texts.FIND_STEPS,
}
OF_STEP = ("key", "name", "workspace", "time", "description", "parameters")


def search(
    read: Read,
    text: str,
    workspace: str | None,
    limit: int,
    kind: HitKind | None = None,
    after: Place | None = None,
) -> list[Hit]:
    """What has a text; at most so many of each kind."""
    asked: Json = {"wanted": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    found: list[Hit] = []
    for one in FIND if kind is None else (kind,):
        begin = after or (NEWEST if one in ("snapshot", "step") else FIRST)
        found += _found(read, one, {**asked, **begin._asdict()})
    return found


def _found(read: Read, kind: HitKind, asked: Json) -> Iterable[Hit]:
    if kind == "step":
        return itertools.islice(_steps(read, asked), asked["limit"])
    if kind == "certificate" and not is_hash(asked["wanted"]):
        return ()
    return (_hit(kind, asked["wanted"], row) for row in read(FIND[kind], **asked))


def _hit(kind: HitKind, text: str, row: Json) -> Hit:
    names, matched = row.get("tags") or [row["name"]], row.get("matched", "")
    if kind == "snapshot":
        matched = of_snapshot(text, names, row["message"], row["name"])
    hashed = row.get("hash") or ""
    return Hit(kind, row["key"], ", ".join(names), row["workspace"], row["time"], matched, hashed)


def _steps(read: Read, asked: Json) -> Iterator[Hit]:
    text = asked["wanted"]
    one, two = needles(text)
    given = {**asked, "one": one, "two": two, "limit": LOOKED_AT}
    find = texts.FIND_STEPS_IN if asked["first"] else texts.FIND_STEPS
    while rows := read(find, **given):
        yield from hits_of_steps(text, ([row[name] for name in OF_STEP] for row in rows))
        if len(rows) < LOOKED_AT:
            return
        given |= {"id": rows[-1]["key"], "by": rows[-1]["time"]}
