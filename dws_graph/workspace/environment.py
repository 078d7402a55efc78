"""The environment variables that the product reads, or sets; no other module does."""

from __future__ import annotations

import getpass
import os


def workspace_dir() -> str | None:
    """`DWS_WORKSPACE_DIR`: the workspace, when no option names one."""
    return os.environ.get("DWS_WORKSPACE_DIR") or None


def batch() -> bool:
    """`DWS_BATCH`: never ask."""
    return is_true(os.environ.get("DWS_BATCH", ""))


def graph_url() -> str | None:
    """`DWS_GRAPH_URL`: the team's Neo4j; wins over the parameter `graph.url`."""
    return os.environ.get("DWS_GRAPH_URL") or None


def graph_database() -> str | None:
    """`DWS_GRAPH_DATABASE`: wins over the parameter `graph.database`."""
    return os.environ.get("DWS_GRAPH_DATABASE") or None


def graph_credentials() -> tuple[str | None, str | None]:
    """`DWS_GRAPH_USER` and `DWS_GRAPH_PASSWORD`."""
    return os.environ.get("DWS_GRAPH_USER") or None, os.environ.get("DWS_GRAPH_PASSWORD") or None


def token_file() -> str | None:
    """`DWS_TOKEN_FILE`: where the tokens of the service are kept, when no option names it."""
    return os.environ.get("DWS_TOKEN_FILE") or None


def username() -> str:
    """The user's name, for templates."""
    try:
        return getpass.getuser()  # the environment, else the system's list of users
    except (ImportError, KeyError, OSError):
        return "user"


def notebook_session() -> str | None:
    """`JPY_SESSION_NAME`: the notebook's path, which Jupyter Server tells the kernel it starts."""
    return os.environ.get("JPY_SESSION_NAME") or None


def of_command(step: str) -> dict[str, str]:
    """The environment of a command that runs as a step: ours, and the step's id in `DWS_STEP`."""
    return {**os.environ, "DWS_STEP": step}


def of_program() -> dict[str, str]:
    """The environment of another program that a user runs by us: ours."""
    return dict(os.environ)


def pip_index_url() -> str | None:
    """`PIP_INDEX_URL`: the mirror of PyPI that this machine's pip asks."""
    return os.environ.get("PIP_INDEX_URL") or None


def is_true(text: str) -> bool:
    """Whether a variable's text means yes."""
    return text.strip().lower() in ("1", "true", "yes", "on")
