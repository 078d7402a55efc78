"""Every sentence of what the pages offer has a test that says so; see sentences.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.service.sentences import SENTENCES


def named() -> Iterator[tuple[str, str]]:
    """Key and name of each test that shows a sentence."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                yield from ((key, f"{path.name}::{node.name}") for key in _keys(node))


def _keys(node: ast.FunctionDef) -> Iterator[str]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.sentence":
            yield from (str(ast.literal_eval(argument)) for argument in mark.args)


def test_every_sentence_has_a_test():
    found = list(named())

    assert {key for key, _ in found} == set(SENTENCES)
