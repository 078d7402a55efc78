"""What is asked of imported lineage: who made what, and what it is called here."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dws_graph.backends.decoding import as_certificate
from dws_graph.backends.index.store import Store
from dws_graph.model.certificates import Certificate
from dws_graph.model.folding import resource_id

Owned = tuple[str, Certificate]
"""A certificate after the workspace that it belongs to."""

IMPORTS = "SELECT resource, digest FROM imported WHERE workspace = ? AND instance = ?"
SEEN = "SELECT 1 FROM import_seen WHERE workspace = ? AND resource = ? AND digest = ?"
OWNED = """
SELECT key, json_extract(props, '$.workspace'), props FROM node
WHERE key = ? AND label IN ('HashCertificate', 'PlaceholderCertificate')
"""
ORIGINS = """
SELECT c.key, s.key, json_extract(s.props, '$.workspace'), s.props FROM node c
JOIN edge e ON e.dst = c.id AND e.type = 'IMPORTED_AS' JOIN node s ON s.id = e.src
WHERE c.key = ?
ORDER BY s.key
"""
WORKSPACE_NAME = "SELECT json_extract(props, '$.name') FROM node WHERE key = ?"
ROLE = "SELECT json_extract(props, '$.role') FROM node WHERE key = ?"


def imports(store: Store, workspace: str, instance: str) -> dict[str, str]:
    """The digest of the `lineage.json` that an instance took in last, by resource."""
    return dict(store.rows(IMPORTS, (workspace, instance)))


def has_imported(store: Store, workspace: str, resource: str, digest: str) -> bool:
    """Whether any instance took in this `lineage.json`."""
    return store.row(SEEN, (workspace, resource, digest)) is not None


def with_workspaces(store: Store, ids: Iterable[str]) -> dict[str, Owned]:
    """Those of the ids that are described certificates, each with its workspace."""
    return {
        key: (workspace, as_certificate(key, json.loads(props)))
        for key, workspace, props in store.each(OWNED, ids)
    }


def origins(store: Store, ids: Iterable[str]) -> dict[str, list[Owned]]:
    """What each of the certificates was imported from; those that were not are left out."""
    found: dict[str, list[Owned]] = {}
    for target, key, workspace, props in store.each(ORIGINS, ids):
        found.setdefault(target, []).append((workspace, as_certificate(key, json.loads(props))))
    return found


def workspace_name(store: Store, workspace: str) -> str | None:
    """The name of a workspace, if it is known."""
    row = store.row(WORKSPACE_NAME, (workspace,))
    return row[0] if row else None


def role(store: Store, workspace: str, resource: str) -> str | None:
    """The role of a resource of any workspace, if it is known."""
    row = store.row(ROLE, (resource_id(workspace, resource),))
    return row[0] if row else None
