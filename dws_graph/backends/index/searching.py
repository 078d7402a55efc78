"""A text in what is recorded.

Hashes are found by an index. Names and parameters may hold the text anywhere, so those of a
workspace are looked at, newest first, and no more of them once there are enough.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dws_graph.backends.index.store import Store
from dws_graph.backends.matching import (
    LOOKED_AT,
    hits_of_steps,
    is_hash,
    needles,
    of_snapshot,
)
from dws_graph.backends.overviews import FIRST, LAST, NEWEST, Place
from dws_graph.backends.views import Hit, HitKind
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef

WORKSPACES = """
SELECT key, name FROM (
    SELECT key, coalesce(json_extract(props, '$.name'), key) AS name FROM node
    WHERE label = 'Workspace' AND key >= :first AND key <= :last
)
WHERE (instr(lower_text(name), :text) OR instr(key, :text) = 1) AND (name, key) > (:by, :id)
ORDER BY name, key LIMIT :limit
"""
RESOURCES = """
SELECT key, name, workspace FROM (
    SELECT key, json_extract(props, '$.name') AS name,
        json_extract(props, '$.workspace') AS workspace
    FROM node WHERE label = 'Resource'
)
WHERE workspace >= :first AND workspace <= :last AND instr(lower_text(name), :text)
    AND (name, key) > (:by, :id)
ORDER BY name, key LIMIT :limit
"""
REFS = """
SELECT workspace, resource, subpath FROM ref
WHERE workspace >= :first AND workspace <= :last
    AND instr(lower_text(resource || iif(subpath = '', '', ':/' || subpath)), :text)
    AND (resource || iif(subpath = '', '', ':/' || subpath), workspace) > (:by, :id)
ORDER BY resource || iif(subpath = '', '', ':/' || subpath), workspace LIMIT :limit
"""
# Hashes are digits and letters up to f.
CERTIFICATES = """
SELECT n.key, n.props, h.hash FROM (
    SELECT certificate, hash FROM hashed WHERE hash >= :text AND hash < :text || 'g'
    UNION ALL
    SELECT certificate, subpath_hash FROM hashed
    WHERE subpath_hash >= :text AND subpath_hash < :text || 'g'
        AND NOT (hash >= :text AND hash < :text || 'g')
) h JOIN node n ON n.id = h.certificate
WHERE json_extract(n.props, '$.workspace') >= :first
    AND json_extract(n.props, '$.workspace') <= :last AND (h.hash, n.key) > (:by, :id)
ORDER BY h.hash, n.key LIMIT :limit
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
SELECT key, name, workspace, start_time, description, parameters FROM step
WHERE (start_time, key) < (:by, :id) AND (instr(lower_text(name), :text)
    OR (instr(lower_text(parameters), :one) AND instr(lower_text(parameters), :two))
    OR instr(lower_text(coalesce(description, '')), :text))
ORDER BY start_time DESC, key DESC LIMIT :limit
"""
STEPS_IN = STEPS.replace("WHERE", "WHERE workspace = :first AND", 1)


def search(
    store: Store,
    text: str,
    workspace: str | None,
    limit: int,
    kind: HitKind | None = None,
    after: Place | None = None,
) -> list[Hit]:
    """What has a text; at most so many of each kind."""
    asked = {"text": text.lower(), "limit": limit, "first": workspace or ""}
    asked["last"] = LAST if workspace is None else workspace
    with store.read():
        found: list[Hit] = []
        for one in KINDS if kind is None else (kind,):
            begin = after or (NEWEST if one in ("snapshot", "step") else FIRST)
            found += KINDS[one](store, {**asked, **begin._asdict()})
        return found


def _workspaces(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for key, name in store.rows(WORKSPACES, asked):
        by_id = key if asked["text"] not in name.lower() else ""
        yield Hit("workspace", key, name, key, "", by_id)


def _resources(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for key, name, workspace in store.rows(RESOURCES, asked):
        yield Hit("resource", key, name, workspace, "")


def _refs(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for workspace, resource, subpath in store.rows(REFS, asked):
        ref = ResourceRef(resource, subpath or None)
        yield Hit("ref", ref_id(workspace, ref), str(ref), workspace, "")


def _certificates(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    if not is_hash(asked["text"]):
        return
    for key, props, hashval in store.rows(CERTIFICATES, asked):
        obj = json.loads(props)
        ref = ResourceRef(obj["resource"], obj.get("subpath"))
        yield Hit("certificate", key, str(ref), obj["workspace"], "", hashval, obj["hash"])


def _snapshots(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    for key, props in store.rows(SNAPSHOTS, asked):
        obj = json.loads(props)
        tags = obj.get("tags") or []
        matched = of_snapshot(asked["text"], tags or [obj["hash"]], obj["message"], obj["hash"])
        name = ", ".join(tags or [obj["hash"]])
        yield Hit("snapshot", key, name, obj["workspace"], obj["timestamp"], matched, obj["hash"])


def _steps(store: Store, asked: dict[str, Any]) -> Iterable[Hit]:
    return itertools.islice(_all_steps(store, asked), asked["limit"])


def _all_steps(store: Store, asked: dict[str, Any]) -> Iterator[Hit]:
    text, steps = asked["text"], STEPS_IN if asked["first"] else STEPS
    one, two = needles(text)
    wanted = {**asked, "one": one, "two": two, "limit": LOOKED_AT}
    if text.isascii():
        steps = steps.replace("lower_text", "lower")  # SQLite's own, which knows no other letters
    while rows := list(store.rows(steps, wanted)):
        yield from hits_of_steps(text, rows)
        if len(rows) < LOOKED_AT:
            return
        wanted |= {"id": rows[-1][0], "by": rows[-1][3]}


KINDS: dict[HitKind, Callable[[Store, dict[str, Any]], Iterable[Hit]]] = {
    "workspace": _workspaces,
    "resource": _resources,
    "ref": _refs,
    "certificate": _certificates,
    "snapshot": _snapshots,
    "step": _steps,
}
