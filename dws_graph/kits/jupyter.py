"""Jupyter: which notebook is running, as far as its kernel can know.

A kernel is told no more than its server tells it when it starts. Jupyter Server and VS Code tell
it the notebook's path; nbconvert and papermill do not (started by a notebook, they hand on that
one's). Nothing is imported here: where IPython is not imported yet, no notebook is running.
"""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import Any

from dws_graph.workspace import environment


def is_notebook() -> bool:
    """Whether this runs in a Jupyter kernel, and not in a script or a terminal."""
    return _kernel_shell() is not None


def get_step_name_for_notebook() -> str | None:
    """The running notebook's file name without its ending.

    Returns:
        None when no notebook is running or its name is not known: run by nbconvert, or renamed
        since its kernel started.
    """
    path = _notebook_path()
    return PurePath(path).stem if path is not None and os.path.isfile(path) else None


def get_notebook_directory() -> str | None:
    """The running notebook's folder, whatever the current directory is by now.

    Returns:
        An absolute path; None when no notebook is running or its folder is not known: run by
        nbconvert, or moved since its kernel started.
    """
    path = _notebook_path()
    folder = None if path is None else os.path.dirname(path)
    return folder if folder is not None and os.path.isdir(folder) else None


def _kernel_shell() -> Any:
    """IPython's shell, when a kernel runs it; None in a terminal and without IPython."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if getattr(shell, "kernel", None) is not None else None


def _notebook_path() -> str | None:
    """Where the notebook was when its kernel started; ends with `/` where its name is not told.

    VS Code comes first: it makes up a session's name when it uses a Jupyter server. The session's
    name is asked for in a kernel alone, since what a notebook runs inherits the environment.
    """
    shell = _kernel_shell()
    if shell is None:
        return None
    path = shell.user_ns.get("__vsc_ipynb_file__") or environment.notebook_session()
    if path is None or os.path.isabs(path):
        return path
    # Jupyter Server 1 tells it from a folder of its own; the kernel starts beside the notebook.
    return os.path.join(shell.user_ns["_dh"][0], os.path.basename(path))
