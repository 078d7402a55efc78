"""Workspaces and their resources, under the names of Data Workspaces 1.6.

A name is imported when it is first used: a command needs few of them, and starts sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dws_graph.resources.base import (
        RESOURCE_ROLE_CHOICES,
        Resource,
        ResourceFactory,
        ResourceRoles,
    )
    from dws_graph.resources.mixins import (
        FileResourceMixin,
        LocalStateResourceMixin,
        SnapshotResourceMixin,
    )
    from dws_graph.workspace.initializing import init_workspace
    from dws_graph.workspace.metadata import SnapshotMetadata
    from dws_graph.workspace.opening import find_and_load_workspace, load_workspace
    from dws_graph.workspace.snapshotting import SnapshotWorkspaceMixin
    from dws_graph.workspace.syncing import SyncedWorkspaceMixin
    from dws_graph.workspace.workspace import Workspace

__all__ = [
    "RESOURCE_ROLE_CHOICES",
    "FileResourceMixin",
    "LocalStateResourceMixin",
    "Resource",
    "ResourceFactory",
    "ResourceRoles",
    "SnapshotMetadata",
    "SnapshotResourceMixin",
    "SnapshotWorkspaceMixin",
    "SyncedWorkspaceMixin",
    "Workspace",
    "find_and_load_workspace",
    "init_workspace",
    "load_workspace",
]

_HOME = {
    "FileResourceMixin": "dws_graph.resources.mixins",
    "LocalStateResourceMixin": "dws_graph.resources.mixins",
    "RESOURCE_ROLE_CHOICES": "dws_graph.resources.base",
    "Resource": "dws_graph.resources.base",
    "ResourceFactory": "dws_graph.resources.base",
    "ResourceRoles": "dws_graph.resources.base",
    "SnapshotMetadata": "dws_graph.workspace.metadata",
    "SnapshotResourceMixin": "dws_graph.resources.mixins",
    "SnapshotWorkspaceMixin": "dws_graph.workspace.snapshotting",
    "SyncedWorkspaceMixin": "dws_graph.workspace.syncing",
    "Workspace": "dws_graph.workspace.workspace",
    "find_and_load_workspace": "dws_graph.workspace.opening",
    "init_workspace": "dws_graph.workspace.initializing",
    "load_workspace": "dws_graph.workspace.opening",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
