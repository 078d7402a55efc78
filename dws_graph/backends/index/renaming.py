"""What renamed resources: few facts, all of them asked for at once."""

from __future__ import annotations

from dws_graph.backends.index.store import Store
from dws_graph.model.facts import Fact

RENAMES = "SELECT fact FROM rename ORDER BY id"


def renames(store: Store) -> list[Fact]:
    """The facts that renamed resources, of all instances, by id."""
    return [Fact.from_line(line) for (line,) in store.rows(RENAMES)]
