"""The SQLite file of the index: opening, transactions, and errors in the product's words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dws_graph.backends.faults import fault
from dws_graph.backends.index.schema import TABLES, VERSION
from dws_graph.errors import ViewError

TIMEOUT = 60.0  # seconds to wait for another process's write
SUFFIXES = ("", "-wal", "-shm", "-journal")
MEMORY = ":memory:"
_RETRY = 0.01
NAMES = "SELECT name FROM {}.sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"


class IndexDamagedError(ViewError):
    """The index's file is damaged, or of another schema version: it must be folded anew."""


class Store:
    """A connection to the index's file, or to one in memory."""

    def __init__(self, path: Path | None) -> None:
        """Opens the file, made when missing.

        Raises:
            IndexDamagedError: It is no sound file of this schema version.
            ViewError: It cannot be read or written now.
        """
        self.path = path
        if path is not None and not path.exists():
            fault(f"index: create {path.name}")
        target = "file::memory:" if path is None else f"file:{quote(os.fsencode(path))}"
        with self._errors():
            self.connection = sqlite3.connect(
                target,
                uri=True,
                timeout=TIMEOUT,
                isolation_level=None,
                check_same_thread=False,  # a step may end in another thread than it began in
            )
        try:
            with self._errors():
                self._prepare()
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self) -> None:
        if self.path is not None:
            _to_wal(self.connection)
        self.connection.execute("PRAGMA synchronous=NORMAL")
        self.connection.create_function("lower_text", 1, str.lower, deterministic=True)
        if self._version() == 0:
            with self.write():
                if self._version() == 0:  # nobody made them meanwhile
                    for table in TABLES:
                        self.connection.execute(table)
                    self.connection.execute(f"PRAGMA user_version={VERSION}")
        if (found := self._version()) != VERSION:
            raise IndexDamagedError(
                f"the index has schema version {found}, this dws-graph writes {VERSION}",
                hint="Fold it anew: dws graph rebuild --view index.",
            )

    def _version(self) -> int:
        return int(self.connection.execute("PRAGMA user_version").fetchone()[0])

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start."""
        with self._errors():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                if self.connection.in_transaction:  # a full disk ends it by itself
                    self.connection.execute("ROLLBACK")
                raise
            if self.path is not None:
                fault(f"index: commit {self.path.name}")
            self.connection.execute("COMMIT")

    @contextlib.contextmanager
    def replacing(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A transaction at whose start the content of another file takes the place of this one's.

        The file stays what it is: other processes have it open, and see the one or the other.

        Args:
            path: An index of this schema version.

        Raises:
            IndexDamagedError: This file is damaged.
        """
        with self._errors():
            if self.connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its pages do not fit together")
            self.connection.execute("ATTACH ? AS anew", (os.fspath(path),))
        try:
            with self.write() as c:
                for (table,) in c.execute(NAMES.format("main")).fetchall():
                    c.execute(f'DROP TABLE main."{table}"')
                for sql in TABLES:
                    c.execute(sql)
                for (table,) in c.execute(NAMES.format("anew")).fetchall():
                    copy = f'INSERT INTO main."{table}" SELECT * FROM anew."{table}"'  # noqa: S608
                    c.execute(copy)
                yield c
        finally:
            with self._errors():
                self.connection.execute("DETACH anew")

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A transaction that sees one state throughout; inside another it is part of that one."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with self._errors():
            self.connection.execute("BEGIN")
            try:
                yield self.connection
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("COMMIT")

    def rows(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._errors():
            return self.connection.execute(sql, params).fetchall()

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one: not all are held in memory."""
        with self._errors():
            yield from self.connection.execute(sql)

    def row(self, sql: str, params: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The first row of a query."""
        with self._errors():
            found: tuple[Any, ...] | None = self.connection.execute(sql, params).fetchone()
            return found

    def each(
        self, sql: str, keys: Iterable[Any], params: Sequence[Any] = ()
    ) -> Iterator[tuple[Any, ...]]:
        """The rows of a query asked once a key; the key is its first parameter."""
        with self._errors():
            for key in keys:
                yield from self.connection.execute(sql, (key, *params))

    def close(self) -> None:
        """Closes the connection; what is on disk then is one file, if nobody else has it open."""
        if self.path is not None:
            fault(f"index: close {self.path.name}")
        self.connection.close()

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        where = "in memory" if self.path is None else str(self.path)
        try:
            yield
        except sqlite3.OperationalError as e:
            raise ViewError(
                f"the index ({where}) cannot be used now: {e}",
                hint="Nothing is lost. Try again; else see whether the folder can be written to.",
            ) from e
        except sqlite3.DatabaseError as e:
            raise IndexDamagedError(
                f"the index ({where}) is damaged: {e}",
                hint="Nothing is lost. Fold it anew: dws graph rebuild --view index.",
            ) from e


def _to_wal(connection: sqlite3.Connection) -> None:
    """Switches to WAL; that switch ignores the time-out, so it is tried again here."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as e:
            if "locked" not in str(e) or time.monotonic() > end:
                raise
            time.sleep(_RETRY)
        else:
            return


def remove_files(path: Path) -> None:
    """Deletes the index's file and those that SQLite keeps beside it."""
    for suffix in SUFFIXES:
        fault(f"index: remove {path.name}{suffix}")
        Path(f"{path}{suffix}").unlink(missing_ok=True)
