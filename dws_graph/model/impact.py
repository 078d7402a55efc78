"""What a change would reach: a row for each step, and each thing that was made, by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from dws_graph.model.selecting import kind_of, times
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.model.ways import away

Column = Literal["away", "kind", "name", "workspace", "resource", "stale", "time", "step"]
COLUMNS: tuple[Column, ...] = get_args(Column)
CUT = 200  # of a text, by which rows are sorted


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Something downstream, with all its versions, or runs, that are.

    Attributes:
        key: The id of the newest of them.
        kind: `step`, `data` or `code`.
        name: Of the step, or the ref.
        workspace: The id of its workspace; empty where that is not known.
        workspace_name: Its name; else its id.
        resource: Of data; None of a step.
        away: How many steps the nearest of them is away.
        versions: How many there are.
        stale: Why it is stale; nothing: it is not.
        time: When the newest was written, or ran (UTC).
        step: The id of the step that wrote the newest; of a step its own.
        step_name: The name of that.
    """

    key: str
    kind: str
    name: str
    workspace: str
    workspace_name: str
    resource: str | None
    away: int
    versions: int
    stale: tuple[str, ...]
    time: str | None
    step: str | None
    step_name: str | None

    def place(self, column: Column) -> tuple[str, str]:
        """What it is sorted by; no two are equal."""
        said = {
            "away": f"{self.away:09d} {self.name}",
            "workspace": f"{self.workspace_name} {self.name}",
            "resource": f"{self.resource or ''} {self.name}",
            "stale": f"{'; '.join(self.stale) or '~'} {self.name}",  # what is stale first
            "time": self.time or "",
            "step": f"{self.step_name or ''} {self.name}",
            "kind": f"{self.kind} {self.name}",
            "name": self.name,
        }
        return said[column][:CUT], self.key


def reached_by(
    found: Subgraph,
    starts: Collection[str],
    keys: Collection[str] | None = None,
    *,
    stale: Mapping[str, Sequence[str]],
    workspaces: Mapping[str, str],
) -> list[Reached]:
    """The rows of what lies downstream.

    Args:
        found: All that does.
        starts: What it is downstream of, which is no row itself.
        keys: These nodes alone; None for all.
        stale: Why nodes are stale.
        workspaces: The names of workspaces.
    """
    far = away(found.edges, starts, down=True)
    when = times(found)
    groups: dict[tuple[str, str, str], list[Node]] = defaultdict(list)
    for node in found.nodes:
        if node.key not in starts and (keys is None or node.key in keys):
            workspace = str(node.properties.get("workspace") or "")
            groups[(kind_of(node), workspace, node.name)].append(node)
    wrote = {e.target: e.source for e in found.edges if e.type == "WROTE"}
    names = {node.key: node.name for node in found.nodes}
    rows = []
    for (kind, workspace, name), nodes in groups.items():
        newest = max(nodes, key=lambda n: (when.get(n.key, ""), n.key))
        step = newest.key if newest.kind == "step" else wrote.get(newest.key)
        resource = newest.properties.get("resource")
        rows.append(
            Reached(
                key=newest.key,
                kind=kind,
                name=name,
                workspace=workspace,
                workspace_name=workspaces.get(workspace, workspace),
                resource=None if resource is None else str(resource),
                away=min(far.get(n.key, 0) for n in nodes),
                versions=len(nodes),
                stale=tuple(dict.fromkeys(why for n in nodes for why in stale.get(n.key, ()))),
                time=when.get(newest.key),
                step=step,
                step_name=None if step is None else names.get(step),
            )
        )
    return rows
