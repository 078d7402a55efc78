"""What failed steps left: the refs that one may have written half of, the versions read from them.

A failed step wrote nothing, but its files are there. A ref is half written from the step's end
until a completed step writes it, it is restored, or is read with a content known before. A version
that a fact describes of such a ref is what the failed step left, and stays so. Whoever retracts
the failed step says that what it left is good.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from dws_graph.backends.index.paths import touching
from dws_graph.backends.index.store import Store
from dws_graph.model import facts as f
from dws_graph.model.facts import Fact
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import Json, take, take_or

HALF_WRITTEN = """
INSERT OR REPLACE INTO half_written (workspace, instance, resource, subpath, step)
VALUES (?, ?, ?, ?, ?)
"""
WHOLE_AGAIN = """
DELETE FROM half_written
WHERE workspace = :workspace AND instance = :instance AND resource = :resource
    AND (:whole OR subpath = :subpath OR (subpath >= :first AND subpath < :end))
"""
COMPLETED_AFTER_ALL = "DELETE FROM half_written WHERE step = ?"
RESTORED = "DELETE FROM half_written WHERE workspace = ? AND instance = ? AND resource = ?"
LEFT = """
INSERT OR IGNORE INTO left_by (certificate, step)
SELECT :certificate, step FROM half_written
WHERE workspace = :workspace AND instance = :instance AND resource = :resource
    AND (subpath IN (SELECT value FROM json_each(:around))
        OR (subpath >= :first AND subpath < :end))
"""
IS_LEFT = "SELECT 1 FROM left_by WHERE certificate = ?"
ANY = "SELECT 1 FROM half_written WHERE workspace = ? AND instance = ? LIMIT 1"
ALL = """
SELECT h.resource, h.subpath, h.step FROM half_written h JOIN node s ON s.key = h.step
WHERE h.workspace = ? AND h.instance = ? AND json_extract(s.props, '$.retracted') IS NULL
ORDER BY h.resource, h.subpath
"""
LEFT_BY = """
SELECT l.certificate, max(l.step) FROM left_by l JOIN node s ON s.key = l.step
WHERE l.certificate = ? AND json_extract(s.props, '$.retracted') IS NULL
GROUP BY l.certificate
"""


def note(c: sqlite3.Connection, fact: Fact) -> None:
    """Writes down what a fact says of half-written refs."""
    none = c.execute(ANY, (fact.workspace, fact.instance)).fetchone() is None
    if none and fact.kind != f.STEP_ABORTED:
        return
    if fact.kind in (f.STEP_COMPLETED, f.STEP_ABORTED):
        _step_ended(c, fact)
    elif fact.kind == f.SNAPSHOT_TAKEN:
        described = take(fact.body, "certificates", list)
        _left(c, fact, described)
        _known_again(c, fact, {cert["id"] for cert in described})
    elif fact.kind == f.RESTORED:
        for name in take_or(fact.body, "resources", list) or ():
            c.execute(RESTORED, (fact.workspace, fact.instance, name))
    elif fact.kind == f.CURRENT_SET:
        _known_again(c, fact, set())


def _step_ended(c: sqlite3.Connection, fact: Fact) -> None:
    described = set(take(fact.body, "described", list))
    meanwhile = take(fact.body, "read_while_written", dict)  # of what another step writes now
    read = [*take(fact.body, "inputs", list), *take(fact.body, "code", list)]
    seen = [(cert, ResourceRef(cert["resource"], take_or(cert, "subpath", str))) for cert in read]
    _left(
        c,
        fact,
        [cert for cert, ref in seen if cert["id"] in described and str(ref) not in meanwhile],
    )
    step = take(fact.body, "id", str)
    if fact.kind == f.STEP_COMPLETED:
        c.execute(COMPLETED_AFTER_ALL, (step,))
        for cert in take(fact.body, "outputs", list):
            _whole_again(c, fact, ResourceRef(cert["resource"], take_or(cert, "subpath", str)))
    outputs = {cert["id"] for cert in take(fact.body, "outputs", list)}
    _known_again(c, fact, described | outputs)
    if fact.kind == f.STEP_ABORTED:
        for now in f.currents(fact.body):
            if now.certificate is None:
                key = (fact.workspace, fact.instance, now.ref.name, now.ref.subpath or "")
                c.execute(HALF_WRITTEN, (*key, step))


def _left(c: sqlite3.Connection, fact: Fact, described: Iterable[Json]) -> None:
    """Versions that nobody knew before, of refs that are half written."""
    for cert in described:
        ref = ResourceRef(take(cert, "resource", str), take_or(cert, "subpath", str))
        where = {"workspace": fact.workspace, "instance": fact.instance, **touching(ref)}
        c.execute(LEFT, {"certificate": take(cert, "id", str), **where})


def _known_again(c: sqlite3.Connection, fact: Fact, described: set[str]) -> None:
    """What is current by a version known before is whole, unless a failed step left that."""
    for now in f.currents(fact.body):
        if now.certificate is None or now.certificate in described:
            continue
        if c.execute(IS_LEFT, (now.certificate,)).fetchone() is None:
            _whole_again(c, fact, now.ref)


def _whole_again(c: sqlite3.Connection, fact: Fact, ref: ResourceRef) -> None:
    where = {"workspace": fact.workspace, "instance": fact.instance, **touching(ref)}
    c.execute(WHOLE_AGAIN, {**where, "subpath": ref.subpath or "", "whole": ref.subpath is None})


def refs(store: Store, workspace: str, instance: str) -> dict[ResourceRef, str]:
    """The refs half written in an instance, each with the step that failed; no retracted one's."""
    rows = store.rows(ALL, (workspace, instance))
    return {ResourceRef(name, subpath or None): step for name, subpath, step in rows}


def left_by(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """The failed step, not retracted, that left each certificate; others are left out."""
    return dict(store.each(LEFT_BY, ids))
