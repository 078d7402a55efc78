"""A user's query of the embedded view, in a process of its own.

The engine ends a query after its time, but not before it has taken all memory, and with it the
service. So each query gets a process, which has only so much memory.
"""

from __future__ import annotations

import json
import logging
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from dws_graph.api.querying import query
from dws_graph.api.views import CYPHER
from dws_graph.errors import DwsError, QueryError
from dws_graph.model.secrets import scrub_text

log = logging.getLogger("dws_graph.service")
MEMORY = 2 << 30  # bytes of address space, beyond what the interpreter has
NO_MEMORY = ("MemoryError", "memory allocation of", "Cannot allocate memory", "bad_alloc")
GRACE = 15.0  # seconds for starting, folding what is new, and telling the rows


def ask(root: Path, cypher: str, parameters: Any, *, limit: int, timeout: float) -> dict[str, Any]:
    """The rows of a query, as `Answer.to_json` has them.

    Raises:
        QueryError: It was refused, failed, took too long or too much memory.
    """
    asked = {"cypher": cypher, "parameters": parameters, "limit": limit, "timeout": timeout}
    command = [sys.executable, "-m", __name__, str(root)]
    try:
        ran = subprocess.run(  # noqa: S603 - our own Python; the query goes by stdin
            command,
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=timeout + GRACE,
            check=False,
        )
    except subprocess.TimeoutExpired as e:
        raise QueryError(f"the query took longer than {timeout:g} s") from e
    if ran.returncode != 0 or not ran.stdout:
        raise _ended(ran.returncode, ran.stderr.decode("utf-8", "replace"))
    told: dict[str, Any] = json.loads(ran.stdout)
    if "error" in told:
        raise QueryError(told["error"], hint=told["hint"])
    return told


def _ended(status: int, said: str) -> QueryError:
    """Why the process ended without an answer: for lack of memory, or by a crash of the engine."""
    if status == -signal.SIGKILL or any(words in said for words in NO_MEMORY):
        return QueryError(
            "the query needs more memory than there is for one",
            hint="Start from a node's id, bound every *, or count in place of collecting.",
        )
    log.error("a query's process ended with status %s: %s", status, scrub_text(said[-2_000:]))
    return QueryError(
        "the engine crashed over this query", hint="Ask in another way; the service goes on."
    )


def main() -> None:
    """Answer the query on stdin, of the workspace that is named."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    asked = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        found = query(
            asked["cypher"],
            asked["parameters"],
            limit=asked["limit"],
            timeout=asked["timeout"],
            view=CYPHER,
            workspace_uri_or_path=sys.argv[1],
        ).to_json()
    except DwsError as e:
        found = {"error": e.message, "hint": e.hint}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
