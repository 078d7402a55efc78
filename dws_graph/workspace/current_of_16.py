"""What Data Workspaces 1.6 recorded in this copy since the last snapshot: `current_lineage/`.

It becomes a fact of this copy whenever 1.6 has changed it; the files are never written here. Of a
ref only news count: what was recorded here since stays. Source: docs/formats.md, "Lineage of 1.6".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from dws_graph.backends.files import write_atomic
from dws_graph.errors import DwsError, JsonError
from dws_graph.model import facts as f
from dws_graph.model.certificates import Certificate
from dws_graph.model.facts import Current, Merged
from dws_graph.model.imports import ImportedCertificate, ImportRecord
from dws_graph.model.own_lineage import OwnGraph, own_graph
from dws_graph.model.refs import ResourceRef
from dws_graph.model.values import parse_json
from dws_graph.workspace.committing import finish_interrupted
from dws_graph.workspace.of_16 import SEEN_CURRENT, current_files, has_new_current, stats_of
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import scrubbed_record
from dws_graph.workspace.taken_with_16 import known_lineage, own_workspace, read_own_file

MEND = "It is not in git: mend it, or delete it."


def refresh_current(ws: OpenWorkspace) -> None:
    """Take in what 1.6 recorded. What cannot be read is told, and changes nothing."""
    if not has_new_current(ws):
        return
    paths = current_files(ws)
    seen = stats_of(ws, paths)
    try:
        files = [read_own_file(path, MEND) for path in paths]
        files = [file for file in files if file.resource in ws.get_resource_names()]
        graph = own_graph(
            files, own_workspace(ws, ws.resource_params), known_lineage(ws, files), ""
        )
    except JsonError as e:
        ws.notify(f"what Data Workspaces 1.6 recorded is left out: {e.message}. {e.hint}")
        return
    states = _states(graph)
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        told = ws.index.imports(ws.id, ws.instance).get("")
        if told != json.dumps(states):
            record = _record(ws, graph, states, parse_json(told) if told else {})
            ws.record([(f.LINEAGE_IMPORTED, record.to_json())])
    write_atomic(ws.root / SEEN_CURRENT, seen, fsync=False)


def _states(graph: OwnGraph) -> dict[str, list[str | None]]:
    """Of each ref: what made its content, and the hash of that."""
    return {
        str(ref): [graph.writers.get(cert.id) or cert.comment, cert.hash]
        for ref, cert in sorted(graph.entries.items(), key=lambda item: str(item[0]))
    }


def _record(
    ws: OpenWorkspace,
    graph: OwnGraph,
    states: Mapping[str, list[str | None]],
    before: Mapping[str, list[str | None]],
) -> ImportRecord:
    entries = {entry.ref: entry for entry in ws.index.entries(ws.id, ws.instance)}
    imported = {p["name"] for p in ws.resource_params if p.get("imported")}
    current: dict[ResourceRef, Current] = {}
    merge: list[Merged] = []
    superseded: list[str] = []
    for ref, cert in graph.entries.items():
        state, known = states[str(ref)], before.get(str(ref))
        if ref.name in imported or state == known:
            continue
        entry = entries.get(ref)
        waits = entry is not None and entry.certificate.status == "pending"
        if known is not None and known[0] == state[0]:  # 1.6 took a snapshot
            if entry is None or not waits or not _is_of(ws, graph, entry.certificate, cert):
                continue
            merge.append(Merged(placeholder=entry.certificate.id, certificate=cert.id))
        elif entry is not None and waits and entry.certificate.id != cert.id:
            superseded.append(entry.certificate.id)
        current[ref] = _current(ws, graph, ref, cert)
        for other in filter(ref.touches, entries):
            current.setdefault(other, Current(ref=other, certificate=None))
    for ref, entry in entries.items():
        if str(ref) in before and str(ref) not in states and entry.via == f.LINEAGE_IMPORTED:
            current.setdefault(ref, Current(ref=ref, certificate=None))
    known_steps = {s.id for s in graph.record.steps if ws.index.step(s.id) is not None}
    mine, others = _split(ws, graph, current.values())
    return replace(
        scrubbed_record(ws, graph.record),
        digest=json.dumps(states),
        steps=tuple(s for s in graph.record.steps if s.id not in known_steps),
        certificates=tuple(others),
        own=tuple(mine),
        current=tuple(current.values()),
        merge=tuple(merge),
        superseded=tuple(superseded),
    )


def _is_of(ws: OpenWorkspace, graph: OwnGraph, placeholder: Certificate, cert: Certificate) -> bool:
    """Whether 1.6 has hashed this placeholder."""
    if cert.hash is None:
        return False
    step = graph.writers.get(cert.id)
    if step is None:
        return placeholder.comment == cert.comment
    return ws.index.producers([placeholder.id]).get(placeholder.id) == step


def _current(ws: OpenWorkspace, graph: OwnGraph, ref: ResourceRef, cert: Certificate) -> Current:
    """A placeholder is what is on disk now; content with a hash is compared when it is read."""
    fingerprint = None
    if cert.hash is None:
        try:
            fingerprint = ws.get_resource(ref.name).fingerprint(ref.subpath)
        except DwsError as e:
            ws.notify(f"{ref} cannot be looked at: {e.message}")
    output = cert.id in graph.writers
    return Current(ref=ref, certificate=cert.id, output=output, fingerprint=fingerprint)


def _split(
    ws: OpenWorkspace, graph: OwnGraph, current: Iterable[Current]
) -> tuple[list[Certificate], list[ImportedCertificate]]:
    """The placeholders that wait for this copy's next snapshot, and all other certificates."""
    waiting = {now.certificate for now in current}
    mine, others = [], []
    for item in graph.record.certificates:
        cert = item.certificate
        if cert.hash is not None or item.workspace != ws.id:
            others.append(item)
        elif cert.id not in ws.index.certificates([cert.id]):
            now = cert.id in waiting
            mine.append(replace(cert, superseded=not now, instance=ws.instance))
    return mine, others
