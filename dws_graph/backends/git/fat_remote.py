"""git-fat's remote store: a folder that rsync reaches, and that `.gitfat` names.

`.gitfat` comes with the repository, so that anybody may have written it: what is in it is checked,
and of rsync's options only those are taken that change how data travels.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dws_graph.backends.faults import fault
from dws_graph.backends.git import fat
from dws_graph.backends.git.command import Git, decoded
from dws_graph.backends.locks import Lock
from dws_graph.errors import GitError, some_of
from dws_graph.model.said import own_words
from dws_graph.model.secrets import scrub_text

FILE = ".gitfat"
INCOMING, PARTIAL = "incoming", ".rsync-partial"
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9._\-]*|\[[0-9A-Fa-f:.]+\])"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._\-]*\$?"
_LOGIN = rf"(?:{_USER}@)?{_HOST}"
_PLACE = re.compile(rf"(?:{_LOGIN}::?(?![\-:])|rsync://{_LOGIN}[:/]|/)[^\0-\x1f\x7f]*")
_OPTION = re.compile(r"-[zv]+|--compress|--bwlimit=[0-9.]+[KMGkmg]?|--(?:con)?timeout=[0-9]+")
_REASONS = (
    (
        r"Host key verification failed",
        "its host key is not known",
        "Connect to it once by hand, and look at the key: ssh HOST.",
    ),
    (
        # of a file it says: Permission denied (13)
        r"Permission denied \((?!\d)|Too many authentication failures",
        "it does not accept your key",
        "Check it with: ssh HOST. The user and port of git-fat's store are in .gitfat.",
    ),
    (
        r"Could not resolve hostname|Connection (refused|timed out|reset|closed)|"
        r"No route to host|Network is unreachable|failed to connect|kex_exchange_identification",
        "it cannot be reached",
        "Check the address in .gitfat and the network, then run the command again.",
    ),
    (r"No space left|Disk quota", "no space is left", "Make room there, then run it again."),
    (r"command not found|rsync: not found", "rsync is not installed there", "Install it there."),
    (r"Permission denied|Read-only file system", "it may not be written or read", ""),
    (r"No such file or directory|mkdir .* failed", "there is no such folder", "Make it there."),
)


class FatError(GitError):
    """Content that git-fat keeps cannot be brought or sent; nothing was changed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FatRemote:
    """Where content is kept.

    Attributes:
        place: `HOST:PATH`, a path, or an rsync URL.
        user: For ssh; None for ssh's own choice.
        port: Of ssh.
        options: Of rsync's, those that were let in.
    """

    place: str
    user: str | None = None
    port: int | None = None
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"git-fat's store, {scrub_text(self.place)},"

    @classmethod
    def checked(
        cls, place: str, user: str | None = None, port: str | None = None, options: str = ""
    ) -> FatRemote:
        """Refuse what is no place, or would be taken for an option.

        Raises:
            FatError: Names what is wrong.
        """
        if not _PLACE.fullmatch(place):
            raise FatError(
                f"{scrub_text(place)!r} is no place where git-fat could keep content",
                hint="Give HOST:/PATH, or /PATH for a folder of this machine.",
            )
        if user is not None and not re.fullmatch(_USER, user):
            raise FatError(f"{user!r} is not the name of a user", hint="It goes to ssh as it is.")
        if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
            raise FatError(f"{port!r} is not the number of a port", hint="ssh's is 22.")
        given = options.split()
        for option in given:
            if not _OPTION.fullmatch(option):
                raise FatError(
                    f"rsync.options in {FILE} has {option!r}, which is not let in",
                    hint="Let in: -z, -v, --compress, --bwlimit=N, --timeout=N, --contimeout=N.",
                )
        return cls(place=place, user=user, port=int(port) if port else None, options=tuple(given))

    def to_file(self) -> bytes:
        """The text of `.gitfat`."""
        lines = ["[rsync]", f'\tremote = "{_escaped(self.place)}"']
        if self.user:
            lines.append(f"\tsshuser = {self.user}")
        if self.port:
            lines.append(f"\tsshport = {self.port}")
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def read_remote(git: Git, commit: str | None = None) -> FatRemote:
    """The remote store that `.gitfat` names; a setting of git's stands in for one it lacks.

    Args:
        git: The repository.
        commit: That has the file; None for the one on disk.

    Raises:
        FatError: None is named, or what is named is refused.
    """
    found = {**_settings(git, ()), **_settings(git, _file_in(git, commit))}
    if not (place := found.get("remote")):
        raise FatError(
            f"no {FILE} in {git.root} says where git-fat keeps content",
            hint=f"Type: git config --file {FILE} rsync.remote HOST:/PATH. And commit {FILE}.",
        )
    return FatRemote.checked(
        place, found.get("sshuser"), found.get("sshport"), found.get("options", "")
    )


def _file_in(git: Git, commit: str | None) -> tuple[str, ...] | None:
    if commit is not None:
        there = git.object_id(f"{commit}:{FILE}")
        return ("--blob", f"{commit}:{FILE}") if there else None
    path = git.root / FILE
    return ("--file", str(path)) if path.is_file() else None


def _settings(git: Git, source: tuple[str, ...] | None) -> dict[str, str]:
    if source is None:
        return {}
    raw = git.run("config", *source, "-z", "--get-regexp", r"^rsync\.", ok=(0, 1))
    pairs = (entry.partition("\n") for entry in decoded(raw).split("\0")[:-1])
    return {key.removeprefix("rsync."): value for key, _, value in pairs}


def send(git: Git, remote: FatRemote, digests: Collection[str], *, ask: bool) -> None:
    """Bring content of this repository's store there, what is missing there alone.

    Raises:
        FatError: It does not work; what has arrived there is whole.
    """
    if not digests:
        return
    fault("git-fat: send")
    source = os.path.join(fat.store_of(git.folder), "")
    # half a file waits in a folder of its own, and is gone on with
    how = ("--ignore-existing", f"--partial-dir={PARTIAL}")
    status, said = _rsync(git, remote, how, source, _folder(remote), digests, ask=ask)
    if status:
        raise explained(remote, status, said)


def bring(git: Git, remote: FatRemote, wanted: Mapping[str, str], *, ask: bool) -> None:
    """Bring content here, each file checked before it has its place in the store.

    Args:
        git: The repository.
        remote: The store to bring it from.
        wanted: SHA-1 of the content, and what to call it in a message.
        ask: Whether ssh may ask.

    Raises:
        FatError: Some is not there, or is damaged there; what came whole stays.
    """
    store = fat.store_of(git.folder)
    incoming = store.parent / INCOMING
    incoming.mkdir(parents=True, exist_ok=True)
    store.mkdir(exist_ok=True)
    with Lock(store.parent / "lock", "brings content of git-fat").held():
        missing = wanted.keys() - fat.stored(store)
        if not missing:
            return
        fault("git-fat: bring")
        target = os.path.join(incoming, "")
        # as far as a killed one came, it is gone on with
        status, said = _rsync(
            git, remote, ("--inplace",), _folder(remote), target, missing, ask=ask
        )
        whole = status in (0, 23)  # 23: all but some
        arrived = {d for d in missing if whole and (incoming / d).is_file()}
        damaged = [d for d in sorted(arrived) if not _take_in(incoming / d, store / d)]
    if damaged:
        raise FatError(
            f"{some_of([wanted[d] for d in damaged])}: the content in {remote} is damaged "
            f"(it has not the SHA-1 {damaged[0]})",
            hint="Delete it there, and push it anew from where it is whole: git fat push.",
        )
    if status and not (status == 23 and missing - arrived and _lacks(said)):
        raise explained(remote, status, said)
    if lacking := sorted(missing - arrived):
        raise FatError(
            f"{some_of([wanted[d] for d in lacking])}: {remote} does not have the content "
            f"(SHA-1 {lacking[0]})",
            hint="Push it from where it is: git fat push, or dws push.",
        )


def _take_in(path: Path, place: Path) -> bool:
    """Give what arrived its place; whether it is what it should be, else it is thrown away."""
    if path.is_symlink() or fat.sha1_of(path) != place.name:
        fault("git-fat: throw away")
        path.unlink()
        return False
    with path.open("rb") as file:
        os.fsync(file.fileno())
    fault("git-fat: take in")
    fat.keep(path, place)
    path.unlink(missing_ok=True)
    return True


def _lacks(said: str) -> bool:
    """Whether all that rsync complains of is files that are not there."""
    lines = [line for line in said.splitlines() if line.startswith("rsync:")]
    absent = [line for line in lines if re.search(r'link_stat ".*/[0-9a-f]{40}" .*failed', line)]
    return len(lines) == len(absent)


def _folder(remote: FatRemote) -> str:
    """The place as rsync takes it: below a home, which no shell there looks up, by its end."""
    return re.sub(r":~/", ":", remote.place.rstrip("/"), count=1) + "/"


def _rsync(
    git: Git,
    remote: FatRemote,
    how: Iterable[str],
    source: str,
    target: str,
    digests: Iterable[str],
    *,
    ask: bool,
) -> tuple[int, str]:
    """Its exit status, and what it said."""
    command = [
        *("rsync", "--protect-args", "--from0", "--files-from=-", *how, *remote.options),
        *_ssh(git, remote, ask=ask),
        *("--", source, target),
    ]
    names = "".join(f"{digest}\0" for digest in sorted(digests))
    try:
        done = subprocess.run(  # noqa: S603  # a list, and nothing in it that is not checked
            command,
            input=names.encode("ascii"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            cwd=git.root,
            check=False,
        )
    except FileNotFoundError as e:
        raise FatError(
            "rsync is not installed, or not on the PATH, and git-fat needs it",
            hint="Install it: apt-get install rsync, or brew install rsync.",
        ) from e
    return done.returncode, scrub_text(decoded(done.stderr))


def _ssh(git: Git, remote: FatRemote, *, ask: bool) -> list[str]:
    """How rsync is to call ssh: as the user has said for rsync, or for git."""
    own = os.environ.get("RSYNC_RSH") or os.environ.get("GIT_SSH_COMMAND")
    own = own or git.text("config", "--default", "", "--get", "core.sshCommand")
    line = own or "ssh"
    if not own and not ask:
        line += " -o BatchMode=yes -o ConnectTimeout=30"
    if remote.user:
        line += f" -l {shlex.quote(remote.user)}"
    if remote.port:
        line += f" -p {remote.port}"
    return [] if line == "ssh" else [f"--rsh={line}"]


def explained(remote: FatRemote, status: int, said: str) -> FatError:
    """What rsync, or ssh, said, as a sentence."""
    words = own_words(said, [remote.place, _folder(remote)])
    found = next((reason for reason in _REASONS if re.search(reason[0], words)), None)
    if found is not None:
        return FatError(f"{remote} cannot be used: {found[1]}", hint=found[2])
    last = said.strip().splitlines()[-1:] or [f"rsync ended with status {status}"]
    return FatError(f"{remote} cannot be used: {last[0]}")
