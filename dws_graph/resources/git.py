"""Type `git`: a git repository of its own. A snapshot is a commit on its branch."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dws_graph.backends.git.command import Git
from dws_graph.backends.git.index import ScratchIndex, reset_index, tree_less
from dws_graph.backends.git.large import bring_content, fill_in, set_up_for_disk
from dws_graph.backends.git.remotes import Remote, shown
from dws_graph.backends.git.state import check_settled
from dws_graph.errors import ConfigurationError, NotSupportedError
from dws_graph.model.values import Json, take, take_or
from dws_graph.resources import git_subdirectory
from dws_graph.resources.cloning import as_local_path, clone_branch, is_cloned, place_of, source_of
from dws_graph.resources.digests import Progress, StatCache
from dws_graph.resources.exports import check_exportable, check_imported
from dws_graph.resources.factory import ResourceFactory
from dws_graph.resources.file_resource import FileResource, no_folder
from dws_graph.resources.fingerprints import named_entries
from dws_graph.resources.naming import id_in_tree
from dws_graph.resources.restoring import (
    SAVED,
    check_nothing_ignored_in_the_way,
    restore_files,
)
from dws_graph.resources.sharing import Shared, settle_files
from dws_graph.resources.terms import (
    LINEAGE_FILE,
    Ask,
    Content,
    Listing,
    ResourceWorkspace,
    Taken,
    default_answer,
    joined,
    told_of_nested,
)
from dws_graph.resources.walking import Entry

GIT = "git"
SNAPSHOT_MESSAGE = "dws snapshot"
LINEAGE_MESSAGE = "Added lineage.json"
RESTORE_MESSAGE = "dws restore: what was not committed before it"


class GitResource(FileResource):
    """See the module.

    Attributes:
        can_move: See `FileResource`.
        remote_origin_url: Where it can be cloned from; its own path when it has no remote.
        relative_local_path: From the workspace's root; None when it lies outside.
        branch: That snapshots are taken on.
        read_only: Never committed to.
        export: See `is_exported`.
        imported: See `is_imported`.
    """

    can_move = True

    def __init__(
        self,
        name: str,
        role: str,
        workspace: ResourceWorkspace,
        *,
        local_path: Path | None,
        remote_origin_url: str,
        relative_local_path: str | None,
        branch: str,
        read_only: bool = False,
        export: bool = False,
        imported: bool = False,
    ) -> None:
        super().__init__(GIT, name, role, workspace)
        self._local_path = local_path
        self.remote_origin_url = remote_origin_url
        self.relative_local_path = relative_local_path
        self.branch = branch
        self.read_only = read_only
        self.export = export
        self.imported = imported

    def get_params(self) -> Json:
        """See `Resource`."""
        return {
            "resource_type": self.resource_type,
            "name": self.name,
            "role": self.role,
            "export": self.export,
            "remote_origin_url": self.remote_origin_url,
            "relative_local_path": self.relative_local_path,
            "branch": self.branch,
            "read_only": self.read_only,
            "imported": self.imported,
        }

    def get_local_params(self) -> Json:
        """See `Resource`."""
        path = self._local_path
        if self.relative_local_path and path == self.workspace.root / self.relative_local_path:
            return {"local_path": self.relative_local_path}
        return {"local_path": None if path is None else str(path)}

    @property
    def local_path(self) -> Path | None:
        """Where it is on this machine; None before it was cloned."""
        return self._local_path

    @property
    def git(self) -> Git:
        """Its repository.

        Raises:
            ConfigurationError: It is not here, or no repository.
        """
        git = Git(self.folder)
        if not git.is_repo_root():
            raise ConfigurationError(
                f"the folder of {self}, {self.folder}, is no git repository",
                hint="Clone it there again.",
            )
        return git

    def moved_to(self, folder: Path) -> Json:
        """See `FileResource`."""
        params = super().moved_to(folder)
        if not Git(folder).is_repo_root():
            raise ConfigurationError(
                f"{folder} is no git repository", hint=f"Give the folder in which {self} is now."
            )
        return params

    def has_remote(self) -> bool:
        """Whether it has an origin that is not the repository itself."""
        return self.git.remote_url() is not None

    def entries(self, subpath: str | None = None) -> Collection[Entry]:
        """See `FileResource`."""
        below = self.real_subpath(subpath)
        names = Git(self.folder).ls_files(below or "")
        return named_entries(self.folder, below, names, self.not_content)

    def is_dirty(self) -> bool:
        """Whether its files differ from its last commit; what git ignores does not count."""
        return self._tree_on_disk() != self._tree_of_head()

    def _tree_of_head(self) -> str:
        return self.git.tree_of("HEAD") or self.git.empty_tree

    def _tree_on_disk(self) -> str:
        with ScratchIndex(self.git, keep=False) as index:
            index.add([""])
            return index.write_tree()

    def content(
        self,
        subpath: str | None = None,
        cache: StatCache | None = None,
        progress: Progress | None = None,
        reread: bool = False,
    ) -> Content:
        """See `Resource`: the hash is that of the last commit, when the files are its own."""
        git = self.git
        with ScratchIndex(git, keep=False, reread=reread) as index:
            index.add([""])
            tree = index.write_tree()
            of_subpath = None if subpath is None else id_in_tree(index, tree, subpath)
            known_as = index.tree_less(tree, self.not_content_at_root)
        head = git.head() if tree == self._tree_of_head() else None
        return Content(head, of_subpath, known_as)

    def results_hash(self, folder: str) -> str | None:
        """See `FileResource`."""
        with ScratchIndex(self.git, keep=False, reread=True) as index:
            index.add([""])
            found = index.object_id(f"{index.write_tree()}:{folder}")
            return None if found is None else index.tree_less(found, [LINEAGE_FILE])

    def known_as(self, hashval: str) -> str | None:
        """See `Resource`."""
        git = self.git
        if not git.has_commit(hashval):
            return None
        return tree_less(git, git.tree_of(hashval) or git.empty_tree, self.not_content_at_root)

    def files_at(self, hashval: str) -> Listing | None:
        """See `Resource`."""
        if self.local_path is None or not self.local_path.is_dir():
            return None
        git = self.git
        return joined(git.ls_tree(hashval)) if git.has_commit(hashval) else None

    def files_now(self, cache: StatCache | None = None) -> Listing | None:
        """See `Resource`."""
        with ScratchIndex(self.git, keep=False) as index:
            index.add([""])
            return joined(index.entries())

    def held(self, hashval: str, subpath: str) -> bool | None:
        """See `Resource`."""
        if not self.git.has_commit(hashval):
            return None
        return id_in_tree(self.git, hashval, subpath) is not None

    def _check_branch(self, git: Git) -> None:
        check_settled(git, f"the repository of {self}")
        found = git.branch()
        if found is None:
            raise ConfigurationError(
                f"the repository of {self} is on no branch (detached HEAD)",
                hint=f"Type: git -C {git.root} switch {self.branch}.",
            )
        if found != self.branch:
            raise ConfigurationError(
                f"the repository of {self} is on branch '{found}', not '{self.branch}'",
                hint=f"Type: git -C {git.root} switch {self.branch}.",
            )

    def _check_clean(self, why: str) -> None:
        if self.is_dirty():
            raise ConfigurationError(
                f"{self} has changes that are not committed{why}",
                hint=f"Commit or undo them in {self.folder}.",
            )

    def snapshot_precheck(self) -> None:
        """See `Resource`."""
        git = self.git
        self._check_branch(git)
        if self.read_only:
            self._check_clean(", and is read-only")
            if git.head() is None:
                raise ConfigurationError(f"{self} has no commit yet, and is read-only")
        else:
            set_up_for_disk(git)
            git.check_identity()

    def take_snapshot(
        self, cache: StatCache | None = None, progress: Progress | None = None
    ) -> Taken:
        """See `Resource`: all that git does not ignore is committed, if anything changed."""
        self.snapshot_precheck()
        git = self.git
        before = git.head()
        commit = before if self.read_only else self._commit_content(git)

        def subpath_hash(subpath: str | None) -> str | None:
            if commit is None:
                return None
            return git.tree_of(commit) if subpath is None else id_in_tree(git, commit, subpath)

        nested = git.nested(before, commit) if commit else ()
        notes = told_of_nested(self, nested)
        return Taken(commit, commit, subpath_hash=subpath_hash, notes=notes)

    def _commit_content(self, git: Git) -> str:
        """The last commit once it holds the content, for a snapshot.

        The `lineage.json` of an earlier one is left out: it is not about files changed since.
        """
        if not self.export:
            return self._commit(git, SNAPSHOT_MESSAGE)
        head = git.head()
        if head is not None:
            with ScratchIndex(git, keep=False) as index:
                index.add([""])
                now = index.tree_less(index.write_tree(), [LINEAGE_FILE])
            if now == tree_less(git, git.tree_of(head) or git.empty_tree, [LINEAGE_FILE]):
                return head
        return self._commit(git, SNAPSHOT_MESSAGE, but=[LINEAGE_FILE])

    def commit_lineage(self, files: Sequence[str] = (LINEAGE_FILE,)) -> None:
        """Commit `lineage.json` as it is on disk, and nothing else.

        Args:
            files: That at the root, and, of results, that of the snapshot.

        Raises:
            ConfigurationError: The repository is on another branch, or in the midst of something.
            GitError: A lock is in the way, or the branch was moved meanwhile.
        """
        git = self.git
        self._check_branch(git)
        head = git.head()
        with ScratchIndex(git) as index:
            index.put_tree(head or git.empty_tree)
            for file in files:
                index.add_blob(file, (self.folder / file).read_bytes())
            tree = index.write_tree()
        if head is None or tree != git.tree_of(head):
            self._move_branch(git, tree, head, LINEAGE_MESSAGE, list(files))

    def _commit(self, git: Git, message: str, *, but: Sequence[str] = ()) -> str:
        """The last commit once it holds the files as they are."""
        head = git.head()
        with ScratchIndex(git) as index:
            index.add([""])
            index.remove(but)
            tree = index.write_tree()
        if head is not None and tree == git.tree_of(head):
            return head
        return self._move_branch(git, tree, head, message, [""])

    def _move_branch(
        self, git: Git, tree: str, head: str | None, message: str, paths: Sequence[str]
    ) -> str:
        """Commit a tree, with the index at these paths; the commit.

        The index goes first: were it left behind its branch by a kill, it would take what is new
        out of the user's next commit.
        """
        commit = git.commit_tree(tree, [head] if head else [], message)
        reset_index(git, commit, paths)
        git.update_ref(self.branch, commit, head, reason=message)
        return commit

    def save_uncommitted(self) -> str | None:
        """The last commit once nothing on disk would be lost by going to another."""
        return self.git.head() if self.read_only else self._commit(self.git, RESTORE_MESSAGE)

    def restore_precheck(self, restore_hashval: str) -> None:
        """See `Resource`; the hash is a commit."""
        git = self.git
        self._check_branch(git)
        if not git.has_commit(restore_hashval):
            raise ConfigurationError(
                f"the repository of {self} has no commit {restore_hashval}",
                hint=f"Type: dws pull --only {self.name}." if git.remote_url() else "",
            )
        if self.read_only:
            self._check_clean(", and is read-only")
        else:
            git.check_identity()
        check_nothing_ignored_in_the_way(git, restore_hashval, "", str(self))
        bring_content(git, restore_hashval, str(self), ask=not self.workspace.batch)

    def restore(self, restore_hashval: str) -> tuple[str, ...]:
        """See `Resource`: the branch goes back to that commit; nothing is lost.

        What was not committed is, before; where the branch was is kept as a ref.
        """
        self.restore_precheck(restore_hashval)
        git, notes = self.git, []
        head = before = git.head()
        if not self.read_only:
            head = self._commit(git, RESTORE_MESSAGE)
            if head != before:
                notes.append(f"{self}: what was not committed is now in commit {head[:8]}")
        if head == restore_hashval:
            return tuple(notes)
        if head is not None and not git.is_ancestor(head, restore_hashval):
            ref = f"{SAVED}/{time.time_ns()}"
            git.update_ref(ref, head, None)
            notes.append(
                f"{self}: branch '{self.branch}' was at {head[:8]}, which is kept as {ref}"
            )
        since = restore_files(git, restore_hashval, "", str(self), head)
        if since is not None:
            notes.append(f"{self}: what was written meanwhile is kept in commit {since[:8]}")
        git.update_ref(self.branch, restore_hashval, head, reason="dws restore")
        reset_index(git, restore_hashval, [""])
        return tuple(notes)

    def check_writable(self) -> None:
        """See `FileResource`."""
        if self.read_only:
            raise NotSupportedError(f"{self} is read-only")

    # Sharing

    def shared_at(self) -> str | None:
        """See `Resource`."""
        url = self.git.remote_url()
        return None if url is None else shown(url)

    def not_pushed(self) -> str | None:
        """See `Resource`."""
        if self.read_only:
            return "it is read-only"
        return self.not_pulled()

    def not_pulled(self) -> str | None:
        """See `Resource`."""
        return None if self.has_remote() else "it has no remote"

    def _shared(self) -> Shared:
        return Shared(self.git, self.branch, str(self), f"-C {shlex.quote(str(self.folder))} ")

    def _remote(self) -> Remote:
        return Remote(self.git, str(self), ask=not self.workspace.batch)

    def push_precheck(self) -> None:
        """See `Resource`."""
        self._check_branch(self.git)
        self._check_clean("")
        self._shared().check_can_push(self._remote())

    def push(self) -> bool:
        """See `Resource`."""
        return self._shared().push(self._remote(), self.kept_commits())

    def kept_commits(self) -> list[str]:
        """Commits that snapshots name and the branch does not have: a restore went back."""
        refs = self.git.text("for-each-ref", "--format=%(objectname)", SAVED).split()
        return [commit for commit in refs if not self.git.is_ancestor(commit, "HEAD")]

    def pull_precheck(self) -> None:
        """See `Resource`."""
        self._check_branch(self.git)
        self._check_clean("")

    def incoming(self) -> str | None:
        """See `Resource`; the hash is a commit."""
        self.pull_precheck()
        git = self.git
        found = self._shared().incoming(self._remote(), settle_files(git, self.role))
        if found is not None:
            self.restore_precheck(found)
        return found

    def came_by_hand(self) -> bool:
        """See `Resource`."""
        return self._shared().came_by_hand() is not None

    def pulled(self) -> None:
        """See `Resource`."""
        self._shared().note_pulled()

    def needs_cloning(self) -> bool:
        """See `Resource`."""
        return self._local_path is None or not self._local_path.is_dir()


class GitFactory(ResourceFactory):
    """Makes `GitResource`, and `git-subdirectory` for a folder of the workspace's repository."""

    def from_command_line(
        self, role: str, name: str, workspace: ResourceWorkspace, *args: Any, **kwargs: Any
    ) -> FileResource:
        """See `ResourceFactory`.

        `local_path, branch=None, read_only=False, export=False, imported=False`.
        """
        return self._add(role, name, workspace, *args, **kwargs)

    def _add(
        self,
        role: str,
        name: str,
        workspace: ResourceWorkspace,
        local_path: str,
        branch: str | None = None,
        read_only: bool = False,
        export: bool = False,
        imported: bool = False,
    ) -> FileResource:
        path = Path(os.path.abspath(os.path.expanduser(local_path)))
        if not path.is_dir():
            raise no_folder(path)
        git = Git(path)
        within = path.resolve().is_relative_to(workspace.root.resolve())
        if not git.is_repo_root() or path.resolve() == workspace.root.resolve():
            if not within:
                raise ConfigurationError(
                    f"{path} is not the root of a git repository",
                    hint="Type git init there, or add it as local-files.",
                )
            _refuse_for_a_folder(workspace, branch, read_only, imported)
            return git_subdirectory.FACTORY.from_command_line(
                role, name, workspace, str(path), export=export
            )
        relative = path.resolve().relative_to(workspace.root.resolve()) if within else None
        if relative is not None:
            _refuse_tracked(workspace, relative.as_posix())
        if imported:
            check_imported(path, name, role)
        if export:
            check_exportable(path, name, read_only=read_only or imported)
        fill_in(git, f"resource '{name}'", ask=not workspace.batch)
        return GitResource(
            name,
            role,
            workspace,
            local_path=path,
            remote_origin_url=_without_user(git.remote_url() or str(path)),
            relative_local_path=None if relative is None else relative.as_posix(),
            branch=_branch(git, branch),
            read_only=read_only or imported,
            export=export,
            imported=imported,
        )

    def has_local_state(self) -> bool:
        """See `ResourceFactory`."""
        return True

    def clone(
        self, params: Json, workspace: ResourceWorkspace, ask: Ask = default_answer
    ) -> GitResource:
        """See `ResourceFactory`: from its origin, to where it was in the workspace, or as asked."""
        here = self.from_json(params, {}, workspace)
        origin = here.remote_origin_url
        path = place_of(workspace, here.name, here.relative_local_path, origin, ask)
        if not is_cloned(path, origin):
            url = source_of(here.name, origin, ask)
            clone_branch(url, path, here.branch, str(here), ask=not workspace.batch)
        return self.from_json(params, {"local_path": as_local_path(workspace, path)}, workspace)

    def from_json(
        self, params: Json, local_params: Json, workspace: ResourceWorkspace
    ) -> GitResource:
        """See `ResourceFactory`."""
        relative = take_or(params, "relative_local_path", str)
        here = take_or(local_params, "local_path", str) or relative
        # inside the workspace it may not have been cloned yet
        path = None if here is None else workspace.root / here
        if path is not None and not local_params and not path.is_dir():
            path = None
        return GitResource(
            take(params, "name", str),
            take(params, "role", str),
            workspace,
            local_path=path,
            remote_origin_url=take(params, "remote_origin_url", str),
            relative_local_path=relative,
            branch=take_or(params, "branch", str) or "master",
            read_only=take_or(params, "read_only", bool) or False,
            export=take_or(params, "export", bool) or False,
            imported=take_or(params, "imported", bool) or False,
        )


def _without_user(url: str) -> str:
    """A URL to be committed: without the password, or token, of who cloned from it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _branch(git: Git, wanted: str | None) -> str:
    current = git.branch()
    if current is None:
        raise ConfigurationError(
            f"{git.root} is on no branch (detached HEAD)", hint="Type: git switch BRANCH, there."
        )
    if wanted not in (None, current):
        raise ConfigurationError(
            f"{git.root} is on branch '{current}', not '{wanted}'",
            hint=f"Type: git -C {git.root} switch {wanted}.",
        )
    return current


def _refuse_for_a_folder(
    workspace: ResourceWorkspace, branch: str | None, read_only: bool, imported: bool
) -> None:
    given = {"--read-only": read_only, "--imported": imported}
    for option, is_given in given.items():
        if is_given:
            raise ConfigurationError(
                f"{option} is for a repository of its own, not for a folder of the workspace's"
            )
    if branch is not None and branch != (current := Git(workspace.root).branch()):
        raise ConfigurationError(
            f"a folder of the workspace is on the workspace's branch '{current}', not '{branch}'"
        )


def _refuse_tracked(workspace: ResourceWorkspace, relative: str) -> None:
    if Git(workspace.root).run("ls-files", "-z", "--", f":(top,literal){relative}"):
        raise ConfigurationError(
            f"{relative} is a git repository, and also part of the workspace's",
            hint=f"Type: git rm -r --cached {relative}, and name it in .gitignore.",
        )


FACTORY = GitFactory()
