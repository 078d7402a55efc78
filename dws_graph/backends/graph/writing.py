"""Facts in: the rows of a batch as Cypher, for any engine that runs `texts`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from itertools import groupby
from typing import Any

from dws_graph.backends.graph import texts
from dws_graph.backends.views import AppliedMap
from dws_graph.errors import ViewError
from dws_graph.model.rows import NodeRow, Rows
from dws_graph.model.values import Json

Run = Callable[[str, list[Json]], list[Json]]
"""Runs a text with its `$rows` in the transaction; returns the rows of its answer."""


def write_rows(run: Run, rows: Rows) -> None:
    """Writes the rows of a batch, in the order of their kinds.

    Raises:
        ViewError: An edge names a node that no row of the batch holds.
    """
    described = {r.id for r in rows.placeholders} | {r.id for r in rows.shared}
    _run(run, texts.BARE, [{"id": key} for key in rows.bare if key not in described])
    steps = _known_steps(run, rows)
    for label, some in _by_label(rows.identities):
        _run(run, texts.IDENTITY[label], [{"id": r.id, "props": _known(r.props)} for r in some])
    snapshots = _retagged(run, rows)
    for label, some in _by_label(rows.shared):
        _run(run, texts.SHARED[label], _whole(some))
    for label, some in _by_label(rows.imported):
        _run(run, texts.IMPORTED[label], _whole(some))
    told = {*steps, *(r.id for r in rows.imported)}
    own = [r.id for r in rows.own if r.id in told and "instance" in r.props]
    _run(run, texts.OWN_AT_LAST, [{"id": key, "props": {"id": key}} for key in own])
    for label, some in _by_label(rows.own):
        _run(run, texts.OWN[label], [{"id": r.id, "props": _added(r.props)} for r in some])
    superseded = _placeholders(run, rows)
    snapshots |= _retagged(run, rows)
    _run(run, texts.TAGS, [{"id": key} for key in sorted(snapshots)])
    for kind, edges in groupby(sorted(rows.edges), key=lambda e: e.type):
        ends = [{"src": e.src, "dst": e.dst} for e in edges]
        if kind in texts.READING:
            _read(run, kind, ends, there_before=steps)
        elif kind == "RAN_IN":
            _run_edges(run, texts.EDGE[kind], [e for e in ends if e["src"] in steps])
            _run_edges(run, texts.RAN_IN_NOW, [e for e in ends if e["src"] not in steps])
        else:
            _run_edges(run, texts.EDGE[kind], ends)
    current = [r._asdict() for r in rows.current]
    _run(run, texts.UNCURRENT, current)
    _run_edges(run, texts.CURRENT, [r for r in current if r["certificate"] is not None])
    _run(run, texts.SUPERSEDED, [{"id": key} for key in superseded])
    _run(run, texts.KEEP, [{"id": p["id"], "props": _added(p)} for p in rows.keep])
    merged = [{"placeholder": p, "certificate": c} for p, c in rows.merge]
    for kind in texts.READING:
        _read(run, kind, _run(run, texts.READERS[kind], merged))
    _run(run, texts.MERGED, merged)
    _retract(run, {*rows.retracted, *(key for key, retracted in steps.items() if retracted)})


def write_applied(run: Run, news: AppliedMap) -> None:
    """Writes down what is applied now."""
    rows = []
    for (workspace, instance), last in news.items():
        props = {"workspace": workspace, "instance": instance, **last._asdict()}
        rows.append({"id": f"{workspace} {instance}", "props": props})
    _run(run, texts.SET_APPLIED, rows)


def _known_steps(run: Run, rows: Rows) -> dict[str, bool]:
    """Those of the batch's steps that are there already; whether they were retracted."""
    ids = rows.steps() | {r.id for r in rows.own}
    asked = _run(run, texts.RETRACTED, [{"id": key} for key in sorted(ids)])
    return {step["id"]: bool(step["retracted"]) for step in asked}


def _placeholders(run: Run, rows: Rows) -> list[str]:
    """Writes placeholders, superseded where the batch says so; what else it supersedes."""
    superseded = dict.fromkeys(rows.superseded)
    told: list[Json] = [{"id": r.id, "props": _added(r.props)} for r in rows.placeholders]
    over: Json = {"superseded": True}
    last = [
        {"id": row["id"], "props": {**row["props"], **over}} if row["id"] in superseded else row
        for row in told
    ]
    for answer in _run(run, texts.PLACEHOLDER, last):
        if answer["found"] != len(last):  # an import gave some a hash before
            _run(run, texts.PLACEHOLDER_AT_LAST, told)
            return list(superseded)
    written = {row["id"] for row in told}
    return [key for key in superseded if key not in written]


def _retract(run: Run, steps: Iterable[str]) -> None:
    """Takes the edges of retracted steps, which may have come before or after that, out of use."""
    found = [{"id": key} for key in sorted(steps)]
    for text in texts.RETRACT:
        _run(run, text, found)


def _run(run: Run, text: str, rows: list[Json]) -> list[Json]:
    return run(text, rows) if rows else []


def _run_edges(run: Run, text: str, rows: list[Json]) -> None:
    """An edge whose end is missing would be dropped in silence by MATCH."""
    for answer in _run(run, text, rows):
        if answer["found"] != len(rows):
            raise ViewError(
                f"the graph lacks {len(rows) - answer['found']} nodes that edges name",
                hint="Fold it anew: dws graph rebuild.",
            )


def _read(
    run: Run, kind: str, edges: list[Json], there_before: Container[str] | None = None
) -> None:
    """Makes those of the edges from certificates to steps that are not there yet.

    Args:
        run: Runs a text.
        kind: Of the edges.
        edges: Their ends.
        there_before: The steps that may have some; None for all.
    """
    steps = {e["dst"] for e in edges}
    old = sorted(key for key in steps if there_before is None or key in there_before)
    there = {(e["src"], e["dst"]) for e in _run(run, texts.READ[kind], [{"id": k} for k in old])}
    new = dict.fromkeys((e["src"], e["dst"]) for e in edges)
    rows = [{"src": src, "dst": dst} for src, dst in new if (src, dst) not in there]
    _run_edges(run, texts.READ_NOW[kind], rows)


def _retagged(run: Run, rows: Rows) -> set[str]:
    """The snapshots whose tags the batch may change; asked before and after its Tag rows."""
    found = {r.id for r in (*rows.identities, *rows.shared) if r.label == "Snapshot"}
    tags = [{"id": r.id} for r in rows.shared if r.label == "Tag"]
    found |= {answer["id"] for answer in _run(run, texts.SNAPSHOTS_OF_TAGS, tags)}
    return found - {""}


def _by_label(rows: Iterable[NodeRow]) -> list[tuple[str, list[NodeRow]]]:
    ordered = sorted(rows, key=lambda r: r.label)
    return [(label, list(some)) for label, some in groupby(ordered, key=lambda r: r.label)]


def _whole(rows: Iterable[NodeRow]) -> list[Json]:
    return [{"id": r.id, "at": r.props["at"], "props": _known(r.props)} for r in rows]


def _known(props: Json) -> dict[str, Any]:
    """Properties as a whole: none that is None."""
    return {key: value for key, value in props.items() if value is not None}


def _added(props: Json) -> dict[str, Any]:
    """Properties to add, of which None takes one away; the id cannot be set again."""
    return {key: value for key, value in props.items() if key != "id"}
