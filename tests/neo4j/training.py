"""A run of many steps in one process, in the middle of which something happens to the server.

    python training.py WORKSPACE STEPS AT EVENT PID

EVENT at step AT: the name of a signal that the server PID gets, or `password`: from then on a
wrong one is used.
"""

from __future__ import annotations

import os
import signal
import sys

import neo4j  # noqa: F401  # loaded now, for on a busy machine that takes its time

from dws_graph.lineage import LineageBuilder, ResourceRef


def happen(event: str, pid: int) -> None:
    if event == "password":
        os.environ["DWS_GRAPH_PASSWORD"] = "no-longer-the-right-one"
    elif event != "nothing":
        os.kill(pid, signal.Signals[event])


def main(root: str, steps: int, at: int, event: str, pid: int) -> None:
    for n in range(steps):
        if n == at:
            happen(event, pid)
        builder = LineageBuilder().with_workspace_directory(root).with_step_name(f"step {n % 5}")
        builder = builder.with_parameters({"n": n}).with_input_ref(ResourceRef("source-data"))
        with builder.eval() as step:
            step.add_output_ref(ResourceRef("intermediate-data", f"part{n % 7}"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
