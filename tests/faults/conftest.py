"""The server of the suite, and its table: a row an operation, after `make faults`."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.operations import Operation
from tests.faults.server import Server
from tests.faults.transfer_operations import BUCKET, LARGE
from tests.fixtures.buckets import environment
from tests.fixtures.moto import moto_server  # noqa: F401
from tests.sharing.lfs_server import LfsServer, lfs_server

Counterparts = Callable[[Operation, Path], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Runs commands in processes that can be killed."""
    made = Server(tmp_path_factory.mktemp("server") / "scratch")
    yield made
    made.close()


@pytest.fixture(scope="session")
def large_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LfsServer]:
    """A git-lfs server, one for a run; each operation says where it has its objects."""
    with lfs_server(tmp_path_factory.mktemp("lfs")) as made:
        yield made


@pytest.fixture
def counterparts(request: pytest.FixtureRequest, server: Server) -> Iterator[Counterparts]:
    """Has a server of the suite reach what an operation needs, until the test is over."""

    def reach(operation: Operation, place: Path) -> None:
        found = f"{os.environ['PATH']}{os.pathsep}{os.path.dirname(sys.executable)}"
        server.env = {"PATH": found, "RCLONE_CONFIG_DISK_TYPE": "local"}  # git finds git-fat
        if operation.needs == LARGE:
            lfs = request.getfixturevalue("large_files")
            lfs.folder = place / "store/lfs"
            server.env["LFS"] = lfs.url
        elif operation.needs == BUCKET:
            s3 = request.getfixturevalue("moto_server")
            server.load = ("boto3", "botocore.config", "s3fs")
            server.env |= {**environment(s3, place.parent), "BUCKET": f"data-{uuid.uuid4().hex}"}

    yield reach
    server.env, server.load = {}, ()


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
