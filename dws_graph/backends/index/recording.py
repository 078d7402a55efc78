"""What recording asks: what is current, known, running, numbered.

The cost of each does not grow with the history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from dws_graph.backends.decoding import as_certificate
from dws_graph.backends.index.paths import touching
from dws_graph.backends.index.store import Store
from dws_graph.backends.views import UNKNOWN, Entry
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Fingerprint, StepStart
from dws_graph.model.folding import ref_id
from dws_graph.model.refs import ResourceRef

_ENTRIES = """
SELECT e.resource, e.subpath, e.output, e.digest, e.taken, e.via, e.certificate, n.props,
    EXISTS (SELECT 1 FROM edge w WHERE w.dst = n.id AND w.type = 'RETRACTED_WROTE')
FROM entry e LEFT JOIN node n ON n.key = e.certificate
WHERE e.workspace = :workspace AND e.instance = :instance
"""
ENTRIES = f"{_ENTRIES} ORDER BY e.resource, e.subpath"
ENTRIES_OF_RESOURCE = f"{_ENTRIES} AND e.resource = :resource ORDER BY e.subpath"
ENTRY = f"{_ENTRIES} AND e.resource = :resource AND e.subpath = :subpath"
ENTRIES_TOUCHING = f"""
{_ENTRIES} AND e.resource = :resource AND e.subpath IN (SELECT value FROM json_each(:around))
UNION ALL
{_ENTRIES} AND e.resource = :resource AND e.subpath >= :first AND e.subpath < :end
ORDER BY 2
"""  # noqa: S608 - constants
CERTIFICATE = """
SELECT key, props FROM node
WHERE key = ? AND label IN ('HashCertificate', 'PlaceholderCertificate', 'Certificate')
"""
KNOWN = """
SELECT n.key, n.props, coalesce(nullif(n.at, ''), n.key) FROM node r
JOIN hashed h ON h.ref = r.id JOIN node n ON n.id = h.certificate
WHERE r.key = ?
ORDER BY 3 DESC
"""
KNOWN_BY_HASH = """
SELECT n.key, n.props, coalesce(nullif(n.at, ''), n.key) FROM node r
JOIN hashed h ON h.ref = r.id AND h.hash = ? JOIN node n ON n.id = h.certificate
WHERE r.key = ?
ORDER BY 3 DESC
"""
KNOWN_BY_SUBPATH = """
SELECT n.key, n.props, coalesce(nullif(n.at, ''), n.key) FROM node r
JOIN hashed h ON h.ref = r.id AND h.subpath_hash = ?2 JOIN node n ON n.id = h.certificate
WHERE r.key = ?3
UNION ALL
SELECT n.key, n.props, coalesce(nullif(n.at, ''), n.key) FROM node r
JOIN hashed h ON h.ref = r.id AND h.subpath_hash IS NULL AND h.hash = ?1
JOIN node n ON n.id = h.certificate
WHERE r.key = ?3
ORDER BY 3 DESC
"""
ALIAS = "SELECT certificate FROM alias WHERE placeholder = ?"
VERSION = "SELECT version FROM version WHERE instance = ? AND ref = ?"
NUMBER = "SELECT number FROM number WHERE workspace = ? AND instance = ?"
BASE = "SELECT snapshot FROM base WHERE workspace = ? AND instance = ?"
RUNNING = "SELECT body FROM running WHERE instance = ? AND workspace = ? ORDER BY step"
ENVIRONMENT = "SELECT 1 FROM environment WHERE workspace = ? AND instance = ? AND hash = ?"
HOSTNAMES = "SELECT instance, hostname FROM hostname WHERE workspace = ? ORDER BY instance"


def entries(store: Store, workspace: str, instance: str, resource: str | None) -> list[Entry]:
    """What is current in an instance, by ref; refs whose state is unknown are left out."""
    asked = {"workspace": workspace, "instance": instance, "resource": resource}
    return _entries(store, ENTRIES if resource is None else ENTRIES_OF_RESOURCE, asked)


def entries_touching(store: Store, workspace: str, instance: str, ref: ResourceRef) -> list[Entry]:
    """What is current of a ref, of those that cover it, and of those it covers."""
    asked = {"workspace": workspace, "instance": instance, **touching(ref)}
    return _entries(store, ENTRIES_TOUCHING, asked)


def entry(store: Store, workspace: str, instance: str, ref: ResourceRef) -> Entry | None:
    """What is current of a ref itself."""
    asked = {"workspace": workspace, "instance": instance, "resource": ref.name}
    found = _entries(store, ENTRY, {**asked, "subpath": ref.recorded().subpath or ""})
    return found[0] if found else None


def _entries(store: Store, sql: str, asked: Mapping[str, str | None]) -> list[Entry]:
    found = []
    for name, subpath, output, digest, taken, via, certificate, props, retracted in store.rows(
        sql, asked
    ):
        ref = ResourceRef(name, subpath or None)
        found.append(
            Entry(
                ref=ref,
                certificate=as_certificate(certificate, json.loads(props or "{}"), ref),
                output=bool(output) and not retracted,
                fingerprint=None if digest is None else Fingerprint(digest, taken),
                via=via,
            )
        )
    return found


def certificates(store: Store, ids: Iterable[str]) -> dict[str, Certificate]:
    """Those of the ids that are described certificates."""
    found = (as_certificate(key, json.loads(props)) for key, props in store.each(CERTIFICATE, ids))
    return {cert.id: cert for cert in found if cert.ref != UNKNOWN}


def known(
    store: Store, workspace: str, ref: ResourceRef, hashval: str | None, subpath_hash: str | None
) -> list[Certificate]:
    """The hashed certificates of a ref that have this content (any, when none is given)."""
    rid = ref_id(workspace, ref)
    if subpath_hash is not None:
        rows = store.rows(KNOWN_BY_SUBPATH, (hashval, subpath_hash, rid))
    elif hashval is not None:
        rows = store.rows(KNOWN_BY_HASH, (hashval, rid))
    else:
        rows = store.rows(KNOWN, (rid,))
    return [as_certificate(key, json.loads(props)) for key, props, _ in rows]


def became(store: Store, ids: Iterable[str]) -> dict[str, str]:
    """For each placeholder that was merged into another certificate: that one, in the end."""
    found = {}
    for key in ids:
        at, seen = key, {key}
        while (row := store.row(ALIAS, (at,))) and row[0] not in seen:
            at = row[0]
            seen.add(at)
        if at != key:
            found[key] = at
    return found


def highest_version(store: Store, workspace: str, instance: str, ref: ResourceRef) -> int:
    """The highest version that the instance gave to the ref; 0 when none."""
    row = store.row(VERSION, (instance, ref_id(workspace, ref)))
    return row[0] if row else 0


def highest_number(store: Store, workspace: str, instance: str) -> int:
    """The highest number of the instance's snapshots; 0 when none."""
    row = store.row(NUMBER, (workspace, instance))
    return row[0] if row else 0


def running(store: Store, workspace: str, instance: str) -> list[StepStart]:
    """The steps that started and did not end, as far as the journal knows."""
    rows = store.rows(RUNNING, (instance, workspace))
    return [StepStart.from_json(json.loads(body)) for (body,) in rows]


def environment_seen(store: Store, workspace: str, instance: str, env: str) -> bool:
    """Whether the instance has recorded what this environment holds."""
    return store.row(ENVIRONMENT, (workspace, instance, env)) is not None


def hostnames(store: Store, workspace: str) -> dict[str, str]:
    """The name that each instance last gave its machine."""
    return dict(store.rows(HOSTNAMES, (workspace,)))


def base(store: Store, workspace: str, instance: str) -> str | None:
    """The hash of the snapshot that an instance took or restored last."""
    row = store.row(BASE, (workspace, instance))
    return str(row[0]) if row else None
