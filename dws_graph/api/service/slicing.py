"""What lies on the ways between two nodes, and the command that runs it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dws_graph.api.service.problems import not_found
from dws_graph.api.service.sources import Source
from dws_graph.backends.views import Questions, StepInfo
from dws_graph.model.subgraph import Subgraph
from dws_graph.model.ways import between
from dws_graph.workspace.shell_lines import again_line, recording_command, shell_line

MOST_STEPS = 500  # of which a command is told


class Again(NamedTuple):
    """A step to run again, and the line that does; None: its command line is not recorded."""

    step: StepInfo
    line: str | None


class Rerun(NamedTuple):
    """How a piece is run again: step by step, and at once, which may not be possible.

    Attributes:
        steps: In an order in which they can be run.
        command: For a shell, from the folder of the workspace; None where there is none.
        why_not: Why there is none.
    """

    steps: Sequence[Again]
    command: str | None
    why_not: str = ""


def slice_between(q: Questions, a: Sequence[str], b: str) -> Subgraph:
    """All that lies on ways from one of several nodes to another, or else the other way round.

    Raises:
        Problem: No way leads between them.
    """
    up = q.upstream([b], root=b)
    for start in a:
        if found := between(up, start):
            return found
    back = q.upstream(a, root=a[0])
    if found := between(back, b):
        return found
    raise not_found("No way leads from the one to the other.")


def rerun_of(source: Source, found: Subgraph) -> Rerun:
    """How the steps of a piece are run again, with what is on disk then."""
    keys = [node.key for node in found.nodes if node.kind == "step"]
    if len(keys) > MOST_STEPS:
        return Rerun((), None, f"It has {len(keys)} steps; a command is made for {MOST_STEPS}.")
    steps = source.ask(lambda q: [s for s in map(q.step, keys) if s is not None])
    here = {step.id for step in steps if step.workspace == source.home}
    lines = source.at_home(lambda ws: {s.id: again_line(ws, s) for s in steps if s.id in here})
    told = [Again(s, lines[s.id] if s.id in here else _line(s)) for s in steps]
    if not told:
        return Rerun(told, None, "There is no step between them.")
    if unknown := [one.step.name for one in told if one.line is None]:
        return Rerun(told, None, f"The command line of '{unknown[0]}' was not recorded.")
    if elsewhere := [s.name for s in steps if s.id not in here]:
        why = f"'{elsewhere[0]}' ran in a workspace whose folder is not known here."
        return Rerun(told, None, why)
    return Rerun(told, " &&\n".join(one.line for one in told if one.line))


def _line(step: StepInfo) -> str | None:
    words = recording_command(step)
    return None if words is None else shell_line(words)
