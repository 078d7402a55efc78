"""Imported resources: what their `lineage.json` tells becomes a fact of this workspace.

The steps and certificates in it belong to the workspaces that made them. The resource's own
certificate here is imported from theirs, and is current while the files are those that the file
tells of. Source: docs/formats.md, "Imported lineage".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from dws_graph.backends.files import inside
from dws_graph.backends.journal.journal import Draft
from dws_graph.errors import ConfigurationError, DwsError, JsonError, JsonValueError
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current
from dws_graph.model.import_graph import ImportGraph, import_graph
from dws_graph.model.imports import ImportRecord, imported_id
from dws_graph.model.lineage_file import LineageFile
from dws_graph.model.values import parse_json
from dws_graph.resources.base import Resource
from dws_graph.resources.local_files import HASH_TREES
from dws_graph.resources.terms import LINEAGE_FILE, Content
from dws_graph.workspace.committing import finish_interrupted
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import content_now
from dws_graph.workspace.scrubbing import scrubbed_record

LARGEST = 1 << 28  # bytes of a lineage.json
AGAIN = "Export it again: take a snapshot in the workspace that made it."


def refresh_imports(ws: OpenWorkspace) -> None:
    """Take in the `lineage.json` of each imported resource that is another than this copy knows.

    One that cannot be taken in is told, and leaves what was known as it is.
    """
    resources = [ws.get_resource(p["name"]) for p in ws.resource_params if p.get("imported")]
    if not ws.writable or not any(_is_news(ws, resource) for resource in resources):
        return
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        drafts = []
        for resource in resources:
            if _is_news(ws, resource):
                try:
                    drafts.append(import_draft(ws, resource))
                except DwsError as e:
                    ws.notify(f"what '{resource.name}' was made from is not known: {e.message}")
        if drafts:
            ws.record(drafts)


def _is_news(ws: OpenWorkspace, resource: Resource) -> bool:
    file = _file_of(resource)
    if file is None or not file.is_file() or file.stat().st_size > LARGEST:
        return False
    known = ws.index.imports(ws.id, ws.instance).get(resource.name)
    return known != hashlib.sha256(file.read_bytes()).hexdigest()


def _file_of(resource: Resource) -> Path | None:
    return None if resource.local_path is None else resource.local_path / LINEAGE_FILE


def import_draft(ws: OpenWorkspace, resource: Resource) -> Draft:
    """The fact that takes in what a resource's `lineage.json` tells.

    Args:
        ws: The workspace.
        resource: An imported one, which may be about to be added.

    Raises:
        ConfigurationError: There is no such file, or this workspace wrote it.
        JsonError: It is damaged, contradicts itself, or what is known here; names it.
    """
    file = _file_of(resource)
    if file is None or not file.is_file():
        raise ConfigurationError(f"{resource} has no {LINEAGE_FILE}", hint=AGAIN)
    if file.stat().st_size > LARGEST:
        raise JsonValueError("is too large to be read", file=str(file))
    inside(file.parent, LINEAGE_FILE)  # no link that leads elsewhere
    raw = file.read_bytes()
    try:
        told = LineageFile.from_json(parse_json(raw, file=str(file)))
        if told.resource != resource.name:
            raise JsonValueError(f"is about a resource '{told.resource}'", key="resource_name")
        graph = import_graph(told, ws.id)
        _check_against(ws, graph)
    except JsonError as e:
        raise type(e)(e.reason, file=str(file), key=e.key, hint=AGAIN) from e
    if graph.workspace == ws.id:
        raise ConfigurationError(
            f"{file} was exported by this workspace itself",
            hint="Read the resource that it was exported from.",
        )
    digest = hashlib.sha256(raw).hexdigest()
    own, imported_as, current = _here(ws, resource, told, graph)
    record = ImportRecord(
        resource=resource.name,
        digest=digest,
        own=tuple(own),
        imported_as=tuple(imported_as),
        current=tuple(_replacing(ws, resource, current)),
    )
    if not ws.index.has_imported(ws.id, resource.name, digest):
        record = _with_nodes(ws, record, graph)
    return f.LINEAGE_IMPORTED, record.to_json()


def _check_against(ws: OpenWorkspace, graph: ImportGraph) -> None:
    """Refuse a file that says another thing of what is known here.

    Raises:
        JsonValueError: Names it.
    """
    known = ws.index.with_workspaces(graph.certificates)
    for key, item in graph.certificates.items():
        here = known.get(key)
        cert = item.certificate
        if here is None:
            if item.workspace == ws.id:
                raise JsonValueError(
                    f"tells of a version of '{cert.ref}' of this workspace that is not known here"
                )
            continue
        workspace, before = here
        if (workspace, before.ref) != (item.workspace, cert.ref) or (
            before.hash is not None and before.hash != cert.hash
        ):
            raise JsonValueError(f"gives '{cert.ref}' the id {key}, which '{before.ref}' has here")
    for key, step in graph.steps.items():
        info = ws.index.step(key)
        if info is None and step.workspace == ws.id:
            raise JsonValueError(f"tells of a step '{step.name}' of this workspace, unknown here")
        if info is not None and (info.workspace, info.name) != (step.workspace, step.name):
            raise JsonValueError(f"gives step '{step.name}' the id {key}, which '{info.name}' has")


def _here(
    ws: OpenWorkspace, resource: Resource, told: LineageFile, graph: ImportGraph
) -> tuple[list[Certificate], list[tuple[str, str]], list[Current]]:
    """The certificates of the resource here, where they come from, and which are current."""
    own: list[Certificate] = []
    pairs: list[tuple[str, str]] = list(graph.imported_as)
    current: list[Current] = []
    changed = False
    for head in graph.heads:
        if head.hash is None:
            continue  # nobody kept it
        content = content_now(ws, resource, head.ref.subpath)
        same = _is_content(resource, told, content, head)
        hashval, sub = head.hash, head.subpath_hash
        if same is None:
            found = content.known_as if resource.resource_type in HASH_TREES else content.hash
            same = found is not None
            hashval, sub = found or hashval, content.subpath_hash if same else sub
        cert = Certificate(
            id=imported_id(ws.id, head.ref, hashval, head.id),
            ref=head.ref,
            hash=hashval,
            subpath_hash=sub,
            comment=head.comment,
        )
        own.append(cert)
        pairs.append((head.id, cert.id))
        changed = changed or not same
        if same:
            fingerprint = resource.fingerprint(head.ref.subpath)
            current.append(Current(ref=head.ref, certificate=cert.id, fingerprint=fingerprint))
    if changed:
        ws.notify(
            f"the files of '{resource.name}' are not those that its {LINEAGE_FILE} tells of: "
            "they were changed since it was exported"
        )
    return own, pairs, current


def _is_content(
    resource: Resource, told: LineageFile, content: Content, head: Certificate
) -> bool | None:
    """Whether what is on disk is what was exported; None where the hashes cannot be compared."""
    if head.subpath_hash is not None and head.subpath_hash == content.subpath_hash:
        return True
    if head.hash is None:
        return False
    if content.hash == head.hash or content.known_as == head.hash:
        return True
    if head.ref.subpath is None and content.known_as == (head.subpath_hash or ""):
        return True  # results, of which the exporter has copies too
    before = resource.known_as(head.hash)
    if before is not None:
        return before == content.known_as
    params = resource.get_params()
    alike = {told.resource_type, resource.resource_type} <= set(HASH_TREES)
    return False if alike and told.compute_hash == params.get("compute_hash") else None


def _replacing(ws: OpenWorkspace, resource: Resource, current: list[Current]) -> Iterable[Current]:
    """What is current from now on: what a step has read and no snapshot hashed yet stays."""
    new = {now.ref: now for now in current}
    for entry in ws.index.entries(ws.id, ws.instance, resource.name):
        pending = entry.certificate.hash is None and not entry.certificate.superseded
        fingerprint = entry.fingerprint
        if pending and fingerprint and resource.unchanged(entry.ref.subpath, fingerprint):
            new.pop(entry.ref, None)  # the next snapshot knows its content again
        elif current and entry.ref not in new and not pending:
            new[entry.ref] = Current(ref=entry.ref, certificate=None)
    return new.values()


def _with_nodes(ws: OpenWorkspace, record: ImportRecord, graph: ImportGraph) -> ImportRecord:
    """The same with all that others made; what is this workspace's own, its own facts tell."""
    told = replace(
        record,
        workspaces=tuple(w for w in graph.workspaces.values() if w.id != ws.id),
        steps=tuple(s for s in graph.steps.values() if s.workspace != ws.id),
        certificates=tuple(c for c in graph.certificates.values() if c.workspace != ws.id),
    )
    return scrubbed_record(ws, told)
