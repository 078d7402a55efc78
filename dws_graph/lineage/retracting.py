"""Retracting a step: it is shown, but is no longer part of lineage. Nothing is deleted.

Source: docs/formats.md, "Retracting a step".
"""

from __future__ import annotations

from dws_graph.backends.views import Retraction, StepInfo
from dws_graph.errors import LineageNotFoundError
from dws_graph.model import facts as f
from dws_graph.model.facts import StepRetraction
from dws_graph.workspace.committing import finish_interrupted
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.scrubbing import scrubbed_text


def retract_step(ws: OpenWorkspace, key: str, reason: str = "") -> tuple[Retraction, bool]:
    """Record that a step, of any instance, is no longer part of lineage.

    Args:
        ws: The workspace.
        key: The step's id.
        reason: For people; secrets are taken out of it.

    Returns:
        The retraction, and whether it was made now; a second one changes nothing.

    Raises:
        LineageNotFoundError: No such step is recorded, or it is one of another workspace.
    """
    ws.check_writable()
    with ws.journal.locked():
        finish_interrupted(ws)
        ws.catch_up()
        step = ws.index.step(key)
        if step is None:
            raise LineageNotFoundError(
                f"no step {key} is recorded", hint="The recorded steps: dws steps."
            )
        if step.workspace != ws.id:
            raise of_another(ws, step)
        before = ws.index.retraction(ws.id, key)
        if before is not None:
            return before, False
        said = scrubbed_text(ws, reason)
        [line] = ws.record([(f.STEP_RETRACTED, StepRetraction(step=key, reason=said).to_json())])
        fact = line.fact
        return Retraction(step=key, reason=said, time=fact.time, instance=fact.instance), True


def of_another(ws: OpenWorkspace, step: StepInfo) -> LineageNotFoundError:
    """The refusal of a step of another workspace: what that one says of it holds here too."""
    whose = ws.index.workspace_name(step.workspace) or step.workspace
    return LineageNotFoundError(
        f"step '{step.name}' is of another workspace, {whose}, and is shown and retracted there",
        hint=f"Run there: dws steps show {step.id}, or dws steps retract {step.id}.",
    )
