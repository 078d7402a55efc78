"""Sentences for people, as text, Markdown and HTML.

A sentence is made of words of ours and names of users; the names are marked, and escaped as each
format asks, so that none is ever taken for markup.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from dws_graph.render.look import FONTS, TONES
from dws_graph.render.text import clean

WIDTH = 92
DIGITS = 8
_GAP = re.compile(r"(\{\})")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&#|!~])")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text; `name` marks what is a user's or a program's, not ours."""

    text: str
    name: bool = False


Sentence = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with sentences below it, then perhaps numbered ones, and lines for a shell."""

    heading: str
    sentences: tuple[Sentence, ...] = ()
    numbered: tuple[Sentence, ...] = ()
    commands: tuple[str, ...] = ()


def sentence(template: str, *names: str) -> Sentence:
    """A sentence whose `{}` are names."""
    rest = iter(names)
    parts = [part for part in _GAP.split(template) if part]
    return tuple(Piece(next(rest), name=True) if p == "{}" else Piece(p) for p in parts)


def joined(sentences: Iterable[Sentence], between: str = " ") -> Sentence:
    """Several sentences as one."""
    out: list[Piece] = []
    for one in sentences:
        out += [*([Piece(between)] if out else []), *one]
    return tuple(out)


def names(many: Iterable[str], *, more: int = 0) -> Sentence:
    """Names as a list; `more` are not shown but counted."""
    said = [sentence("{}", name) for name in many]
    if more > 0:
        said.append(sentence(f"{more} more"))
    return listing(said)


def listing(many: Sequence[Sentence]) -> Sentence:
    """`a`, `a and b`, `a, b and c`."""
    if len(many) < 2:
        return joined(many)
    return (*joined(many[:-1], ", "), *sentence(" and "), *many[-1])


def short(value: str) -> str:
    """The first digits of a hash; words as they are."""
    return value[:DIGITS] if len(value) >= 40 else value


def plain(said: Sentence) -> str:
    """A sentence as text."""
    return "".join(clean(piece.text) for piece in said)


def to_text(title: str, sections: Sequence[Section]) -> str:
    """For a terminal: wrapped; commands are never broken."""
    return "\n".join([clean(title), *_text_lines(sections)]) + "\n"


def _text_lines(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield ""
        yield section.heading
        for said in section.sentences:
            yield _wrapped(plain(said), "  ", "  ")
        for n, said in enumerate(section.numbered, 1):
            yield _wrapped(plain(said), f"{n:>4}. ", " " * 6)
        yield from (f"    {clean(line)}" for line in section.commands)


def _wrapped(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """With headings; names are code."""
    return "\n".join([f"# {_escaped(clean(title))}", *_markdown_lines(sections)]) + "\n"


def _markdown_lines(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield f"\n## {_escaped(section.heading)}"
        for said in section.sentences:
            yield f"\n{_markdown(said)}"
        if section.numbered:
            yield ""
        yield from (f"{n}. {_markdown(said)}" for n, said in enumerate(section.numbered, 1))
        if section.commands:
            lines = [clean(line) for line in section.commands]
            fence = _fence("\n".join(lines), 3)
            yield "\n".join(["", f"{fence}sh", *lines, fence])


def _markdown(said: Sentence) -> str:
    return "".join(_code(clean(p.text)) if p.name else _escaped(clean(p.text)) for p in said)


def _code(text: str) -> str:
    """A code span: its fence is longer than any run of backticks in it."""
    fence = _fence(text, 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def to_html(title: str, sections: Sequence[Section]) -> str:
    """A page of its own: no script, nothing from the network."""
    light = ";".join(f"--{name}:{tone.light}" for name, tone in TONES.items())
    dark = ";".join(f"--{name}:{tone.dark}" for name, tone in TONES.items())
    body = "\n".join(_html_lines(sections))
    heading = escape(clean(title))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<style>
:root {{ color-scheme: light dark; {light} }}
@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
body {{ max-width: 46em; margin: 2em auto; padding: 0 1em; background: var(--page);
  color: var(--text); font: 15px/1.55 {FONTS}; overflow-wrap: anywhere; }}
h1 {{ font-size: 1.35em; }}
h2 {{ margin: 1.6em 0 .4em; font-size: 1.05em; }}
p, ol {{ margin: .4em 0; }}
code {{ padding: .05em .3em; border-radius: 4px; background: var(--code-fill); font-size: .93em; }}
pre {{ padding: .7em 1em; border: 1px solid var(--rule); border-radius: 6px;
  background: var(--panel); overflow-x: auto; }}
pre code {{ padding: 0; background: none; }}
</style>
</head>
<body>
<h1>{heading}</h1>
{body}
</body>
</html>
"""


def _html_lines(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        yield f"<h2>{escape(section.heading)}</h2>"
        yield from (f"<p>{_html(said)}</p>" for said in section.sentences)
        if section.numbered:
            yield "<ol>"
            yield from (f"<li>{_html(said)}</li>" for said in section.numbered)
            yield "</ol>"
        if section.commands:
            lines = "\n".join(escape(clean(line)) for line in section.commands)
            yield f"<pre><code>{lines}</code></pre>"


def _html(said: Sentence) -> str:
    return "".join(
        f"<code>{escape(clean(p.text))}</code>" if p.name else escape(clean(p.text)) for p in said
    )
