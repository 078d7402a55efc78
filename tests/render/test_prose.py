"""Sentences with names of users in them, in each format."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dws_graph.render.prose import Section, sentence, to_html, to_markdown, to_text
from dws_graph.render.text import clean
from tests.render.samples import HOSTILE

NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


class Read(HTMLParser):
    """The elements of a page, and the text of each kind of element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.codes: list[str] = []
        self._inside: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._inside.append(tag)
        if tag == "code":
            self.codes.append("")

    def handle_endtag(self, tag):
        self._inside.remove(tag)

    def handle_data(self, data):
        if self._inside and self._inside[-1] == "code":
            self.codes[-1] += data


def story(name: str) -> list[Section]:
    return [
        Section(heading="What", sentences=(sentence("It is {} now.", name),)),
        Section(heading="Why", numbered=(sentence("{} did it.", name),), commands=(f"run {name}",)),
    ]


@given(NAMES)
def test_a_name_in_html_is_never_markup(name):
    read = Read(to_html(name, story(name)))
    harmless = Read(to_html("harmless", story("harmless")))

    assert read.tags == harmless.tags
    assert read.codes == [clean(name), clean(name), f"run {clean(name)}"]


@given(NAMES)
def test_a_name_in_markdown_is_code_and_nothing_else(name):
    tokens = MarkdownIt().parse(to_markdown("title", story(name)))
    inline = [child for t in tokens if t.type == "inline" for child in t.children]
    codes = [child.content.strip() for child in inline if child.type == "code_inline"]

    assert {child.type for child in inline} <= {"text", "code_inline"}
    if clean(name).strip():
        assert codes == [clean(name).strip()] * 2
    assert [t.content for t in tokens if t.type == "fence"] == [f"run {clean(name)}\n"]


def test_text_is_wrapped_and_commands_are_not():
    text = to_text("Title", story("a " * 100))

    lines = text.splitlines()
    assert lines[:3] == ["Title", "", "What"]
    assert [line for line in lines if len(line) > 92] == ["    run " + ("a " * 100)]
    assert text.count("\n   1. a a") == 1


def test_a_page_loads_nothing_and_runs_nothing():
    page = to_html("t", story("x"))

    assert "default-src 'none'" in page
    assert not re.findall(r"<script|(?:src|href)=|@import|url\(", page)
