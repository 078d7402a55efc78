"""Parameters and metrics that a command takes, or leaves, in a file."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

from dws_graph.errors import ConfigurationError
from dws_graph.model.values import Json, to_plain

if sys.version_info >= (3, 11):
    import tomllib

State = tuple[int, int, int, int]


def read_parameters(path: str) -> Json:
    """The parameters in a file, as plain JSON.

    Args:
        path: Of a `.json` or, from Python 3.11 on, a `.toml` file.

    Raises:
        ConfigurationError: There is no such file, or it holds no parameters.
    """
    kind = Path(path).suffix.lower()
    if kind not in (".json", ".toml"):
        raise ConfigurationError(
            f"the parameters file {path} ends in neither .json nor .toml",
            hint="Give JSON or TOML; YAML and other formats are not read.",
        )
    if (raw := _content(path)) is None:
        raise ConfigurationError(
            f"there is no parameters file {path}", hint="Give the path of a file."
        )
    return _values(path, raw, kind)


def state_of(path: str) -> State | None:
    """What tells a file's content now from what it is once written again; None: no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_metrics(path: str, before: State | None) -> Json:
    """The metrics that a command wrote to a JSON file, as plain JSON.

    Args:
        path: Of the file.
        before: Its `state_of` before the command ran: an old file says nothing of this run.

    Raises:
        ConfigurationError: There is no such file, it is an old one, or it holds no metrics.
    """
    raw = _content(path)
    if raw is None:
        raise ConfigurationError(f"the command wrote no metrics file {path}")
    if before is not None and state_of(path) == before:
        raise ConfigurationError(f"the command left the metrics file {path} as it was before")
    return _values(path, raw, ".json")


def _content(path: str) -> bytes | None:
    """What a regular file holds; None where there is none (a pipe might never end)."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        return Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as e:
        raise ConfigurationError(f"{path} cannot be read: {(e.strerror or str(e)).lower()}") from e


def _values(path: str, raw: bytes, kind: str) -> Json:
    name = kind.removeprefix(".").upper()
    try:
        found: Any = json.loads(raw) if kind == ".json" else _toml(raw)
        if not isinstance(found, dict):
            raise ConfigurationError(
                f"{path} holds no {name} object", hint='It must be of the form {"name": value}.'
            )
        plain: Json = to_plain(found, os.path.basename(path))
    except ValueError as e:
        raise ConfigurationError(f"{path} is not {name}: {e}", hint="Mend the file.") from e
    except RecursionError as e:
        raise ConfigurationError(f"{path} is nested too deeply", hint="Mend the file.") from e
    return plain


def _toml(raw: bytes) -> Json:
    if sys.version_info >= (3, 11):
        return tomllib.loads(raw.decode("utf-8"))
    raise ConfigurationError(
        "Python reads TOML from 3.11 on", hint="Give JSON, or use a later Python."
    )
