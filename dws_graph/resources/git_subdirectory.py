"""Type `git-subdirectory`: a folder of the workspace's own repository.

It is known by the id of its tree. The workspace makes the commit that holds its content: a
snapshot is asked for its hash with that commit (`at_commit`).
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from dws_graph.backends.files import inside, make_folder
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.index import ScratchIndex, tree_less
from dws_graph.backends.git.large import bring_content
from dws_graph.backends.git.state import check_settled
from dws_graph.errors import ConfigurationError, NotSupportedError
from dws_graph.model.values import Json, take, take_or
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.exports import check_exportable
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.file_resource import FileResource, no_folder
from dws_graph.resources.fingerprints import named_entries
from dws_graph.resources.naming import id_in_tree
from dws_graph.resources.restoring import check_nothing_ignored_in_the_way, restore_files
from dws_graph.resources.terms import (
    LINEAGE_FILE,
    Content,
    Listing,
    ResourceWorkspace,
    Taken,
    joined,
)
from dws_graph.resources.walking import Entry

GIT_SUBDIRECTORY = "git-subdirectory"


class GitSubdirectoryResource(FileResource):
    """See the module.

    Attributes:
        relative_path: From the workspace's root, `/` between its parts.
        export: See `is_exported`.
    """

    def __init__(
        self,
        name: str,
        role: str,
        workspace: ResourceWorkspace,
        *,
        relative_path: str,
        export: bool = False,
    ) -> None:
        super().__init__(GIT_SUBDIRECTORY, name, role, workspace)
        self.relative_path = relative_path
        self.export = export
        self.git = Git(workspace.root)

    def get_params(self) -> Json:
        """See `Resource`."""
        return {
            "resource_type": self.resource_type,
            "name": self.name,
            "role": self.role,
            "export": self.export,
            "relative_path": self.relative_path,
        }

    def get_local_params(self) -> Json:
        """See `Resource`."""
        return {"local_path": str(self.local_path)}

    @property
    def local_path(self) -> Path:
        """Its folder; it is in each clone."""
        return self.workspace.root / self.relative_path

    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """See `FileResource`."""
        subpath = self.real_subpath(subpath)
        below = self.relative_path if subpath is None else f"{self.relative_path}/{subpath}"
        skip = len(os.fsencode(self.relative_path)) + 1
        names = [name[skip:] for name in self.git.ls_files(below)]
        return named_entries(self.local_path, subpath, names, self.not_content)

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`: the tree that an automatic commit would hold."""
        with ScratchIndex(self.git, keep=False, reread=reread) as index:
            index.add([self.relative_path])
            whole = index.write_tree()
            tree = index.object_id(f"{whole}:{self.relative_path}") or self.git.empty_tree
            of_subpath = None if subpath is None else id_in_tree(index, tree, subpath)
            known_as = index.tree_less(tree, self.not_content_at_root)
        return Content(tree, of_subpath, known_as)

    def results_hash(self, folder: str) -> str | None:
        """See `FileResource`."""
        with ScratchIndex(self.git, keep=False, reread=True) as index:
            index.add([self.relative_path])
            found = index.object_id(f"{index.write_tree()}:{self.relative_path}/{folder}")
            return None if found is None else index.tree_less(found, [LINEAGE_FILE])

    def known_as(self, hashval: str) -> str | None:
        """See `Resource`."""
        if hashval == self.git.empty_tree:
            return hashval
        if self.git.object_id(f"{hashval}^{{tree}}") is None:
            return None
        return tree_less(self.git, hashval, self.not_content_at_root)

    def files_at(self, hashval: str) -> Listing | None:
        """See `Resource`."""
        if hashval == self.git.empty_tree:
            return {}
        there = self.git.object_id(f"{hashval}^{{tree}}") is not None
        return joined(self.git.ls_tree(hashval)) if there else None

    def files_now(self, cache: StatCache | None = None) -> Listing | None:
        """See `Resource`."""
        skip = len(os.fsencode(self.relative_path)) + 1
        with ScratchIndex(self.git, keep=False) as index:
            index.add([self.relative_path])
            found = joined(index.entries(self.relative_path))
        return {name[skip:]: content for name, content in found.items()}

    def held(self, hashval: str, subpath: str) -> bool | None:
        """See `Resource`."""
        if hashval == self.git.empty_tree:
            return False
        if self.git.object_id(f"{hashval}^{{tree}}") is None:
            return None
        return id_in_tree(self.git, hashval, subpath) is not None

    def at_commit(self, commit: str) -> Taken:
        """The hashes of what a commit of the workspace holds."""
        tree = self.git.tree_of(commit, self.relative_path) or self.git.empty_tree

        def subpath_hash(subpath: str | None) -> str | None:
            return tree if subpath is None else id_in_tree(self.git, tree, subpath)

        return Taken(tree, commit, subpath_hash=subpath_hash)

    def snapshot_precheck(self) -> None:
        """See `Resource`; a folder that is gone is one without files."""
        check_settled(self.git, "the workspace's repository")
        if self.git.succeeds("check-ignore", "-q", "--", self.relative_path):
            raise ConfigurationError(
                f"{self}, the folder {self.relative_path}, is ignored by git",
                hint="Take it out of .gitignore, or add it as local-files.",
            )

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`: of the workspace's last commit, which must hold the files as they are.

        Raises:
            ConfigurationError: It does not.
        """
        head = self.git.head()
        if head is None:
            raise ConfigurationError("the workspace has no commit yet")
        taken = self.at_commit(head)
        if self.content().hash != taken.compare:
            raise ConfigurationError(
                f"{self} has changes that are not committed", hint="Type: dws snapshot."
            )
        return taken

    def is_in_workspace(self) -> bool:
        """See `Resource`."""
        return True

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        return "it is part of the workspace's repository"

    def push_precheck(self) -> None:
        """See `Resource`."""
        head = self.git.head()
        tree = self.git.tree_of(head, self.relative_path) if head else None
        if self.content().hash != (tree or self.git.empty_tree):
            raise ConfigurationError(
                f"{self} has changes that are not committed",
                hint=f"Type: dws snapshot. Or leave it out: --skip {self.name}.",
            )

    def pull_precheck(self) -> None:
        """See `Resource`."""
        self.push_precheck()

    def restore_precheck(self, restore_hashval: str) -> None:
        """See `Resource`; the hash is a commit of the workspace."""
        if self.has_results_role():
            raise NotSupportedError(
                f"{self} has the role results, which is never restored",
                hint="Its earlier files are below snapshots/.",
            )
        check_settled(self.git, "the workspace's repository")
        if not self.git.has_commit(restore_hashval):
            raise ConfigurationError(
                f"the workspace's repository has no commit {restore_hashval}, to which {self} "
                "would be restored",
                hint="Type: dws pull.",
            )
        below, ask = self.relative_path, not self.workspace.batch
        check_nothing_ignored_in_the_way(self.git, restore_hashval, below, str(self))
        bring_content(self.git, restore_hashval, str(self), subdir=below, ask=ask)

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """See `Resource`: its files alone; the workspace commits, and sees to the index."""
        self.restore_precheck(restore_hashval)
        since = restore_files(
            self.git, restore_hashval, self.relative_path, str(self), self.git.head()
        )
        make_folder(self.local_path)
        return (f"{self}: what was not committed is kept in commit {since[:8]}",) if since else ()


class GitSubdirectoryFactory(ResourceFactory):
    """Makes `GitSubdirectoryResource`."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> GitSubdirectoryResource:
        """See `ResourceFactory`: `local_path, export=False`."""
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(
        self,
        role: str,
        name: str,
        workspace: ResourceWorkspace,
        local_path: str,
        export: bool = False,
    ) -> GitSubdirectoryResource:
        path = Path(os.path.abspath(os.path.expanduser(local_path)))
        relative = inside(workspace.root, path).relative_to(workspace.root.resolve()).as_posix()
        first = relative.partition("/")[0]
        if first in (".", ".git", ".dataworkspace"):
            raise ConfigurationError(
                f"{path} cannot be a resource: it is {_what(first)}",
                hint="Give a folder below the workspace's.",
            )
        if not path.is_dir():
            raise no_folder(path)
        if export:
            check_exportable(path, name, read_only=False)
        return GitSubdirectoryResource(name, role, workspace, relative_path=relative, export=export)

    def has_local_state(self) -> bool:
        """See `ResourceFactory`: it comes with the workspace."""
        return True

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> GitSubdirectoryResource:
        """See `ResourceFactory`."""
        relative = take(params, "relative_path", str)
        inside(workspace.root, relative)
        return GitSubdirectoryResource(
            take(params, "name", str),
            take(params, "role", str),
            workspace,
            relative_path=relative,
            export=take_or(params, "export", bool) or False,
        )


def _what(first: str) -> str:
    return "the workspace itself" if first == "." else f"in {first}, which is not yours to change"


FACTORY = GitSubdirectoryFactory()
