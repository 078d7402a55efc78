"""A text in the names of refs, snapshots and steps: all of a workspace's are looked at."""

from __future__ import annotations

import json

from dws_graph.backends.index.store import Store
from dws_graph.backends.views import Hit
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef

REFS = """
SELECT workspace, resource, subpath FROM ref
WHERE workspace >= :first AND workspace <= :last
    AND instr(lower_text(resource || iif(subpath = '', '', ':/' || subpath)), :text)
ORDER BY resource, subpath, workspace LIMIT :limit
"""
SNAPSHOTS = """
SELECT key, props FROM node
WHERE label = 'Snapshot' AND json_extract(props, '$.number') IS NOT NULL
    AND json_extract(props, '$.workspace') >= :first
    AND json_extract(props, '$.workspace') <= :last
    AND (instr(lower_text(json_extract(props, '$.message')), :text)
        OR instr(json_extract(props, '$.hash'), :text) = 1
        OR EXISTS (SELECT 1 FROM json_each(props, '$.tags') t
            WHERE instr(lower_text(t.value), :text)))
ORDER BY json_extract(props, '$.timestamp') DESC, key DESC LIMIT :limit
"""
STEPS = """
SELECT key, name, workspace, start_time FROM step
WHERE workspace >= :first AND workspace <= :last AND instr(lower_text(name), :text)
ORDER BY start_time DESC, key DESC LIMIT :limit
"""
LAST = "\U0010ffff"  # above every workspace's id


def search(store: Store, text: str, workspace: str | None, limit: int) -> list[Hit]:
    """Refs, snapshots and steps that have a text; at most so many of each."""
    store.connection.create_function("lower_text", 1, str.lower, deterministic=True)
    asked = {"text": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    with store.read():
        found = []
        for ws, resource, subpath in store.rows(REFS, asked):
            ref = ResourceRef(resource, subpath or None)
            found.append(Hit("ref", ref_id(ws, ref), str(ref), ws, ""))
        for key, props in store.rows(SNAPSHOTS, asked):
            obj = json.loads(props)
            name = ", ".join(obj.get("tags") or [obj["hash"]])
            found.append(Hit("snapshot", key, name, obj["workspace"], obj["timestamp"]))
        found += (Hit("step", *row) for row in store.rows(STEPS, asked))
    return found
