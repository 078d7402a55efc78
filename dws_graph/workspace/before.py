"""What was current before an operation, so that it is again once the operation is undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dws_graph.model.facts import Current
from dws_graph.model.values import Json
from dws_graph.workspace.opened import OpenWorkspace


def entries_before(ws: OpenWorkspace, names: Collection[str]) -> tuple[Json, ...]:
    """What is current of these resources, and whether their files are those of it.

    Args:
        ws: The workspace.
        names: Of resources whose files are about to be moved, or replaced.
    """
    found = []
    for entry in ws.index.entries(ws.id, ws.instance):
        if entry.ref.name not in names or entry.ref.name not in set(ws.get_resource_names()):
            continue
        fits = entry.fingerprint is not None and ws.get_resource(entry.ref.name).unchanged(
            entry.ref.subpath, entry.fingerprint
        )
        now = Current(
            ref=entry.ref,
            certificate=entry.certificate.id,
            output=entry.output,
            fingerprint=entry.fingerprint,
        )
        found.append({**now.to_json(), "fits": fits})
    return tuple(found)


def entries_again(ws: OpenWorkspace, before: Iterable[Json]) -> list[Json]:
    """The same as facts hold it, now that the files are back, which have other times."""
    found = []
    for item in before:
        now = Current.from_json(item)
        if item["fits"]:
            fresh = ws.get_resource(now.ref.name).fingerprint(now.ref.subpath)
            now = Current(
                ref=now.ref, certificate=now.certificate, output=now.output, fingerprint=fresh
            )
        found.append(now.to_json())
    return found
