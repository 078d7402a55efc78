"""What `dws doctor` finds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypedDict

from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace

REBUILD = "Fold it anew: dws graph rebuild --view {}."


class Finding(TypedDict):
    """Something that is not as it should be; a `note` needs no mending, or cannot be mended."""

    level: Literal["error", "note"]
    what: str
    mend: str


def error(what: str, mend: str) -> Finding:
    """Something that is wrong."""
    return Finding(level="error", what=what, mend=mend)


def note(what: str, mend: str = "") -> Finding:
    """Something to know."""
    return Finding(level="note", what=what, mend=mend)


def from_git(ws: OpenWorkspace, path: Path) -> str:
    """How to mend a metadata file: from git, where it is committed."""
    return layout.how_to_mend(path.relative_to(ws.root).as_posix())
