"""Views of each kind: the same tests hold for index, embedded Cypher and Neo4j."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from dws_graph.backends.graph.connecting import Connection, GraphAddress
from dws_graph.backends.graph.embedded import EmbeddedGraph
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.graph.reading import QueryResult
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump, Questions, View
from tests.backends.histories import WORKSPACE, Recorder, two_instances
from tests.neo4j.local import Address

AnyView = Index | EmbeddedGraph | Neo4jGraph


class Views:
    """Makes views of one kind.

    Args:
        make: Opens the view of this number.
        empty: Empties a view that was opened.
    """

    def __init__(
        self, make: Callable[[int], AnyView], empty: Callable[[AnyView], None] = lambda _: None
    ) -> None:
        self._make, self._empty = make, empty
        self._numbers = itertools.count()
        self._opened: list[tuple[int, AnyView]] = []

    def new(self) -> View:
        """An empty view of the workspace of `histories`."""
        return self._open(next(self._numbers), empty=True)

    def again(self, view: View) -> View:
        """The same view, as another process has it open."""
        [number] = [number for number, opened in self._opened if opened is view]
        return self._open(number, empty=False)

    def _open(self, number: int, *, empty: bool) -> View:
        view = self._make(number)
        self._opened.append((number, view))
        if empty:
            self._empty(view)
        return view

    def close(self) -> None:
        for _, view in self._opened:
            view.close()


@dataclass(frozen=True)
class Told:
    """A view that is asked in Cypher, with the story of `two_instances` in it.

    Attributes:
        graph: The view.
        workspace: In which the story is; a server has others.
        dump: What the view held in the beginning.
    """

    graph: EmbeddedGraph | Neo4jGraph
    workspace: str
    dump: Dump

    def ask(self, query: str, /, **more: Any) -> QueryResult:
        """Answers a query that may name `$workspace`."""
        return self.graph.read_only(query, {"workspace": self.workspace}, **more)


class Stories:
    """Tells the story once a module to each kind of view."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._told: dict[str, Told] = {}

    def told(self, kind: str, make: Callable[[str, Path], EmbeddedGraph | Neo4jGraph]) -> Told:
        if kind not in self._told:
            workspace = str(uuid.uuid4())
            view = make(workspace, self._folder)
            a, b = two_instances(workspace)
            view.apply([*a.lines, *b.lines])
            self._told[kind] = Told(view, workspace, view.dump())
        return self._told[kind]

    def close(self) -> None:
        for told in self._told.values():
            told.graph.close()


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    made = Stories(tmp_path_factory.mktemp("stories"))
    yield made
    made.close()


@pytest.fixture(params=["cypher", "neo4j"])
def told(request: pytest.FixtureRequest, stories: Stories) -> Told:
    """Each view that users ask in Cypher, with a story in it."""
    if request.param == "cypher":
        return stories.told("cypher", lambda _, folder: EmbeddedGraph(folder / "cypher.kgl"))
    address = graph_address(request.getfixturevalue("neo4j_address"))
    return stories.told("neo4j", lambda workspace, _: Neo4jGraph(address, workspace))


@pytest.fixture(params=["index", "cypher", "neo4j"])
def views(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Views]:
    """Each kind of view in turn."""
    if request.param == "index":
        made = Views(lambda n: Index(tmp_path / f"{n}.db"))
    elif request.param == "cypher":
        made = Views(lambda n: EmbeddedGraph(tmp_path / f"{n}.kgl"))
    else:
        address = graph_address(request.getfixturevalue("neo4j_address"))
        made = Views(lambda _: Neo4jGraph(address, WORKSPACE), _drop)
    yield made
    made.close()


def _drop(view: AnyView) -> None:
    assert isinstance(view, Neo4jGraph)
    view.drop()


def graph_address(given: Address) -> GraphAddress:
    """A test server's address as the product takes it."""
    return GraphAddress(given.url, None, given.user, given.password)


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
    address = graph_address(neo4j_address)
    connection = Connection(address)

    @contextlib.contextmanager
    def folded(*recorders: Recorder) -> Iterator[Questions]:
        for recorder in recorders:
            with contextlib.closing(Neo4jGraph(address, recorder.workspace)) as graph:
                graph.apply(recorder.lines)
        yield GraphQuestions(connection.reading)

    yield folded
    connection.close()
