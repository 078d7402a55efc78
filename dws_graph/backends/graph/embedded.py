"""The embedded Cypher view: a kglite file, brought up to date when a query is asked.

kglite rewrites the whole file when it is closed, so facts go in one batch; a reader loads the
file as it was last closed, into a graph of its own.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from filelock import FileLock

from dws_graph.backends.faults import fault
from dws_graph.backends.graph import texts
from dws_graph.backends.graph.dumping import applied_map, dump_items
from dws_graph.backends.graph.reading import QueryResult, as_result, real_properties, refuse_files
from dws_graph.backends.graph.writing import Run, write_applied, write_rows
from dws_graph.backends.locks import Notify, quiet
from dws_graph.backends.overviews import told_of_instances
from dws_graph.backends.views import (
    AppliedMap,
    Dump,
    DumpItem,
    DumpNode,
    Pass,
    Progress,
    as_dump,
    chunks,
    next_facts,
)
from dws_graph.errors import QueryError, ViewError
from dws_graph.model.facts import Line
from dws_graph.model.folding import fold
from dws_graph.model.values import Json

WAIT = 60.0  # seconds for another process that writes
SUFFIXES = ("", "-wal", ".lock", ".lock-owner")
_RETRY = 0.02


class EmbeddedGraph:
    """A graph for users' Cypher where no Neo4j is configured.

    Nothing is open between calls. Writers take turns by a lock file of our own; readers do not
    wait. A damaged file counts as empty and is begun anew by the next `apply`.
    """

    name = "cypher"

    def __init__(self, path: Path, notify: Notify = quiet) -> None:
        """Names the file; it is made by the first `apply`, and `notify` told if it is damaged."""
        self.path = path
        self._notify = notify
        self._lock = FileLock(f"{os.fspath(path)}.turn")

    def close(self) -> None:
        """Nothing is open."""

    def apply(self, lines: Iterable[Line], *, progress: Progress | None = None) -> int:
        """Folds facts in, each exactly once; see `Index.apply`."""
        rest = iter(lines)
        first = next(rest, None)
        if first is None:
            return 0
        total = 0
        with self._lock, self._writer() as graph:
            one: Pass | None = None
            for chunk in chunks(chain([first], rest)):
                with _engine_errors(), graph.begin() as tx:
                    run = _runner(tx)
                    applied = applied_map(run(texts.APPLIED, []))
                    one = one or Pass(anew=not applied)
                    fresh, news, error = next_facts(applied, chunk, one)
                    if fresh:
                        write_rows(run, fold(line.fact for line in fresh))
                        write_applied(run, news, told_of_instances(fresh))
                    fault("cypher: commit")
                if error:
                    raise error
                total += len(fresh)
                if progress:
                    progress(len(chunk))
        return total

    def applied(self) -> AppliedMap:
        """The last fact of each (workspace, instance) in the file as it was last closed."""
        graph = self._load()
        return {} if graph is None else applied_map(_runner(graph)(texts.APPLIED, []))

    def dump(self) -> Dump:
        """All nodes and edges in canonical form, without the view's own."""
        return as_dump(self.items())

    def items(self) -> Iterator[DumpItem]:
        """The same one by one, in no order; the engine is asked for some at a time."""
        graph = self._load()
        if graph is None:
            return
        run = _runner(graph)
        by_label: dict[str, list[str]] = {}
        for row in run(texts.DUMP_IDS, []):
            labels = row["labels"]
            label = "Certificate" if "Certificate" in labels else labels[0] if labels else ""
            if label in texts.DUMP_NODES:
                by_label.setdefault(label, []).append(row["id"])
            elif label != "Applied":  # no fact gives it: told by its id alone
                yield DumpNode(labels=labels, properties={"id": row["id"]})
        for item in dump_items(run, by_label):
            if "labels" in item:
                item["properties"] = real_properties(item["properties"])
            yield item

    def read_only(
        self,
        query: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float = 30.0,
        max_rows: int = 1_000,
    ) -> QueryResult:
        """Answers a user's query; the engine refuses what would write.

        Args:
            query: Cypher.
            params: Its `$parameters`.
            timeout: Seconds.
            max_rows: At most so many rows.

        Raises:
            QueryError: It would write or read files, is no valid Cypher, or took too long.
        """
        refuse_files(query)
        graph = self._load()
        if graph is None:
            graph = _kglite().KnowledgeGraph()
        _runner(graph)(texts.FORGET_APPLIED, [])  # in this copy alone
        graph.read_only(True)
        with _query_errors(timeout):
            answer = graph.cypher(
                query,
                params=dict(params or {}),
                timeout_ms=max(1, int(timeout * 1000)),
                row_limit=max_rows + 1,
                hide_structural_keys=True,
            )
            return as_result(answer.columns, answer.to_list(), max_rows)

    def size(self) -> int:
        """Bytes on disk."""
        found = (Path(f"{self.path}{suffix}") for suffix in SUFFIXES)
        return sum(file.stat().st_size for file in found if file.is_file())

    def remove(self) -> None:
        """Deletes the view's files, together: a log without its graph would be read alone."""
        with self._lock:
            self._remove_files()

    def _remove_files(self) -> None:
        for suffix in SUFFIXES:
            fault(f"cypher: remove {self.path.name}{suffix}")
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writer(self) -> Iterator[Any]:
        with _engine_errors():
            graph = self._open()
        try:
            yield graph
        finally:
            fault("cypher: save")
            with _engine_errors(), _engine_quiet():
                graph.close()

    def _open(self) -> Any:
        """The graph to write to; the lock is held."""
        kglite = _kglite()
        if not self.path.exists():
            self._remove_files()
        fault("cypher: open")
        end = time.monotonic() + WAIT
        while True:
            try:
                return kglite.open(os.fspath(self.path), storage="mapped")
            except kglite.WriterLeaseHeldError:
                if time.monotonic() > end:
                    raise
                time.sleep(_RETRY)
            except kglite.FileFormatError:
                self._notify("the embedded Cypher view was damaged: folded again")
                self._remove_files()

    def _load(self) -> Any:
        """A copy of the graph as it was last closed; None when there is none, or it is damaged."""
        if not self.path.exists():
            return None
        kglite = _kglite()
        with _engine_errors(), _engine_quiet():
            try:
                return kglite.load(os.fspath(self.path))
            except kglite.FileFormatError:
                return None


def _kglite() -> Any:
    import kglite  # used for users' Cypher alone

    kglite.set_query_warning_policy("silent")
    return kglite


def _runner(engine: Any) -> Run:
    """Runs texts in a transaction, or on a loaded graph."""

    def run(text: str, rows: list[Json]) -> list[Json]:
        answer = engine.cypher(text, params={"rows": rows})
        found: list[Json] = answer.to_list()
        return found

    return run


@contextlib.contextmanager
def _engine_quiet() -> Iterator[None]:
    """Without warnings: of facts that a killed writer logged (they wait), of use of memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _engine_errors() -> Iterator[None]:
    kglite = _kglite()
    try:
        yield
    except kglite.KgError as e:
        raise ViewError(
            f"the embedded Cypher view cannot be used: {_first_line(e)}",
            hint="Nothing is lost. Fold it anew: dws graph rebuild --view cypher.",
        ) from e


@contextlib.contextmanager
def _query_errors(timeout: float) -> Iterator[None]:
    kglite = _kglite()
    try:
        yield
    except kglite.ReadOnlyError as e:
        raise QueryError(
            "the query would change the graph, and queries may only read",
            hint="The graph follows from the journal: record steps and take snapshots instead.",
        ) from e
    except kglite.CypherTimeoutError as e:
        raise QueryError(
            f"the query took longer than {timeout:g} s",
            hint="Start from a node's id, bound every *, or give more time: --timeout SECONDS.",
        ) from e
    except (kglite.KgError, TypeError, OverflowError, ValueError) as e:
        if "write clauses" in str(e):
            raise QueryError(
                "the query would change the graph, and queries may only read",
                hint="Take the writing clause out of CALL { }.",
            ) from e
        raise QueryError(
            f"the query cannot be answered: {_first_line(e)}",
            hint="The labels, types and properties there are: docs/formats.md, 'The graph'.",
        ) from e


def _first_line(e: Exception) -> str:
    return (str(e).splitlines() or [type(e).__name__])[0].strip().rstrip(".")
