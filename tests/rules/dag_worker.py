"""A process that records steps of the random graph: told by lines on its input what to do.

What it did and what came back goes into a log of its own. Every change on disk is made under the
journal's lock, so that it has a place in the journal's order: after which fact it came.

Run as `python -m tests.rules.dag_worker ROOT LOG`.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dws_graph import api
from dws_graph.errors import LineageConsistencyError, LineageNotFoundError
from dws_graph.lineage import Lineage, LineageBuilder, ResourceRef, recording
from dws_graph.workspace.opening import open_workspace

Event = dict[str, Any]


class Recorder:
    """Does what a plan says in one workspace, and notes it."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root = root
        self.log = log
        self.ws = open_workspace(root)
        self.under_way: dict[str, Lineage] = {}
        self._decided = 0

    def watch_decisions(self) -> None:
        """A refused step leaves no fact: note after which one it was decided."""
        check: Callable[..., Any] = vars(recording)["check_or_leave_open"]

        def noted(ws: Any, *args: Any, **options: Any) -> Any:
            self._decided = ws.journal.head().seq
            return check(ws, *args, **options)

        vars(recording)["check_or_leave_open"] = noted

    def note(self, did: str, **what: Any) -> None:
        line = json.dumps({"did": did, "at": time.monotonic_ns(), **what})
        with self.log.open("a") as file:
            file.write(line + "\n")

    def do(self, op: Event) -> None:
        what = {k: v for k, v in op.items() if k != "op"}
        getattr(self, op["op"])(**what)

    def open(
        self, step: str, reads: list[str], code: list[str], writes: list[str], late: bool
    ) -> None:
        """Begin a step, and say what it writes (`late`: only then); or be refused."""
        builder = LineageBuilder().with_step_name(step).with_parameters({"step": step})
        builder.with_workspace_directory(str(self.root))
        for ref in reads:
            builder.with_input_ref(ResourceRef.parse(ref))
        for ref in code:
            builder.with_code_ref(ResourceRef.parse(ref))
        if not reads:
            builder.with_no_inputs()
        outputs = [ResourceRef.parse(ref) for ref in writes]
        for output in () if late else outputs:
            builder.with_output_ref(output)
        said = {"step": step, "reads": reads, "code": code, "writes": writes, "late": late}
        try:
            lineage = builder.eval()
        except LineageConsistencyError as e:
            self.note("refused", **said, seq=self._decided, why=e.message)
            return
        self.note("opened", **said, key=lineage.key)
        self.under_way[step] = lineage
        for output in outputs:
            lineage.add_output_ref(output)

    def close(self, step: str, writes: list[str], fails: bool) -> None:
        """Write the outputs of a step and end it; nothing where it was refused."""
        lineage = self.under_way.pop(step, None)
        if lineage is None:
            return
        for ref in writes:
            self.edit(ref, f"{'half of ' if fails else ''}{ref} by {step}")
        refused = False
        if fails:
            lineage.abort("as planned")
        else:
            try:
                lineage.complete()
            except LineageConsistencyError:
                refused = True
        self.note("closed", step=step, fails=fails, refused=refused)

    def edit(self, ref: str, content: str) -> None:
        """Change a file, at a place in the journal's order that is known."""
        path = place(self.ws, ref)
        with self.ws.journal.locked():
            path.write_text(content + "\n")
            self.note("wrote", ref=ref, content=content, seq=self.ws.journal.head().seq)

    def snapshot(self, tag: str) -> None:
        self.edit("raw:/tag.txt", f"before {tag}")  # so that there is something new
        api.take_snapshot(str(self.root), tag)
        self.note("snapshot", tag=tag)

    def look(self, ref: str) -> None:
        """Ask what a person asks while steps run."""
        try:
            found: int | None = len(api.upstream(ref, workspace_uri_or_path=str(self.root)).nodes)
        except LineageNotFoundError:
            found = None
        rows = api.report_lineage(workspace_uri_or_path=str(self.root))
        self.note("looked", ref=ref, found=found, rows=len(rows))

    def rebuild(self) -> None:
        api.graph_rebuild(workspace_uri_or_path=str(self.root))
        self.note("rebuilt")

    def restore(self, tag: str) -> None:
        api.restore(tag, str(self.root))
        self.note("restored", tag=tag)


def place(ws: Any, ref: str) -> Path:
    """The file of a ref; of the code, its script."""
    at = ResourceRef.parse(ref)
    folder = ws.get_resource(at.name).local_path
    return Path(folder) / (at.subpath or "prep.py")


def main(root: str, log: str) -> None:
    logging.disable(logging.WARNING)  # that inputs are stale or being written is no surprise
    recorder = Recorder(Path(root), Path(log))
    recorder.watch_decisions()
    for line in sys.stdin:
        for op in json.loads(line):
            recorder.do(op)
        sys.stdout.write("done\n")
        sys.stdout.flush()
    recorder.ws.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
