"""The team's Neo4j is brought up to date by the way: nothing waits long for it, or fails for it.

All that goes over the network in passing is done by a thread beside, which a step or command does
not wait for longer than `BUDGET`. It goes on beside the next steps where much has to be caught up
with, and the process ends when it is done, or `LAST` is over. A server that did not answer is left
alone for `PAUSE`, and costs one warning in a process. Killed in the middle, nothing is lost or
folded twice.

Source: docs/neo4j.md, "When the server is away".
"""

from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dws_graph.backends.graph.connecting import WAITS, GraphAddress, Patience, first_line
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.journal.journal import Journal
from dws_graph.backends.views import Progress
from dws_graph.errors import (
    DwsError,
    JournalMisfitError,
    ViewAmendedError,
    ViewError,
    ViewUnavailableError,
)
from dws_graph.model.facts import Line
from dws_graph.workspace.credentials import configured_address, graph_address
from dws_graph.workspace.opened import OpenWorkspace

BUDGET = 1.4  # seconds that a step waits for the server; each later sign of life must come so soon
LAST = 6.0  # seconds that the end of a process waits for a server that goes on answering
CHUNK = 50  # facts a transaction: what is done so far stays when the process ends
PAUSE = 60.0  # seconds until a server that did not answer is asked again
REACHED = 15.0  # seconds in which a server must answer a command that is about it
REBUILD = "Fold it anew: dws graph rebuild --view neo4j."
TRIES = 3  # other clients may begin the workspace's part anew meanwhile
HASTY = Patience(connect=1.2, retry=1.0, transaction=30.0)

T = TypeVar("T")


@dataclass
class Task(Generic[T]):
    """Work of the thread beside, which tells it each time the server has answered."""

    done: threading.Event = field(default_factory=threading.Event)
    answered: float | None = None  # when the server last gave a sign of life
    stop: bool = False  # no more transactions: the process ends
    result: T | None = None
    error: BaseException | None = None

    def goes_on(self) -> bool:
        """Whether the server has answered lately."""
        return self.answered is not None and time.monotonic() - self.answered < BUDGET

    def sign(self) -> None:
        """The server has answered."""
        self.answered = time.monotonic()


class Team:
    """A server as this process knows it; of one workspace.

    Attributes:
        address: Of the server.
    """

    def __init__(self, address: GraphAddress, workspace: str) -> None:
        self.address = address
        self._workspace = workspace
        self._graph: Neo4jGraph | None = None
        self._task: Task[object] | None = None
        self._wait = BUDGET
        self._ask_after = 0.0

    @property
    def graph(self) -> Neo4jGraph:
        """Made when it is asked for."""
        if self._graph is None:
            self._graph = Neo4jGraph(self.address, self._workspace, HASTY, chunk=CHUNK)
        return self._graph

    def ask(self, work: Callable[[Task[T]], T], *, wait: float | None = None) -> T | None:
        """Runs `work` beside, and waits for it a little.

        Args:
            work: Is given its task, to tell of signs of life.
            wait: Seconds, where a user waits for nothing else.

        Returns:
            What the work returns; None where the server answered, and the work goes on beside.

        Raises:
            ViewUnavailableError: The server did not answer, now or a short time ago.
            DwsError: The work failed.
        """
        if self._task and self._task.done.is_set() and self._task.error is None:
            self._ask_after = 0.0  # slow, not away
        if wait is None:
            if self._task and not self._task.done.is_set() and self._task.goes_on():
                return None
            if not self.is_idle or time.monotonic() < self._ask_after:
                raise self._silent()
        task: Task[T] = Task()
        self._task = task  # type: ignore[assignment]  # what it returns is nobody else's concern
        threading.Thread(
            target=_run, args=(task, self._reached(work)), daemon=True, name="dws-neo4j"
        ).start()
        if not task.done.wait(self._wait if wait is None else wait):
            if task.goes_on():
                return None
            self._leave_alone()
            raise self._silent()
        if isinstance(task.error, ViewUnavailableError):
            self._leave_alone()
        if isinstance(task.error, Exception) and not isinstance(task.error, DwsError):
            raise ViewError(  # whatever it is, no step fails for it
                f"Neo4j at {self.address.url} cannot be used: {first_line(task.error)}",
                hint=WAITS,
            ) from task.error
        if task.error is not None:
            raise task.error
        self._wait = BUDGET
        return task.result

    def _reached(self, work: Callable[[Task[T]], T]) -> Callable[[Task[T]], T]:
        """First see whether the server is there: a transaction would be tried again."""
        graph = self.graph  # loads the driver, here: that is no waiting for the server

        def reached(task: Task[T]) -> T:
            graph.connection.reach()
            return work(task)

        return reached

    def _leave_alone(self) -> None:
        """For a while; and what is tried then is not waited for."""
        self._ask_after = time.monotonic() + PAUSE
        self._wait = 0.05

    def _silent(self) -> ViewUnavailableError:
        return ViewUnavailableError(
            f"Neo4j at {self.address.url} does not answer",
            hint=f"{WAITS} The next command that reaches the server goes on.",
        )

    def warn(self, ws: OpenWorkspace, error: DwsError) -> None:
        """Tells of an error, the first of them."""
        if self.address.url not in _warned:
            ws.notify(f"{error.message}. {error.hint}")
        _warned.add(self.address.url)

    def give_up(self) -> None:
        """The user was told, or has just taken a part out: it is not asked again for a while."""
        self._leave_alone()
        if self.is_idle:
            self._task = None  # that it answered is no reason to go on
        _warned.add(self.address.url)

    def close(self) -> None:
        """Waits a little for what goes on beside, and lets go of the server."""
        end = time.monotonic() + LAST
        task = self._task
        while task and task.goes_on() and time.monotonic() < end and not task.done.wait(0.05):
            pass
        if task and not task.done.is_set():
            task.stop = True
            task.done.wait(0.5)
        if self.is_idle and self._graph is not None:
            self._graph.close()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way beside."""
        return self._task is None or self._task.done.is_set()


_teams: dict[tuple[int, GraphAddress, str], Team] = {}
_warned: set[str] = set()  # the servers of which this process has told
_misconfigured: set[str] = set()


def team(ws: OpenWorkspace) -> Team | None:
    """The workspace's server, as this process knows it; None where none is configured.

    Raises:
        ConfigurationError: Its address or password cannot be had.
    """
    address = graph_address(ws)
    return None if address is None else _team_at(address, ws.id)


def _team_at(address: GraphAddress, workspace: str) -> Team:
    key = (os.getpid(), address, workspace)
    if key not in _teams:
        if not _teams:
            atexit.register(_close)
        _teams[key] = Team(address, workspace)
    return _teams[key]


@contextmanager
def team_graph(ws: OpenWorkspace) -> Iterator[Neo4jGraph]:
    """The workspace's part of the team's graph, for a command that is about it.

    Raises:
        ConfigurationError: No Neo4j is configured, or its password cannot be had.
        ViewUnavailableError: It does not answer.
    """
    found = _team_at(configured_address(ws), ws.id)
    graph = Neo4jGraph(found.address, ws.id)
    try:
        found.ask(lambda _: graph.applied(), wait=REACHED)  # a query of one that hangs never ends
        yield graph
    except ViewUnavailableError:
        found.give_up()
        raise
    finally:
        graph.close()


def leave_alone(ws: OpenWorkspace) -> None:
    """Do not bring the team's graph up to date for a while, and say nothing of it."""
    try:
        found = team(ws)
    except DwsError as e:
        _misconfigured.add(e.message)
        return
    if found is not None:
        found.give_up()


def bring_up_to_date(ws: OpenWorkspace) -> None:
    """Apply what waits, as far as that goes in a short time; at the end of each command and step.

    Nothing is raised: what cannot be done now waits in the journal.
    """
    try:
        found = team(ws)
    except DwsError as e:
        if e.message not in _misconfigured:
            _misconfigured.add(e.message)
            ws.notify(f"the team's graph is left alone: {e.message}. {e.hint}".strip())
        return
    if found is None:
        return
    journal = Journal(ws.folder, ws.id, ws.instance)  # of the thread, which may go on
    renames = tuple(ws.index.renames())
    journal.renames = lambda: renames
    try:
        found.ask(lambda task: fold_waiting(found.graph, journal, task=task))
    except JournalMisfitError:
        found.warn(ws, ViewError("Neo4j does not hold what the journal has", hint=REBUILD))
    except DwsError as e:
        found.warn(ws, e)


def fold_waiting(
    graph: Neo4jGraph,
    journal: Journal,
    *,
    progress: Progress = lambda _: None,
    task: Task[int] | None = None,
) -> int:
    """Apply the facts that wait.

    Args:
        graph: The workspace's part.
        journal: Where the facts are.
        progress: As of `View.apply`.
        task: Where this is done beside: told of each answer, asked whether to stop.

    Returns:
        How many were applied now.

    Raises:
        JournalMisfitError: They do not follow what is applied.
    """

    def tell(count: int) -> None:
        if task is not None:
            task.sign()
        progress(count)

    for left in reversed(range(TRIES)):
        applied = graph.applied()
        tell(0)
        try:
            return graph.apply(
                _until_stopped(task, journal.since_elsewhere(applied)), progress=tell
            )
        except JournalMisfitError:  # or another client began anew after we asked
            if left == 0:
                raise
        except ViewAmendedError:
            if left == 0:
                raise
            graph.drop()
    return 0


def _until_stopped(task: Task[int] | None, lines: Iterator[Line]) -> Iterator[Line]:
    return itertools.takewhile(lambda _: task is None or not task.stop, lines)


def _run(task: Task[T], work: Callable[[Task[T]], T]) -> None:
    try:
        task.result = work(task)
    except BaseException as e:  # noqa: BLE001  # raised again where it is waited for
        task.error = e
    finally:
        task.done.set()


def _close() -> None:
    """At the end of the process; a connection that hangs ends with it."""
    for (pid, _, _), one in _teams.items():
        if pid == os.getpid():
            one.close()
