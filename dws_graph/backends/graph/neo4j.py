"""The graph in Neo4j: many workspaces, many instances of each, one property graph.

A client folds facts in by chunks, each in one transaction that first takes the workspace's turn:
the numbers applied are read after that, so that no two clients fold a fact twice. Whoever writes
nodes of other workspaces takes their turns as well, all in one order. A part that is being dropped
is dropped to its end by whoever takes the turn next.

Source: docs/formats.md, "Views".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from functools import partial
from typing import Any, NamedTuple

from dws_graph.backends.ahead import ahead
from dws_graph.backends.faults import fault
from dws_graph.backends.graph import parts
from dws_graph.backends.graph.connecting import Connection, GraphAddress, Patience, run_text
from dws_graph.backends.graph.dumping import applied_map, dump_items, pages
from dws_graph.backends.graph.holding import find_label, hold, tell_again
from dws_graph.backends.graph.querying import read_only
from dws_graph.backends.graph.reading import QueryResult
from dws_graph.backends.graph.schema import check_schema, ensure_schema
from dws_graph.backends.graph.writing import Run, write_applied, write_rows
from dws_graph.backends.overviews import told_of_instances
from dws_graph.backends.views import (
    AppliedMap,
    Dump,
    DumpItem,
    Pass,
    Progress,
    as_dump,
    chunks,
    next_facts,
)
from dws_graph.errors import InternalError, ViewError
from dws_graph.model.facts import Line
from dws_graph.model.folding import fold
from dws_graph.model.rows import Rows
from dws_graph.model.values import Json

# Of a transaction, within the memory that Neo4j gives one by default.
CHUNK = 2_000  # facts
WEIGHT = 10_000_000  # bytes of their lines
FIRST = 100  # facts, so that the server has something to do while the rest is read
DROP = 1_000  # nodes deleted at a time


class _DroppingError(Exception):
    """The workspace's part is being dropped, and whoever did so may be gone."""


class _Chunk(NamedTuple):
    """What a transaction is to apply; and what that comes to, if none of it is applied yet."""

    lines: list[Line]
    rows: Rows


class Neo4jGraph:
    """One workspace's part of the team's graph; the network is used when something is asked.

    Args:
        address: Of the server.
        workspace: UUID of the workspace.
        patience: How long to try.
        chunk: Facts a transaction.
    """

    name = "neo4j"

    def __init__(
        self,
        address: GraphAddress,
        workspace: str,
        patience: Patience | None = None,
        chunk: int = CHUNK,
    ) -> None:
        self.address = address
        self.workspace = workspace
        self._size = chunk
        self.connection = Connection(address, patience)
        self._prepared = False

    def close(self) -> None:
        """Lets go of the connections."""
        self.connection.close()

    def read(self, text: str, **parameters: Any) -> list[Json]:
        """The rows of a text's answer, in a transaction that cannot write.

        Raises:
            ViewUnavailableError: The server does not answer.
        """
        return self.connection.read(text, **parameters)

    def read_only(
        self,
        query: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float = 30.0,
        max_rows: int = 1_000,
    ) -> QueryResult:
        """Answers a user's query about all workspaces there; see `querying.read_only`."""
        return read_only(self.connection, query, params or {}, timeout=timeout, max_rows=max_rows)

    # Facts in

    def apply(self, lines: Iterable[Line], *, progress: Progress | None = None) -> int:
        """Folds facts in, each exactly once; see `Index.apply`.

        Raises:
            ViewUnavailableError: The server does not answer; what was applied before stays.
            JournalMisfitError: The lines do not follow what is applied. Perhaps another client
                dropped this part meanwhile: ask `applied` again.
        """
        total = 0
        one: Pass | None = None
        for chunk in ahead(
            map(self._chunk_of, chunks(lines, self._size, WEIGHT, min(FIRST, self._size)))
        ):
            self._prepare()
            one = one or Pass(anew=not self.applied())
            applied, error = self._apply(chunk, one)
            total += applied
            if error:
                raise error
            if progress:
                progress(len(chunk.lines))
        return total

    def _chunk_of(self, lines: list[Line]) -> _Chunk:
        for line in lines:
            if line.fact.workspace != self.workspace:
                raise ViewError(f"a fact of workspace {line.fact.workspace} is not of this one")
        return _Chunk(lines, fold(line.fact for line in lines))

    def _prepare(self) -> None:
        if not self._prepared:
            ensure_schema(self.connection)
            self._prepared = True

    def _apply(self, chunk: _Chunk, one: Pass) -> tuple[int, InternalError | None]:
        while True:
            try:
                return self.connection.write(lambda tx: self._fold(tx, chunk, one))
            except _DroppingError:
                self._finish_drop()

    def _fold(self, tx: Any, chunk: _Chunk, one: Pass) -> tuple[int, InternalError | None]:
        run = _runner(tx)
        if self._take_turns(tx, chunk.rows.workspaces(), kept=True):
            raise _DroppingError
        keys = sorted({(line.fact.workspace, line.fact.instance) for line in chunk.lines})
        applied = applied_map(run(parts.APPLIED_TO, [{"id": " ".join(key)} for key in keys]))
        fresh, news, error = next_facts(applied, chunk.lines, one)
        if fresh:
            whole = len(fresh) == len(chunk.lines)
            rows = chunk.rows if whole else fold(line.fact for line in fresh)
            write_rows(run, rows)
            hold(run, self.workspace, rows)
            write_applied(run, news, told_of_instances(fresh))
            fault("neo4j: commit")
        return len(fresh), error

    def _take_turns(self, tx: Any, others: Iterable[str] = (), *, kept: bool) -> bool:
        """Holds the workspace's lock until the transaction ends; tells whether it is dropped.

        Args:
            tx: The transaction, at its beginning.
            others: The workspaces whose nodes are written too: their locks are held as well. They
                are taken in the order of their ids, so that no two clients wait for one another.
            kept: Whether the workspace itself has a part here from now on.
        """
        dropping = False
        for workspace in sorted({self.workspace, *others}):
            if workspace != self.workspace:
                run_text(tx, parts.TAKE_ANOTHERS_TURN, {"workspace": workspace})
                continue
            [row] = run_text(tx, parts.TAKE_TURN, {"workspace": workspace, "kept": kept})
            dropping = row["dropping"]
        return dropping

    def applied(self) -> AppliedMap:
        """The last fact applied of each instance of the workspace.

        Raises:
            ViewError: The graph is of a later version.
        """
        check_schema(self.connection)
        return applied_map(self.read(parts.APPLIED_OF, workspace=self.workspace))

    # What is in it

    def dump(self) -> Dump:
        """The workspace's nodes and edges, with what it imported, in canonical form."""
        return as_dump(self.items())

    def items(self) -> Iterator[DumpItem]:
        """The same one by one, in no order; the server is asked for some at a time."""
        by_label = self._part()
        mine = {key for ids in by_label.values() for key in ids}
        for item in dump_items(lambda text, rows: self.read(text, rows=rows), by_label):
            if "source" not in item or item["target"] in mine:
                yield item

    def _part(self) -> dict[str, list[str]]:
        """The ids of the nodes that the workspace has, or holds, by label."""
        found: dict[str, dict[str, None]] = {}
        for label in parts.DROPPED:
            ids = self.read(parts.OWN_IDS[label], workspace=self.workspace)
            found[label] = dict.fromkeys(row["id"] for row in ids)
        for row in self.read(parts.HELD_IDS, workspace=self.workspace):
            found[find_label(row["labels"])][row["id"]] = None
        return {label: list(ids) for label, ids in found.items()}

    # Taking it out

    def drop(self) -> None:
        """Takes the workspace's part out; what another workspace needs of it stays.

        Raises:
            ViewUnavailableError: The server does not answer; the next client goes on with it.
        """
        self._prepare()
        self.connection.write(self._begin_drop)
        self._finish_drop()

    def _begin_drop(self, tx: Any) -> None:
        self._take_turns(tx, kept=False)
        for text in (parts.BEGIN_DROP, parts.FORGET_APPLIED):
            run_text(tx, text, {"workspace": self.workspace})

    def _finish_drop(self) -> None:
        """Several clients may do this at once: who takes a turn and finds it done stops."""
        for label in parts.DROPPED:
            ids = [r["id"] for r in self.read(parts.OWN_IDS[label], workspace=self.workspace)]
            steps = [parts.NOT_CURRENT] if label == "Ref" else []
            if not self._drop_some(label, ids, [*steps, parts.DROP_OWN[label]]):
                return
        held = self.read(parts.HELD_IDS, workspace=self.workspace)
        whose = {row["workspace"] for row in held if row["workspace"]}
        for label in parts.DROPPED:
            ids = [row["id"] for row in held if find_label(row["labels"]) == label]
            texts_of_held = [parts.LET_GO[label], parts.DROP_HELD[label]]
            if not self._drop_some(label, ids, texts_of_held, whose):
                return
        self.connection.write(self._end_drop)

    def _drop_some(
        self, label: str, ids: list[str], some: list[str], whose: Set[str] | None = None
    ) -> bool:
        """Runs texts on nodes, a page a transaction; False when the drop is at its end.

        Args:
            label: By which they are found.
            ids: Of the nodes.
            some: The texts.
            whose: The workspaces they are of; None where they are this one's own.
        """
        for page in pages(ids, DROP):
            rows = [{**row, "workspace": self.workspace} for row in page]
            fault("neo4j: drop")
            work = partial(self._drop_page, label=label, rows=rows, some=some, whose=whose)
            if not self.connection.write(work):
                return False
        return True

    def _drop_page(
        self, tx: Any, label: str, rows: list[Json], some: list[str], whose: Set[str] | None
    ) -> bool:
        if not self._take_turns(tx, whose or (), kept=False):
            return False
        for text in some:
            run_text(tx, text, {"rows": rows})
        tell_again(_runner(tx), label, rows, own=whose is None)
        return True

    def _end_drop(self, tx: Any) -> None:
        if self._take_turns(tx, kept=False):
            run_text(tx, parts.END_DROP, {"workspace": self.workspace})


def _runner(tx: Any) -> Run:
    return lambda text, rows: run_text(tx, text, {"rows": rows})
