"""Shows that the tests notice: each patch beside this file breaks one rule, and its tests fail.

    python -m tests.mutants.run [NAME...]

A patch begins with a line `Rule: SECTION WHAT IT SAYS` and a line `Test: NODE` for each test that
must fail. It is killed when each of them passes without it and, with it, fails by what the test
asserts or by an error that the product means to raise; a crash kills nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants import witness

ROOT = Path(__file__).resolve().parents[2]
PATCHES = Path(__file__).parent
SECONDS = 300
KILLS = {"AssertionError", "Failed", "DwsError"}  # `Failed`: pytest.raises saw nothing raised
YES = "yes"
Outcome = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch.

    Attributes:
        path: Its file.
        rule: The rule that it breaks: its section and what it says.
        tests: Those that must fail.
    """

    path: Path
    rule: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the file, without its suffix."""
        return self.path.stem


def read_mutants() -> list[Mutant]:
    """All of them, by name."""
    mutants = []
    for path in sorted(PATCHES.glob("*.patch")):
        head = path.read_text().partition("\n--- ")[0]
        (rule,) = re.findall(r"^Rule: (.+)$", head, re.M)
        mutants.append(Mutant(path, rule, tuple(re.findall(r"^Test: (.+)$", head, re.M))))
    return mutants


def git_apply(root: Path, patch: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Apply a patch to a folder, a repository or not; git allows no fuzz."""
    command = ["git", "apply", "--verbose", *options, str(patch)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    env["GIT_CEILING_DIRECTORIES"] = str(root.parent)
    return subprocess.run(command, cwd=root, env=env, capture_output=True, text=True, check=False)


@contextmanager
def _copied() -> Iterator[Path]:
    """A copy of all that the tests need, without what Python compiled."""
    with tempfile.TemporaryDirectory(prefix="dws-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder).resolve() / "copy"
        for name in ("dws_graph", "tests"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        shutil.copy2(ROOT / "pyproject.toml", copy)
        yield copy


def _run(copy: Path, tests: Sequence[str]) -> tuple[dict[str, Outcome], str]:
    """How the tests end on a copy, and what went wrong before any of them began."""
    pytest = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-p", witness.__name__]
    command = [sys.executable, *pytest, f"--basetemp={copy.parent / 'tmp'}", *tests]
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=copy, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, f"did not end in {SECONDS} s"
    if not (copy / witness.FILE).exists():
        return {}, f"did not run: {(done.stderr or done.stdout).strip()[-300:]}"
    found = json.loads((copy / witness.FILE).read_text())
    if found["package"] != str(copy / "dws_graph/__init__.py"):
        return {}, f"tested {found['package']}, not the copy"
    return found["tests"], ""


def _verdict(test: str, ended: Mapping[str, Outcome]) -> str:
    """Whether the test, or one of its cases, failed as it should."""
    cases = [case for node, case in ended.items() if node == test or node.startswith(f"{test}[")]
    failed = [case for case in cases if case["outcome"] == "failed"]
    if any(case["when"] == "call" and KILLS & set(case["kinds"]) for case in failed):
        return YES
    if failed:
        return f"no: {failed[0]['when']}: {failed[0]['said'].splitlines()[0]}"
    return f"no: {cases[0]['outcome']}" if cases else "no: did not run"


def try_mutant(mutant: Mutant) -> dict[str, str]:
    """Of each of its tests, whether it kills the mutant; else why not."""
    with _copied() as copy:
        applied = git_apply(copy, mutant.path)
        if applied.returncode or "Applied patch" not in applied.stderr:
            return dict.fromkeys(mutant.tests, f"no: {applied.stderr.strip()}")
        ended, problem = _run(copy, mutant.tests)
        if problem:
            return dict.fromkeys(mutant.tests, f"no: {problem}")
        return {test: _verdict(test, ended) for test in mutant.tests}


def _broken_already(tests: Sequence[str]) -> dict[str, str]:
    """The tests that do not pass without any mutant, with why."""
    with _copied() as copy:
        ended, problem = _run(copy, tests)
        bad = {}
        for test in tests:
            cases = [c for n, c in ended.items() if n == test or n.startswith(f"{test}[")]
            if problem or not cases or any(c["outcome"] != "passed" for c in cases):
                bad[test] = f"no: does not pass without the mutant {problem}".rstrip()
        return bad


def main(names: Sequence[str]) -> int:
    """Print the table; 1 when a mutant survives."""
    known = {mutant.name: mutant for mutant in read_mutants()}
    for name in names:
        if name not in known:
            sys.exit(f"there is no mutant '{name}': name patches of {PATCHES}, without .patch")
    mutants = [known[name] for name in names or known]
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        broken = pool.submit(_broken_already, tests)
        verdicts = list(pool.map(try_mutant, mutants))
        bad = broken.result()
    rows = [("mutant", "rule", "test", "killed")]
    for mutant, verdict in zip(mutants, verdicts, strict=True):
        for test, killed in verdict.items():
            rows.append((mutant.name, mutant.rule, test, bad.get(test, killed)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for *cells, last in rows:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        print("  ".join([*padded, last]))  # noqa: T201
    survivors = {name for name, _, _, killed in rows[1:] if killed != YES}
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants killed")  # noqa: T201
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
