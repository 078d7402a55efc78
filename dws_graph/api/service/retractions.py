"""Why a step is no longer part of lineage, for those who show steps."""

from __future__ import annotations

from typing import NamedTuple

from dws_graph.backends.views import Questions, StepInfo


class Retracted(NamedTuple):
    """Why, since when (UTC), and on which machine that was said; None: it has no name."""

    reason: str
    time: str
    hostname: str | None


def retraction_of(q: Questions, step: StepInfo) -> Retracted | None:
    """What is known of a step's retraction; None where it was not retracted."""
    made = q.retraction(step.workspace, step.id) if step.retracted else None
    if made is None:
        return None
    names = {copy.id: copy.hostname for copy in q.instances(step.workspace)}
    return Retracted(made.reason, made.time, names.get(made.instance))
