"""Kept content as it comes to a copy of the workspace: with a clone, and with a pull."""

from __future__ import annotations

from collections.abc import Collection

from dws_graph.errors import ConfigurationError
from dws_graph.resources.base import Resource
from dws_graph.resources.local_files import LocalFileResource
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata


def as_kept(resource: Resource) -> LocalFileResource | None:
    """The same resource, where its content is kept."""
    return resource if isinstance(resource, LocalFileResource) and resource.keep else None


def newest_root(ws: OpenWorkspace, name: str) -> str | None:
    """The hash of the content that the newest snapshot keeps of a resource."""
    found = (m.restore_hashes.get(name) for m in reversed(all_metadata(ws)))
    return next((root for root in found if root is not None), None)


def fill_cloned(ws: OpenWorkspace, resource: Resource) -> None:
    """Bring the content of the newest snapshot to a new folder, where a shared store has it."""
    kept = as_kept(resource)
    if kept is not None and kept.store is not None:
        kept.fill_from_store(newest_root(ws, kept.name))


def fetch_kept(ws: OpenWorkspace, names: Collection[str]) -> list[str]:
    """Bring what the newest snapshot keeps of these resources to this machine; notes for people.

    The files stay as they are: a restore brings them. A store that cannot be reached is said. A
    resource that has another name by now is brought by the next pull.
    """
    notes = []
    for resource in ws.get_resources():
        kept = as_kept(resource) if resource.name in names else None
        if kept is None or kept.store is None or not kept.is_here():
            continue
        root = newest_root(ws, kept.name)
        if root is None:
            continue
        try:
            count = kept.kept_content.fetch(root)
        except ConfigurationError as e:
            notes.append(f"{kept}: kept content was not brought: {e.message}")
            continue
        if count:
            files = "1 kept file is here" if count == 1 else f"{count} kept files are here"
            notes.append(f"{kept}: {files}; dws restore brings back what was kept")
    return notes
