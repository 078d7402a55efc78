"""One Neo4j server for a whole run of the tests, whichever of its workers asks first.

In this order: the server that DWS_TEST_NEO4J_URL names; a container, where a Docker engine has or
gets the image in time (DWS_TEST_NEO4J_IMAGE names another); a local one from Neo4j's jars.

The first worker starts a keeper process, which starts the server and ends it when no worker holds
the lock of the users any more: the kernel takes a killed worker's lock back too.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO

from filelock import FileLock

from tests.neo4j import container, local
from tests.neo4j.container import ContainerServer
from tests.neo4j.local import Address, LocalServer, ServerError, wait_ready

GIVEN = "DWS_TEST_NEO4J_URL"


def given() -> Address | None:
    """The server that the environment names."""
    url = os.environ.get(GIVEN)
    if not url:
        return None
    user = os.environ.get("DWS_TEST_NEO4J_USER", local.USER)
    return Address(url, user, os.environ.get("DWS_TEST_NEO4J_PASSWORD", ""))


def available() -> bool:
    """Whether tests can have a server here."""
    return given() is not None or local.available() or container.available()


class SharedServer:
    """The run's server; nothing is started before `address` is asked for.

    Args:
        folder: Of the run, the same for all of its workers; made when it is missing.
        made_here: Never the server that the environment names, which may hold anything.
    """

    def __init__(self, folder: Path, *, made_here: bool = False) -> None:
        self._folder = folder
        self._made_here = made_here
        self._address: Address | None = None
        self._users: IO[str] | None = None

    def address(self) -> Address:
        """Where it answers; started now when there is none.

        Raises:
            ServerError: It does not come up.
        """
        if self._address is None:
            self._address = (None if self._made_here else given()) or self._local()
            wait_ready(self._address)
        return self._address

    def available(self) -> bool:
        """Whether there can be one."""
        return local.available() or container.available() if self._made_here else available()

    def close(self) -> None:
        """No more used by this worker."""
        if self._users is not None:
            self._users.close()
            self._users = None

    def _local(self) -> Address:
        self._folder.mkdir(exist_ok=True)
        with FileLock(self._folder / "turn.lock"):
            self._users = (self._folder / "users.lock").open("a")
            fcntl.flock(self._users, fcntl.LOCK_SH)
            state = self._folder / "state.json"
            if not state.exists():
                try:
                    self._keep(state)
                except ServerError:
                    self.close()
                    raise
            return Address(**json.loads(state.read_text()))

    def _keep(self, state: Path) -> None:
        log = self._folder / "keeper.log"
        with log.open("w") as errors:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.neo4j.shared", self._folder],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        assert keeper.stdout is not None
        with keeper.stdout:
            said = keeper.stdout.readline()
        keeper.returncode = 0  # outlives this worker: nobody waits for it here
        if not said:
            raise ServerError(f"its keeper stopped: {log.read_text().strip()[-1000:]}")
        answer = json.loads(said)
        if "error" in answer:
            raise ServerError(answer["error"])
        state.write_text(said)


def main(folder: Path) -> None:
    """Keeps a server until its last user is gone; says where it is, or what is wrong."""
    server: ContainerServer | LocalServer | None = None
    try:
        server = ContainerServer() if container.available() else LocalServer(folder / "server")
        server.start()
    except ServerError as e:
        print(json.dumps({"error": str(e)}), flush=True)  # noqa: T201
        if server is not None:
            server.stop()
        return
    print(json.dumps(asdict(server.address)), flush=True)  # noqa: T201
    try:
        with (folder / "users.lock").open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            (folder / "state.json").unlink()
    finally:
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
