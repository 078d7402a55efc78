"""git-lfs: content that is brought from its server, and sent there."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.git.command import Git, GitCommandError, decoded
from dws_graph.backends.git.pointers import Pointer
from dws_graph.errors import GitError, some_of
from dws_graph.model.said import own_words
from dws_graph.model.secrets import scrub_text

CONFIG = ".lfsconfig"
_NO_COMMAND = "is not a git command"
_NEITHER = re.compile(r"\((missing|corrupt)\) (.+) \([0-9a-f]{64}\)")
_REASONS = (  # the first that fits what it says in its own words
    (
        r"expected OID|invalid.*(content|object)|wrong (size|content)|corrupt(ed)? object",
        "what its server has is damaged",
        "Push it anew from where it is whole: git lfs push --all origin.",
    ),
    (
        r"Authentication required|Authorization error|HTTP 40[13]\b|\[40[13]\]"
        r"|[Gg]it credentials for|terminal prompts disabled",
        "its server does not accept your name and password, key or token",
        "Check them with: git ls-remote URL. A token may have expired.",
    ),
    (
        r"dial tcp|connection refused|no such host|i/o timeout|unreachable|reset by peer|: EOF",
        "its server cannot be reached",
        "Check the network and the address (git lfs env shows it), then run the command again.",
    ),
    (
        r"[Rr]emote missing object|Object does not exist|\[404\]|does not exist on the server",
        "its server does not have it",
        "Push it from where it is: git lfs push --all origin, or dws push.",
    ),
    (
        r"\(missing\)|\(corrupt\)|missing or corrupt local objects",
        "it is neither here nor there",
        "Bring the file back and commit it, or take it out of the commits that are not pushed.",
    ),
    (r"no space left", "no space is left", "Make room, then run it again."),
)


class LfsError(GitError):
    """Content that git-lfs keeps cannot be brought or sent; no file was changed."""


def check_installed(git: Git) -> None:
    """Refuse to go on without git-lfs.

    Raises:
        LfsError: The hint says how to get it.
    """
    try:
        git.run("lfs", "version")
    except GitCommandError as e:
        if _NO_COMMAND in e.stderr:
            raise missing() from e
        raise


def missing() -> LfsError:
    """What is said where there is no git-lfs."""
    return LfsError(
        "git-lfs is not installed, or not on the PATH",
        hint="Install it: apt-get install git-lfs, brew install git-lfs, or https://git-lfs.com.",
    )


def store_of(git: Git) -> Path:
    """Where a repository keeps content."""
    storage = git.text("config", "--default", "lfs", "--type=path", "--get", "lfs.storage")
    common = git.root / git.text("rev-parse", "--git-common-dir")
    return common / storage / "objects"


def lacking(git: Git, pointers: Mapping[str, Pointer]) -> dict[str, Pointer]:
    """Those whose content is not here, by path."""
    store = store_of(git)
    places = {path: store / p.oid[:2] / p.oid[2:4] / p.oid for path, p in pointers.items()}
    return {path: pointers[path] for path, place in places.items() if not place.is_file()}


def skips(git: Git) -> bool:
    """Whether the user has told git-lfs to leave pointers as they are."""
    if os.environ.get("GIT_LFS_SKIP_SMUDGE", "").lower() in ("1", "true", "yes", "on"):
        return True
    told = git.text("config", "--default", "", "--get", "filter.lfs.process")
    return "--skip" in told.split()


def fetch(
    git: Git, commit: str, pointers: Mapping[str, Pointer], env: Mapping[str, str], what: str
) -> None:
    """Bring the content of a commit's files here, of those alone that lack it.

    Raises:
        LfsError: It cannot be brought; nothing is changed but that some may be here now.
    """
    wanted = lacking(git, pointers)
    if wanted:
        fault("git-lfs: fetch")
        args = (*_server_of(git, commit), "lfs", "fetch", "origin", commit)
        _run(git, args, wanted, env, f"brought for {what}")


def _server_of(git: Git, commit: str) -> list[str]:
    """Where a commit says that its content is: git-lfs looks at the files on disk for that."""
    if git.object_id(f"{commit}:{CONFIG}") is None:
        return []
    found: list[str] = []
    for key in ("lfs.url", "remote.origin.lfsurl"):
        own = git.run("config", "--get", key, ok=(0, 1))  # which wins, as with git-lfs
        said = git.run("config", "--blob", f"{commit}:{CONFIG}", "--get", key, ok=(0, 1))
        if said and not own:
            found += ["-c", f"{key}={decoded(said).removesuffix(chr(10))}"]
    return found


def push(git: Git, refs: Sequence[str], env: Mapping[str, str], what: str) -> None:
    """Bring the content of these refs, or commits, to the server of `origin`.

    Raises:
        LfsError: It cannot be brought there.
    """
    fault("git-lfs: push")
    _run(git, ("lfs", "push", "origin", *refs), {}, env, f"sent from {what}")


def _run(
    git: Git,
    args: Sequence[str],
    wanted: Mapping[str, Pointer],
    env: Mapping[str, str],
    done: str,
) -> None:
    try:
        git.run(*args, env=env)
    except GitCommandError as e:
        if _NO_COMMAND in e.stderr:
            raise missing() from e
        raise _explained(e, wanted, done) from e


def _explained(error: GitCommandError, wanted: Mapping[str, Pointer], done: str) -> LfsError:
    said = scrub_text(error.stderr)
    named = [path for path, pointer in wanted.items() if pointer.oid in said]
    named = named or [path for _, path in _NEITHER.findall(said)]
    files = some_of(named or list(wanted)) or "some files"
    own = own_words(_NEITHER.sub(r"(\1)", said), is_go=True)
    found = next((reason for reason in _REASONS if re.search(reason[0], own)), None)
    lines = [line for line in said.splitlines() if not line.startswith(("fetch:", "hint:"))]
    why, hint = found[1:] if found else (lines[-1] if lines else error.message, "")
    return LfsError(
        f"the content of {files}, which git-lfs keeps, cannot be {done}: {why}", hint=hint
    )
