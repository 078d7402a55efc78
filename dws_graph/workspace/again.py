"""The commands that get a result again: back to the snapshot, then each step in lineage order."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from dws_graph.backends.views import StepInfo
from dws_graph.model.refs import ResourceRef
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace

SECRET = "***"  # noqa: S105 - what stands for one in a recorded command line


def again(
    ws: OpenWorkspace, steps: Iterable[StepInfo], snapshot: SnapshotMetadata | None
) -> Iterator[str]:
    """Lines for a POSIX shell; what a person must do is a comment.

    Args:
        ws: The workspace.
        steps: In lineage order.
        snapshot: Where the result is; None: what is on disk is what it was made from.
    """
    yield f"cd {shlex.quote(str(ws.root))}"
    if snapshot is not None:
        name = snapshot.tags[-1] if snapshot.tags else snapshot.hashval
        yield f"dws restore {shlex.quote(name)}"
    for step in steps:
        name = " ".join(step.name.split())
        if step.workspace != ws.id:
            yield f"# {name} ran in another workspace, {step.workspace[:8]}: get its output there"
        elif step.command_line is None:
            yield f"# run {name} by hand: its command line is not recorded"
        else:
            if any(SECRET in word for word in step.command_line):
                yield f"# put the secret of {name} in place of {SECRET}"
            yield _line(ws, step, step.command_line)


def _line(ws: OpenWorkspace, step: StepInfo, command: list[str]) -> str:
    words = shlex.join(command)
    folder = _folder(ws, step)
    return words if folder is None else f"(cd {shlex.quote(folder)} && {words})"


def _folder(ws: OpenWorkspace, step: StepInfo) -> str | None:
    """Where a step ran, from the workspace's root; None: there, or nobody knows."""
    if step.run_from is None or step.run_from[0] is None:
        return None
    ref = ResourceRef(step.run_from[0], step.run_from[1])
    if ref.name not in list(ws.get_resource_names()):
        return None
    root = ws.get_resource(ref.name).local_path
    if root is None:
        return None
    folder = Path(root) / (ref.subpath or "")
    return str(folder.relative_to(ws.root)) if folder.is_relative_to(ws.root) else str(folder)
