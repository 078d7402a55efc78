"""A Neo4j Community server from the jars that Neo4j publishes: `java` runs it, `mvn` fetches it.

    python -m tests.neo4j.local [--port 7687] [--data build/neo4j]

NEO4J_VERSION chooses the line: 5.26.30 (the long-term one) by default, or a calendar version such
as 2026.08.1, which needs Java 21. JAVA_HOME chooses the Java. Jars are kept in the user's cache.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

VERSION = os.environ.get("NEO4J_VERSION") or "5.26.30"
USER = "neo4j"
# Asked for when the module is loaded: tests have a home of their own.
CACHE = platformdirs.user_cache_path("dws-graph") / f"neo4j-{VERSION}"
START = 120.0  # seconds that a start may take

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>neo4j-local</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.neo4j</groupId>
      <artifactId>neo4j</artifactId>
      <version>{version}</version>
    </dependency>
  </dependencies>
</project>
"""
CONF = """\
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
server.memory.pagecache.size=64m
db.tx_log.preallocate=false
dbms.security.auth_enabled=true
dbms.usage_report.enabled=false
dbms.security.auth_max_failed_attempts=0
"""
# What a line names in its own way: its main class, and how it stops at once and stays at home.
FIVE = (
    "org.neo4j.server.CommunityEntryPoint",
    "internal.dbms.bolt.netty_server_shutdown_quiet_period=0\n",
)
CALENDAR = (
    "org.neo4j.server.Neo4jCommunity",
    "internal.dbms.bolt.netty_server_shutdown_quiet_period_duration=0s\n"
    "dbms.fleet_manager.enabled=false\n"
    "server.fleet_discovery.enabled=false\n"
    "server.config.strict_validation.enabled=false\n",
)
QUICK = ["-XX:TieredStopAtLevel=1"]
OPENED = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.nio", "java.io", "sun.nio.ch")
]


class ServerError(Exception):
    """No server: what is missing, or what it said last."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server answers, and to whom."""

    url: str
    user: str
    password: str

    def environment(self) -> dict[str, str]:
        """The variables that lead `dws` there."""
        return {
            "DWS_GRAPH_URL": self.url,
            "DWS_GRAPH_USER": self.user,
            "DWS_GRAPH_PASSWORD": self.password,
        }


def available() -> bool:
    """Whether a server can be started here."""
    return shutil.which(java()) is not None and (CACHE.is_dir() or shutil.which("mvn") is not None)


def jars() -> Path:
    """The folder of the server's jars; fetched once."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{CACHE}.lock"):
        if not CACHE.is_dir():
            _fetch()
    return CACHE / "lib"


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
        folder = Path(name) / "jars"
        folder.mkdir()
        (folder / "pom.xml").write_text(POM.format(version=VERSION))
        command: list[str | Path] = [
            "mvn",
            "-B",
            "-q",
            "-f",
            folder / "pom.xml",
            "dependency:copy-dependencies",
        ]
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"]
        run = subprocess.run([*command, *options], capture_output=True, text=True)
        if run.returncode:
            raise ServerError(f"mvn cannot fetch Neo4j {VERSION}: {run.stdout[-1000:]}")
        folder.rename(CACHE)


class LocalServer:
    """A server process and its data.

    Args:
        folder: For all of its state; kept from one start to the next.
        port: Of Bolt, on 127.0.0.1; None takes a free one.
        password: Of the user `neo4j`; made up for a new folder.
        lasting: It runs for long, or is measured: Java optimises what it runs often. A test's
            server is gone before that pays, and needs half the processor time without.
    """

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        password: str | None = None,
        *,
        lasting: bool = False,
    ) -> None:
        self.folder = folder
        self.port = free_port() if port is None else port
        self._lasting = lasting
        self.log = folder / "log.txt"
        kept = folder / "password"
        if kept.is_file():
            password = kept.read_text()
        self._password = password or secrets.token_hex(12)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> Address:
        """Where it answers."""
        return Address(f"bolt://127.0.0.1:{self.port}", USER, self._password)

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether there is a process, be it stopped."""
        return self._process is not None and self._process.poll() is None

    def start(self, settings: Sequence[str] = (), *, wait: bool = True) -> None:
        """Starts it, with more settings (`name=value`).

        Raises:
            ServerError: It does not come up.
        """
        main, more = FIVE if VERSION.startswith("5.") else CALENDAR
        conf = self.folder / "conf"
        conf.mkdir(parents=True, exist_ok=True)
        text = CONF.format(port=self.port) + more + "".join(f"{line}\n" for line in settings)
        (conf / "neo4j.conf").write_text(text)
        if not (self.folder / "data").exists():
            self._set_password()
        options = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", *OPENED]
        options += [] if self._lasting else QUICK
        options += ["-Dio.netty.tryReflectionSetAccessible=true", "-Dlog4j2.disable.jmx=true"]
        if main == CALENDAR[0]:
            options += ["--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"]
        arguments = [f"--home-dir={self.folder}", f"--config-dir={conf}", "--console-mode"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [java(), *options, "-cp", f"{jars()}/*", main, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.wait_ready()

    def _set_password(self) -> None:
        admin = "org.neo4j.server.startup.Neo4jAdminCommand"
        run = subprocess.run(
            [
                java(),
                *QUICK,
                "-cp",
                f"{jars()}/*",
                admin,
                "dbms",
                "set-initial-password",
                self._password,
            ],
            env={**os.environ, "NEO4J_HOME": str(self.folder), "NEO4J_CONF": f"{self.folder}/conf"},
            capture_output=True,
            text=True,
        )
        if run.returncode:
            raise ServerError(f"{admin} failed: {(run.stderr or run.stdout)[-1000:]}")
        kept = self.folder / "password"
        kept.touch(mode=0o600)
        kept.write_text(self._password)

    def wait_ready(self) -> None:
        """Waits until it answers a query."""
        wait_ready(self.address, self._check_running)

    def _check_running(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            said = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
            raise ServerError(f"Neo4j {VERSION} stopped: {said}")

    def signal(self, number: signal.Signals) -> None:
        """Sends the server a signal; a killed one is waited for."""
        assert self._process is not None
        self._process.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self._process.wait()

    def terminate(self) -> None:
        """Asks it to stop, and waits."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def stop(self) -> None:
        """Kills it, whatever state it is in."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
            self._process = None


def wait_ready(address: Address, check: Callable[[], None] = lambda: None) -> None:
    """Waits until a server answers a query.

    Args:
        address: Of the server.
        check: Called between tries; raises when there is no use in waiting.

    Raises:
        ServerError: It does not answer in time.
    """
    import neo4j
    from neo4j.exceptions import DriverError, Neo4jError

    end = time.monotonic() + START
    auth = (address.user, address.password)
    while True:
        with neo4j.GraphDatabase.driver(
            address.url, auth=auth, max_transaction_retry_time=0, connection_timeout=5
        ) as driver:
            try:
                driver.execute_query("RETURN 1")
                return
            except (DriverError, Neo4jError, OSError) as e:
                if time.monotonic() > end:
                    raise ServerError(f"{address.url} does not answer: {e}") from e
        check()
        time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def java() -> str:
    """The Java to run."""
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else "java"


def main() -> None:
    """Runs a server for a developer until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Run a Neo4j server for development.")
    parser.add_argument("--port", type=int, default=7687)
    parser.add_argument("--data", type=Path, default=Path("build/neo4j"))
    options = parser.parse_args()
    server = LocalServer(options.data.resolve(), options.port, lasting=True)
    say = sys.stdout.write
    say(f"Neo4j {VERSION} starts ...\n")
    try:
        server.start()
        say("It answers. For dws, in a shell:\n\n")
        for name, value in server.address.environment().items():
            say(f"  export {name}={value}\n")
        say(f"\nIts data is in {options.data} (delete the folder for an empty graph).\n")
        say("Ctrl-C stops it.\n")
        sys.stdout.flush()
        signal.pause()
    except KeyboardInterrupt:
        say("\n")
    except ServerError as e:
        sys.exit(str(e))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
