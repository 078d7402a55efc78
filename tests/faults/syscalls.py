"""What a command does to files, as strace tells it, with the fault points in between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CHANGES = (
    *("write", "pwrite64", "writev", "rename", "renameat", "renameat2", "fsync", "fdatasync"),
    *("unlink", "unlinkat", "ftruncate", "link", "linkat", "mkdir", "mkdirat", "rmdir", "openat"),
)
SYNCS = ("fsync", "fdatasync")
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
_FD = re.compile(r"^\d+<([^>]*)>")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Call:
    """One system call that succeeded, or a fault point.

    Attributes:
        pid: Of the thread that made it.
        name: `write`, `rename`, ...; `point` for a fault point; `execve`.
        paths: The files it is about; of a point, its name; of `execve`, the command line.
    """

    pid: int
    name: str
    paths: tuple[str, ...]


def command(output: Path) -> list[str]:
    """The start of a command line that traces what follows."""
    traced = ",".join((*CHANGES, "execve", "chdir"))
    return ["strace", "-f", "-qq", "-y", "-s", "4096", "-o", str(output), "-e", f"trace={traced}"]


def read(output: Path, points: Path) -> list[Call]:
    """The calls of a trace, in order; what only reads is left out."""
    return list(_calls(_whole(output.read_text(errors="replace").splitlines()), str(points)))


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Calls during which another thread ran, put together; they count when they begin."""
    found: list[str] = []
    waiting: dict[str, int] = {}
    for line in lines:
        if line.endswith("<unfinished ...>"):
            waiting[line.split()[0]] = len(found)
            found.append(line.removesuffix("<unfinished ...>"))
        elif (resumed := _RESUMED.match(line)) and resumed[1] in waiting:
            found[waiting.pop(resumed[1])] += resumed[2]
        else:
            found.append(line)
    return iter(found)


def _calls(lines: Iterator[str], points: str) -> Iterator[Call]:
    folders: dict[int, str] = {}
    for line in lines:
        match = _LINE.match(line)
        if match is None or re.search(r"\) += -1 ", line):
            continue
        pid, name, rest = int(match[1]), match[2], match[3]
        if name == "chdir":
            folders[pid] = (_NAME.findall(rest) or [""])[0]
        elif name == "execve":
            yield Call(pid, name, tuple(_NAME.findall(rest)))
        elif name == "openat":
            if "O_CREAT" in rest or "O_TRUNC" in rest:
                yield Call(pid, name, (_decorated(rest.rpartition("= ")[2]),))
        elif fd := _FD.match(rest):
            if fd[1] == points and name == "write":
                yield Call(pid, "point", (_NAME.findall(rest)[0].removesuffix("\\n"),))
            elif name not in ("unlinkat", "mkdirat", "renameat", "renameat2", "linkat"):
                yield Call(pid, name, (fd[1],))
        else:
            within = re.match(r"AT_FDCWD<([^>]*)>", rest)
            folder = within[1] if within else folders.get(pid, "")
            names = [_NAME.sub(r"\1", f'"{n}"') for n in _NAME.findall(rest)]
            yield Call(pid, name, tuple(n if n.startswith("/") else f"{folder}/{n}" for n in names))


def _decorated(returned: str) -> str:
    found = _FD.match(returned)
    return found[1] if found else ""
