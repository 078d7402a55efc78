"""A plugin of pytest: writes down how each test ended, and whose code it tried."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator

import pytest

FILE = "witness.json"  # in the root of what is tested
_ended: dict[str, dict[str, object]] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a failure: in which phase, and the names of the exception's classes."""
    report = yield
    if report.when == "call" or not report.passed:
        kinds = (
            [] if call.excinfo is None else [kind.__name__ for kind in call.excinfo.type.__mro__]
        )
        said = "" if call.excinfo is None else call.excinfo.exconly()
        _ended.setdefault(
            item.nodeid,
            {"when": report.when, "outcome": report.outcome, "kinds": kinds, "said": said},
        )
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it all down."""
    package = sys.modules.get("dws_graph")
    found = {"package": package and package.__file__, "tests": _ended}
    (session.config.rootpath / FILE).write_text(json.dumps(found))
