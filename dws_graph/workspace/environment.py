"""The environment variables that the product reads; no other module does."""

from __future__ import annotations

import os


def workspace_dir() -> str | None:
    """`DWS_WORKSPACE_DIR`: the workspace, when no option names one."""
    return os.environ.get("DWS_WORKSPACE_DIR") or None


def batch() -> bool:
    """`DWS_BATCH`: never ask."""
    return is_true(os.environ.get("DWS_BATCH", ""))


def username() -> str:
    """The user's name, for templates."""
    for name in ("LOGNAME", "USER", "USERNAME"):
        if found := os.environ.get(name):
            return found
    return "user"


def is_true(text: str) -> bool:
    """Whether a variable's text means yes."""
    return text.strip().lower() in ("1", "true", "yes", "on")
