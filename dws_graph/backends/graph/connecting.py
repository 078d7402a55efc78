"""A Neo4j server: its address, the driver, and what its errors mean to a user.

The driver is imported when a connection is made. Nothing here prints or returns a password.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dws_graph.backends.graph.asking import Read
from dws_graph.errors import (
    ParamValidationError,
    QueryError,
    ViewError,
    ViewUnavailableError,
)
from dws_graph.model.values import Json

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")
DATABASE = re.compile(r"[A-Za-z][A-Za-z0-9.-]{2,62}")
WAITS = "What was recorded waits in the journal."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GraphAddress:
    """A server and a database of it; the user and password stand for themselves alone.

    Attributes:
        url: Without user and password.
        database: None is the server's default one.
        user: None where the server asks for none.
        password: Of the user.
    """

    url: str
    database: str | None = None
    user: str | None = None
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, in seconds, a connection tries.

    Attributes:
        connect: To reach the server.
        retry: To run a transaction again that the server could not finish.
        transaction: Until the server ends a transaction.
    """

    connect: float = 5.0
    retry: float = 30.0
    transaction: float = 300.0


def check_url(url: str) -> None:
    """Refuses what names no Neo4j server.

    Raises:
        ParamValidationError: It has another scheme, no host, or a password.
    """
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, "@" in url
        _ = parts.port  # refuses what is no number
    except ValueError:
        parts, host, user = None, None, "@" in url
    if user:  # the text is not repeated: it may hold a password
        raise ParamValidationError(
            "a graph's URL must not hold a user or password",
            hint="Give the URL without; they come from DWS_GRAPH_USER and DWS_GRAPH_PASSWORD, "
            "or a file: docs/neo4j.md.",
        )
    if parts is None or parts.scheme not in SCHEMES or not host:
        raise ParamValidationError(
            f"'{url}' names no Neo4j server", hint="Give neo4j://HOST:7687, or bolt://, neo4j+s://."
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ParamValidationError(
            f"'{url}' has more than a server's host and port",
            hint="A database is named by graph.database.",
        )


def check_database(name: str) -> None:
    """Refuse what no database is called.

    Raises:
        ParamValidationError: Names the rule.
    """
    if not DATABASE.fullmatch(name):
        raise ParamValidationError(
            f"'{name}' is no name of a database", hint="Give letters, digits, dots and dashes."
        )


class Connection:
    """A driver with its bookmarks: each transaction reads what those before it wrote.

    The network is used by the first transaction.
    """

    def __init__(self, address: GraphAddress, patience: Patience | None = None) -> None:
        self.address = address
        self.patience = patience or Patience()
        # what it says is in our errors; without a handler Python prints it
        logging.getLogger("neo4j").addHandler(logging.NullHandler())
        import neo4j  # used where a Neo4j is configured alone

        auth = None if address.user is None else (address.user, address.password)
        with driver_errors(address):
            self._driver = neo4j.GraphDatabase.driver(
                address.url,
                auth=auth,
                connection_timeout=self.patience.connect,
                connection_acquisition_timeout=2 * self.patience.connect,
                connection_write_timeout=self.patience.retry,
                max_transaction_retry_time=self.patience.retry,
                liveness_check_timeout=30,
                max_connection_pool_size=10,
                notifications_min_severity="OFF",
                telemetry_disabled=True,
                user_agent="dws-graph",
            )
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager()
        self._unit = neo4j.unit_of_work(timeout=self.patience.transaction)

    def reach(self) -> None:
        """Have a connection, now or not at all.

        Raises:
            ViewUnavailableError: The server does not answer.
        """
        with driver_errors(self.address):
            self._driver.verify_connectivity()

    def read(self, text: str, **parameters: Any) -> list[Json]:
        """The rows of a text's answer, in a transaction that cannot write.

        Raises:
            ViewUnavailableError: The server does not answer.
        """
        return self.reading(lambda read: read(text, **parameters))

    def reading(self, work: Callable[[Read], T]) -> T:
        """Runs `work`, which asks one state of the graph, again where that was cut off.

        Raises:
            ViewUnavailableError: The server does not answer.
        """
        with self.session("READ") as session:
            found: T = session.execute_read(self._unit(lambda tx: work(_reader(tx))))
            return found

    def write(self, work: Callable[[Any], T]) -> T:
        """Runs `work` with a transaction, again where the server could not finish it.

        Raises:
            ViewUnavailableError: The server does not answer, or may not be written to.
        """
        with self.session("WRITE") as session:
            done: T = session.execute_write(self._unit(work))
            return done

    def make(self, text: str) -> None:
        """Makes a constraint or an index; one that another makes at this moment is as good.

        IF NOT EXISTS looks when the command begins, and two may begin at once.

        Raises:
            ViewUnavailableError: The server does not answer, or may not be written to.
        """
        from neo4j import exceptions as e

        with self.session("WRITE") as session:
            try:
                session.execute_write(self._unit(lambda tx: tx.run(text).consume()))
            except e.ClientError as error:
                if not (error.code or "").endswith("AlreadyExists"):
                    raise

    def command(self, text: str) -> list[Json]:
        """Runs a text in a transaction of its own, as commands on the schema need."""
        with self.session("WRITE") as session:
            return [dict(row) for row in session.run(text)]

    @contextlib.contextmanager
    def session(self, access: str) -> Iterator[Any]:
        """A session of the driver, `READ` or `WRITE`."""
        with (
            driver_errors(self.address),
            self._driver.session(
                database=self.address.database,
                default_access_mode=access,
                bookmark_manager=self._bookmarks,
                fetch_size=5_000,
            ) as session,
        ):
            yield session

    def close(self) -> None:
        """Lets go of the pool."""
        self._driver.close()


def _reader(tx: Any) -> Read:
    def read(text: str, **parameters: Any) -> list[Json]:
        return run_text(tx, text, parameters)

    return read


def run_text(tx: Any, text: str, parameters: Json) -> list[Json]:
    """The rows of a text's answer."""
    return [dict(row) for row in tx.run(text, parameters)]


@contextlib.contextmanager
def driver_errors(address: GraphAddress) -> Iterator[None]:
    """Turns the driver's errors into ours, which say what to do next."""
    from neo4j import exceptions as e

    where = address.url
    try:
        yield
    except e.AuthError as error:
        raise ViewUnavailableError(
            f"Neo4j at {where} refuses the user or password",
            hint=f"Set DWS_GRAPH_USER and DWS_GRAPH_PASSWORD. {WAITS}",
        ) from error
    except e.Neo4jError as error:
        raise _server_error(address, error) from error
    except (e.DriverError, OSError) as error:
        raise ViewUnavailableError(
            f"Neo4j at {where} cannot be reached: {first_line(error)}",
            hint=f"Start it, or look at graph.url. {WAITS}",
        ) from error


def _server_error(address: GraphAddress, error: Any) -> Exception:
    code = error.code or ""
    if code.endswith("Database.DatabaseNotFound"):
        return ViewUnavailableError(
            f"Neo4j at {address.url} has no database '{address.database}'",
            hint="Set graph.database (or DWS_GRAPH_DATABASE) to one that SHOW DATABASES lists.",
        )
    if _read_only(code):
        return ViewUnavailableError(
            f"Neo4j at {address.url} may only be read now",
            hint=f"Give the user the right to write, or the database. {WAITS}",
        )
    if "Transaction.TransactionTimedOut" in code:  # it is slow, or under load: nothing is wrong
        return ViewUnavailableError(
            f"Neo4j at {address.url} did not answer in time",
            hint=f"Try again, when it has less to do. {WAITS}",
        )
    if code.startswith("Neo.TransientError"):
        return ViewUnavailableError(
            f"Neo4j at {address.url} cannot finish this now: {first_line(error)}",
            hint=f"Try again: dws graph sync. {WAITS}",
        )
    if code.startswith("Neo.ClientError.Statement"):
        return QueryError(f"the query cannot be answered: {first_line(error)}")
    return ViewError(
        f"Neo4j at {address.url} refuses this: {first_line(error)}",
        hint="Nothing is lost. See its log, then: dws graph sync.",
    )


def _read_only(code: str) -> bool:
    return code.endswith(
        (
            "General.ForbiddenOnReadOnlyDatabase",
            "Security.Forbidden",
            "General.WriteOnReadOnlyAccessDatabase",
        )
    )


def first_line(error: Exception) -> str:
    """What an error says, as part of a sentence."""
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return str(said).splitlines()[0].strip().rstrip(".:")
