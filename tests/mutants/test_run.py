"""What tries the mutants: it tells a test that noticed from one that did not, or only crashed."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from tests.mutants.run import ROOT, Mutant, main, try_mutant

FILE = "dws_graph/resources/fingerprints.py"
TEST = "tests/resources/test_fingerprints.py::test_what_is_no_notebook_counts_by_its_bytes"
LINE = "    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):\n"


def tried(folder: Path, new: str, test: str = TEST, old: str = LINE) -> str:
    """The verdict on a mutant that has `new` in place of a line."""
    code = (ROOT / FILE).read_text()
    assert code.count(old) == 1
    before, after = code.splitlines(keepends=True), code.replace(old, new).splitlines(keepends=True)
    patch = folder / "one.patch"
    patch.write_text("".join(unified_diff(before, after, f"a/{FILE}", f"b/{FILE}", n=1)))
    return try_mutant(Mutant(patch, "a rule", (test,)))[test]


@pytest.mark.slow
def test_a_mutant_is_killed_by_what_the_test_asserts_alone(tmp_path):
    assert tried(tmp_path, LINE, old=LINE).startswith("no: error")  # an empty patch
    assert tried(tmp_path, f"{LINE}        # a comment\n") == "no: passed"
    assert tried(tmp_path, LINE + "        data += b'x'\n") == "yes"
    assert tried(tmp_path, "    except OSError:\n").startswith("no: call: ")
    assert tried(tmp_path, f"{LINE}    oh no\n").startswith("no: did not run")
    assert tried(tmp_path, f"{LINE}        # a comment\n", f"{TEST}_gone") == "no: did not run"


def test_a_name_that_no_mutant_has_is_refused():
    with pytest.raises(SystemExit, match="no mutant 'x'"):
        main(["x"])
