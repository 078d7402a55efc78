"""The Docker engine as a user calls it: `docker`, and Compose as plug-in or program of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from threading import Timer
from typing import Any

# Known when the module is loaded: tests have a home of their own, this is the user's.
CONFIG = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")

PATIENCE = 300.0  # seconds that a change of health may take


@cache
def answers(_: str = "") -> bool:
    """Whether an engine answers, and Compose is there."""
    if shutil.which("docker") is None:
        return False
    info = ["docker", "version", "--format", "{{.Server.Version}}"]
    here = subprocess.run(info, env=_environment(), capture_output=True, check=False)
    return here.returncode == 0 and bool(_compose())


def ask(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs `docker`, whatever comes of it."""
    return _run(["docker", *map(str, arguments)], **options)


def docker(*arguments: str | Path, **options: Any) -> str:
    """Runs `docker`; stdout."""
    return _checked(ask(*arguments, **options))


def inspect(name: str) -> Any:
    """What the engine knows of a container, image, volume or network."""
    (found,) = json.loads(docker("inspect", name))
    return found


class Stack:
    """A Compose project.

    Args:
        file: The compose file.
        project: Its name, and so that of all that it makes.
        environment: Of each call, beside what Compose needs.
    """

    def __init__(self, file: Path, project: str, environment: Mapping[str, str]) -> None:
        self.file = file
        self._command = [*_compose(), "-f", str(file), "-p", project]
        self.environment = dict(environment)

    def ask(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Runs Compose, whatever comes of it."""
        return _run([*self._command, *arguments], self.environment, **options)

    def __call__(self, *arguments: str, **options: Any) -> str:
        """Runs Compose; stdout."""
        return _checked(self.ask(*arguments, **options))

    def container(self, service: str) -> str:
        """The id of a service's container."""
        return self("ps", "-q", service).strip()

    def health(self, service: str) -> str:
        """What the engine last found: `starting`, `healthy`, `unhealthy`."""
        return str(inspect(self.container(service))["State"]["Health"]["Status"])

    def wait(self, service: str, health: str) -> None:
        """Waits until the engine says so of a service: its next checks decide."""
        filters = ["--filter", f"container={self.container(service)}"]
        filters += ["--filter", "event=health_status"]
        command = ["docker", "events", *filters, "--since", "10m", "--format", "{{.Action}}"]
        with subprocess.Popen(
            command, env=_environment(), stdout=subprocess.PIPE, text=True
        ) as events:
            assert events.stdout is not None
            end = Timer(PATIENCE, events.kill)
            end.start()
            try:
                seen = self.health(service) == health or any(
                    self.health(service) == health for _ in events.stdout
                )
            finally:
                end.cancel()
                events.kill()
        assert seen, f"{service} is not {health}: {self('logs', '--tail', '30', service)}"


def _run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    options = {"timeout": 600, **options}
    return subprocess.run(
        command, env=_environment(environment), capture_output=True, text=True, **options
    )


def _checked(ran: subprocess.CompletedProcess[str]) -> str:
    said = f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    assert ran.returncode == 0, f"{' '.join(ran.args)} ended with {ran.returncode}: {said}"
    return ran.stdout


@cache
def _compose() -> tuple[str, ...]:
    plugin = ["docker", "compose", "version"]
    if not subprocess.run(plugin, env=_environment(), capture_output=True, check=False).returncode:
        return ("docker", "compose")
    return ("docker-compose",) if shutil.which("docker-compose") else ()


def _environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    # No buildx: the engine's own builder is what everyone has.
    return {**os.environ, "DOCKER_CONFIG": CONFIG, "DOCKER_BUILDKIT": "0", **(more or {})}
