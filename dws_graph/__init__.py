"""Data workspaces in git: snapshots, lineage, and the graph that is a fold of them."""

__version__ = "0.1.0"
