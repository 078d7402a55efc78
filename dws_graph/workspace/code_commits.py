"""Which commit holds the code that a step ran.

A step records the commit that the repository was at. Code that was edited since is in none, until
a snapshot commits it.
"""

from __future__ import annotations

from typing import NamedTuple

from dws_graph.backends.git.command import Git
from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.values import local_text
from dws_graph.resources.base import Resource
from dws_graph.resources.git import GitResource
from dws_graph.resources.git_subdirectory import GitSubdirectoryResource
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata, manifest_of


class CodeCommit(NamedTuple):
    """A commit; `edited`: the code that ran is that with edits since; None: nobody can tell."""

    commit: str
    edited: bool | None

    def __str__(self) -> str:
        """For programs: the hash, and whether that is not all."""
        return f"{self.commit} with edits" if self.edited else self.commit


class CodeCommits:
    """Finds the commits of what steps ran; asks git once about each."""

    def __init__(self, ws: OpenWorkspace) -> None:
        self._ws = ws
        self._found: dict[tuple[str, str], CodeCommit] = {}

    def of(self, step: StepInfo, code: Certificate) -> CodeCommit | None:
        """The commit that holds what a step ran; None: none was recorded.

        Args:
            step: The step.
            code: Of its code; with a hash also where that is pending, if it is what is on disk.
        """
        if step.commit is None:
            return None
        key = (step.commit, code.id)
        if key not in self._found:
            self._found[key] = self._find(step, step.commit, code)
        return self._found[key]

    def _find(self, step: StepInfo, commit: str, code: Certificate) -> CodeCommit:
        ws, unknown = self._ws, CodeCommit(commit, None)
        here = step.workspace == ws.id and code.ref.name in set(ws.get_resource_names())
        if code.hash is None or not here:
            return unknown
        resource = ws.get_resource(code.ref.name)
        whole = code.ref.subpath is None
        ran = resource.known_as(code.hash) or code.hash if whole else code.subpath_hash
        then = _content_at(ws, resource, commit, code.ref.subpath)
        if ran is None or then is None:
            return unknown
        if ran == then:
            return CodeCommit(commit, False)
        taken = self._snapshot_with(step, code)
        return CodeCommit(commit, True) if taken is None else CodeCommit(taken, False)

    def _snapshot_with(self, step: StepInfo, code: Certificate) -> str | None:
        """The commit of the snapshot that took this version: mostly the first after the step."""
        began = local_text(step.start_time)
        snapshots = sorted(all_metadata(self._ws), key=lambda m: (m.timestamp < began, m.timestamp))
        name = code.ref.name
        for metadata in snapshots:
            commit = metadata.restore_hashes.get(name)
            if commit is not None and self._hash_in(metadata, name) == code.hash:
                return commit
        return None

    def _hash_in(self, metadata: SnapshotMetadata, name: str) -> str | None:
        found = (p for p in manifest_of(self._ws, metadata.hashval) if p.get("name") == name)
        return next((p.get("hash") for p in found), None)


def _content_at(
    ws: OpenWorkspace, resource: Resource, commit: str, subpath: str | None
) -> str | None:
    """What a commit holds of a resource: the id of the tree or file, less what is not content."""
    if isinstance(resource, GitSubdirectoryResource):
        if not ws.git.has_commit(commit):
            return None
        below = resource.relative_path if subpath is None else f"{resource.relative_path}/{subpath}"
        found = ws.git.tree_of(commit, below) or ws.git.empty_tree
        return resource.known_as(found) if subpath is None else found
    if not isinstance(resource, GitResource) or resource.local_path is None:
        return None
    if subpath is None:
        return resource.known_as(commit)
    git = Git(resource.folder)
    return git.tree_of(commit, subpath) if git.has_commit(commit) else None
