"""The tests that hold for several views do not ask which one they have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CONTRACTS = [
    *HERE.glob("test_contract_*.py"),
    *(HERE / name for name in ("test_questions.py", "test_reaching.py", "test_stale_questions.py")),
    HERE.parent / "demo" / "test_cookbook.py",
]
BRANCH = re.compile(r"\.name\s*[!=]=|isinstance\([^)]*(Index|Graph)|view\s*[!=]=")


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_a_contract_has_no_branch_on_the_views_name(path: Path):
    text = path.read_text()

    assert re.search(r"\b(views|told|folded|view)\b", text)
    assert not BRANCH.search(text)
    for name in ("index", "cypher", "neo4j"):
        compared = rf"""(if|elif|and|or|==|!=|\bin) \(?["']{name}["']"""
        assert not re.search(compared, text), name


def test_the_pattern_finds_branches():
    assert BRANCH.search('if view.name == "neo4j":')
    assert BRANCH.search("if isinstance(view, Neo4jGraph):")
