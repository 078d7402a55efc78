"""A text in the names of refs, snapshots and steps: all of a workspace's are looked at."""

from __future__ import annotations

from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read
from dws_graph.backends.overviews import FIRST, LAST, NEWEST, Place
from dws_graph.backends.views import Hit, HitKind

FIND: dict[HitKind, str] = {
    "ref": texts.FIND_REFS,
    "snapshot": texts.FIND_SNAPSHOTS,
    "step": texts.FIND_STEPS,
}


def search(
    read: Read,
    text: str,
    workspace: str | None,
    limit: int,
    kind: HitKind | None = None,
    after: Place | None = None,
) -> list[Hit]:
    """Refs, snapshots and steps that have a text; at most so many of each."""
    asked = {"wanted": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    found = []
    for one in FIND if kind is None else (kind,):
        begin = after or (FIRST if one == "ref" else NEWEST)
        for row in read(FIND[one], **asked, **begin._asdict()):
            name = ", ".join(row.get("tags") or [row["name"]])
            found.append(Hit(one, row["key"], name, row["workspace"], row["time"]))
    return found
