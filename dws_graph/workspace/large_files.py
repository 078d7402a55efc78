"""A new workspace whose large files are kept by git-lfs or git-fat: what is committed for that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from dws_graph.backends.git import fat_remote, lfs
from dws_graph.backends.git.command import Git
from dws_graph.backends.git.fat_remote import FatRemote
from dws_graph.backends.git.large import set_up
from dws_graph.backends.git.pointers import ATTRIBUTES, FAT, LFS
from dws_graph.errors import ConfigurationError

_RULES = {LFS: "filter=lfs diff=lfs merge=lfs -text", FAT: "filter=fat -text"}
_NO_RULE = "!filter !diff !merge !text"
# What dws and git write themselves, as names that a pattern might fit, and what keeps it out.
_OWN_NAMES = (
    "lineage.json",
    "config.json",
    "1.jsonl",
    "dummy.txt",
    ATTRIBUTES,
    ".gitfat",
    "0" * 40,
)
_OWN = ("/.dataworkspace/**", "lineage.json", ".git*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeFiles:
    """Which files of a workspace's own repository are large.

    Attributes:
        driver: The filter: `lfs` or `fat`; None for none.
        patterns: As `.gitattributes` has them.
        remote: Where git-fat keeps content.
    """

    driver: str | None = None
    patterns: tuple[str, ...] = ()
    remote: FatRemote | None = None

    def check(self, git: Git) -> None:
        """Refuse what this machine has no program for.

        Raises:
            LfsError: git-lfs is not installed.
        """
        if self.driver == LFS:
            lfs.check_installed(git)

    def files(self, root: Path) -> dict[str, bytes]:
        """What is to be committed, by path: rules of before stay."""
        found: dict[str, bytes] = {}
        if self.driver and self.patterns:
            lines = [f"{pattern} {_RULES[self.driver]}" for pattern in self.patterns]
            last = [pattern.rpartition("/")[2] for pattern in self.patterns]
            if any(fnmatchcase(name, pattern) for pattern in last for name in _OWN_NAMES):
                lines += [f"{own} {_NO_RULE}" for own in _OWN]
            found[ATTRIBUTES] = _appended(root / ATTRIBUTES, lines)
        if self.remote:
            found[fat_remote.FILE] = self.remote.to_file()
        return found

    def set_up(self, git: Git) -> None:
        """Let the filter run in this repository."""
        set_up(git, [self.driver] if self.driver else [])


def large_files(
    *,
    git_fat_remote: str | None = None,
    git_fat_user: str | None = None,
    git_fat_port: int | None = None,
    git_fat_attributes: str | None = None,
    git_lfs_attributes: str | None = None,
) -> LargeFiles:
    """What the options of `dws init` mean.

    Raises:
        ConfigurationError: They exclude one another, or one has a value that cannot be used.
    """
    if git_fat_remote is None:
        if any(v is not None for v in (git_fat_user, git_fat_port, git_fat_attributes)):
            raise ConfigurationError(
                "nothing says where git-fat is to keep content",
                hint="Add it: --git-fat-remote HOST:/PATH.",
            )
        if git_lfs_attributes is None:
            return LargeFiles()
        return LargeFiles(driver=LFS, patterns=patterns_in(git_lfs_attributes))
    if git_lfs_attributes is not None:
        raise ConfigurationError(
            "one repository's large files are kept by git-lfs or by git-fat, not by both",
            hint="Leave out --git-lfs-attributes, or what begins with --git-fat.",
        )
    port = None if git_fat_port is None else str(git_fat_port)
    return LargeFiles(
        driver=FAT,
        patterns=() if git_fat_attributes is None else patterns_in(git_fat_attributes),
        remote=FatRemote.checked(git_fat_remote, git_fat_user, port),
    )


def patterns_in(text: str) -> tuple[str, ...]:
    r"""The patterns of a list with commas, as `.gitattributes` has them; `\,` is a comma in one.

    Raises:
        ConfigurationError: There is none, or git would not take one as it is meant.
    """
    parts = [part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", text)]
    found = [_pattern(part) for part in parts if part]
    if not found:
        raise ConfigurationError("there is no pattern in the list", hint="Give some: '*.gz,*.zip'.")
    return tuple(dict.fromkeys(found))


def _pattern(text: str) -> str:
    why = None
    if re.search(r'[\x00-\x1f\x7f"]', text):
        why = "it has a quotation mark or a control character"
    elif text.startswith(("!", "[attr]")):
        why = "git takes its begin for something else"
    elif text.endswith("/"):
        why = f"it fits no file; those in the folder are {text}**"
    if why:
        raise ConfigurationError(f"the pattern {text!r} cannot be used: {why}")
    text = re.sub(r"\s", "[[:space:]]", text)
    return f"[#]{text[1:]}" if text.startswith("#") else text


def _appended(path: Path, lines: Sequence[str]) -> bytes:
    before = path.read_bytes() if path.is_file() else b""
    known = before.splitlines()
    new = [line.encode("utf-8", "surrogateescape") for line in lines]
    if before and not before.endswith(b"\n"):
        before += b"\n"
    return before + b"".join(line + b"\n" for line in new if line not in known)
