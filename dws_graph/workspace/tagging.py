"""Tags: names for snapshots."""

from __future__ import annotations

from collections.abc import Iterable

from dws_graph.errors import ConfigurationError
from dws_graph.model import facts as f
from dws_graph.model.values import local_text, utc_now
from dws_graph.workspace import layout
from dws_graph.workspace.committing import commit_change
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.names import check_tag
from dws_graph.workspace.opened import OpenWorkspace, json_bytes
from dws_graph.workspace.snapshots import all_metadata, find_snapshot


def check_free(tag: str, snapshots: Iterable[SnapshotMetadata]) -> None:
    """Refuse a tag that cannot be given.

    Args:
        tag: Of the user.
        snapshots: All that there are.

    Raises:
        ConfigurationError: It is no tag, or a snapshot has it.
    """
    check_tag(tag)
    for metadata in snapshots:
        if metadata.has_tag(tag):
            raise ConfigurationError(
                f"the tag '{tag}' is in use, by snapshot {metadata.hashval[:8]}",
                hint=f"Choose another, or take it away: dws tag --delete {tag}.",
            )


def tag_snapshot(ws: OpenWorkspace, name: str, tag: str) -> SnapshotMetadata:
    """Give a snapshot a tag: one commit.

    Raises:
        ConfigurationError: There is no such snapshot, or the tag is in use or odd.
    """
    with ws.locked():
        metadata = find_snapshot(ws, name)
        check_free(tag, all_metadata(ws))
        changed = metadata.with_tags([*metadata.tags, tag], local_text(utc_now()))
        return _save(ws, changed, tag, changed.hashval)


def untag(ws: OpenWorkspace, tag: str) -> SnapshotMetadata:
    """Take a tag away from its snapshot: one commit.

    Raises:
        ConfigurationError: No snapshot has it.
    """
    with ws.locked():
        for metadata in all_metadata(ws):
            if metadata.has_tag(tag):
                left = [t for t in metadata.tags if t != tag]
                changed = metadata.with_tags(left, local_text(utc_now()))
                return _save(ws, changed, tag, None)
    raise ConfigurationError(f"no snapshot has the tag '{tag}'", hint="See: dws report history.")


def _save(
    ws: OpenWorkspace, metadata: SnapshotMetadata, tag: str, snapshot: str | None
) -> SnapshotMetadata:
    files = {layout.metadata(metadata.hashval): json_bytes(metadata.to_json())}
    drafts = [(f.TAGGED, {"tag": tag, "snapshot": snapshot})]
    verb = "Tagged" if snapshot else "Took away tag of"
    message = f"{verb} snapshot {metadata.hashval[:8]}: {tag}"
    commit_change(ws, message, files, drafts, operation="tag")
    return metadata
