"""A copy of a repository that goes elsewhere: what was committed, and nothing of this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from dws_graph.backends.files import make_folder
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.remotes import ORIGIN
from dws_graph.backends.git.taking_along import LargeContent
from dws_graph.model.secrets import scrub_text

_OURS = "refs/dws/*"  # commits that snapshots name and no branch has, what the origin had
_NO_CONFIG = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def carry(source: Git, target: Path, branch: str, large: LargeContent | None = None) -> Git:
    """Copy a branch with its history and our own refs, and check it out.

    Hooks, configuration, work in progress and other branches stay behind; no filter runs but those
    of the large files whose content goes along.

    Args:
        source: The repository.
        target: The folder of the copy, which is made; there may be files in it.
        branch: Of the source, with a commit.
        large: Content of large files, which else are pointers in the copy.
    """
    make_folder(target)
    git = Git(target)
    kind = source.text("rev-parse", "--show-object-format")
    git.run(
        *("init", "--quiet", "--template=", f"--object-format={kind}"),
        f"--initial-branch={branch}",
    )
    at_origin = f"refs/remotes/{ORIGIN}/{branch}"
    refs = [f"refs/heads/{branch}", *([at_origin] if source.object_id(at_origin) else []), _OURS]
    git.run(
        *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--update-head-ok"),
        *("--update-shallow", "--end-of-options", str(source.root)),
        *(f"+{ref}:{ref}" for ref in refs),
    )
    (large or LargeContent()).put(git)
    if url := url_elsewhere(source):
        git.run("config", f"remote.{ORIGIN}.url", url)
        git.run("config", f"remote.{ORIGIN}.fetch", f"+refs/heads/*:refs/remotes/{ORIGIN}/*")
        git.run("config", f"branch.{branch}.remote", ORIGIN)
        git.run("config", f"branch.{branch}.merge", f"refs/heads/{branch}")
    git.run("reset", "--quiet", "--hard", "--no-recurse-submodules", env=_NO_CONFIG)
    _forget(git)
    return git


def _forget(git: Git) -> None:
    """Take away what git notes of how a copy was made: who made it, and from which folder."""
    shutil.rmtree(git.folder / "logs", ignore_errors=True)
    for name in ("FETCH_HEAD", "ORIG_HEAD"):
        (git.folder / name).unlink(missing_ok=True)


def url_elsewhere(git: Git) -> str | None:
    """The URL of the origin, if other machines can use it; without user and password of HTTP."""
    url = git.remote_url()
    if not url or os.path.isabs(url) or url.startswith(("-", ".", "~")):
        return None
    parts = urlsplit(url)
    if parts.scheme == "file":
        return None
    if parts.scheme in ("http", "https"):
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return url if scrub_text(url) == url else None
