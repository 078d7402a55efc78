"""Recording what programs outside tell: one thread writes, another brings it to the team's graph.

One writer means that nobody waits for the journal's lock, except for `dws` commands beside. What
was recorded is on disk before it is answered; the team's Neo4j follows behind, and after a time in
which it was away.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from dws_graph.api.service.problems import Problem
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.errors import DwsError, JournalMisfitError, ViewError
from dws_graph.model.secrets import scrub_text
from dws_graph.workspace.credentials import graph_address
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.opening import open_workspace
from dws_graph.workspace.own import seal
from dws_graph.workspace.team import REBUILD, fold_waiting
from dws_graph.workspace.telling import tell
from dws_graph.workspace.workspace import Workspace

T = TypeVar("T")
AGAIN = 15.0  # seconds until the team's graph is looked at again
log = logging.getLogger("dws_graph.service")


class Recorder:
    """Writes to the service's own workspace."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="dws-record")
        self._folding = ThreadPoolExecutor(1, thread_name_prefix="dws-team")
        self._writer: Workspace | None = None
        self._reader: Workspace | None = None
        self._graph: Neo4jGraph | None = None
        self._told = ""  # what is wrong with the team's graph
        self._asked = threading.Event()  # the team's graph is to be brought up to date

    async def record(self, work: Callable[[OpenWorkspace], T]) -> T:
        """Does work that appends facts; they are on disk when it is done.

        Raises:
            Problem: They could not be written.
            DwsError: The work was refused.
        """
        loop = asyncio.get_running_loop()
        done = await loop.run_in_executor(self._writing, self._record, work)
        self._fold_soon()
        return done

    def _record(self, work: Callable[[OpenWorkspace], T]) -> T:
        try:
            ws = self._opened()
            ws.reload()
            return work(ws)
        except (OSError, ViewError) as e:
            log.error("a run could not be recorded: %s", scrub_text(str(e)))
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The service could not write this down.",
                hint="Send the same again later: nothing is recorded twice.",
            ) from e

    def _opened(self) -> Workspace:
        if self._writer is None:
            self._writer = open_workspace(self._root, batch=True, notify=tell)
        return self._writer

    # In the background

    async def keep(self, seal_seconds: float) -> None:
        """Seal the journal at intervals, and look after the team's graph, until cancelled."""
        loop = asyncio.get_running_loop()
        sealed = loop.time()
        while True:
            self._fold_soon()
            await asyncio.sleep(min(AGAIN, seal_seconds))
            if loop.time() - sealed >= seal_seconds:
                await loop.run_in_executor(self._writing, self._seal)
                sealed = loop.time()

    def _seal(self) -> None:
        try:
            ws = self._opened()
            ws.reload()
            seal(ws)
        except (DwsError, OSError) as e:  # the facts are in the journal: the next time
            log.error("the journal could not be sealed: %s", scrub_text(str(e)))

    def _fold_soon(self) -> None:
        if not self._asked.is_set():
            self._asked.set()
            self._folding.submit(self._fold)

    def _fold(self) -> None:
        self._asked.clear()  # what is recorded from now on is asked for again
        try:
            if (graph := self._team()) is not None and self._reader is not None:
                self._reader.reload()
                self._reader.catch_up()
                graph.connection.reach()
                fold_waiting(graph, self._reader.journal)
        except (DwsError, OSError) as e:
            self._tell_once(REBUILD if isinstance(e, JournalMisfitError) else str(e))
        else:
            self._told = ""

    def _team(self) -> Neo4jGraph | None:
        """The workspace's part of the team's graph, where there is one."""
        if self._reader is None:
            self._reader = open_workspace(self._root, batch=True, notify=tell)
        if self._graph is None and (address := graph_address(self._reader)) is not None:
            self._graph = Neo4jGraph(address, self._reader.id)
        return self._graph

    def _tell_once(self, error: str) -> None:
        """It is tried again every few seconds."""
        if error != self._told:
            log.error("the team's graph is not up to date: %s", scrub_text(error))
        self._told = error

    async def close(self) -> None:
        """Seal what is new, and bring it to the team's graph where that answers."""
        await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._writing.submit(self._seal)
        self._writing.shutdown()
        self._folding.submit(self._fold)
        self._folding.shutdown()
        if self._graph is not None:
            self._graph.close()
        for ws in (self._reader, self._writer):
            if ws is not None:
                OpenWorkspace.close(ws)  # the team's graph was seen to
