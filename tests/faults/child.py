"""Runs commands in processes that die where they are told to.

    python child.py        one request a line on stdin, one answer a line on stdout

A request is JSON: `acts` (each `["dws", ARG, ...]`, or the name of a function of `acts.py` and its
arguments), `cwd`, `kill` (the number of the fault point to die at, from 1; null: none), `inside`
(let the program there begin, and die in the middle of it), `points` (a file that gets the name of
each point), `out` (a file that gets what each act returned), `env` (more environment variables) and
`load` (more modules). The process of a request is forked from this one, which has all modules
loaded; the answer is how it ended.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import re
import signal
import traceback
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import dws_graph
from dws_graph.backends import faults
from dws_graph.backends.git import command
from dws_graph.cli.running import run
from tests.faults import acts, transfers

KILLED_GIT = Path(__file__).with_name("killed-git.sh")
KILLED = Path(__file__).with_name("killed")  # programs that others are killed with


class Killer:
    """A hook that notes each point, and ends the process at one."""

    def __init__(self, points: int, kill: int | None, inside: bool) -> None:
        self.points, self.kill, self.inside = points, kill, inside
        self.count = 0

    def __call__(self, point: str) -> None:
        self.count += 1
        # names of snapshots and objects differ from run to run
        os.write(self.points, re.sub(r"[0-9a-f]{8,}", "#", point).encode() + b"\n")
        if self.count != self.kill:
            return
        if self.inside and point.startswith(("rclone: ", "git-fat: ")):
            os.environ.update(FOUND=os.environ["PATH"], PATH=f"{KILLED}:{os.environ['PATH']}")
        elif self.inside:
            import git

            git.Git.GIT_PYTHON_GIT_EXECUTABLE = str(KILLED_GIT)
        else:
            os.kill(os.getpid(), signal.SIGKILL)


def act(what: list[Any]) -> Any:
    """Do one thing of a request."""
    if what[0] != "dws":
        return getattr(acts if hasattr(acts, what[0]) else transfers, what[0])(*what[1:])
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = run(what[1:])
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


def serve(request: dict[str, Any]) -> None:
    """Do a request, in a process of its own."""
    os.chdir(request["cwd"])
    os.environ.update(request["env"])
    points = os.open(request["points"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    faults.hook = Killer(points, request["kill"], request["inside"])
    results = [act(what) for what in request["acts"]]
    faults.hook = None
    Path(request["out"]).write_text(json.dumps(results))


def load() -> None:
    """Have everything that a command might import, so that no fork does it again."""
    command.check_git()  # and GitPython, which looks for git when it is imported
    for module in pkgutil.walk_packages(dws_graph.__path__, "dws_graph."):
        if not module.name.startswith(("dws_graph.__main__", "dws_graph.kits")):  # nor numpy
            importlib.import_module(module.name)
    gc.freeze()  # what is collected in a fork is copied there first


def main() -> None:
    """Fork for each request."""
    load()
    answers = os.fdopen(os.dup(1), "w")
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 1)
    os.dup2(silence, 0)
    for line in os.fdopen(REQUESTS):
        for name in json.loads(line)["load"]:
            importlib.import_module(name)
        pid = os.fork()
        if pid == 0:
            try:
                serve(json.loads(line))
            except BaseException:  # noqa: BLE001  # the process ends here, whatever it was
                Path(json.loads(line)["out"]).write_text(traceback.format_exc())
                os._exit(70)
            os._exit(0)
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        answers.flush()


if __name__ == "__main__":
    REQUESTS = os.dup(0)
    main()
