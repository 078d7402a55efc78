"""The service of the compose file, seen from outside, and what it has recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from dws_graph.backends.graph.connecting import GraphAddress
from dws_graph.backends.graph.neo4j import Neo4jGraph
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump
from dws_graph.workspace.opening import open_workspace
from tests.docker.engine import Stack, docker
from tests.neo4j.local import Address

PATIENCE = 120.0  # seconds: a slow machine is no failure
DATA = "/data/service"


@dataclass(frozen=True)
class Service:
    """One that answers."""

    stack: Stack
    url: str

    @property
    def root(self) -> None:
        """Its workspace lies in a volume."""

    @property
    def container(self) -> str:
        return self.stack.container("service")

    def token(self, scope: str) -> str:
        """A new one, made as docs/docker.md says."""
        words = ["token", "create", "--name", f"test-{scope}", "--scope", scope]
        return self.stack("exec", "-T", "service", "dws", *words).strip()

    def client(self, scope: str) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.token(scope)}"}
        return httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=PATIENCE)

    def told(self, client: httpx.Client, path: str) -> dict:
        """What the graph says, which follows what was recorded, as soon as it says anything."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = client.get(path)
            if answer.status_code == 200 and answer.json().get("items") != []:
                return answer.json()
            assert answer.status_code in (200, 404, 503), answer.text
        raise AssertionError(f"the graph tells nothing of {path}")

    def is_ready(self) -> None:
        """Waits until it and the graph answer."""
        self.stack.wait("neo4j", "healthy")
        self.stack.wait("service", "healthy")

    def dumps(self, graph: Address, folder: Path) -> tuple[Dump, Dump]:
        """Its part of the graph, and one that is folded anew from its journal."""
        docker("cp", f"{self.container}:{DATA}", folder)
        address = GraphAddress(url=graph.url, user=graph.user, password=graph.password)
        with open_workspace(folder, batch=True) as ws, Index(None) as anew:
            anew.apply(ws.journal.since({}))
            team = Neo4jGraph(address, ws.id)
            try:
                return team.dump(), anew.dump()
            finally:
                team.close()


@dataclass
class Client(threading.Thread):
    """Records steps one after another, and says each again until it is acknowledged.

    Attributes:
        acknowledged: The runs that the service said it has, as it said them.
    """

    service: Service
    runs: int
    acknowledged: dict[str, dict] = field(default_factory=dict)
    again: int = 0
    failed: Exception | None = None

    def __post_init__(self) -> None:
        super().__init__()
        self._more = threading.Condition()
        self._patience = threading.Event()

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        try:
            with self.service.client("write") as client:
                for n in range(self.runs):
                    self._record(client, f"run-{n}")
        except Exception as e:  # noqa: BLE001 - told by `ended`
            self.failed = e
        with self._more:
            self._more.notify_all()

    def _record(self, client: httpx.Client, run: str) -> None:
        before = f"part-{len(self.acknowledged) - 1}"
        inputs = [{"resource": before}] if self.acknowledged else []
        outputs = [{"resource": f"part-{len(self.acknowledged)}"}]
        body = {"name": "chained", "inputs": inputs, "outputs": outputs}
        self._say(lambda: client.put(f"runs/{run}", json=body))
        done = self._say(lambda: client.post(f"runs/{run}/complete", json={}))
        with self._more:
            self.acknowledged[run] = done
            self._more.notify_all()

    def _say(self, what: Callable[[], httpx.Response]) -> dict:
        while True:
            try:
                answer = what()
            except httpx.TransportError:
                self.again += 1
            else:
                if answer.status_code < 500:
                    return answer.raise_for_status().json()
                self.again += 1
            self._patience.wait(0.1)  # as any client that tries again

    def until(self, count: int) -> None:
        """Waits until so many are acknowledged."""
        with self._more:
            enough = self._more.wait_for(
                lambda: len(self.acknowledged) >= count or not self.is_alive(), 10 * PATIENCE
            )
        assert enough
        assert self.failed is None

    def ended(self) -> dict[str, dict]:
        """What was acknowledged, when all is."""
        self.join(10 * PATIENCE)
        assert not self.is_alive()
        assert self.failed is None
        return self.acknowledged


def crash(container: str) -> None:
    """Kill what runs in a container, from within: the engine has not been told to."""
    script = "kill -9 $(cat /proc/1/task/1/children)"
    docker("exec", container, "sh", "-c", script)
