"""Deleting a snapshot: its metadata, its tags, and its results; lineage is never deleted.

Source: docs/formats.md, "Deleting a snapshot".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dws_graph.errors import UserAbort
from dws_graph.model import facts as f
from dws_graph.resources.file_resource import FileResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.resources.moving import SNAPSHOTS, Move
from dws_graph.workspace import layout
from dws_graph.workspace.aside import aside_for
from dws_graph.workspace.committing import commit_change, existing_folders
from dws_graph.workspace.intent import Intent, as_path
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata, find_snapshot
from dws_graph.workspace.taking import always


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What deleting a snapshot takes away.

    Attributes:
        snapshot: Which.
        folders: (resource, the folder of its results, from the resource's root).
        notes: What stays, and why.
    """

    snapshot: SnapshotMetadata
    folders: tuple[tuple[FileResource, str], ...]
    notes: tuple[str, ...]

    @property
    def label(self) -> str:
        """The snapshot's name for people."""
        return ", ".join(self.snapshot.tags) or self.snapshot.hashval[:7]

    def describe(self) -> list[str]:
        """The plan in lines."""
        lines = [f"Delete snapshot {self.label} ({self.snapshot.hashval[:7]}):"]
        lines += [f"  delete   tag {tag}" for tag in self.snapshot.tags]
        lines += [f"  delete   results {r.name}:/{folder}" for r, folder in self.folders]
        return [*lines, *(f"  leave    {text}" for text in self.notes)]


def plan_deletion(ws: OpenWorkspace, name: str, *, include_resources: bool = True) -> DeletionPlan:
    """Decide what deleting a snapshot takes away.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: It is not known which.
    """
    metadata = find_snapshot(ws, name)
    folder = os.path.normpath(metadata.relative_destination_path.strip("/"))
    others = [m for m in all_metadata(ws) if m.hashval != metadata.hashval]
    shared = [m for m in others if _overlap(m.relative_destination_path, folder)]
    if Path(folder).parts[:1] != (SNAPSHOTS,) or ".." in Path(folder).parts or folder == SNAPSHOTS:
        return DeletionPlan(metadata, (), ())
    folders, notes = [], []
    for resource in ws.get_resources():
        if not resource.has_results_role() or not isinstance(resource, FileResource):
            continue
        if not resource.does_subpath_exist(folder, must_be_directory=True):
            continue
        where = f"results {resource.name}:/{folder}"
        if not include_resources:
            notes.append(f"{where} (as asked)")
        elif shared:
            notes.append(f"{where} (those of snapshot {_label(shared[0])} too)")
        elif (resource.folder / folder).is_symlink():
            notes.append(f"{where} (it is a link)")
        else:
            folders.append((resource, folder))
    return DeletionPlan(metadata, tuple(folders), tuple(notes))


def _overlap(path: str, folder: str) -> bool:
    one, other = Path(os.path.normpath(path.strip("/"))), Path(folder)
    return one.is_relative_to(other) or other.is_relative_to(one)


def _label(metadata: SnapshotMetadata) -> str:
    return (metadata.tags or [metadata.hashval[:7]])[0]


def delete_snapshot(
    ws: OpenWorkspace,
    name: str,
    *,
    include_resources: bool = True,
    confirm: Callable[[str], bool] = always,
) -> DeletionPlan:
    """Delete a snapshot: one commit.

    Args:
        ws: The workspace.
        name: A tag, a hash, 6 or more digits of one, or `latest`.
        include_resources: Its results go too.
        confirm: Asked, with the plan, before anything changes.

    Returns:
        What went.

    Raises:
        ConfigurationError: There is no such snapshot; nothing was changed.
        UserAbort: The answer was no; nothing was changed.
    """
    with ws.locked():
        plan = plan_deletion(ws, name, include_resources=include_resources)
        if not confirm("\n".join(plan.describe())):
            raise UserAbort("nothing was deleted")
        deleted = plan.snapshot
        remove = [layout.manifest(deleted.hashval), layout.metadata(deleted.hashval)]
        remove += _files_below(ws, os.path.dirname(layout.snapshot_lineage(deleted.hashval, "x")))
        remove += [
            f"{resource.relative_path}/{folder}"
            for resource, folder in plan.folders
            if isinstance(resource, GitSubdirectoryResource)
        ]
        drafts = [(f.SNAPSHOT_DELETED, {"snapshot": deleted.hashval, "tags": deleted.tags})]
        commit_change(
            ws,
            f"Deleted snapshot {plan.label}",
            {},
            drafts,
            operation="delete-snapshot",
            remove=remove,
            more=lambda intent: _moving(ws, plan, intent),
        )
    return plan


def _files_below(ws: OpenWorkspace, folder: str) -> list[str]:
    path = ws.root / folder
    names = sorted(os.listdir(path)) if path.is_dir() else []
    return [f"{folder}/{name}" for name in names if (path / name).is_file()]


def _moving(ws: OpenWorkspace, plan: DeletionPlan, intent: Intent) -> Intent:
    """The results are moved aside, each folder as a whole."""
    moves: dict[str, list[Move]] = {}
    kept: dict[str, list[str]] = {}
    aside = []
    for resource, folder in plan.folders:
        source = resource.folder.resolve() / folder
        root, away = aside_for(ws.root, resource.folder, plan.snapshot.hashval)
        base = as_path(ws.root, root)
        move = Move(
            str(source.relative_to(root)),
            str((away / resource.name.encode().hex()).relative_to(root)),
            stat.S_IMODE(source.stat().st_mode),
        )
        moves.setdefault(base, []).append(move)
        below = resource.folder.resolve().relative_to(root)
        kept.setdefault(base, []).extend(
            str(below / found)
            for found in existing_folders(resource.folder)
            if Path(folder).is_relative_to(found) and found != folder
        )
        aside.append(as_path(ws.root, away))
    return replace(
        intent,
        moves=moves,
        kept_folders=kept,
        aside=tuple(dict.fromkeys(aside)),
        touched=tuple(resource.name for resource, _ in plan.folders),
    )
