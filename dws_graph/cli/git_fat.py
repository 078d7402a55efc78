"""`git-fat`: the command that git calls as a filter, and that people type as `git fat`.

It does what the git-fat of 2012 did, on the same store and the same `.gitfat`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from dws_graph.backends.git import fat
from dws_graph.errors import DwsError

USAGE = """\
usage: git fat COMMAND

  init              let this repository's files go through git-fat, as .gitattributes says
  status [--all]    content that is named and not here, and content that is here and not named
  push [--all]      bring the content of HEAD's history (of all branches) to the store of .gitfat
  pull [--all]      bring what HEAD's files (all branches' history) lack here, and write the files
  checkout          write the files whose content is here by now
  verify            read all content that is here, and name what is damaged

.gitattributes names the files: *.gz filter=fat -text
.gitfat names the store:        [rsync] remote = HOST:/PATH, and maybe sshuser, sshport
"""
FILTERS: dict[str, Callable[[BinaryIO, BinaryIO, Path], object]] = {
    "filter-clean": fat.clean,
    "filter-smudge": fat.smudge,
}


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


def run(args: Sequence[str]) -> int:
    """Run a command line; its exit status."""
    command, rest = (args[0], list(args[1:])) if args else ("", [])
    try:
        if command in FILTERS:  # before anything that is slow is imported
            FILTERS[command](sys.stdin.buffer, sys.stdout.buffer, fat.store_of(_git_folder()))
            sys.stdout.buffer.flush()
            return 0
        return _typed(command, rest)
    except DwsError as e:
        _complain(f"git-fat: {e.message}\n" + (f"hint: {e.hint}\n" if e.hint else ""))
    except OSError as e:
        _complain(f"git-fat: {e}\n")
    return 1


def _complain(text: str) -> None:
    sys.stderr.write(text)


def _git_folder() -> Path:
    asked = ["git", "rev-parse", "--absolute-git-dir"]
    done = subprocess.run(asked, stdout=subprocess.PIPE, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(done.returncode)  # git has said why
    return Path(os.fsdecode(done.stdout.removesuffix(b"\n")))


def _typed(command: str, rest: list[str]) -> int:
    from dws_graph.cli.git_fat_commands import COMMANDS  # noqa: PLC0415 - not for the filters

    if command not in COMMANDS:
        (sys.stdout if command in ("-h", "--help", "help") else sys.stderr).write(USAGE)
        return 0 if command in ("-h", "--help", "help") else 2
    unknown = [arg for arg in rest if arg != "--all" or not COMMANDS[command].takes_all]
    if unknown:
        _complain(f"git-fat: {command} takes no '{unknown[0]}'\n{USAGE}")
        return 2
    return COMMANDS[command].run("--all" in rest)
