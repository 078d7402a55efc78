"""The other end of `child.py`: asks it to do things, and learns how they ended."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.operations import Act

TESTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How a request ended.

    Attributes:
        killed: Whether it was.
        points: The fault points that it came to.
        results: Of each act; none when it was killed.
        failed: The traceback of an act that raised.
    """

    killed: bool
    points: tuple[str, ...]
    results: tuple[Any, ...] = ()
    failed: str = ""


class Server:
    """Runs acts in processes of their own.

    Args:
        scratch: A folder for what passes between the two.
        package: A folder to import `dws_graph` from; None: the one that is tested here.
        prefix: The start of a command line that runs it, under strace for example.

    Attributes:
        env: More environment variables, for the acts; their names stand for them in acts.
        load: Modules that the acts import, so that no process does it again.
    """

    def __init__(
        self, scratch: Path, package: Path | None = None, prefix: Sequence[str] = ()
    ) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self._scratch = scratch
        self.env: dict[str, str] = {}
        self.load: tuple[str, ...] = ()
        path = [str(package)] if package else []
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tests.faults.child"],
            cwd=package or TESTS,  # which comes first where Python looks for modules
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(TESTS)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(
        self,
        acts: Sequence[Act],
        cwd: Path,
        *,
        kill: int | None = None,
        inside: bool = False,
    ) -> Ran:
        """Do these acts."""
        points, out = self._scratch / "points", self._scratch / "out"
        out.unlink(missing_ok=True)
        request = {
            "acts": acts,
            "cwd": str(cwd),
            "kill": kill,
            "inside": inside,
            "points": str(points),
            "out": str(out),
            "env": self.env,
            "load": self.load,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        passed = tuple(points.read_text().splitlines())
        if status == -9:
            return Ran(True, passed)
        if status:
            return Ran(False, passed, failed=out.read_text())
        return Ran(False, passed, tuple(json.loads(out.read_text())))

    def close(self) -> None:
        """End it, and what it kept."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()
        shutil.rmtree(self._scratch)
