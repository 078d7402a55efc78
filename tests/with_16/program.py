"""Data Workspaces 1.6 itself, in an environment of its own, which the user's cache keeps."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

import platformdirs
from filelock import FileLock

LOCK = Path(__file__).with_name("requirements.lock")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
DIGEST = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:8]
# Asked for when the module is loaded: tests have a home of their own.
CACHE = platformdirs.user_cache_path("dws-graph") / f"dataworkspaces-1.6.0-{DIGEST}-py{PYTHON}"
OUTSIDE = dict(os.environ)
MAIN = "from dataworkspaces.__main__ import main; main()"
PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1")


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether 1.6 is here, or can be fetched."""
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{CACHE}.lock"):
        return CACHE.is_dir() or _make()


def _make() -> bool:
    """Half an environment is never taken for a whole one: it gets its name when it is done."""
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as name:
        target = Path(name) / "site"
        words = (*PIP, "--require-hashes", "--target", str(target), "-r", str(LOCK))
        ran = subprocess.run([sys.executable, *words], env=OUTSIDE, check=False)
        if ran.returncode != 0:
            return False
        shutil.move(target, CACHE)
    return True


def run(*args: str, cwd: Path, ok: bool = True) -> str:
    """What 1.6's `dws`, or a script that uses it, prints.

    Args:
        args: Of Python.
        cwd: Where.
        ok: It must succeed.
    """
    env = {**os.environ, "PYTHONPATH": str(CACHE)}
    words = [sys.executable, "-s", *args]
    ran = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert not ok or ran.returncode == 0, f"{args}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def dws(*args: str, cwd: Path) -> str:
    """What `dws --batch ARGS` of 1.6 prints."""
    return run("-c", MAIN, "--batch", *args, cwd=cwd)
