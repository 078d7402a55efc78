"""Remote repositories: which URLs are used at all, what goes there and what comes from there.

A push or fetch names one branch and nothing else. What git says of a remote that cannot be used
becomes a sentence that names the remote, never with the password of its URL.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from dws_graph.backends.git.command import Git, GitCommandError
from dws_graph.backends.git.filters import keep_filters_out
from dws_graph.errors import GitError
from dws_graph.model.said import own_words
from dws_graph.model.secrets import scrub_text

ORIGIN = "origin"
SCHEMES = ("file", "ssh", "http", "https")
_TRANSPORT = re.compile(r"[A-Za-z0-9+.\-]+::")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCP = re.compile(r"(?:[^/@:]+@)?([^/:]+):(?!//)")

_REASONS = (
    (
        r"cannot run [^\n]*: No such file or directory",
        "the program that would connect to it is not installed, or not on the PATH",
        "Install ssh: apt-get install openssh-client. Or mend core.sshCommand, GIT_SSH_COMMAND.",
    ),
    (
        r"Host key verification failed",
        "its host key is not known",
        "Connect to it once by hand, and look at the key: ssh HOST.",
    ),
    (
        r"Authentication failed|could not read (Username|Password)|Permission denied \(|"
        r"returned error: 40[13]|terminal prompts disabled|Invalid username or|"
        r"HTTP (Basic: )?Access denied",
        "it does not accept your name and password, key or token",
        "Check them with: git ls-remote URL. A token may have expired.",
    ),
    (
        r"Could not resolve host(name)?|Failed to connect|Connection (refused|timed out|reset|"
        r"closed)|No route to host|Network is unreachable|Operation timed out|unable to connect|"
        r"kex_exchange_identification",
        "it cannot be reached",
        "Check the address and the network, then run the command again.",
    ),
    (
        r"does not appear to be a git repository|[Rr]epository .*(does not exist|not found)|"
        r"not a git repository|No such file or directory|returned error: 404",
        "there is no git repository",
        "Check the address; an empty repository must be made there first.",
    ),
    (
        r"\[remote rejected\]|remote: error|hook declined",
        "it refused what was pushed",
        "Ask who looks after it; nothing was changed there.",
    ),
    (
        r"\[rejected\]|non-fast-forward|fetch first",
        "somebody pushed there meanwhile",
        "Type: dws pull, then push again.",
    ),
)


class RemoteError(GitError):
    """A remote cannot be used, or refused something; nothing was changed here."""


def shown(url: str) -> str:
    """A URL as it may be printed: without password or token."""
    return scrub_text(url)


def check_url(url: str) -> str:
    """Refuse what is no address of a repository, or would make git run a command.

    Returns:
        The URL; an absolute path for a path on this machine.

    Raises:
        GitError: Names the URL and what is wrong with it.
    """
    hint = "Give a path, or a URL that begins with " + ", ".join(f"{s}://" for s in SCHEMES) + "."
    if not url.strip() or _CONTROL.search(url):
        raise GitError(f"{shown(url)!r} is not the address of a repository", hint=hint)
    if url.startswith("-"):
        raise GitError(f"'{shown(url)}' looks like an option, not like an address", hint=hint)
    if found := _TRANSPORT.match(url):
        raise GitError(f"'{found[0]}' is no transport that is used: it can run commands", hint=hint)
    if "://" in url:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES:
            raise GitError(f"'{parts.scheme}://' is no transport that is used", hint=hint)
        if parts.scheme != "file" and (parts.netloc.rpartition("@")[2] or "-").startswith("-"):
            raise GitError(f"'{shown(url)}' names no host", hint=hint)
        return url
    if (scp := _SCP.match(url)) and not os.path.exists(url):
        if scp[1].startswith("-") or url[scp.end() :].startswith("-"):
            raise GitError(f"'{shown(url)}' names no host and path", hint=hint)
        return url
    return os.path.abspath(os.path.expanduser(url))


class Remote:
    """A remote of a repository.

    Args:
        git: The repository.
        what: What to call it in messages: `the workspace`, `resource 'raw'`.
        ask: Whether git may ask for a password.
        url: Where it is, when it is not configured yet.
    """

    def __init__(self, git: Git, what: str, *, ask: bool, url: str | None = None) -> None:
        self.git = git
        self.what = what
        self.ask = ask
        found = url or git.remote_url() or ""
        self.url = check_url(found)
        self._name = url or ORIGIN

    def __str__(self) -> str:
        return f"the origin of {self.what}, {shown(self.url)},"

    def run(self, *args: str) -> bytes:
        """Run a git command that talks to it.

        Raises:
            RemoteError: It did not work; the message says why, and the hint what to do.
        """
        try:
            return self.git.run(*args, env=quiet_environment(self.git, ask=self.ask))
        except GitCommandError as e:
            raise explained(e, str(self), self.url) from e

    def branches(self) -> dict[str, str]:
        """The commit of each of its branches, by name."""
        raw = self.run("ls-remote", "--heads", "--end-of-options", self._name)
        lines = raw.decode("utf-8", "surrogateescape").splitlines()
        pairs = (line.split("\t", 1) for line in lines)
        return {name.removeprefix("refs/heads/"): oid for oid, name in pairs}

    def is_empty(self) -> bool:
        """Whether it has nothing at all."""
        return not self.run("ls-remote", "--end-of-options", self._name).strip()

    def tip(self, branch: str) -> str | None:
        """The commit of a branch there; None when there is none."""
        return self.branches().get(branch)

    def fetch(self, branch: str) -> str | None:
        """Bring what a branch there has; its commit, or None when there is no such branch."""
        tip = self.tip(branch)
        if tip is None:
            return None
        where = f"refs/remotes/{ORIGIN}/{branch}"
        options = ("--quiet", "--no-tags", "--no-recurse-submodules")
        kept = f"+{KEPT}/*:{KEPT}/*"
        spec = f"+refs/heads/{branch}:{where}"
        self.run("fetch", *options, "--end-of-options", self._name, spec, kept)
        return self.git.object_id(f"{where}^{{commit}}")

    def push(self, branch: str, kept: Sequence[str] = ()) -> None:
        """Bring a branch there, and commits that no branch has.

        Args:
            branch: Its name here and there.
            kept: Commits that snapshots name and the branch does not have.
        """
        specs = [f"refs/heads/{branch}:refs/heads/{branch}"]
        specs += [f"{commit}:{KEPT}/{commit}" for commit in kept]
        options = ("--quiet", "--no-verify", "--no-recurse-submodules", "--no-follow-tags")
        self.run("push", *options, "--end-of-options", self._name, *specs)


KEPT = "refs/dws/kept"
"""Below it, at a remote too, are commits that snapshots name and no branch has."""


def quiet_environment(git: Git, *, ask: bool) -> Mapping[str, str]:
    """What keeps git and ssh from asking, where nobody may be asked."""
    if ask:
        return {}
    env = {"GIT_TERMINAL_PROMPT": "0"}
    own = any(name in os.environ for name in ("GIT_SSH", "GIT_SSH_COMMAND"))
    if not own and not git.run("config", "--get", "core.sshCommand", ok=(0, 1)):
        env["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o ConnectTimeout=30"
    return env


def explained(error: GitCommandError, what: str, url: str) -> RemoteError:
    """What git said of a remote, as a sentence."""
    words = own_words(error.stderr, [url, url.removesuffix("/.git")])
    found = next((reason for reason in _REASONS if re.search(reason[0], words)), None)
    if found is None:
        return RemoteError(f"{what} cannot be used: {error.message}", hint=error.hint)
    _, why, hint = found
    return RemoteError(f"{what} cannot be used: {why}{_told_by_remote(error.stderr)}", hint=hint)


def _told_by_remote(stderr: str) -> str:
    """What the other side itself said, and why it rejected a ref."""
    lines = [scrub_text(line.strip()) for line in stderr.splitlines()]
    told = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote:")]
    told += [line[2:] for line in lines if line.startswith("! [remote rejected]")]
    told = [line for line in told if line]
    return f" ({'; '.join(told[:3])})" if told else ""


def folder_of(url: str) -> str:
    """The name that `git clone` would give to the folder; empty where there is none."""
    last = re.split(r"[/:]", url.rstrip("/"))[-1]
    name = last.removesuffix(".git")
    return "" if name in ("", ".", "..") else name


def clone(url: str, target: Path, what: str, *, ask: bool) -> Git:
    """Bring a repository here, without its files: nothing of it is checked out or run.

    Filters of the user's configuration do not run in it, then or later, until he allows them.

    Args:
        url: Where it is; see `check_url`.
        target: The folder, which must not be there.
        what: What to call it in messages.
        ask: Whether git may ask for a password.

    Raises:
        RemoteError: It cannot be brought.
    """
    url = check_url(url)
    here = Git(target.parent)
    options = ("--quiet", "--no-checkout", "--no-tags", "--no-local", "--template=")
    # from the first, and for the user's own `git fetch`: a restore may need them
    kept = ("-c", f"remote.{ORIGIN}.fetch=+{KEPT}/*:{KEPT}/*")
    try:
        here.run(
            "clone",
            *options,
            *("--no-recurse-submodules", "--origin", ORIGIN, *kept),
            *("--end-of-options", url, target.name),
            env=quiet_environment(here, ask=ask),
        )
    except GitCommandError as e:
        raise explained(e, f"{what}, {shown(url)},", url) from e
    git = Git(target)
    keep_filters_out(git)
    return git
