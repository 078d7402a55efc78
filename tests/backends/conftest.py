"""The views that answer questions: the same tests ask each of them."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

import pytest

from dws_graph.backends.graph.connecting import Connection, GraphAddress, run_text
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.graph.writing import write_rows
from dws_graph.backends.index import Index
from dws_graph.backends.views import Questions
from dws_graph.model.facts import Line
from dws_graph.model.folding import fold
from dws_graph.model.rows import together
from dws_graph.model.values import Json
from tests.backends.histories import Recorder
from tests.neo4j.local import Address


class Recorders(Protocol):
    """Makes the instances of one workspace, which no other test has."""

    def __call__(self, instance: str = ...) -> Recorder: ...


Folded = Callable[..., AbstractContextManager[Questions]]
"""Folds the facts of recorders into a view, to be asked."""


@pytest.fixture
def recorder() -> Recorders:
    """Of a workspace of the test's own: the server is shared with others."""
    return partial(Recorder, workspace=str(uuid.uuid4()))


@pytest.fixture(params=["index", "neo4j"])
def folded(request: pytest.FixtureRequest) -> Folded:
    """Each view that is asked questions."""
    found: Folded = request.getfixturevalue(f"folded_{request.param}")
    return found


@pytest.fixture
def folded_index() -> Folded:
    @contextlib.contextmanager
    def folded(*recorders: Recorder) -> Iterator[Questions]:
        with Index(None) as index:
            for recorder in recorders:
                index.apply(recorder.lines)
            yield index

    return folded


@pytest.fixture
def folded_neo4j(neo4j_address: Address) -> Iterator[Folded]:
    given = neo4j_address
    connection = Connection(GraphAddress(given.url, None, given.user, given.password))

    def write(tx: Any, lines: list[Line]) -> None:
        def run(text: str, rows: list[Json]) -> list[Json]:
            return run_text(tx, text, {"rows": rows})

        write_rows(run, together(fold(line.fact) for line in lines))

    @contextlib.contextmanager
    def folded(*recorders: Recorder) -> Iterator[Questions]:
        for recorder in recorders:
            connection.write(partial(write, lines=recorder.lines))
        yield GraphQuestions(connection.reading)

    yield folded
    connection.close()
