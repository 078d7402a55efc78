"""Which files differ between versions of data and code that two sides have."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from dws_graph.api.sides import Side
from dws_graph.model.certificates import Certificate
from dws_graph.model.overlay import Overlay, Pair
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.comparing import (
    FileChanges,
    ResourceState,
    compare_ref,
    states_in,
    states_now,
)
from dws_graph.workspace.half_written import left_by
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.results_files import RESULTS_FILE


class ChangedFiles(TypedDict):
    """Paths in a resource; one that was renamed is one removed and one added."""

    added: list[str]
    changed: list[str]
    removed: list[str]


def changed_files(files: FileChanges) -> ChangedFiles:
    """As JSON has them."""
    return ChangedFiles(
        added=list(files.added), changed=list(files.changed), removed=list(files.removed)
    )


class VersionFiles:
    """Which files differ between versions of the two sides."""

    def __init__(self, ws: OpenWorkspace, a: Side, b: Side) -> None:
        self._ws = ws
        self._sides = (a, b)
        self._states = tuple(
            states_in(ws, side.snapshot) if side.snapshot else states_now(ws) for side in (a, b)
        )

    def between(self, a: Certificate | None, b: Certificate | None) -> FileChanges | None:
        """Which files of a ref differ between two versions of it; None: nobody can tell."""
        if a is None or b is None:
            return None
        one, two = self._state(0, a), self._state(1, b)
        return compare_ref(self._ws, a.ref, one, two) if one and two else None

    def left_by(self, certificate: Certificate) -> str:
        """The name of the failed step that left this version, if one did."""
        found = left_by(self._ws, [certificate.id])
        return found[certificate.id].name if found else ""

    def _state(self, side: int, certificate: Certificate) -> ResourceState | None:
        """A resource at a version; one that is not hashed yet must be what is on disk."""
        state = self._states[side].get(certificate.ref.name)
        if state is None or state.folder is not None:
            return state
        if certificate.hash is not None:
            return replace(state, hash=certificate.hash)
        on_disk = self._sides[side].content(certificate).hash is not None
        return replace(state, hash=None) if on_disk else None

    def differ_in_times_alone(self, pair: Pair, laid: Overlay) -> bool:
        """Whether results differ only in `results.json`, and there only in when and how long."""
        if pair.change != "changed" or pair.node.properties.get("role") != "results":
            return False
        writer = next((e.source for e in laid.edges if _wrote(e.type, e.target, pair)), None)
        step = next((p for p in laid.pairs if p.node.key == writer), None)
        if step is None or step.a is None or step.b is None:
            return False
        a, b = step.a.properties, step.b.properties
        if any(a.get(key) != b.get(key) for key in ("metrics", "parameters")):
            return False
        ref = ResourceRef(pair.node.properties["resource"], pair.node.properties["subpath"])
        one, two = (states.get(ref.name) for states in self._states)
        changed = compare_ref(self._ws, ref, one, two) if one and two else None
        if changed is None or changed.added or changed.removed:
            return False
        return all(name.rpartition("/")[2] == RESULTS_FILE for name in changed.changed)


def _wrote(kind: str, target: str, pair: Pair) -> bool:
    return kind == "WROTE" and target == pair.node.key
