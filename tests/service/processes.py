"""A `dws serve` in a process of its own, and what a client needs to know of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

PATIENCE = 120.0  # seconds: a slow machine is no failure
SCOPES = ("read", "write", "admin")


@dataclass(frozen=True)
class Served:
    """A service that answers.

    Attributes:
        url: Where, without a slash at its end.
        root: Its workspace.
        process: Its process.
        said: The file that has its stderr.
        tokens: A token of each scope, where it needs one.
    """

    url: str
    root: Path
    process: subprocess.Popen[str]
    said: Path
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return httpx.URL(self.url).port or 80

    def client(self, scope: str | None = None, **more: object) -> httpx.Client:
        """A client of that scope, or one without a token."""
        headers = {"authorization": f"Bearer {self.tokens[scope]}"} if scope else {}
        given: dict = {"timeout": PATIENCE, "headers": headers, **more}
        return httpx.Client(base_url=self.url, **given)

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Stop it; its exit status."""
        self.process.send_signal(sig)
        return self.process.wait(PATIENCE)


def dws(root: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dws_graph", *args],
        cwd=root,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def make_tokens(file: Path, *scopes: str) -> dict[str, str]:
    """A token of each scope, in a new file."""
    made = {}
    for scope in scopes:
        ran = dws(file.parent, "token", "create", "--scope", scope, "--token-file", str(file))
        assert ran.returncode == 0, ran.stderr
        made[scope] = ran.stdout.strip()
    return made


@contextmanager
def serving(root: Path, folder: Path, *args: str, program: str = "") -> Iterator[Served]:
    """A service of a workspace, at a free port; `program` is Python to run in place of `dws`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "tokens.json"
    open_to_others = "0.0.0.0" in args
    tokens = make_tokens(file, *SCOPES) if open_to_others else {}
    words = ["-m", "dws_graph", "serve", "--port", "0", "--token-file", str(file), *args]
    said = folder / "stderr.txt"
    with said.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, *(["-c", program] if program else words)],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert " at http://" in line, said.read_text()
            url = line.partition(" at ")[2].split()[0].rstrip("/")
            yield Served(url, root, process, said, tokens)
        finally:
            process.kill()
