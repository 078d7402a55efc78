"""A folder that is mounted into containers, and used from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GIT = {
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
}


@dataclass(frozen=True)
class Lab:
    """Where it is, and whose."""

    path: Path
    uid: int

    @classmethod
    def make(cls, path: Path, uid: int) -> Lab:
        """An empty one."""
        path.mkdir()
        if uid != os.getuid():
            os.chown(path, uid, uid)
        return cls(path, uid)

    @property
    def options(self) -> list[str]:
        """Of `docker run`: its owner works in it."""
        known = [f"--env={name}={value}" for name, value in GIT.items()]
        return [f"--user={self.uid}:{self.uid}", f"--volume={self.path}:/workspace", *known]

    @property
    def environment(self) -> dict[str, str]:
        """Of Compose: the same."""
        return {
            "DWS_GID": str(self.uid),
            "DWS_UID": str(self.uid),
            "DWS_WORKSPACE": str(self.path),
        }

    def dws(self, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        """Runs `dws` in it, outside of any container; stdout."""
        ran = subprocess.run(
            [sys.executable, "-m", "dws_graph", *arguments],
            cwd=self.path,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def instance(self) -> Any:
        """What the workspace calls this copy of it."""
        return json.loads((self.path / ".dataworkspace/local/instance.json").read_text())
