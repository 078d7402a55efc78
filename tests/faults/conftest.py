"""The server of the suite, and its table: a row an operation, after `make faults`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs commands in processes that can be killed."""
    made = Server(tmp_path_factory.mktemp("server") / "scratch")
    yield made
    made.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table."""
    rows = [
        value
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", ())
        if name == "faults"
    ]
    if not rows:
        return
    terminalreporter.section("faults")
    titles = ("operation", "points", "kills", "before", "after", "violations")
    total = ("all", *(str(sum(int(row[i]) for row in rows)) for i in range(1, len(titles))))
    for row in (titles, *rows, total):
        cells = [row[0].ljust(22), *(str(cell).rjust(10) for cell in row[1:])]
        terminalreporter.line("".join(cells))
