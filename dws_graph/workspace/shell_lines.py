"""The command line that records a step again, for a POSIX shell."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from dws_graph.backends.views import StepInfo
from dws_graph.model.values import parsed_or_text
from dws_graph.workspace.opened import OpenWorkspace


def shell_line(command: Sequence[str], directory: Path | None = None) -> str:
    """A command line for a shell to run, in the directory if there is one; always one line."""
    line = " ".join(map(_shell_word, command))
    return f"cd {_shell_word(str(directory))} && {line}" if directory is not None else line


def again_line(ws: OpenWorkspace, step: StepInfo) -> str | None:
    """The line that records a step again, from the workspace's folder; None: it is not known."""
    words = recording_command(step)
    if words is None:
        return None
    folder = run_directory(ws, step)
    if folder is None or folder == ws.root:
        return shell_line(words)
    return f"({shell_line(words, folder.relative_to(ws.root) if _is_in(folder, ws) else folder)})"


def _is_in(folder: Path, ws: OpenWorkspace) -> bool:
    return folder.is_relative_to(ws.root)


def recording_command(step: StepInfo) -> list[str] | None:
    """The words that record a step again; None: its command line is not recorded.

    A script that records itself is run as it was. A command that `dws run` ran records nothing by
    itself: it is run so again, with all that was told of it.
    """
    if step.command_line is None or step.run is None:
        return step.command_line
    words = ["dws", "run", "--step-name", step.name]
    for option, told in (("-i", "inputs"), ("-o", "outputs"), ("--code", "code")):
        for ref in step.run.get(told) or ():
            words += [option, ref]
    for name, value in step.parameters.items():
        words += ["-p", f"{name}={_option_text(value)}"]
    for option, told in (("--results", "results"), ("--metrics", "metrics")):
        if (one := step.run.get(told)) is not None:
            words += [option, one]
    return [*words, "--", *step.command_line]


def _option_text(value: object) -> str:
    """A parameter so that `-p` reads it as it is: text, where that is no JSON, else JSON."""
    if isinstance(value, str) and parsed_or_text(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


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
