"""Where the team's Neo4j is, and what lets this user in. A password is never told to anyone.

    DWS_GRAPH_URL, DWS_GRAPH_DATABASE   else the local parameters graph.url, graph.database
    DWS_GRAPH_USER, DWS_GRAPH_PASSWORD  else graph.json in the user's configuration folder:
                                        {"URL": {"user": "...", "password": "..."}}, mode 600

Source: docs/neo4j.md.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from dws_graph.backends.files import is_private
from dws_graph.backends.graph.connecting import GraphAddress, check_database, check_url
from dws_graph.errors import ConfigurationError
from dws_graph.workspace import environment
from dws_graph.workspace.opened import OpenWorkspace

USER = "neo4j"  # of a password without a user


def credentials_file() -> Path:
    """The user's file of passwords."""
    import platformdirs  # where a Neo4j is configured alone

    return platformdirs.user_config_path("dws-graph") / "graph.json"


def graph_url(ws: OpenWorkspace) -> str | None:
    """Where the team's Neo4j is; None where there is none.

    Raises:
        ParamValidationError: The environment names no Neo4j server, or holds a password.
    """
    url = ws.graph_url
    if url is None:
        return None
    check_url(url)
    return url


def graph_address(ws: OpenWorkspace) -> GraphAddress | None:
    """The team's Neo4j with what lets this user in; None where there is none.

    Raises:
        ConfigurationError: The file of passwords is open to others, or cannot be read.
    """
    url = graph_url(ws)
    if url is None:
        return None
    database = environment.graph_database() or ws.get_local_param("graph.database")
    if database is not None:
        check_database(database)
    user, password = environment.graph_credentials()
    if user is None and password is None:
        user, password = _from_file(url)
    elif password is not None:
        user = user or USER
    return GraphAddress(url=url, database=database, user=user, password=password or "")


def configured_address(ws: OpenWorkspace) -> GraphAddress:
    """The team's Neo4j, which there must be.

    Raises:
        ConfigurationError: There is none; or as `graph_address`.
    """
    address = graph_address(ws)
    if address is None:
        raise ConfigurationError(
            "no Neo4j is configured for this workspace",
            hint="Name one: dws config graph.url neo4j://HOST:7687.",
        )
    return address


def _from_file(url: str) -> tuple[str | None, str | None]:
    path = credentials_file()
    try:
        with path.open("rb") as file:
            _check_private(path, os.fstat(file.fileno()))
            raw = file.read()
    except FileNotFoundError:
        return None, None
    except OSError as e:
        raise ConfigurationError(
            f"{path} cannot be read: {e.strerror}", hint="It must be yours: chmod 600 it."
        ) from e
    return _entry(path, raw, url)


def _check_private(path: Path, found: os.stat_result) -> None:
    if not is_private(found):
        raise ConfigurationError(
            f"{path} holds passwords, and others can read or change it",
            hint=f"Type: chmod 600 {path}",
        )


def _entry(path: Path, raw: bytes, url: str) -> tuple[str | None, str | None]:
    """What the file says of a server; what is wrong is told without what is in it."""
    try:
        known: Any = json.loads(raw)
    except ValueError as e:
        line = f", line {e.lineno}," if isinstance(e, json.JSONDecodeError) else ""
        raise ConfigurationError(f"{path}{line} is not JSON", hint=FORM) from None
    entries = known if isinstance(known, dict) else {}
    by_url = {key.rstrip("/"): value for key, value in entries.items()}
    entry = by_url.get(url.rstrip("/"))
    if isinstance(known, dict) and entry is None:
        return None, None
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(key), str) for key in ("user", "password")
    ):
        raise ConfigurationError(f"{path} does not hold user and password of {url}", hint=FORM)
    return entry["user"], entry["password"]


FORM = 'It holds {"URL": {"user": "NAME", "password": "..."}}: see docs/neo4j.md.'
