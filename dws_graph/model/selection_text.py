"""The text of a filter, read: errors point at the place, and say what is expected there.

    any    := all ("or" all)*
    all    := one ("and" one)*
    one    := "not" one | [[N] "+"] item ["+" [N]]
    item   := "(" any ")" | [KEY ":"] WORD | [KEY ":"] "quoted"

A `+` touches what it is about, so `a + b` is refused rather than guessed at.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dws_graph.errors import SelectionError
from dws_graph.model.selection import (
    ALL,
    KEYS,
    RESERVED,
    TIMES,
    VALUES,
    And,
    Around,
    Key,
    Not,
    Or,
    Selection,
    Term,
)
from dws_graph.model.values import parsed_time

LONGEST, DEEPEST, MOST_TERMS = 2_000, 30, 50
FARTHEST = 100_000  # steps, as a number
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<mark>[()+])
    |(?:(?P<key>[A-Za-z]+):)?(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<word>[^\s()+"']+)""",
    re.VERBOSE | re.DOTALL,
)
ITEM = "a name, KEY:VALUE, or parentheses"


class _Token(NamedTuple):
    """A piece of the text: `(`, `)`, `+`, `word`, `quoted`, or its `end`."""

    kind: str
    text: str
    start: int
    end: int
    key: str | None = None

    def touches(self, other: _Token) -> bool:
        """Whether the other follows at once."""
        return self.end == other.start

    def says(self, word: str) -> bool:
        """Whether it is this word of the language."""
        return self.kind == "word" and self.text.lower() == word


def parsed(text: str) -> Selection | None:
    """What a filter says; None where it says nothing.

    Raises:
        SelectionError: It cannot be understood.
    """
    if len(text) > LONGEST:
        raise SelectionError(
            f"the filter has {len(text)} characters, and may have {LONGEST}", LONGEST, len(text)
        )
    reader = _Reader(_tokens(text))
    if reader.next.kind == "end":
        return None
    found = reader.any_of()
    if reader.next.kind != "end":
        raise reader.unexpected("'and', 'or', or the end")
    return found


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:  # only a quote can begin what nothing ends
            raise SelectionError(
                "a quotation is not closed",
                at,
                len(text),
                hint=f"End it with {text[at]}, or write \\{text[at]} in it.",
            )
        if match["mark"]:
            found.append(_Token(match["mark"], match["mark"], at, match.end()))
        elif match["quoted"]:
            said = re.sub(r"\\(.)", r"\1", match["quoted"][1:-1], flags=re.DOTALL)
            found.append(_Token("quoted", said, at, match.end(), match["key"]))
        elif match["word"]:
            found.append(_Token("word", match["word"], at, match.end()))
        at = match.end()
    return [*found, _Token("end", "", len(text), len(text))]


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = self._deep = self._terms = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at]

    def _ahead(self, by: int) -> _Token:
        return self._tokens[min(self._at + by, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        taken = self.next
        self._at += 1
        return taken

    def unexpected(self, expected: str) -> SelectionError:
        """That something else stands here."""
        here = self.next
        if here.kind == "end":
            return SelectionError(f"the filter ends where {expected} is expected", here.start)
        hint = 'A + touches the name it is about; quote a name that has one: "a+b".'
        return SelectionError(
            f"'{here.text}' stands where {expected} is expected",
            here.start,
            here.end,
            hint=hint if here.kind == "+" else "",
        )

    def any_of(self) -> Selection:
        parts = [self._all_of()]
        while self.next.says("or"):
            self._take()
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _all_of(self) -> Selection:
        parts = [self._one()]
        while self.next.says("and"):
            self._take()
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _one(self) -> Selection:
        if not self.next.says("not"):
            return self._around()
        self._deeper()
        self._take()
        found = Not(self._one())
        self._deep -= 1
        return found

    def _deeper(self) -> None:
        self._deep += 1
        if self._deep > DEEPEST:
            raise SelectionError(
                f"the filter is nested more than {DEEPEST} deep", self.next.start, self.next.end
            )

    def _around(self) -> Selection:
        up, down = self._steps_before(), None
        item = self._item()
        if self.next.kind == "+" and self._tokens[self._at - 1].touches(self.next):
            plus = self._take()
            far = (
                self.next.kind == "word" and self.next.text.isdecimal() and plus.touches(self.next)
            )
            down = self._number() if far else ALL
        return item if up is None and down is None else Around(item, up, down)

    def _steps_before(self) -> float | None:
        if self.next.kind == "+":
            self._touching(self._take())
            return ALL
        plus, item = self._ahead(1), self._ahead(2)
        counts = self.next.kind == "word" and self.next.text.isdecimal()
        follows = plus.touches(item) and item.kind in ("word", "quoted", "(")
        if not (counts and follows and plus.kind == "+" and self.next.touches(plus)):
            return None
        steps = self._number()
        self._take()
        return steps

    def _touching(self, plus: _Token) -> None:
        if not plus.touches(self.next):
            raise SelectionError(
                "a + touches what it is about",
                plus.start,
                plus.end,
                hint="Write +NAME for what NAME was made from, NAME+ for what was made from it.",
            )

    def _number(self) -> int:
        token = self._take()
        if len(token.text) > len(str(FARTHEST)) or int(token.text) > FARTHEST:
            raise SelectionError(
                f"'{token.text}' steps are too many", token.start, token.end, hint="Leave it out."
            )
        return int(token.text)

    def _item(self) -> Selection:
        if self.next.kind == "(":
            opened = self._take()
            self._deeper()
            found = self.any_of()
            self._deep -= 1
            if self.next.kind == "end":
                raise SelectionError("a parenthesis is not closed", opened.start, opened.end)
            if self.next.kind != ")":
                raise self.unexpected("'and', 'or' or ')'")
            self._take()
            return found
        is_word = self.next.kind == "word" and self.next.text.lower() not in RESERVED
        if not is_word and self.next.kind != "quoted":
            raise self.unexpected(ITEM)
        self._terms += 1
        if self._terms > MOST_TERMS:
            raise SelectionError(
                f"the filter has more than {MOST_TERMS} terms", self.next.start, self.next.end
            )
        return _term(self._take())


def _term(token: _Token) -> Term:
    """A name, or KEY:VALUE; `resource:/path` is a name, too."""
    exact = token.kind == "quoted"
    head, colon, rest = token.text.partition(":") if not exact else (token.key or "", "", "")
    if not exact and (not colon or (head not in KEYS and rest.startswith("/"))):
        return Term("name", token.text)
    if exact and token.key is None:
        return Term("name", token.text, exact=True)
    value = token.text if exact else rest
    key = next((key for key in KEYS if key == head.lower()), None)
    if key is None:
        there_are = ", ".join(f"{one}:" for one in KEYS)
        raise SelectionError(
            f"there is no '{head}:' to select by",
            token.start,
            token.start + len(head) + 1,
            hint=f"There are {there_are}; quote a name that has a colon.",
        )
    _check(key, value, token.start + len(head) + 1, token.end)
    return Term(key, value, exact)


def _check(key: Key, value: str, start: int, end: int) -> None:
    if not value:
        raise SelectionError(f"after '{key}:' comes a value, at once", start - len(key) - 1, end)
    if key in VALUES and value not in VALUES[key]:
        known = ", ".join(f'"{one}"' if " " in one else one for one in VALUES[key])
        raise SelectionError(
            f"'{value}' is no {key}" if key != "is" else f"nothing is '{value}'",
            start,
            end,
            hint=f"There is {key}: with {known}.",
        )
    if key in TIMES:
        try:
            parsed_time(value)
        except (ValueError, OverflowError) as e:
            raise SelectionError(
                f"'{value}' is no time",
                start,
                end,
                hint="Give ISO 8601: 2026-11-01, or 2026-11-01T12:00:00Z.",
            ) from e
