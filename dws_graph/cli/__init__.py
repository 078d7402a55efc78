"""The commands of dws, one module a command: parse, call one use case, print."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import NoReturn

__all__ = ["main"]

# New objects, and collections of younger ones, before garbage is looked for. A command makes many
# objects and no garbage: with Python's own figures, folding facts takes half as long again.
COLLECT = (20_000, 50, 1_000)


def main(args: Sequence[str] | None = None, prog_name: str = "dws") -> NoReturn:
    """Run a command line, by default that of this process, and exit with its status."""
    gc.set_threshold(*COLLECT)
    from dws_graph.cli.running import run  # noqa: PLC0415 - no garbage in that either

    sys.exit(run(args, prog_name))
