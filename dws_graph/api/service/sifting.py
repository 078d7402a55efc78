"""A filter, applied to a piece of the graph: what it asks the views for, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from dws_graph.api.past import Marks
from dws_graph.api.service.sources import Source
from dws_graph.backends.views import Questions
from dws_graph.errors import SelectionError, some_of
from dws_graph.model.selecting import Known, select
from dws_graph.model.selection import Selection, Term, terms_in
from dws_graph.model.subgraph import Subgraph
from dws_graph.model.ways import nearest_first, only

Stale = Callable[[], Marks]
MOST_SNAPSHOTS = 50  # that a filter's tags may fit


class Sifted(NamedTuple):
    """What is left of a piece, and how many nodes a limit and a filter have left out."""

    found: Subgraph
    left_out: int = 0
    filtered: int = 0


def sifted(
    source: Source,
    found: Subgraph,
    selection: Selection | None,
    *,
    starts: Collection[str] = (),
    most: int | None = None,
    stale: Stale,
) -> Sifted:
    """What a filter selects of a piece; of too much the nearest to the starts.

    Raises:
        SelectionError: A tag is no snapshot's.
    """
    keys = None if selection is None else keys_of(source, found, selection, stale)
    fitting = len(found.nodes) if keys is None else len(keys)
    filtered = len(found.nodes) - fitting
    left = found if keys is None else only(found, keys)
    if most is None or fitting <= most:
        return Sifted(left, filtered=filtered)
    nearest = [key for key in nearest_first(found, starts) if keys is None or key in keys]
    return Sifted(_part(left, frozenset(nearest[:most])), fitting - most, filtered)


def _part(found: Subgraph, keys: frozenset[str]) -> Subgraph:
    """A part, with the edges between its nodes alone."""
    return Subgraph(
        root=found.root,
        complete=found.complete,
        nodes=tuple(n for n in found.nodes if n.key in keys),
        edges=tuple(e for e in found.edges if e.source in keys and e.target in keys),
    )


def keys_of(source: Source, found: Subgraph, selection: Selection, stale: Stale) -> frozenset[str]:
    """The nodes of a piece that a filter selects; `stale`: asked for where it matters.

    Raises:
        SelectionError: A tag is no snapshot's.
    """
    terms = list(terms_in(selection))
    asked = {term.key for term in terms}
    known = Known(
        stale=stale() if asked & {"is", "stale"} else {},
        tagged=source.ask(lambda q: _tagged(q, found, terms)) if "tag" in asked else {},
        workspaces=(
            source.ask(lambda q: q.workspace_names(found.workspaces()))
            if "workspace" in asked
            else {}
        ),
    )
    return select(selection, found, known)


def _tagged(q: Questions, found: Subgraph, terms: Collection[Term]) -> Mapping[str, frozenset[str]]:
    """What the snapshots contain whose tags, or whole hashes, are asked for."""
    wanted = [term for term in terms if term.key == "tag"]
    shots = [s for workspace in sorted(found.workspaces()) for s in q.snapshots(workspace)]
    known = [(name, shot) for shot in shots for name in (*shot.tags, shot.hash)]
    for term in wanted:
        if not any(term.fits(name) for name, _ in known):
            tags = [tag for shot in reversed(shots) for tag in shot.tags]
            raise SelectionError(
                f"no snapshot here has the tag '{term.text}'",
                term=str(term),
                hint=f"There is {some_of(tags)}." if tags else "None here has a tag.",
            )
    fitting = [(name, s) for name, s in known if any(term.fits(name) for term in wanted)]
    if len(fitting) > MOST_SNAPSHOTS:
        raise SelectionError(
            f"the tags of {len(fitting)} snapshots fit, and {MOST_SNAPSHOTS} may",
            term=str(wanted[0]),
            hint="Ask for fewer of them.",
        )
    held: dict[str, frozenset[str]] = {}
    for name, shot in fitting:
        inside = q.snapshot_certificates(shot.workspace, shot.hash)
        keys = {shot.id, *(one.certificate.id for one in inside)}
        held[name] = held.get(name, frozenset()) | keys
    return held
