"""The program rclone: what it is given, what it says, and what that means to a user.

Lists of arguments only, never a shell; a remote is the name of an entry in the user's own
configuration, never a connection string, which could run a command. What rclone says is shown
without secrets.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dws_graph.backends.faults import fault
from dws_graph.errors import ConfigurationError
from dws_graph.model.secrets import scrub_text
from dws_graph.resources.rclone_errors import (
    KNOWN_ONES,
    RcloneError,
    failed_with,
    last_words,
    missing,
)

PROGRAM = "rclone"
Report = Callable[[int, int, str], None]
"""Told how much is done, how much there is, and of what: files, or MB."""

_REMOTE = re.compile(r"(?P<name>[\w.+@](?:[\w.+@ -]*[\w.+@-])?):(?P<path>[^\0\r\n]*)")
_NO_HASH = re.compile(r"[Nn]o common hash|hashes could not be checked")
_LARGE = 64 << 20  # bytes from which progress is told in MB
_HASTY = ("--retries", "1", "--low-level-retries", "1", "--contimeout", "15s", "--timeout", "60s")
# Whatever the user has set for himself: rclone never asks, does what it says, and tells us.
_ALWAYS = ("--ask-password=false", "--dry-run=false", "--interactive=false", "--log-level=NOTICE")
_TELLING = ("--use-json-log", "--stats=1s", "--stats-log-level=NOTICE", "--stats-one-line=false")
_IN_OUR_WAY = (
    *("RCLONE_VERBOSE", "RCLONE_QUIET", "RCLONE_LOG_FILE", "RCLONE_LOG_SYSTEMD", "RCLONE_SYSLOG"),
    *("RCLONE_PROGRESS", "RCLONE_LOG_FORMAT", "RCLONE_USE_JSON_LOG", "RCLONE_COMBINED"),
)
TIDY = (1, *range(3, 11))
"""Exit statuses after which no half file is left: it has not crashed, nor was it killed."""
_NOT_A_DIRECTORY = 3  # exit status: there is nothing at the path


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two places, by path as rclone writes it.

    Attributes:
        changed: In both, with another content.
        missing: Of the source, not at the target.
        by_hash: Whether contents were compared, not sizes alone.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    by_hash: bool


def check_remote(text: str) -> tuple[str, str]:
    """A remote's name and path.

    Raises:
        ConfigurationError: It is not `name:path`, or holds what is not to be committed.
    """
    found = _REMOTE.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"'{scrub_text(text)}' does not name a place at an rclone remote",
            hint="Write NAME:PATH, with a name that rclone listremotes shows.",
        )
    if scrub_text(text) != text:
        raise ConfigurationError(
            f"'{scrub_text(text)}' holds a password, which would be committed",
            hint="Keep it in rclone's own configuration: rclone config.",
        )
    return found["name"], found["path"]


def is_known(name: str, config: Path | None) -> bool:
    """Whether rclone's configuration, or the environment, has a remote of this name."""
    listed = _run(["listremotes"], config, "").stdout
    variable = f"RCLONE_CONFIG_{re.sub(r'[^A-Z0-9]', '_', name.upper())}_TYPE"
    return f"{name}:" in os.fsdecode(listed).splitlines() or variable in os.environ


def check_known(remote: str, config: Path | None) -> None:
    """Refuse a remote of a name that rclone does not know.

    Raises:
        ConfigurationError: It does not; or rclone is missing, or its configuration damaged.
    """
    name, _ = check_remote(remote)
    if not is_known(name, config):
        where = f" in {config}" if config else ""
        raise RcloneError(f"rclone knows no remote '{name}'{where}", hint=KNOWN_ONES)


def check_there(remote: str, config: Path | None, *, may_be_missing: bool = False) -> bool:
    """Refuse a place that cannot be reached; asked once, without waiting long.

    Args:
        remote: `name:path`.
        config: Rclone's configuration file, if not its default one.
        may_be_missing: Nothing needs to be there yet.

    Returns:
        Whether there is anything.

    Raises:
        RcloneError: It cannot be reached, or there is nothing.
    """
    check_known(remote, config)
    ok = (0, _NOT_A_DIRECTORY) if may_be_missing else (0,)
    args = ["lsf", "--max-depth", "1", *_HASTY, "--", remote]
    return bool(_run(args, config, remote, ok=ok).stdout)


def transfer(
    source: str,
    target: str,
    remote: str,
    config: Path | None,
    *,
    sync: bool,
    size_only: bool,
    rules: Sequence[str] = (),
    but: Path | None = None,
    report: Report | None = None,
) -> int:
    """Copy what is new or changed; with `sync`, delete what the source does not have.

    Args:
        source: `name:path`, or a folder.
        target: The same.
        remote: Which of them is the remote, for messages.
        config: Rclone's configuration file, if not its default one.
        sync: Whether to delete.
        size_only: Take files of one size for the same.
        rules: As `leaving` and `only` make them.
        but: A folder: what is there the same is not copied.
        report: Told how far it is.

    Returns:
        How many files were copied or deleted.

    Raises:
        RcloneError: It failed; what was copied stays, and the next call goes on.
    """
    args = ["sync" if sync else "copy", *_TELLING, "--filter-from", "-"]
    if size_only:
        args.append("--size-only")
    if but is not None:
        args += ["--compare-dest", str(but)]
    if source != remote:
        args.append("--copy-links")  # as a hash tree has them
    words = _command([*args, "--", source, target], config)
    stats: dict[str, Any] = {}
    said, plain = "", ""
    fault(f"rclone: {args[0]}")
    process = _start(words)
    try:
        _give(process.stdin, rules)
        for raw in process.stderr or ():
            told = _parsed(raw)
            if "stats" in told:
                stats = told["stats"]
                _tell(report, stats)
            elif told.get("level") in ("error", "fatal", "critical"):
                said = told["msg"]
            elif not told:  # what stops it, at the end
                plain += os.fsdecode(raw)
        status = process.wait()
    finally:
        _end(process)
    if status != 0:
        raise failed_with(last_words(plain) or said, status, remote)
    return int(stats.get("transfers", 0)) + int(stats.get("deletes", 0))


def compare(
    source: str,
    target: str,
    remote: str,
    config: Path | None,
    *,
    rules: Sequence[str] = (),
    sizes: bool = False,
) -> Compared:
    """How a target differs from a source, by content where the remote can tell.

    Args:
        source: `name:path`, or a folder; what the target has beside is not looked at.
        target: The same.
        remote: Which of them is the remote, for messages.
        config: Rclone's configuration file, if not its default one.
        rules: As `leaving` and `only` make them.
        sizes: Look at sizes alone.

    Raises:
        RcloneError: It cannot be told.
    """
    args = ["check", "--one-way", "--combined", "-", "--filter-from", "-", *_HASTY]
    args += ["--size-only"] if sizes else []
    ran = _run([*args, "--", source, target], config, remote, ok=(0, 1), text=rules)
    lines = os.fsdecode(ran.stdout).split("\n")
    said = os.fsdecode(ran.stderr)
    failed = [line[2:] for line in lines if line.startswith("! ")]
    if ran.returncode and (failed or not re.search(r"\d+ differences found", said)):
        raise failed_with(last_words(said), ran.returncode, remote)
    return Compared(
        changed=tuple(line[2:] for line in lines if line.startswith("* ")),
        missing=tuple(line[2:] for line in lines if line.startswith("+ ")),
        by_hash=not sizes and not _NO_HASH.search(said),
    )


def leaving(names: Iterable[str]) -> list[str]:
    """Rules that leave files, or folders with all in them, alone on both sides."""
    return [f"- {_pattern(name)}{end}" for name in names for end in ("", "/**")]


def only(names: Iterable[str]) -> list[str]:
    """Rules by which these files alone count."""
    return [*(f"+ {_pattern(name)}" for name in names), "- *"]


def shown_name(name: str) -> str:
    """A path of this machine as rclone writes it: control signs have pictures."""
    return "".join(
        chr(0x2400 + ord(sign)) if sign < " " else "\u2421" if sign == "\x7f" else sign
        for sign in name
    )


def _pattern(name: str) -> str:
    """A path below a folder as a pattern; what rclone writes otherwise fits any sign."""
    escaped = re.sub(r"([*?\[\]{}\\])", r"\\\1", name)
    escaped = re.sub(r"[\x00-\x1f\x7f\udc80-\udcff]", "?", escaped)
    return "/" + re.sub(r" $", "[ ]", escaped)


def _command(args: Sequence[str], config: Path | None) -> list[str]:
    chosen = ["--config", str(config)] if config else []
    return [PROGRAM, args[0], *_ALWAYS, *chosen, *args[1:]]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _IN_OUR_WAY}


def _start(words: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603  # a list, no shell; see the module
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
    except OSError as e:
        raise missing(e) from e


def _run(
    args: Sequence[str],
    config: Path | None,
    remote: str,
    *,
    ok: Sequence[int] = (0,),
    text: Sequence[str] = (),
) -> subprocess.CompletedProcess[bytes]:
    try:
        ran = subprocess.run(  # noqa: S603  # the same
            _command(args, config),
            input=_lines(text),
            capture_output=True,
            env=_environment(),
            check=False,
        )
    except OSError as e:
        raise missing(e) from e
    if ran.returncode not in ok:
        raise failed_with(last_words(os.fsdecode(ran.stderr)), ran.returncode, remote)
    return ran


def _lines(patterns: Iterable[str]) -> bytes:
    return "".join(f"{pattern}\n" for pattern in patterns).encode("utf-8", "replace")


def _give(stdin: IO[bytes] | None, patterns: Iterable[str]) -> None:
    with suppress(BrokenPipeError):  # it has ended already, and says why
        if stdin is not None:
            stdin.write(_lines(patterns))
            stdin.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    """After an error, or Ctrl-C: it goes no further on its own."""
    if process.poll() is None:
        process.terminate()
        process.wait()
    if process.stderr is not None:
        process.stderr.close()


def _parsed(raw: bytes) -> dict[str, Any]:
    """A line of the log; empty where it is no JSON."""
    try:
        told = json.loads(raw)
    except ValueError:
        return {}
    return {**told, "msg": str(told.get("msg", ""))} if isinstance(told, dict) else {}


def _tell(report: Report | None, stats: dict[str, Any]) -> None:
    if report is None:
        return
    if int(stats.get("totalBytes") or 0) >= _LARGE:
        report(int(stats.get("bytes") or 0) >> 20, int(stats["totalBytes"]) >> 20, "MB")
    else:
        report(int(stats.get("transfers") or 0), int(stats.get("totalTransfers") or 0), "files")
