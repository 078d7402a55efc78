"""Which nodes of a piece are shown: a filter's text, and inputs beside it that compose with it."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Depends, Query

from dws_graph.errors import SelectionError
from dws_graph.model.selection import Key, Selection, Term, both
from dws_graph.model.selection_text import parsed
from dws_graph.model.subgraph import Subgraph
from dws_graph.model.values import parsed_time

KINDS = (("step", "steps"), ("data", "data"), ("code", "code"))
MOST_RESOURCES = 500  # to choose from
Words = Annotated[str | None, Query(max_length=10_000)]
_OTHERS: tuple[tuple[str, Key], ...] = (
    ("kind", "kind"),
    ("resource", "resource"),
    ("since", "since"),
    ("until", "before"),
)


class Choice(NamedTuple):
    """What was asked for; None: all."""

    filter: str | None
    kind: str | None
    resource: str | None
    since: str | None
    until: str | None

    def selection(self) -> Selection | None:
        """All of it as one filter.

        Raises:
            SelectionError: It cannot be understood.
        """
        return both(parsed(self.filter or ""), *(self._other(*one) for one in _OTHERS))

    def _other(self, name: str, key: Key) -> Selection | None:
        value = getattr(self, name)
        if value is None:
            return None
        term = Term(key, value, exact=True)
        try:
            parsed(str(term))
        except SelectionError as e:  # its places are none of the filter's text
            raise SelectionError(e.message.partition(" (")[0], hint=e.hint) from e
        return term

    @property
    def moments(self) -> dict[str, str]:
        """The times as an input of a page holds them: UTC, to the minute."""
        return {"since": _of_input(self.since), "until": _of_input(self.until)}


def _of_input(text: str | None) -> str:
    try:
        return parsed_time(text)[:16] if text else ""
    except (ValueError, OverflowError):
        return ""


async def wanted_choice(
    filter: Words = None,
    kind: Words = None,
    resource: Words = None,
    since: Words = None,
    until: Words = None,
) -> Choice:
    """What a request asks for; an empty input of a form asks for nothing."""
    return Choice(filter or None, kind or None, resource or None, since or None, until or None)


WantedChoice = Annotated[Choice, Depends(wanted_choice)]


class Mistake(NamedTuple):
    """What is wrong with a filter, and its text around the place."""

    said: str
    hint: str
    before: str = ""
    there: str = ""
    behind: str = ""


def mistake(text: str, error: SelectionError) -> Mistake:
    """An error as the page shows it: what it is about is marked in the text."""
    start, end = error.start, error.end
    if start is None or end is None:
        start = text.find(error.term) if error.term else -1
        if start < 0:
            return Mistake(error.message, error.hint)
        end = start + len(error.term)
    there = text[start:end] or "\N{OPEN BOX}"  # where something is missing
    return Mistake(error.message, error.hint, text[:start], there, text[end:])


def resources_in(found: Subgraph) -> list[str]:
    """The resources of a piece, to choose from."""
    names = {node.properties.get("resource") for node in found.nodes}
    return sorted(str(name) for name in names if name)[:MOST_RESOURCES]
