"""A branch of a repository and the same branch at its origin: what a push and a pull find.

Nothing is ever pushed over, and a history that was rewritten at the origin is never followed: what
both had stays here, and the user is told what to type.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dws_graph.backends.git.command import Git
from dws_graph.backends.git.large import bring_content, send_content
from dws_graph.backends.git.merging import (
    BothChanged,
    Settle,
    UnsettledError,
    merge_base,
    merge_commits,
    merge_lines,
)
from dws_graph.backends.git.remotes import ORIGIN, Remote
from dws_graph.errors import ConfigurationError, GitError, some_of
from dws_graph.resources.terms import ResourceRoles

SHARED = "refs/dws/shared"
MERGE_MESSAGE = "Merged what was at the origin"


class RemoteAheadError(GitError):
    """The origin has what is not here."""


class MergeConflictError(GitError):
    """Both sides changed the same files.

    Attributes:
        paths: Of the files.
    """

    def __init__(self, message: str, *, hint: str, paths: tuple[str, ...]) -> None:
        super().__init__(message, hint=hint)
        self.paths = paths


@dataclass(frozen=True, slots=True)
class Shared:
    """A branch that is shared through its repository's origin.

    Attributes:
        git: The repository.
        branch: Its name, here and there.
        what: What to call it in messages.
        at: `-C FOLDER` for the commands in hints, where the user is in another one.
    """

    git: Git
    branch: str
    what: str
    at: str = ""

    def _git(self, rest: str) -> str:
        return f"git {self.at}{rest}"

    @property
    def _noted(self) -> str:
        return f"{SHARED}/{self.branch}"

    def note(self, tip: str) -> None:
        """Remember what the origin has, to know it when its history is rewritten."""
        before = self.git.object_id(self._noted)
        if before != tip:
            self.git.update_ref(self._noted, tip, before)

    def check_not_rewritten(self, tip: str | None) -> None:
        """Refuse to go on when the origin no longer has what it had.

        Raises:
            GitError: Names the commit that is gone there.
        """
        noted = self.git.object_id(self._noted)
        if noted is None or (tip is not None and not self.git.has_commit(tip)):
            return  # in the second case a fetch will tell
        if tip is not None and self.git.is_ancestor(noted, tip):
            return
        head = self.git.head()
        hint = f"To put it back there: {self._git('push')} {ORIGIN} {self.branch}."
        if tip is not None and not self.git.is_ancestor(tip, noted):
            if head is not None and self.git.is_ancestor(tip, head):
                return  # the user has joined both by hand
            theirs = f"{ORIGIN}/{self.branch}"
            hint = f"To join both histories: {self._git('merge')} {theirs}. Then: dws pull."
        raise GitError(
            f"the history of {self.what} was rewritten at its origin: commit {noted[:12]}, which "
            "was there, is gone",
            hint=f"Nothing is lost here. {hint}",
        )

    # Pushing

    def check_can_push(self, remote: Remote) -> bool:
        """Refuse a push that would need more than to add commits; whether there are any to add.

        Raises:
            RemoteAheadError: The origin has commits that are not here.
            GitError: Its history was rewritten, or it cannot be reached.
        """
        tip, head = remote.tip(self.branch), self.git.head()
        self.check_not_rewritten(tip)
        here = tip is not None and self.git.has_commit(tip)
        if tip is not None and not (here and head and self.git.is_ancestor(tip, head)):
            raise RemoteAheadError(
                f"the origin of {self.what} has commits that are not here",
                hint="Type: dws pull, then push again.",
            )
        return head is not None and tip != head

    def push(self, remote: Remote, kept: Sequence[str] = ()) -> bool:
        """Bring what is here to the origin; whether anything was new there.

        Args:
            remote: The origin.
            kept: Commits that the branch does not have, and that are to be there too.

        Raises:
            RemoteAheadError: The origin has commits that are not here.
            GitError: It cannot be reached, or refused it.
        """
        head = self.git.head()
        if head is None or not (self.check_can_push(remote) or kept):
            return False
        send_content(self.git, [head, *kept], self.what, ask=remote.ask)
        remote.push(self.branch, kept)
        self.note(head)
        return True

    # Pulling

    def came_by_hand(self) -> str | None:
        """The commit that the origin had when last noted, if the user has merged others since."""
        noted, tip = self.git.object_id(self._noted), self.fetched()
        return noted if noted and tip and not self.git.is_ancestor(tip, noted) else None

    def fetched(self) -> str | None:
        """The commit that the origin had when last asked."""
        return self.git.object_id(f"refs/remotes/{ORIGIN}/{self.branch}^{{commit}}")

    def note_pulled(self) -> None:
        """Remember what was fetched last, which is here now."""
        tip = self.fetched()
        if tip is not None:
            self.note(tip)

    def incoming(self, remote: Remote, settle: Settle) -> str | None:
        """The commit to go to: what the origin has, merged with what is here if need be.

        It is an object only: no branch names it, and no file is changed.

        Args:
            remote: The origin.
            settle: What becomes of a file that both sides changed.

        Returns:
            None when the origin has nothing new.

        Raises:
            MergeConflictError: Both sides changed the same files.
            GitError: The origin cannot be reached, has another history or a rewritten one, or the
                content of a large file cannot be brought.
        """
        found = self._incoming(remote, settle)
        if found is not None:
            bring_content(self.git, found, self.what, ask=remote.ask)
        return found

    def _incoming(self, remote: Remote, settle: Settle) -> str | None:
        theirs, ours = remote.fetch(self.branch), self.git.head()
        self.check_not_rewritten(theirs)
        if theirs is None:
            return None
        if ours is None:
            return theirs
        if self.git.is_ancestor(theirs, ours):
            return None
        if self.git.is_ancestor(ours, theirs):
            return theirs
        base = merge_base(self.git, ours, theirs)
        if base is None:
            raise GitError(
                f"the origin of {self.what} has another history, with no commit in common",
                hint=f"See where it is: {self._git('remote get-url')} {ORIGIN}.",
            )
        merged = merge_commits(self.git, base, ours, theirs, settle)
        if merged.conflicts:
            raise self._conflict(merged.conflicts)
        return self.git.commit_tree(merged.tree, [ours, theirs], MERGE_MESSAGE)

    def _conflict(self, paths: tuple[str, ...]) -> MergeConflictError:
        theirs = f"{ORIGIN}/{self.branch}"
        first = paths[0] if len(paths) == 1 else "FILE"
        take = f"{self._git('checkout')} {theirs} -- {first}"
        gone = [p for p in paths if self.git.object_id(f"refs/remotes/{theirs}:{p}") is None]
        if gone:
            remove = f"{self._git('rm')} -- {gone[0]}"
            take = remove if len(paths) == 1 else f"{take} (or {remove}, which is gone there)"
        return MergeConflictError(
            f"{some_of(paths)} of {self.what} {'was' if len(paths) == 1 else 'were'} changed both "
            "here and at its origin",
            hint=f"To take the origin's: {take}, and commit it; or merge by hand: "
            f"{self._git('merge')} {theirs}. Then: dws pull.",
            paths=paths,
        )


def check_on(git: Git, branch: str, what: str) -> None:
    """Refuse to share another branch than the one that is shared."""
    found = git.branch()
    if found != branch:
        raise ConfigurationError(
            f"{what} is on branch '{found}', and '{branch}' is shared",
            hint=f"Type: git switch {branch}.",
        )


def settle_files(git: Git, role: str) -> Settle:
    """Code is merged line by line; what steps read or wrote is never mixed from two versions."""

    def settle(found: BothChanged) -> bytes | None:
        if role != ResourceRoles.CODE:
            raise UnsettledError
        return merge_lines(git, found)

    return settle
