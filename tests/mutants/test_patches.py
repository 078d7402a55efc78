"""The patches that `make mutants` tries apply to the code as it is, and name tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.mutants.run import ROOT, Mutant, git_apply, read_mutants

MUTANTS = read_mutants()
OUR_SECTIONS = {"2", "3", "4"}
AGAIN = "make the patch again: change the code, git diff -U1 below its header, undo the change"
each = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


def test_there_are_mutants_of_each_section():
    assert {mutant.rule[0] for mutant in MUTANTS} == OUR_SECTIONS
    assert len({mutant.rule for mutant in MUTANTS}) >= 12


@each
def test_a_patch_applies_to_the_code_as_it_is(mutant: Mutant):
    done = git_apply(ROOT, mutant.path, "--check")
    assert done.returncode == 0, f"{done.stderr}\n{AGAIN}"
    assert "Skipped" not in done.stderr


@each
def test_a_patch_changes_a_line_or_two_of_the_product(mutant: Mutant):
    diff = mutant.path.read_text()
    (changed,) = re.findall(r"^\+\+\+ b/(.+)$", diff, re.M)
    assert changed.startswith("dws_graph/")
    assert len(re.findall(r"^\+(?!\+\+ )", diff, re.M)) <= 2


@each
def test_the_tests_of_a_patch_exist(mutant: Mutant):
    assert mutant.tests
    for test in mutant.tests:
        path, _, name = test.partition("::")
        body = ast.parse((ROOT / path).read_text()).body
        assert name in [node.name for node in body if isinstance(node, ast.FunctionDef)]
