"""A text in the names of refs, snapshots and steps: all of a workspace's are looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from dws_graph.backends.index.store import Store
from dws_graph.backends.overviews import FIRST, LAST, NEWEST, Place
from dws_graph.backends.views import Hit, HitKind
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef

REFS = """
SELECT workspace, resource, subpath FROM ref
WHERE workspace >= :first AND workspace <= :last
    AND instr(lower_text(resource || iif(subpath = '', '', ':/' || subpath)), :text)
    AND (resource || iif(subpath = '', '', ':/' || subpath), workspace) > (:by, :id)
ORDER BY resource || iif(subpath = '', '', ':/' || subpath), workspace LIMIT :limit
"""
SNAPSHOTS = """
SELECT key, props FROM node
WHERE label = 'Snapshot' AND json_extract(props, '$.timestamp') > ''
    AND json_extract(props, '$.workspace') >= :first
    AND json_extract(props, '$.workspace') <= :last
    AND (instr(lower_text(json_extract(props, '$.message')), :text)
        OR instr(json_extract(props, '$.hash'), :text) = 1
        OR EXISTS (SELECT 1 FROM json_each(props, '$.tags') t
            WHERE instr(lower_text(t.value), :text)))
    AND (json_extract(props, '$.timestamp'), key) < (:by, :id)
ORDER BY json_extract(props, '$.timestamp') DESC, key DESC LIMIT :limit
"""
STEPS = """
SELECT key, name, workspace, start_time FROM step
WHERE workspace >= :first AND workspace <= :last AND instr(lower_text(name), :text)
    AND (start_time, key) < (:by, :id)
ORDER BY start_time DESC, key DESC LIMIT :limit
"""


def search(
    store: Store,
    text: str,
    workspace: str | None,
    limit: int,
    kind: HitKind | None = None,
    after: Place | None = None,
) -> list[Hit]:
    """Refs, snapshots and steps that have a text; at most so many of each."""
    asked = {"text": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    with store.read():
        found: list[Hit] = []
        for one in KINDS if kind is None else (kind,):
            begin = after or (FIRST if one == "ref" else NEWEST)
            found += KINDS[one](store, {**asked, **begin._asdict()})
        return found


def _refs(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for workspace, resource, subpath in store.rows(REFS, asked):
        ref = ResourceRef(resource, subpath or None)
        yield Hit("ref", ref_id(workspace, ref), str(ref), workspace, "")


def _snapshots(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for key, props in store.rows(SNAPSHOTS, asked):
        obj = json.loads(props)
        name = ", ".join(obj.get("tags") or [obj["hash"]])
        yield Hit("snapshot", key, name, obj["workspace"], obj["timestamp"])


def _steps(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    return (Hit("step", *row) for row in store.rows(STEPS, asked))


KINDS: dict[HitKind, Callable[[Store, dict[str, Any]], Iterator[Hit]]] = {
    "ref": _refs,
    "snapshot": _snapshots,
    "step": _steps,
}
