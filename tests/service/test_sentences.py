"""Every sentence of what the pages offer has a test that says so; see sentences.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.service.sentences import SENTENCES


def named() -> Iterator[str]:
    """The key of each mark of a test, or of all tests of a file."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.sentence":
                yield from (str(ast.literal_eval(argument)) for argument in node.args)


def test_every_sentence_has_a_test():
    assert set(named()) == set(SENTENCES)
