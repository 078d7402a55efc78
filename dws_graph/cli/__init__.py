"""The commands of dws, one module a command: parse, call one use case, print."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from dws_graph.cli.running import run

__all__ = ["main"]


def main(args: Sequence[str] | None = None, prog_name: str = "dws") -> NoReturn:
    """Run a command line, by default that of this process, and exit with its status."""
    sys.exit(run(args, prog_name))
