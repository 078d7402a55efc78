"""Where a workspace keeps its files; paths from the workspace's root.

Source: docs/formats.md, "Files".
"""

from __future__ import annotations

import shlex

from dws_graph.backends.files import as_file_name

FOLDER = ".dataworkspace"
CONFIG = f"{FOLDER}/config.json"
OWN = f"{FOLDER}/dws-graph.json"
RESOURCES = f"{FOLDER}/resources.json"
GITIGNORE = f"{FOLDER}/.gitignore"
LOCAL_PARAMS = f"{FOLDER}/local_params.json"
RESOURCE_LOCAL_PARAMS = f"{FOLDER}/resource_local_params.json"
CURRENT_LINEAGE = f"{FOLDER}/current_lineage"  # of 1.6, which restores into it; empty here
LOCAL = f"{FOLDER}/local"
OWN_LOCAL_PARAMS = f"{LOCAL}/params.json"
INTENT = f"{LOCAL}/intent.json"
LAST = f"{LOCAL}/last.json"  # the operation done last, as its intent
ASIDE = f"{LOCAL}/aside"
SEALED = f"{LOCAL}/sealed.json"
COMMITTED = f"{LOCAL}/committed"  # see workspace.committed
TAKEN = f"{LOCAL}/taken.json"  # see workspace.unchanged
GRAPH = f"{FOLDER}/graph"
INDEX = f"{GRAPH}/index.db"
CYPHER = f"{GRAPH}/cypher.kgl"
HASH_TREES = f"{FOLDER}/file"
JOURNAL = f"{FOLDER}/journal"

# Not in git, each of one copy alone.
NOT_COMMITTED = (LOCAL_PARAMS, RESOURCE_LOCAL_PARAMS, OWN_LOCAL_PARAMS)

IGNORED_IN_FOLDER = "local_params.json\nresource_local_params.json\ncurrent_lineage/\nscratch/\n"
IGNORED_IN_WORKSPACE = (".ipynb_checkpoints", ".~*", "__pycache__", "*.pyc")


def manifest(snapshot_hash: str) -> str:
    """The manifest of a snapshot."""
    return f"{FOLDER}/snapshots/snapshot-{snapshot_hash}.json"


def metadata(snapshot_hash: str) -> str:
    """The metadata of a snapshot."""
    return f"{FOLDER}/snapshot_metadata/{snapshot_hash}_md.json"


def snapshot_lineage(snapshot_hash: str, resource: str) -> str:
    """A resource's lineage in a snapshot, as 1.6 reads it."""
    return f"{FOLDER}/snapshot_lineage/{snapshot_hash}/{as_file_name(resource)}.json"


def how_to_mend(path: str) -> str:
    """What to do about a metadata file that is damaged, by its path from the root."""
    if path in NOT_COMMITTED:
        return "It is not in git: mend it, or move it away and set again what it held: dws config."
    return f"Take it back from git: git checkout HEAD -- {shlex.quote(path)}."
