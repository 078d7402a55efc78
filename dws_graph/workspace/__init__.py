"""Workspaces and their resources, under the names of Data Workspaces 1.6."""

from dws_graph.resources.base import RESOURCE_ROLE_CHOICES, Resource, ResourceRoles
from dws_graph.workspace.initializing import init_workspace
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opening import find_and_load_workspace, load_workspace
from dws_graph.workspace.workspace import Workspace

__all__ = [
    "RESOURCE_ROLE_CHOICES",
    "Resource",
    "ResourceRoles",
    "SnapshotMetadata",
    "Workspace",
    "find_and_load_workspace",
    "init_workspace",
    "load_workspace",
]
