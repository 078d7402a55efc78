"""What a service serves: a workspace's index, or a team's Neo4j.

Whatever asks a view waits for a disk or a network, so it runs in threads of its own, never in the
event loop. No lock of a workspace is held between requests.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol, TypeVar

from dws_graph.api.querying import Answer
from dws_graph.api.service import query_process
from dws_graph.backends.graph.connecting import Connection, GraphAddress, Patience
from dws_graph.backends.graph.querying import read_only
from dws_graph.backends.graph.questions import GraphQuestions
from dws_graph.backends.views import Questions
from dws_graph.errors import ConfigurationError, ViewError, ViewUnavailableError
from dws_graph.model.values import Json
from dws_graph.workspace import layout
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.opening import load_workspace
from dws_graph.workspace.telling import tell

T = TypeVar("T")
# Threads for what is quick, and for what may take long. Who asks an index needs a processor for it,
# and more of them would only keep each other, and who records, from having one; a server is waited
# for.
READERS, READERS_OF_SERVER, SLOW = 3, 8, 4
PATIENCE = Patience(connect=3.0, retry=5.0, transaction=30.0)


class Source(Protocol):
    """Answers questions."""

    @property
    def name(self) -> Literal["index", "neo4j"]:
        """What is asked."""

    @property
    def home(self) -> str:
        """The id of the workspace that the service was started in."""

    def ask(self, work: Callable[[Questions], T]) -> T:
        """Does work that asks a view; called in a thread of the service's."""

    def at_home(self, work: Callable[[OpenWorkspace], T]) -> T:
        """Does work on the workspace that the service was started in."""

    def query(self, cypher: str, parameters: Json, limit: int, timeout: float) -> Json:
        """The rows of a user's query, as `Answer.to_json` has them."""

    def close(self) -> None:
        """Lets go of files and connections."""


class WorkspaceSource:
    """One workspace by its index, which each thread has opened for itself."""

    name: Literal["index", "neo4j"] = "index"

    def __init__(self, root: Path) -> None:
        self._root = root
        self._mine = threading.local()
        self._all: list[OpenWorkspace] = []
        self._lock = threading.Lock()
        self.home = self._opened().id

    def at_home(self, work: Callable[[OpenWorkspace], T]) -> T:
        """See `Source`: it is up to date with what other processes have recorded and changed.

        Raises:
            ViewUnavailableError: The workspace is not there any more.
        """
        try:
            ws = self._opened()
        except (ConfigurationError, ViewError, OSError) as e:
            if (self._root / layout.CONFIG).is_file():
                raise
            raise ViewUnavailableError(
                "the workspace that this service serves is not there any more",
                hint="Bring it back to where it was; the service goes on then.",
            ) from e
        return work(ws)

    def _opened(self) -> OpenWorkspace:
        ws: OpenWorkspace | None = getattr(self._mine, "ws", None)
        if ws is None:
            ws = self._mine.ws = load_workspace(str(self._root), batch=True, notify=tell)
            with self._lock:
                self._all.append(ws)
        ws.reload()
        ws.catch_up()
        return ws

    def ask(self, work: Callable[[Questions], T]) -> T:
        """See `Source`."""
        return self.at_home(lambda ws: work(ws.index))

    def query(self, cypher: str, parameters: Json, limit: int, timeout: float) -> Json:
        """See `Source`."""
        return query_process.ask(self._root, cypher, parameters, limit=limit, timeout=timeout)

    def close(self) -> None:
        """See `Source`."""
        with self._lock:
            for ws in self._all:
                ws.close()
            self._all.clear()


class TeamSource(WorkspaceSource):
    """A team's Neo4j: all the workspaces there."""

    name: Literal["index", "neo4j"] = "neo4j"

    def __init__(self, root: Path, address: GraphAddress) -> None:
        super().__init__(root)
        self._connection = Connection(address, PATIENCE)

    def ask(self, work: Callable[[Questions], T]) -> T:
        """See `Source`."""
        return work(GraphQuestions(self._connection.reading))

    def query(self, cypher: str, parameters: Json, limit: int, timeout: float) -> Json:
        """See `Source`: the server bounds what a query may take."""
        found = read_only(self._connection, cypher, parameters, timeout=timeout, max_rows=limit)
        return Answer(found.columns, found.rows, found.truncated).to_json()

    def close(self) -> None:
        """See `Source`."""
        super().close()
        self._connection.close()


class Asking:
    """Runs what waits beside the event loop: what is quick never behind what is slow."""

    def __init__(self, source: Source) -> None:
        self.source = source
        readers = READERS if source.name == "index" else READERS_OF_SERVER
        self._quick = ThreadPoolExecutor(readers, thread_name_prefix="dws-ask")
        self._slow = ThreadPoolExecutor(SLOW, thread_name_prefix="dws-slow")

    async def quick(self, work: Callable[[], T]) -> T:
        """For what answers within a moment."""
        return await asyncio.get_running_loop().run_in_executor(self._quick, work)

    async def slow(self, work: Callable[[], T]) -> T:
        """For users' queries, exports and layouts."""
        return await asyncio.get_running_loop().run_in_executor(self._slow, work)

    async def ask(self, work: Callable[[Questions], T]) -> T:
        """The answer of the view that is served."""
        return await self.quick(lambda: self.source.ask(work))

    async def at_home(self, work: Callable[[OpenWorkspace], T]) -> T:
        """What the workspace says that the service was started in."""
        return await self.quick(lambda: self.source.at_home(work))

    def close(self) -> None:
        """Wait for what is under way, then let go of everything."""
        self._quick.shutdown()
        self._slow.shutdown()
        self.source.close()
