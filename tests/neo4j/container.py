"""A Neo4j server in a container, where a Docker engine answers and has the image."""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import time
import warnings
from functools import cache
from typing import Any

from tests.neo4j import local
from tests.neo4j.local import Address, ServerError

NAMED = "DWS_TEST_NEO4J_IMAGE"
PULL = 60.0  # seconds that getting the image may take


def image() -> str:
    """The image that the environment names, else the public one of the same version as the jars."""
    return os.environ.get(NAMED) or f"neo4j:{local.VERSION}"


@cache
def available() -> bool:
    """Whether an engine answers, and has the image or gets it within a minute.

    Raises:
        ServerError: It has not, and the environment names the image: another server will not do.
    """
    with warnings.catch_warnings():
        # where no engine answers, the library leaves its socket to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        why = _unavailable(image())
        gc.collect()
    if why and os.environ.get(NAMED):
        raise ServerError(f"{NAMED} names {image()}, and {why}")
    return not why


def _unavailable(name: str) -> str:
    import docker
    import requests

    try:
        with contextlib.closing(docker.from_env(timeout=int(PULL))) as client:
            try:
                client.images.get(name)
            except docker.errors.ImageNotFound:
                return _pull(client.api, name)
            return ""
    except (docker.errors.DockerException, requests.RequestException) as e:
        return f"no Docker engine answers: {e}"


def _pull(api: Any, name: str) -> str:
    import docker
    import requests

    end = time.monotonic() + PULL
    try:
        for told in api.pull(name, stream=True, decode=True):
            if "error" in told:
                return f"it cannot be pulled: {told['error']}"
            if time.monotonic() > end:
                return f"it is not pulled within {PULL:.0f} seconds"
    except (docker.errors.DockerException, requests.RequestException) as e:
        return f"it cannot be pulled: {e}"
    return ""


class ContainerServer:
    """A server that testcontainers starts, and removes with all of its data."""

    def __init__(self) -> None:
        # Its reaper is another image to pull, and whoever starts a server here also stops it.
        os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.community.neo4j import Neo4jContainer

        password = secrets.token_hex(12)
        self._container = Neo4jContainer(image(), password=password, username=local.USER)
        self._container.with_env("NEO4J_dbms_usage__report_enabled", "false")
        self._password = password

    @property
    def address(self) -> Address:
        """Where it answers."""
        return Address(self._container.get_connection_url(), local.USER, self._password)

    def start(self) -> None:
        """Starts it, and waits until it answers.

        Raises:
            ServerError: It does not come up.
        """
        try:
            self._container.start()
        except Exception as e:  # whatever the engine, testcontainers or the driver say
            raise ServerError(f"{image()} does not start: {e}") from e

    def stop(self) -> None:
        """Removes it."""
        self._container.stop()
