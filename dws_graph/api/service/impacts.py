"""What a change of something would reach: asked, filtered, sorted, and as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dws_graph.api.service.problems import not_found, refused
from dws_graph.api.service.sifting import keys_of
from dws_graph.api.service.sources import Source
from dws_graph.api.service.staleness import why_stale
from dws_graph.backends.overviews import Place
from dws_graph.backends.views import Questions
from dws_graph.model.impact import Column, Reached, reached_by
from dws_graph.model.refs import ResourceRef
from dws_graph.model.selection import Selection
from dws_graph.model.subgraph import Subgraph

HEADINGS = ("steps away", "kind", "name", "workspace", "resource", "versions", "stale")
LATER = ("last written", "by step", "id")
_ACTING = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Wanted(NamedTuple):
    """Whose impact is asked for, and how it is told."""

    node: str | None
    workspace: str | None
    ref: ResourceRef | None
    depth: int | None
    selection: Selection | None
    sort: Column
    descending: bool


def impact(source: Source, wanted: Wanted) -> list[Reached]:
    """All that lies downstream, in the order that is asked for.

    Raises:
        Problem: There is no such node or ref.
        SelectionError: A tag is no snapshot's.
    """

    def asked(q: Questions) -> tuple[Subgraph, tuple[str, ...], dict[str, str]]:
        starts = _starts(q, wanted)
        found = q.downstream(starts, root=starts[0], depth=wanted.depth)
        if not found.nodes:
            raise not_found("There is no such node.")
        return found, starts, q.workspace_names(found.workspaces())

    found, starts, names = source.ask(asked)
    marks = why_stale(source, found)
    chosen = wanted.selection
    keys = None if chosen is None else keys_of(source, found, chosen, lambda: marks)
    rows = reached_by(found, set(starts), keys, stale=marks, workspaces=names)
    return sorted(rows, key=lambda row: row.place(wanted.sort), reverse=wanted.descending)


def _starts(q: Questions, wanted: Wanted) -> tuple[str, ...]:
    """A node; or all versions of a ref and of what lies in it."""
    if (wanted.node is None) == (wanted.ref is None):
        raise refused("Name a node, or a ref.", "Give node=ID, or workspace=ID and ref=NAME.")
    if wanted.node is not None:
        return (wanted.node,)
    if wanted.workspace is None or wanted.ref is None:
        raise refused("A ref needs the workspace that it is of.", "Give workspace=ID, too.")
    ref, workspace = wanted.ref, wanted.workspace
    refs = [one for one in q.refs(workspace, ref.name) if one == ref or ref.covers(one)]
    found = tuple(c.id for one in refs for c in q.certificates_of(workspace, one))
    if not found:
        raise not_found("Nothing is known of that ref.")
    return found


def after(rows: Sequence[Reached], wanted: Wanted, place: Place | None) -> Sequence[Reached]:
    """The rows that follow a place in their order."""
    if place is None:
        return rows
    at = (place.by, place.id)
    if wanted.descending:
        return [row for row in rows if row.place(wanted.sort) < at]
    return [row for row in rows if row.place(wanted.sort) > at]


def as_csv(rows: Iterable[Reached]) -> Iterator[str]:
    """The rows as lines of CSV, one at a time."""
    yield _line([*HEADINGS, *LATER])
    for row in rows:
        yield _line(
            [
                row.away,
                row.kind,
                row.name,
                row.workspace_name,
                row.resource or "",
                row.versions,
                "; ".join(row.stale),
                row.time or "",
                row.step_name or "",
                row.key,
            ]
        )


def _line(cells: Sequence[str | int]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()


def harmless(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula. Source: OWASP, "CSV Injection"."""
    if isinstance(cell, int):
        return cell
    clean = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", cell)
    return f"'{clean}" if _ACTING.match(clean) else clean
