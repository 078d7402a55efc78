"""A piece of the lineage graph, as questions answer it and pictures draw it.

Source of the JSON: docs/formats.md, "A subgraph".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

NodeKind = Literal["step", "certificate", "snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One step, certificate or snapshot.

    `properties` of a certificate: `workspace, resource, subpath, hash` (None for a placeholder),
    `version, status` (`hashed`, `pending`, `not kept`), `role` (of its resource), `produced`
    (whether a step wrote it), `retracted` (True where a step wrote it that was retracted, else
    absent); of a step: `workspace, start_time, execution_time_seconds, parameters, metrics,
    command_line, instance, status` (`completed`, `failed`).
    """

    key: str
    kind: NodeKind
    name: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As docs/formats.md has it."""
        return {
            "key": self.key,
            "kind": self.kind,
            "name": self.name,
            "properties": dict(self.properties),
        }


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """An arrow the way data flows: `READ_BY`, `CODE_OF`, `WROTE`, `CONTAINS` or `IMPORTED_AS`.

    `change` is empty but where two versions lie over one another (`model.overlay`).
    """

    source: str
    target: str
    type: str
    change: str = ""

    def to_json(self) -> dict[str, str]:
        """As docs/formats.md has it."""
        told = {"change": self.change} if self.change else {}
        return {"source": self.source, "target": self.target, "type": self.type, **told}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Subgraph:
    """Nodes and the edges between them.

    `root` is the key that was asked for (empty where nothing in particular was); `complete` is
    False when one of the certificates is not kept or unknown; versions of a ref are not counted.
    """

    root: str
    complete: bool
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def to_json(self) -> dict[str, Any]:
        """As docs/formats.md has it: nodes and edges in the order of the question."""
        return {
            "root": self.root,
            "complete": self.complete,
            "nodes": [n.to_json() for n in self.nodes],
            "edges": [e.to_json() for e in self.edges],
        }

    def __repr__(self) -> str:
        """Short: people print answers, and the nodes may be thousands."""
        counts = f"{len(self.nodes)} nodes, {len(self.edges)} edges"
        state = "complete" if self.complete else "incomplete"
        return f"<Subgraph of {self.root or 'nothing in particular'}: {counts}, {state}>"

    def node(self, key: str) -> Node:
        """The node with this key; KeyError when it is not part of the subgraph."""
        for n in self.nodes:
            if n.key == key:
                return n
        raise KeyError(key)

    def workspaces(self) -> set[str]:
        """The ids of the workspaces that the nodes are of, as far as they are known."""
        found = {node.properties.get("workspace") for node in self.nodes}
        return {str(workspace) for workspace in found if workspace}

    def naming_workspaces(self, names: Mapping[str, str]) -> Subgraph:
        """The same for people: each node of one of these workspaces, by id, names it too."""
        nodes = []
        for node in self.nodes:
            name = names.get(str(node.properties.get("workspace")))
            nodes.append(node if name is None else replace(node, name=f"{node.name} ({name})"))
        return replace(self, nodes=tuple(nodes))

    def reached_from(self, starts: Collection[str]) -> Subgraph:
        """What lies on a way from one of the starts to anywhere in the subgraph, along arrows."""
        outgoing: dict[str, list[str]] = {}
        for edge in self.edges:
            outgoing.setdefault(edge.source, []).append(edge.target)
        waiting = [n.key for n in self.nodes if n.key in starts]
        found = set(waiting)
        while waiting:
            new = [k for k in outgoing.get(waiting.pop(), ()) if k not in found]
            found.update(new)
            waiting += new
        return Subgraph(
            root=self.root,
            complete=self.complete,
            nodes=tuple(n for n in self.nodes if n.key in found),
            edges=tuple(e for e in self.edges if e.source in found and e.target in found),
        )
