"""Where journals lie, and what to do about one that was damaged.

Source: docs/formats.md, "The journal on disk".
"""

from __future__ import annotations

import shlex
from pathlib import Path

OWN_JOURNAL = "journal.jsonl"  # all that this instance recorded, in the folder `local`
SEGMENTS = "segments"  # beside it: those of other instances
SEALED = "journal"  # beside `local`: what was committed


def how_to_mend(path: Path) -> str:
    """What to do about a damaged journal or segment, by where it lies."""
    segment = path.parent.parent.parent.parent / SEALED / path.parent.name / path.name
    if path.name == OWN_JOURNAL:
        sealed = path.parent.parent / SEALED
        return (
            f"It is not in git. Take it back from a backup; without one, move {path.parent} and "
            f"{path.parent.parent / 'graph'} away: what was committed, in {sealed}, is then read "
            "as that of another copy."
        )
    if path.parent.parent.name != SEGMENTS:
        return f"Take it back from git: git checkout HEAD -- {shlex.quote(str(path))}."
    if segment.exists():
        return f"It is a copy: delete it, and it is made again from {segment}."
    return (
        "It is in no commit that is checked out here: take it from another copy of the workspace."
    )
