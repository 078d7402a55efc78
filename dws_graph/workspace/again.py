"""The commands that get a result again: back to the snapshot, then each step in lineage order."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from dws_graph.backends.views import StepInfo
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.shell_lines import again_line

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
            known = ws.index.workspace_name(step.workspace) or step.workspace[:8]
            where = " ".join(known.split())
            yield f"# {name} ran in another workspace, {where}: get its output there"
        elif (line := again_line(ws, step)) is None:
            yield f"# run {name} by hand: its command line is not recorded"
        else:
            if SECRET in line:
                yield f"# put the secret of {name} in place of {SECRET}"
            yield line
