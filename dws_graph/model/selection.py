"""What a filter of the graph says: an expression over terms, and its text.

    +model                  what model was made from, and model
    kind:step and since:2026-11-01
    (role:results or tag:v1) and not is:stale

`selection_text.parsed` makes it of a text, `selecting.select` finds what it means in a piece of the
graph. Source: docs/service.md, "Filters".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import Literal, get_args

Key = Literal[
    "name",
    "kind",
    "role",
    "resource",
    "workspace",
    "status",
    "tag",
    "is",
    "stale",
    "since",
    "before",
]
KEYS: tuple[Key, ...] = get_args(Key)
VALUES: dict[Key, tuple[str, ...]] = {
    "kind": ("step", "data", "code", "snapshot"),
    "role": ("source-data", "intermediate-data", "code", "results"),
    "status": ("completed", "failed", "hashed", "pending", "not kept"),
    "is": ("stale",),
}
TIMES: tuple[Key, ...] = ("since", "before")
RESERVED = frozenset({"and", "or", "not"})
ALL = math.inf  # steps, however many
_PLAIN = re.compile(r"[A-Za-z_*?./][\w*?./-]*")


@dataclass(frozen=True, slots=True)
class Term:
    """Nodes of which one thing is so: `text` is a pattern with `*` and `?`, unless it is exact."""

    key: Key
    text: str
    exact: bool = False

    def fits(self, said: str) -> bool:
        """Whether what is said of a node is what the term asks for."""
        if self.exact or not re.search(r"[*?]", self.text):
            return said == self.text
        return re.match(translate(self.text.replace("[", "[[]")), said) is not None

    def __str__(self) -> str:
        """Its text."""
        if self.exact:
            quoted = re.sub(r'(["\\])', r"\\\1", self.text)
            return f'"{quoted}"' if self.key == "name" else f'{self.key}:"{quoted}"'
        plain = _PLAIN.fullmatch(self.text) and self.text.lower() not in RESERVED
        return self.text if self.key == "name" and plain else f"{self.key}:{self.text}"


@dataclass(frozen=True, slots=True)
class Around:
    """What is selected, and what lies so many steps up and down from there; 0: the data beside."""

    of: Selection
    up: float | None = None
    down: float | None = None

    def __str__(self) -> str:
        """Its text."""
        up = "" if self.up is None else f"{_steps(self.up)}+"
        down = "" if self.down is None else f"+{_steps(self.down)}"
        return f"{up}{_within(self.of, Term)}{down}"


@dataclass(frozen=True, slots=True)
class Not:
    """All but what is selected."""

    of: Selection

    def __str__(self) -> str:
        """Its text."""
        return f"not {_within(self.of, Term, Around, Not)}"


@dataclass(frozen=True, slots=True)
class And:
    """What all of several select."""

    parts: tuple[Selection, ...]

    def __str__(self) -> str:
        """Its text."""
        return " and ".join(_within(part, Term, Around, Not) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or:
    """What any of several selects."""

    parts: tuple[Selection, ...]

    def __str__(self) -> str:
        """Its text."""
        return " or ".join(_within(part, Term, Around, Not, And) for part in self.parts)


Selection = Term | Around | Not | And | Or


def _steps(many: float) -> str:
    return "" if many == ALL else str(int(many))


def _within(part: Selection, *plain: type) -> str:
    """The text of a part, in parentheses unless it is one of these."""
    return str(part) if isinstance(part, plain) else f"({part})"


def both(*parts: Selection | None) -> Selection | None:
    """What all of several select, of which some may be missing."""
    there = tuple(part for part in parts if part is not None)
    return And(there) if len(there) > 1 else there[0] if there else None


def terms_in(selection: Selection) -> Iterator[Term]:
    """All terms of an expression."""
    if isinstance(selection, Term):
        yield selection
        return
    parts = selection.parts if isinstance(selection, (And, Or)) else (selection.of,)
    for part in parts:
        yield from terms_in(part)
