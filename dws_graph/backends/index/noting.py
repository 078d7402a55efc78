"""Facts in: what only the index keeps, straight from a fact's body.

What is current with its fingerprint, who runs, numbers given, what a snapshot contains.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable

from dws_graph.backends.index import half_written, runs
from dws_graph.backends.overviews import hostname_in
from dws_graph.model import facts as f
from dws_graph.model.facts import Current, Fact, Merged
from dws_graph.model.folding import ref_id, snapshot_id
from dws_graph.model.imports import ImportRecord
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import take, take_or

NO_ENTRY = """
DELETE FROM entry WHERE workspace = ? AND instance = ? AND resource = ? AND subpath = ?
"""
ENTRY = """
INSERT INTO entry
    (workspace, instance, resource, subpath, certificate, output, digest, taken, via)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (workspace, instance, resource, subpath) DO UPDATE SET
    via = CASE WHEN entry.certificate = excluded.certificate THEN entry.via ELSE excluded.via END,
    certificate = excluded.certificate, output = excluded.output,
    digest = excluded.digest, taken = excluded.taken
"""
ENTRIES_GONE = "DELETE FROM entry WHERE certificate = ?"
ALIAS = "INSERT OR REPLACE INTO alias (placeholder, certificate) VALUES (?, ?)"
RUNNING = "INSERT OR REPLACE INTO running (step, workspace, instance, body) VALUES (?, ?, ?, ?)"
NOT_RUNNING = "DELETE FROM running WHERE step = ?"
STEP_END = """
INSERT OR REPLACE INTO step_end (step, instance, fact, seq, completed) VALUES (?, ?, ?, ?, ?)
"""
VERSION = """
INSERT INTO version (instance, ref, version) VALUES (?, ?, ?)
ON CONFLICT (instance, ref) DO UPDATE SET version = max(version, excluded.version)
"""
NUMBER = """
INSERT INTO number (workspace, instance, number) VALUES (?, ?, ?)
ON CONFLICT (workspace, instance) DO UPDATE SET number = max(number, excluded.number)
"""
CONTAINED = """
INSERT OR REPLACE INTO contained (snapshot, certificate, resource, subpath, entry)
VALUES (?, ?, ?, ?, ?)
"""
RENAME = "INSERT OR REPLACE INTO rename (id, fact) VALUES (?, ?)"
BASE = "INSERT OR REPLACE INTO base (workspace, instance, snapshot) VALUES (?, ?, ?)"
ENVIRONMENT = "INSERT OR IGNORE INTO environment (workspace, instance, hash) VALUES (?, ?, ?)"
HOSTNAME = "INSERT OR REPLACE INTO hostname (workspace, instance, hostname) VALUES (?, ?, ?)"

IMPORTED = """
INSERT OR REPLACE INTO imported (workspace, instance, resource, digest) VALUES (?, ?, ?, ?)
"""
IMPORT_SEEN = "INSERT OR IGNORE INTO import_seen (workspace, resource, digest) VALUES (?, ?, ?)"


def note(c: sqlite3.Connection, fact: Fact) -> None:
    """Writes down what only the index keeps of a fact."""
    half_written.note(c, fact)
    runs.note(c, fact)
    if writer := _WRITERS.get(fact.kind):
        writer(c, fact)


def _currents(c: sqlite3.Connection, fact: Fact, currents: Iterable[Current]) -> None:
    for now in currents:
        key = (fact.workspace, fact.instance, now.ref.name, now.ref.subpath or "")
        if now.certificate is None:
            c.execute(NO_ENTRY, key)
            continue
        print_ = now.fingerprint
        digest, taken = (print_.digest, print_.taken) if print_ else (None, None)
        c.execute(ENTRY, (*key, now.certificate, now.output, digest, taken, fact.kind))


def _step_started(c: sqlite3.Connection, fact: Fact) -> None:
    start = f.StepStart.from_json(fact.body)
    c.execute(RUNNING, (start.step, fact.workspace, fact.instance, json.dumps(fact.body)))


def _step_ended(c: sqlite3.Connection, fact: Fact) -> None:
    step = take(fact.body, "id", str)  # the record was read as a whole to fold it
    completed = fact.kind == f.STEP_COMPLETED
    c.execute(NOT_RUNNING, (step,))
    c.execute(STEP_END, (step, fact.instance, fact.id, fact.seq, completed))
    described = set(take(fact.body, "described", list))
    for kind in ("inputs", "code", "outputs"):
        for cert in take(fact.body, kind, list):
            if cert["id"] in described and (version := take_or(cert, "version", int)) is not None:
                ref = ResourceRef(take(cert, "resource", str), take_or(cert, "subpath", str))
                c.execute(VERSION, (fact.instance, ref_id(fact.workspace, ref), version))
    _currents(c, fact, f.currents(fact.body))


def _snapshot_taken(c: sqlite3.Connection, fact: Fact) -> None:
    snap = f.SnapshotRecord.from_json(fact.body)
    c.execute(NUMBER, (fact.workspace, fact.instance, snap.number))
    c.execute(BASE, (fact.workspace, fact.instance, snap.hash))
    sid = snapshot_id(fact.workspace, snap.hash)
    c.executemany(
        CONTAINED,
        ((sid, i.certificate, i.ref.name, i.ref.subpath or "", i.entry) for i in snap.contains),
    )
    _merged(c, fact, snap.merge, snap.current)


def _merged(
    c: sqlite3.Connection, fact: Fact, merge: Iterable[Merged], current: Iterable[Current]
) -> None:
    """What placeholders became, and what is current."""
    merge = list(merge)
    for merged in merge:
        c.execute(ALIAS, (merged.placeholder, merged.certificate))
    _currents(c, fact, current)
    c.executemany(ENTRIES_GONE, ((merged.placeholder,) for merged in merge))


def _restored(c: sqlite3.Connection, fact: Fact) -> None:
    c.execute(BASE, (fact.workspace, fact.instance, take(fact.body, "snapshot", str)))
    _currents(c, fact, f.currents(fact.body))


def _current_changed(c: sqlite3.Connection, fact: Fact) -> None:
    _currents(c, fact, f.currents(fact.body))
    _hostname(c, fact)


def _hostname(c: sqlite3.Connection, fact: Fact) -> None:
    if hostname := hostname_in(fact):
        c.execute(HOSTNAME, (fact.workspace, fact.instance, hostname))


def _environment_seen(c: sqlite3.Connection, fact: Fact) -> None:
    env = take(fact.body, "hash", str)
    c.execute(ENVIRONMENT, (fact.workspace, fact.instance, env))


def _lineage_imported(c: sqlite3.Connection, fact: Fact) -> None:
    record = ImportRecord.from_json(fact.body)
    c.execute(IMPORTED, (fact.workspace, fact.instance, record.resource, record.digest))
    c.execute(IMPORT_SEEN, (fact.workspace, record.resource, record.digest))
    for cert in record.own:
        if cert.version is not None:
            c.execute(VERSION, (fact.instance, ref_id(fact.workspace, cert.ref), cert.version))
    _merged(c, fact, record.merge, record.current)


def _void(c: sqlite3.Connection, fact: Fact) -> None:
    """The number of a snapshot that was undone is not given again."""
    if (number := take_or(fact.body, "number", int)) is not None:
        c.execute(NUMBER, (fact.workspace, fact.instance, number))


def _renamed(c: sqlite3.Connection, fact: Fact) -> None:
    c.execute(RENAME, (fact.id, fact.to_line()))


_WRITERS: dict[str, Callable[[sqlite3.Connection, Fact], None]] = {
    f.WORKSPACE_CREATED: _hostname,
    f.ENVIRONMENT_SEEN: _environment_seen,
    f.STEP_STARTED: _step_started,
    f.STEP_COMPLETED: _step_ended,
    f.STEP_ABORTED: _step_ended,
    f.SNAPSHOT_TAKEN: _snapshot_taken,
    f.RESTORED: _restored,
    f.CURRENT_SET: _current_changed,
    f.LINEAGE_IMPORTED: _lineage_imported,
    f.RESOURCE_REMOVED: _current_changed,
    f.RESOURCE_RENAMED: _renamed,
    f.UNDONE: _current_changed,
    f.VOID: _void,
}
