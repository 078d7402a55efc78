"""The shared stores in folders that this copy of the workspace has used before.

One that is not there any more is most often on a disk that is not mounted: beginning it anew in
the empty mount point would hide that.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from dws_graph.backends.files import write_atomic
from dws_graph.errors import JsonError
from dws_graph.model.values import parse_json

_FILE = ".dataworkspace/local/stores.json"


def is_known(root: Path, url: str) -> bool:
    """Whether the workspace with this root has kept content in the store at this URL."""
    return url in _known(root)


def note_known(root: Path, url: str) -> None:
    """From now on it has."""
    if url.startswith("file:") and not is_known(root, url):
        _write(root, [*_known(root), url])


def forget_known(root: Path, url: str) -> None:
    """The store may be begun anew."""
    if is_known(root, url):
        _write(root, [known for known in _known(root) if known != url])


def _known(root: Path) -> list[str]:
    with suppress(FileNotFoundError, JsonError):  # damaged: it can be done without
        found = parse_json((root / _FILE).read_bytes(), file=_FILE)
        if isinstance(found, list):
            return [url for url in found if isinstance(url, str)]
    return []


def _write(root: Path, urls: list[str]) -> None:
    with suppress(OSError):  # it can be done without
        write_atomic(root / _FILE, json.dumps(sorted(urls)).encode(), fsync=False)
