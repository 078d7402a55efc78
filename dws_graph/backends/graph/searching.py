"""A text in the names of refs, snapshots and steps: all of a workspace's are looked at."""

from __future__ import annotations

from dws_graph.backends.graph import question_texts as texts
from dws_graph.backends.graph.asking import Read
from dws_graph.backends.views import Hit
from dws_graph.model.refs import ResourceRef

LAST = "\U0010ffff"  # above every workspace's id


def search(read: Read, text: str, workspace: str | None, limit: int) -> list[Hit]:
    """Refs, snapshots and steps that have a text; at most so many of each."""
    asked = {"wanted": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    found = []
    for row in read(texts.FIND_REFS, **asked):
        name = str(ResourceRef(row["resource"], row["subpath"]))
        found.append(Hit("ref", row["id"], name, row["workspace"], ""))
    for row in read(texts.FIND_SNAPSHOTS, **asked):
        name = ", ".join(row["tags"] or [row["hash"]])
        found.append(Hit("snapshot", row["id"], name, row["workspace"], row["time"]))
    for row in read(texts.FIND_STEPS, **asked):
        found.append(Hit("step", row["id"], row["name"], row["workspace"], row["time"]))
    return found
