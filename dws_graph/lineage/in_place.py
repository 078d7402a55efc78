"""Conflicts that are none if the step updates an input in place, which it may say later.

A step that adds new raw data to what it made of older data reads two versions of the raw data;
that is no conflict once what it adds to is an output too. Source: docs/formats.md, "Consistency".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from dws_graph.backends.views import StepInfo, WalkRow
from dws_graph.errors import LineageConsistencyError
from dws_graph.lineage.consistency import (
    check_consistent,
    current_entries,
    is_own,
    step_since,
)
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading

Refs = frozenset[ResourceRef]
SHOWN = 3


@dataclass(frozen=True, slots=True)
class OpenConflict:
    """What is wrong unless the step declares some of its inputs as outputs.

    Attributes:
        error: To be raised when it does not.
        clashes: Pairs of versions that do not go together. Each is settled when all inputs of one
            of its sets are outputs.
    """

    error: LineageConsistencyError
    clashes: tuple[tuple[Refs, ...], ...]

    def settled_by(self, outputs: Collection[ResourceRef]) -> bool:
        """Whether nothing is wrong with these outputs."""
        return _settled(self.clashes, frozenset(outputs))


def check_or_leave_open(
    ws: OpenWorkspace,
    readings: Sequence[Reading],
    step: str,
    written: Collection[ResourceRef],
    *,
    wait: bool = True,
) -> OpenConflict | None:
    """As `check_consistent`, but wait for outputs that the step is likely to declare yet.

    Those are inputs whose version a step of the same name wrote, or one that updated it in place.

    Args:
        ws: The workspace.
        readings: What the step reads.
        step: Its name.
        written: Its outputs so far.
        wait: It may declare others.

    Raises:
        LineageConsistencyError: Declaring those would not help.
    """
    try:
        check_consistent(ws, readings, step, written)
    except LineageConsistencyError as error:
        readings = [r for r in readings if r.ref not in written]
        clashes = tuple(_clashes(ws, readings))
        writers = _writers(ws, readings)
        likely = frozenset(ref for ref, writer in writers.items() if _updates(writer, ref, step))
        is_open = _settled(clashes, likely)
        if refs := _would_help(clashes, likely if is_open else frozenset(writers)):
            how = "before eval(), with with_output_ref()" if wait else "too, with -o"
            advice = f"If '{step}' updates {refs} in place, declare that as an output {how}."
            error = LineageConsistencyError(error.message, hint=f"{error.hint} {advice}")
        if is_open and wait:
            return OpenConflict(error, clashes)
        raise error from None
    return None


def _settled(clashes: Sequence[tuple[Refs, ...]], outputs: Refs) -> bool:
    return all(any(way <= outputs for way in ways) for ways in clashes)


def _clashes(ws: OpenWorkspace, readings: Sequence[Reading]) -> list[tuple[Refs, ...]]:
    """All that `check_consistent` would refuse; each is gone without the inputs of one set."""
    rows, ways = _reached(ws, readings)
    fresh = {r.ref for r in readings if r.certificate is None}
    current = current_entries(ws, {row.certificate.ref for row in rows if is_own(ws, row)})
    versions: dict[tuple[str | None, ResourceRef], dict[str, WalkRow]] = {}
    clashes: list[tuple[Refs, ...]] = []
    for row in rows:
        cert = row.certificate
        versions.setdefault((row.workspace, cert.ref), {})[cert.id] = row
        entry = current.get(cert.ref) if is_own(ws, row) else None
        if row.reader is None or entry is None or entry.certificate.same_version(cert):
            continue
        if step_since(ws, row, entry) is not None:
            clashes.append((ways[cert.id, row.reader],))
    for (workspace, ref), found in versions.items():
        by_version = {
            key: frozenset[ResourceRef]().union(*(way for (k, _), way in ways.items() if k == key))
            for key in found
        }
        if ref in fresh and workspace in (ws.id, None):
            clashes += [(way, frozenset({ref})) for way in by_version.values()]
        for one, other in combinations(found.values(), 2):
            if not one.certificate.same_version(other.certificate):
                clashes.append((by_version[one.certificate.id], by_version[other.certificate.id]))
    return clashes


def _reached(
    ws: OpenWorkspace, readings: Sequence[Reading]
) -> tuple[list[WalkRow], dict[tuple[str, str | None], Refs]]:
    """What the walk comes to, and from which inputs, by certificate and reader."""
    rows: dict[tuple[str, str | None], WalkRow] = {}
    ways: dict[tuple[str, str | None], set[ResourceRef]] = {}
    for reading in readings:
        if reading.certificate is not None:
            for row in ws.index.walk([reading.certificate.id]):
                key = row.certificate.id, row.reader
                rows[key] = row
                ways.setdefault(key, set()).add(reading.ref)
    return list(rows.values()), {key: frozenset(way) for key, way in ways.items()}


def _writers(ws: OpenWorkspace, readings: Sequence[Reading]) -> dict[ResourceRef, StepInfo]:
    """The steps that wrote what is read."""
    ids = {r.ref: r.certificate.id for r in readings if r.certificate is not None}
    keys = ws.index.producers(ids.values())
    found = {ref: ws.index.step(keys[key]) for ref, key in ids.items() if key in keys}
    return {ref: writer for ref, writer in found.items() if writer is not None}


def _updates(writer: StepInfo, ref: ResourceRef, step: str) -> bool:
    """Whether who wrote a version goes on with it: this step, or one that updated it in place."""
    return writer.name == step or any(cert.ref == ref for cert in writer.inputs)


def _would_help(clashes: Sequence[tuple[Refs, ...]], among: Refs) -> str:
    """Which inputs, declared as outputs, settle all, for people; empty when none, or many, do."""
    if not _settled(clashes, among):
        return ""
    alone = sorted(ref for ref in among if _settled(clashes, frozenset({ref})))
    if alone:
        return " or ".join(f"'{ref}'" for ref in alone) if len(alone) <= SHOWN else ""
    ways = (min((w for w in ways if w <= among), key=len) for ways in clashes)
    together = sorted(frozenset[ResourceRef]().union(*ways))
    return " and ".join(f"'{ref}'" for ref in together) if len(together) <= SHOWN else ""
