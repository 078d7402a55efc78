"""A real `dws serve` process, and a client of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from dws_graph.api.service.tokens import TokenStore
from dws_graph.backends.index import Index
from dws_graph.backends.views import Dump
from dws_graph.workspace.opening import open_workspace


class Served:
    """A service on a workspace of its own, started again as often as one likes."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.tokens = folder / "tokens.json"
        self.token = TokenStore(self.tokens).create("write", "test").text
        self.url = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self, workspace: Path | None = None) -> None:
        """Of its own workspace, or of somebody's."""
        words = ["--workspace-dir", str(workspace), "serve"] if workspace else None
        words = words or ["serve", "--data", str(self.data)]
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dws_graph",
                *words,
                "--port",
                "0",
                "--token-file",
                str(self.tokens),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()  # it is printed once it answers
        assert "Serving" in line, line
        self.url = line.split(" at ")[1].split()[0].rstrip("/")

    def end(self, how: int = signal.SIGTERM) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(how)
        self.process.wait(120)
        self.process.stdout.close()
        self.process = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    @contextlib.contextmanager
    def client(self) -> Iterator[httpx.Client]:
        headers = {"authorization": f"Bearer {self.token}"}
        base = f"{self.url}/api/v1/"
        with httpx.Client(base_url=base, headers=headers, timeout=120) as client:
            yield client

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DWS_SERVICE": self.url, "DWS_TOKEN": self.token}


def dumps(data: Path) -> tuple[Dump, Dump]:
    """What the index of a workspace holds, and one that is folded anew from its journal."""
    with open_workspace(data, batch=True) as ws, Index(None) as anew:
        anew.apply(ws.journal.since({}))
        return ws.index.dump(), anew.dump()


def steps(dump: Dump) -> dict[str, str]:
    """{run: status} of the steps that programs outside told of."""
    found = [n["properties"] for n in dump["nodes"] if n["labels"] == ["Step"]]
    assert len(found) == len({step["producer_run"] for step in found}), "a run is there twice"
    return {step["producer_run"]: step["status"] for step in found}
