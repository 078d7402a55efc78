"""The command line of a step, to be run again in a POSIX shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from dws_graph.backends.views import StepInfo
from dws_graph.workspace.opened import OpenWorkspace


def shell_line(command: Sequence[str], directory: Path | None = None) -> str:
    """A command line for a shell to run, in the directory if there is one; always one line."""
    line = " ".join(map(_shell_word, command))
    return f"cd {_shell_word(str(directory))} && {line}" if directory is not None else line


def _shell_word(word: str) -> str:
    """A word quoted; what would end the line or steer a terminal is written as an escape."""
    if word.isprintable():
        return shlex.quote(word)
    escaped = "".join(map(_escaped, word))
    return f"$'{escaped}'"


def _escaped(c: str) -> str:
    if c in "\\'":
        return f"\\{c}"
    if c.isprintable():
        return c
    return "".join(f"\\x{byte:02x}" for byte in c.encode("utf-8", "surrogatepass"))


def run_directory(ws: OpenWorkspace, step: StepInfo) -> Path | None:
    """Where a step ran from, in this copy; None where that is not known, or not here."""
    if not step.run_from or step.run_from[0] not in set(ws.get_resource_names()):
        return None
    name, subpath = step.run_from
    folder = ws.get_resource(str(name)).local_path
    if folder is None or subpath is None:
        return folder
    below = PurePosixPath(subpath)
    return None if below.is_absolute() or ".." in below.parts else folder / below
