"""Facts in: the rows of a batch as Cypher, for any engine that runs `texts`."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from itertools import groupby
from typing import Any

from dws_graph.backends.faults import fault
from dws_graph.backends.graph import texts
from dws_graph.backends.overviews import Told
from dws_graph.backends.views import AppliedMap
from dws_graph.errors import ViewError
from dws_graph.model.rows import NodeRow, Rows
from dws_graph.model.values import Json

Run = Callable[[str, list[Json]], list[Json]]
"""Runs a text with its `$rows` in the transaction; returns the rows of its answer."""
Ends = tuple[str, str]
"""The ids of an edge's source and target."""


def write_rows(run: Run, rows: Rows) -> None:
    """Writes the rows of a batch, in the order of their kinds.

    Raises:
        ViewError: An edge names a node that no row of the batch holds.
    """
    described = {r.id for r in rows.placeholders} | {r.id for r in rows.shared}
    _run(run, texts.BARE, [{"id": key} for key in rows.bare if key not in described])
    steps = _known_steps(run, rows)
    fault("graph: nodes")
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
    superseded, new = _placeholders(run, rows)
    snapshots |= _retagged(run, rows)
    _run(run, texts.TAGS, [{"id": key} for key in sorted(snapshots)])
    by_kind: dict[str, list[Ends]] = {}
    for kind, src, dst in rows.edges:
        by_kind.setdefault(kind, []).append((src, dst))
    for kind in sorted(by_kind):
        _edges(run, kind, by_kind[kind], steps, new)
    current = [r._asdict() for r in rows.current]
    _run(run, texts.UNCURRENT, current)
    known = [r for r in current if r["certificate"] is not None]
    _expect(len(known), _run(run, texts.CURRENT, known))
    _run(run, texts.SUPERSEDED, [{"id": key} for key in superseded])
    _run(run, texts.KEEP, [{"id": p["id"], "props": _added(p)} for p in rows.keep])
    merged = [{"placeholder": p, "certificate": c} for p, c in rows.merge]
    for kind in texts.READING:
        _run(run, texts.READERS[kind], merged)
    _run(run, texts.MERGED, merged)
    _retract(run, {*rows.retracted, *(key for key, retracted in steps.items() if retracted)})


def write_applied(run: Run, news: AppliedMap, told: Mapping[tuple[str, str], Told]) -> None:
    """Writes down what is applied now, and what the instances told of themselves."""
    rows = []
    for (workspace, instance), last in news.items():
        known = _known(told[workspace, instance]._asdict())
        props = {"workspace": workspace, "instance": instance, **last._asdict(), **known}
        rows.append({"id": f"{workspace} {instance}", "props": props})
    _run(run, texts.SET_APPLIED, rows)


def _known_steps(run: Run, rows: Rows) -> dict[str, bool]:
    """Those of the batch's steps that are there already; whether they were retracted."""
    asked = _run(run, texts.RETRACTED, [{"id": key} for key in sorted(rows.steps())])
    return {step["id"]: bool(step["retracted"]) for step in asked}


def _placeholders(run: Run, rows: Rows) -> tuple[list[str], set[str]]:
    """Writes placeholders, superseded where the batch says so.

    Returns:
        What else it supersedes; and those of which nothing was told before.
    """
    superseded = dict.fromkeys(rows.superseded)
    told: list[Json] = []
    for row in rows.placeholders:
        props = _added(row.props)
        if row.id in superseded:
            props["superseded"] = True
        told.append({"id": row.id, "props": props})
    for answer in _run(run, texts.PLACEHOLDER, told):
        if answer["found"] != len(told):  # an import gave some a hash before
            more = [{"id": r.id, "props": _added(r.props)} for r in rows.placeholders]
            _run(run, texts.PLACEHOLDER_AT_LAST, more)
            return list(superseded), set()
        written = {row["id"] for row in told}
        return [key for key in superseded if key not in written], written - set(answer["known"])
    return list(superseded), set()


def _retract(run: Run, steps: Iterable[str]) -> None:
    """Takes the edges of retracted steps, which may have come before or after that, out of use."""
    found = [{"id": key} for key in sorted(steps)]
    for text in texts.RETRACT:
        _run(run, text, found)


def _run(run: Run, text: str, rows: list[Json]) -> list[Json]:
    return run(text, rows) if rows else []


def _edges(
    run: Run, kind: str, edges: list[Ends], steps: Container[str], new: Container[str]
) -> None:
    """Makes those edges of a kind that are not there yet.

    Args:
        run: Runs a text.
        kind: Of the edges.
        edges: Their ends.
        steps: Those that were there before; another has no edges yet.
        new: Placeholders that have no edges but to steps.
    """
    at = 1 if kind in texts.READING else 0
    if kind in texts.OF_STEPS:
        fresh = [ends for ends in edges if ends[at] not in steps]
    else:
        fresh = [ends for ends in edges if kind == "STATE_OF" and ends[0] in new]
    _run_edges(run, texts.EDGE_NOW, kind, fresh)
    if len(fresh) == len(edges):
        return
    made = set(fresh)
    known = [ends for ends in edges if ends not in made]
    if kind in texts.READING:
        _read(run, kind, known)
    else:
        _run_edges(run, texts.EDGE, kind, known)


def _read(run: Run, kind: str, edges: list[Ends]) -> None:
    """Makes those of the edges from certificates to steps that are not there yet."""
    steps = [{"id": key} for key in sorted({dst for _, dst in edges})]
    there = {(e["src"], e["dst"]) for e in _run(run, texts.READ[kind], steps)}
    new = [ends for ends in dict.fromkeys(edges) if ends not in there]
    _run_edges(run, texts.EDGE_NOW, kind, new)


def _run_edges(run: Run, some: Mapping[str, str], kind: str, edges: list[Ends]) -> None:
    """Runs the text of this kind among some."""
    by_end: dict[str, list[str]] = {}
    for src, dst in edges:
        end, other = (dst, src) if kind in texts.BY_TARGET else (src, dst)
        by_end.setdefault(end, []).append(other)
    rows = [{"id": end, "others": others} for end, others in by_end.items()]
    if rows:
        _expect(len(edges), run(some[kind], rows))


def _expect(count: int, answers: Iterable[Json]) -> None:
    """An edge whose end is missing would be dropped in silence by MATCH."""
    for answer in answers:
        if answer["found"] != count:
            raise ViewError(
                f"the graph lacks {count - answer['found']} nodes that edges name",
                hint="Fold it anew: dws graph rebuild.",
            )


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
    added = dict(props)
    del added["id"]
    return added
