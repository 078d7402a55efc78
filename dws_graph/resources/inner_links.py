"""Links to folders in a kept resource that stay within it: `latest -> runs/7`.

A kept state has the files below such a link twice, under both names. What is done to them by the
one need not be done by the other; so a folder can be brought to a state without a change through a
link.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from dws_graph.backends.kept.listing import KeptFile
from dws_graph.resources.keeping import Bringing


def without_doubles(plan: Bringing, wanted: Mapping[bytes, KeptFile]) -> Bringing:
    """The same plan without what it does through such links; a link that is to go goes itself.

    Args:
        plan: Of a folder as it is on disk now.
        wanted: All files of the state that it is brought to.
    """
    base = os.path.join(os.path.realpath(os.fsencode(plan.folder)), b"")
    seen: dict[bytes, bytes | None] = {}

    def real(name: bytes) -> bytes | None:
        """The name without links, of a file below one; None where there is none, or it leaves."""
        folder, _, last = name.rpartition(b"/")
        if folder not in seen:
            here = os.path.join(base + folder, b"")
            there = os.path.join(os.path.realpath(here), b"")
            inside = there != here and there.startswith(base)
            seen[folder] = there[len(base) :] if inside else None
        below = seen[folder]
        return None if below is None else below + last

    def is_double(name: bytes) -> bool:
        other = real(name)
        return other is not None and wanted.get(other) == wanted.get(name)

    gone = {name for name in plan.delete if is_double(name)}
    links = {
        link
        for name in plan.delete
        if (other := real(name)) is not None and other in wanted
        for link in _links_above(base, name)
        if not any(kept.startswith(link + b"/") for kept in wanted)
    }
    below = tuple(link + b"/" for link in links)
    return replace(
        plan,
        write={name: file for name, file in plan.write.items() if not is_double(name)},
        modes={name: file for name, file in plan.modes.items() if not is_double(name)},
        delete=tuple(
            sorted({n for n in plan.delete if n not in gone and not n.startswith(below)} | links)
        ),
    )


def _links_above(base: bytes, name: bytes) -> Iterator[bytes]:
    """The outermost link that a file lies below."""
    parts = name.split(b"/")
    for i in range(1, len(parts)):
        above = b"/".join(parts[:i])
        if os.path.islink(base + above):
            yield above
            return
