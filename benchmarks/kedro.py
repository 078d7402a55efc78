"""A Kedro project whose pipeline is a given graph, and Kedro-Viz on it.

Kedro-Viz is installed from PyPI into build/kedro-viz where it is not there yet, for this alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

VIZ = Path(__file__).resolve().parent.parent / "build" / "kedro-viz"
PATIENCE = 600.0  # seconds until it answers
ASIDE = {"DO_NOT_TRACK": "1", "KEDRO_DISABLE_TELEMETRY": "1"}  # it tells nobody of us
TOML = """\
[tool.kedro]
package_name = "peer"
project_name = "peer"
kedro_init_version = "{version}"
"""
REGISTRY = """\
import json
from pathlib import Path

from kedro.pipeline import node, pipeline

TASKS = json.loads(Path(__file__).with_name("tasks.json").read_text())


def work(*given):
    return given


def register_pipelines():
    made = [node(work, reads or None, name, name=f"make_{name}") for name, reads in TASKS.items()]
    return {"__default__": pipeline(made)}
"""


def install() -> str:
    """Kedro-Viz, in an environment of its own; its version."""
    if not (VIZ / "bin" / "kedro").exists():
        print(f"installing kedro-viz into {VIZ}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VIZ)], check=True)
        pip = [str(VIZ / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, "kedro", "kedro-viz"], check=True)
    return _version("kedro_viz")


def _version(package: str) -> str:
    ask = f"import {package}; print({package}.__version__)"
    ran = subprocess.run(
        [str(VIZ / "bin" / "python"), "-c", ask], check=True, capture_output=True, text=True
    )
    return ran.stdout.strip()


def make_project(folder: Path, tasks: Mapping[str, Sequence[str]]) -> Path:
    """A project in which each task reads some data, and makes the one that is called like it."""
    import json

    root, package = folder / "peer", folder / "peer" / "src" / "peer"
    package.mkdir(parents=True)
    for name in ("base", "local"):
        (root / "conf" / name).mkdir(parents=True)
    (root / "pyproject.toml").write_text(TOML.format(version=_version("kedro")))
    (root / "conf" / "base" / "catalog.yml").write_text("{}\n")
    for name in ("__init__.py", "settings.py"):
        (package / name).write_text("")
    (package / "pipeline_registry.py").write_text(REGISTRY)
    (package / "tasks.json").write_text(json.dumps(tasks))
    return root


@contextlib.contextmanager
def viewing(root: Path, said: Path) -> Iterator[str]:
    """Kedro-Viz on a project: where it answers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [str(VIZ / "bin" / "kedro"), "viz", "run", "--no-browser", "--port", str(port)]
    with said.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, **ASIDE},
            stdout=out,
            stderr=out,
            start_new_session=True,  # it starts others, which would outlive it
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, said)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes], said: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/api/main", timeout=60) as answer:
                answer.read()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    sys.exit(f"Kedro-Viz does not answer:\n{said.read_text()[-3000:]}")
