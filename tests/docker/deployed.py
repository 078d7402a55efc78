"""A workspace that has an image, and the `dws` that makes it: in an environment of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.docker import engine, standins
from tests.docker.lab import GIT

ROOT = Path(__file__).parents[2]
PINNED = re.compile(r"^([a-z][^\s]*==[^\\\n]*?) *\\?$", re.MULTILINE)
INSTALLED = ("boto3", "joblib", "numpy", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Deployed:
    """A workspace on this machine, the `dws` that made it, and where its parts are.

    Attributes:
        root: The workspace.
        home: Of its user, with `.ssh`.
        bin: Of the Python environment that its steps ran in.
        outside: Where resources lie that are not in its folder.
        image: The name of its image.
    """

    root: Path
    home: Path
    bin: Path
    outside: Path
    image: str

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs dws, whatever comes of it."""
        env = {**os.environ, **GIT, "HOME": str(self.home), "DOCKER_CONFIG": engine.CONFIG}
        return subprocess.run(
            [self.bin / "dws", *arguments],
            cwd=self.root,
            env={**env, "DOCKER_BUILDKIT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=1200,
        )

    def __call__(self, *arguments: str) -> str:
        """Runs dws; stdout."""
        ran = self.ask(*arguments)
        assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
        return ran.stdout

    def build(self, *arguments: str, image: str | None = None) -> list[str]:
        """The words of a build."""
        words = ["deploy", "build", "--image-name", image or self.image, *arguments]
        words += ["--base", docker_base()]
        if standins.CERTIFICATES.is_file():
            words += ["--ca-bundle", str(standins.CERTIFICATES)]
        return words

    def inside(self, *command: str, options: tuple[str, ...] = ()) -> str:
        """Runs a command in a container; stdout."""
        return self("deploy", "run", "--image-name", self.image, *options, "--", *command)


def docker_base() -> str:
    """The image that takes the place of `python:3.x-slim-bookworm`."""
    return f"dws-standin-debian:{standins.SUITE}"


def environment(folder: Path) -> Path:
    """A Python environment with dws, from this checkout, scikit-learn and boto3; its programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet"]
    pinned = folder / "constraints.txt"
    pinned.write_text("\n".join(PINNED.findall((ROOT / "requirements.lock").read_text())))
    lock = ROOT / "docker" / "requirements.lock"
    subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=True)
    subprocess.run([*pip, "-c", str(pinned), *INSTALLED], check=True)
    subprocess.run([*pip, "--no-deps", "-e", str(ROOT)], check=True)
    return folder / "bin"


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, env={**os.environ, **GIT})
