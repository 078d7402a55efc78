"""Workspaces and their resources, under the names of Data Workspaces 1.6.

A name is imported when it is first used: a command needs few of them, and starts sooner.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dws_graph.backends.files import inside
    from dws_graph.model.facts import Fingerprint
    from dws_graph.model.refs import ResourceRef
    from dws_graph.resources.base import Resource
    from dws_graph.resources.factory import Argument, ResourceFactory
    from dws_graph.resources.mixins import (
        FileResourceMixin,
        LocalStateResourceMixin,
        SnapshotResourceMixin,
    )
    from dws_graph.resources.terms import (
        RESOURCE_ROLE_CHOICES,
        Content,
        Listing,
        ResourceRoles,
        Taken,
    )
    from dws_graph.workspace.initializing import init_workspace
    from dws_graph.workspace.metadata import SnapshotMetadata
    from dws_graph.workspace.opening import find_and_load_workspace, load_workspace
    from dws_graph.workspace.snapshotting import SnapshotWorkspaceMixin
    from dws_graph.workspace.syncing import SyncedWorkspaceMixin
    from dws_graph.workspace.workspace import Workspace

__all__ = [
    "RESOURCE_ROLE_CHOICES",
    "Argument",
    "Content",
    "FileResourceMixin",
    "Fingerprint",
    "Listing",
    "LocalStateResourceMixin",
    "Resource",
    "ResourceFactory",
    "ResourceRef",
    "ResourceRoles",
    "SnapshotMetadata",
    "SnapshotResourceMixin",
    "SnapshotWorkspaceMixin",
    "SyncedWorkspaceMixin",
    "Taken",
    "Workspace",
    "find_and_load_workspace",
    "init_workspace",
    "inside",
    "load_workspace",
]

_HOME = {
    "Argument": "dws_graph.resources.factory",
    "Content": "dws_graph.resources.terms",
    "FileResourceMixin": "dws_graph.resources.mixins",
    "Fingerprint": "dws_graph.model.facts",
    "Listing": "dws_graph.resources.terms",
    "LocalStateResourceMixin": "dws_graph.resources.mixins",
    "RESOURCE_ROLE_CHOICES": "dws_graph.resources.terms",
    "Resource": "dws_graph.resources.base",
    "ResourceFactory": "dws_graph.resources.factory",
    "ResourceRef": "dws_graph.model.refs",
    "ResourceRoles": "dws_graph.resources.terms",
    "SnapshotMetadata": "dws_graph.workspace.metadata",
    "SnapshotResourceMixin": "dws_graph.resources.mixins",
    "SnapshotWorkspaceMixin": "dws_graph.workspace.snapshotting",
    "SyncedWorkspaceMixin": "dws_graph.workspace.syncing",
    "Taken": "dws_graph.resources.terms",
    "Workspace": "dws_graph.workspace.workspace",
    "find_and_load_workspace": "dws_graph.workspace.opening",
    "init_workspace": "dws_graph.workspace.initializing",
    "inside": "dws_graph.backends.files",
    "load_workspace": "dws_graph.workspace.opening",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value
