"""What is under way in a repository: a merge, a rebase, entries not merged."""

from __future__ import annotations

from dataclasses import dataclass

from dws_graph.backends.git.command import Git, decoded
from dws_graph.errors import GitError

_SIGNS = {
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "BISECT_LOG": "bisect",
}
_ENDS = {"bisect": "git bisect reset"}


@dataclass(frozen=True, slots=True)
class State:
    """What a user has begun and not finished.

    Attributes:
        under_way: `merge`, `rebase`, `cherry-pick`, `revert`, `bisect` or None.
        unmerged: Paths with conflicts in the index.
    """

    under_way: str | None
    unmerged: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether nothing is under way."""
        return self.under_way is None and not self.unmerged


def state(git: Git) -> State:
    """What is under way in a repository."""
    folder = git.folder
    under_way = next((what for sign, what in _SIGNS.items() if (folder / sign).exists()), None)
    entries = git.run("ls-files", "-z", "--unmerged", "--full-name").split(b"\0")[:-1]
    paths = dict.fromkeys(decoded(entry.split(b"\t", 1)[1]) for entry in entries)
    return State(under_way, tuple(paths))


def check_settled(git: Git, what: str) -> None:
    """Refuse to go on in the middle of somebody's work.

    Args:
        git: The repository.
        what: What to call it in the message.

    Raises:
        GitError: A merge or the like is under way, or the index has unmerged entries.
    """
    found = state(git)
    if found.under_way is not None:
        end = _ENDS.get(found.under_way, f"git {found.under_way} --continue or --abort")
        raise GitError(f"{what} is in the middle of a {found.under_way}", hint=f"End it: {end}.")
    if found.unmerged:
        raise GitError(
            f"{what} has conflicts that are not resolved: {', '.join(found.unmerged[:5])}",
            hint="Resolve them, then: git add FILE.",
        )
