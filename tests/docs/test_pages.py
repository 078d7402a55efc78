"""Pages that are made from the code, or lead into it, are true."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [*DOCS.glob("*.md"), *DOCS.parent.glob("*.md")]


def test_the_page_of_commands_is_what_the_commands_say():
    spec = importlib.util.spec_from_file_location("make_cli_page", DOCS / "make_cli_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert (DOCS / "cli.md").read_text(encoding="utf-8") == module.page(), "run: make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("image", sorted((DOCS / "images").iterdir()), ids=lambda p: p.name)
def test_every_picture_is_shown_and_small_enough_for_each_clone(image):
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    assert any(re.search(rf'images/{re.escape(image.name)}[)"]', page) for page in pages)
    assert image.stat().st_size < 300_000


def test_every_heading_that_the_code_quotes_is_in_the_page():
    headings = set(re.findall(r"^#+ (.+)$", (DOCS / "formats.md").read_text(), re.M))
    code = DOCS.parent / "dws_graph"
    quoted = set()
    for path in code.rglob("*.py"):
        text = re.sub(r"\s+", " ", path.read_text(encoding="utf-8"))
        quoted |= set(re.findall(r'docs/formats\.md, "([^"]+)"', text))

    assert quoted
    assert quoted <= headings
