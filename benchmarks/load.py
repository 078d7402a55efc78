"""Many clients of a service at once, in one process: what each answer took, and what went wrong.

A client has one connection, which it keeps, and asks one route after another. The HTTP is the
least that does, so that the machine works for the service and not for those who ask it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 120.0  # seconds until an answer counts as none


@dataclass(frozen=True, slots=True)
class Request:
    """One request, and what its route is called."""

    route: str
    path: str
    method: str = "GET"
    body: Any = None


@dataclass
class Tally:
    """The seconds of each route's answers, and its errors, counted."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def answers(self) -> int:
        return sum(map(len, self.seconds.values()))


class Connection:
    """One that is kept, and made again when it broke."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> tuple[int, bytes]:
        """The status and the body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port, limit=1 << 20)
        try:
            return await asyncio.wait_for(self._asked(*self._streams, request), PATIENCE)
        except BaseException:
            self.close()
            raise

    async def _asked(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
    ) -> tuple[int, bytes]:
        body = b"" if request.body is None else json.dumps(request.body).encode()
        more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        head = f"{request.method} {request.path} HTTP/1.1\r\n{self._head}{more}\r\n"
        writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        told = dict(line.split(": ", 1) for line in lines[1:] if line)
        if "content-length" not in told:
            raise ConnectionError(f"{request.path}: an answer without its length")
        content = await reader.readexactly(int(told["content-length"]))
        if told.get("connection") == "close":
            self.close()
        return int(lines[0].split()[1]), content

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def read(
    connection: Connection, requests: Iterator[Request], tally: Tally, end: float
) -> None:
    """Ask one after the other until it is time."""
    for request in requests:
        if time.monotonic() >= end:
            break
        begin = time.perf_counter()
        try:
            status, _ = await connection.ask(request)
        except (OSError, EOFError, asyncio.TimeoutError) as e:
            tally.errors[f"{request.route}: {type(e).__name__}"] += 1
            continue
        tally.seconds[request.route].append(time.perf_counter() - begin)
        if status != 200:
            tally.errors[f"{request.route}: {status}"] += 1
    connection.close()


async def write(connection: Connection, name: str, tally: Tally, end: float) -> dict[str, str]:
    """Record steps, each on the one before, until it is time: {run: step} of all acknowledged."""
    acknowledged: dict[str, str] = {}
    while time.monotonic() < end:
        number = len(acknowledged)
        run = f"{name}-{number}"
        body = {
            "name": f"stage {number % 7}",
            "inputs": [{"resource": f"{name}-out-{(number - 1) % 20}"}] if number else [],
            "outputs": [{"resource": f"{name}-out-{number % 20}"}],
            "parameters": {"n": number},
        }
        for route, request in (
            ("PUT runs", Request("PUT runs", f"/api/v1/runs/{run}", "PUT", body)),
            ("POST runs", Request("POST runs", f"/api/v1/runs/{run}/complete", "POST", {})),
        ):
            begin = time.perf_counter()
            status, content = await connection.ask(request)
            tally.seconds[route].append(time.perf_counter() - begin)
            if status != 200:
                tally.errors[f"{route}: {status}: {content.decode()[:200]}"] += 1
                return acknowledged
        acknowledged[run] = json.loads(content)["step"]
    connection.close()
    return acknowledged


async def watch(connection: Connection, tally: Tally, end: float) -> None:
    """Ask for health again and again: it asks nobody, so it takes as long as the loop is held."""
    health = Request("(health)", "/api/v1/health")
    while time.monotonic() < end:
        begin = time.perf_counter()
        await connection.ask(health)
        tally.seconds[health.route].append(time.perf_counter() - begin)
        await asyncio.sleep(0.05)
    connection.close()


async def run(
    connect: Callable[[str], Connection],
    laps: Sequence[Callable[[], Iterator[Request]]],
    seconds: float,
) -> tuple[Tally, dict[str, str]]:
    """Readers, each with its own requests, and a writer, all at once.

    Args:
        connect: Makes a connection of a scope.
        laps: The requests of each reader.
        seconds: How long.
    """
    tally, end = Tally(), time.monotonic() + seconds
    readers = [read(connect("read"), lap(), tally, end) for lap in laps]
    watching = watch(connect("read"), tally, end)
    writing = asyncio.create_task(write(connect("write"), "load", tally, end))
    await asyncio.gather(*readers, watching)
    return tally, await writing


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
