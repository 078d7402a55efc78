"""Bringing a resource's repository to this machine: where to, where from, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.files import TEMPORARY, as_file_name, inside, make_folder, sync_folder
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.filters import allowed_filters
from dws_graph.backends.git.remotes import ORIGIN, check_url, clone
from dws_graph.backends.locks import Lock
from dws_graph.errors import ConfigurationError, GitError
from dws_graph.resources.sharing import Shared
from dws_graph.resources.terms import Ask, ResourceWorkspace


def place_of(
    workspace: ResourceWorkspace, name: str, relative: str | None, url: str, ask: Ask
) -> Path:
    """Where a repository goes: where it was in the workspace, else where the user says.

    Raises:
        ConfigurationError: It leads out of the workspace, or there is something already, other
            than what a killed clone of `url` has brought there.
    """
    root = workspace.root
    if relative is not None:
        path = inside(root, relative)
    else:
        default = root / as_file_name(name)
        answer = ask(f"Where is the repository of resource '{name}' to be put?", str(default))
        path = Path(os.path.abspath(os.path.expanduser(answer)))
    first = path.relative_to(root).parts[:1] if path.is_relative_to(root) else ("elsewhere",)
    if first in ((), (".git",), (".dataworkspace",)):
        raise ConfigurationError(
            f"resource '{name}' cannot be put into {path}", hint="Give another folder."
        )
    if is_cloned(path, url):
        return path
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir() or any(path.iterdir())):
        raise ConfigurationError(
            f"resource '{name}' cannot be put into {path}, where there is something already",
            hint="Move that away, then type: dws pull.",
        )
    return path


def is_cloned(path: Path, url: str) -> bool:
    """Whether a folder is a repository that we have cloned from there."""
    if path.is_symlink() or not (path / ".git").is_dir():
        return False
    git = Git(path)
    return allowed_filters(git) is not None and git.remote_url() == check_url(url)


def source_of(name: str, url: str, ask: Ask) -> str:
    """Where to clone from; asked where it was a folder of another machine."""
    if os.path.isabs(url) and not os.path.isdir(url):
        url = ask(f"Resource '{name}' was at {url}, which is not here. Where is it?", url)
        if os.path.isabs(url) and not os.path.isdir(url):
            raise ConfigurationError(
                f"the repository of resource '{name}', {url}, is not on this machine",
                hint=f"Clone it from where it is into the workspace's folder '{name}', and say so"
                f": dws config --resource {shlex.quote(name)} local_path {shlex.quote(name)}.",
            )
    return url


def as_local_path(workspace: ResourceWorkspace, path: Path) -> str:
    """A folder as resource_local_params.json holds it: from the workspace's root, if inside."""
    root = workspace.root.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def clone_branch(url: str, path: Path, branch: str, what: str, *, ask: bool) -> Git:
    """Bring a repository here, with one of its branches checked out.

    Args:
        url: Where it is.
        path: The folder to be.
        branch: Of the repository.
        what: What to call it in messages.
        ask: Whether git may ask for a password.

    Raises:
        GitError: It cannot be brought; nothing is left of it.
    """
    url = check_url(url)
    with appearing(path) as target:
        git = clone(url, target, what, ask=ask)
        check_out(git, branch, what)
    return Git(path)


def check_out(git: Git, branch: str, what: str) -> None:
    """Check out a branch of what was just cloned; its submodules and hooks are left alone.

    Raises:
        GitError: There is no such branch.
    """
    tip = git.object_id(f"refs/remotes/{ORIGIN}/{branch}^{{commit}}")
    if tip is None:
        raise GitError(
            f"the repository of {what} has no branch '{branch}'",
            hint="Push the branch there, then type: dws pull.",
        )
    git.run("symbolic-ref", "HEAD", f"refs/heads/{branch}")
    git.run("update-ref", f"refs/heads/{branch}", tip)
    git.run("config", f"branch.{branch}.remote", ORIGIN)
    git.run("config", f"branch.{branch}.merge", f"refs/heads/{branch}")
    git.run("reset", "--quiet", "--hard", "--no-recurse-submodules")
    Shared(git, branch, what).note(tip)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """A folder to fill beside `path`, which becomes `path` when all is done.

    What an attempt left that was killed is removed by the next one.
    """
    path = path.parent.resolve() / path.name
    make_folder(path.parent)
    # a lock that is let go of when its holder dies tells a living one from what is left over
    lock = path.parent / f"{TEMPORARY}{path.name}.lock"
    target = path.parent / f"{TEMPORARY}{path.name}"
    with Lock(lock, "clones to the same folder").held():
        try:
            shutil.rmtree(target, ignore_errors=True)
            yield target
            fault("clone: rename")
            try:
                os.rename(target, path)  # over an empty folder, too
            except OSError as e:
                raise ConfigurationError(
                    f"{path} is there already", hint="Move it away, or give another folder."
                ) from e
            sync_folder(path.parent)
        finally:
            shutil.rmtree(target, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                lock.unlink()
