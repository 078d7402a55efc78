"""What failed steps left on disk: the last to write there did not come to its end.

Told until a completed step writes it, it is restored, or its content is again one that was known
before. Source: docs/formats.md, "What a failed step leaves".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dws_graph.backends.views import StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.model.values import local_text
from dws_graph.workspace.moved_results import has_files, moved_results
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import Reading, content_now, with_content


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfWritten:
    """A ref that a failed step wrote last."""

    ref: ResourceRef
    step: StepInfo

    def __str__(self) -> str:
        """For people."""
        return f"{self.ref} was left by {failed_text(self.step)}"


def half_written(ws: OpenWorkspace) -> tuple[HalfWritten, ...]:
    """The refs whose content is what a failed step left."""
    return tuple(left for left in _half_written(ws) if not _is_whole(ws, left.ref))


def whole_again(ws: OpenWorkspace) -> tuple[Certificate, ...]:
    """Versions known before that are there again, or still, where a failed step was to write."""
    found = (_known_there(ws, left.ref) for left in _half_written(ws))
    return tuple(cert for cert in found if cert is not None)


def left_in(ws: OpenWorkspace, reading: Reading) -> list[HalfWritten]:
    """What failed steps left of what a step reads; nothing is hashed where the reading tells."""
    now = reading.certificate
    if reading.writer is not None or (now is not None and not ws.index.left_by([now.id])):
        return []
    found = touching(_half_written(ws), reading.ref)
    return [left for left in found if left.ref == reading.ref or not _is_whole(ws, left.ref)]


def _half_written(ws: OpenWorkspace) -> Iterator[HalfWritten]:
    """The refs that a failed step wrote last, whatever is there now."""
    here = set(ws.get_resource_names())
    for ref, key in ws.index.half_written(ws.id, ws.instance).items():
        step = ws.index.step(key)
        if step is not None and ref.name in here:
            yield HalfWritten(ref=ref, step=step)


def left_by(ws: OpenWorkspace, certificates: Iterable[str]) -> dict[str, StepInfo]:
    """The failed step that left each of these versions; those that none left are left out."""
    found = {key: ws.index.step(step) for key, step in ws.index.left_by(certificates).items()}
    return {key: step for key, step in found.items() if step is not None}


def with_failed(ws: OpenWorkspace, graph: Subgraph) -> Subgraph:
    """The same, each version that a failed step left saying by which: `left_by`."""
    left = left_by(ws, [node.key for node in graph.nodes if node.kind == "certificate"])
    if not left:
        return graph

    def told(node: Node) -> Node:
        if node.key not in left:
            return node
        return replace(node, properties={**node.properties, "left_by": left[node.key].name})

    return replace(graph, nodes=tuple(map(told, graph.nodes)), complete=False)


def touching(left: Iterable[HalfWritten], ref: ResourceRef) -> list[HalfWritten]:
    """Those that share content with a ref."""
    return [one for one in left if one.ref.touches(ref)]


def failed_text(step: StepInfo) -> str:
    """A failed step for people."""
    return f"step '{step.name}', which failed at {failed_at(step)}"


def failed_at(step: StepInfo) -> str:
    """When a failed step began, in local time, and how it failed."""
    at = local_text(step.start_time).partition(".")[0].replace("T", " ")
    return f"{at} ({step.error})" if step.error else at


def _is_whole(ws: OpenWorkspace, ref: ResourceRef) -> bool:
    """Whether the content is one that a step wrote in full, or that was there before."""
    resource = ws.get_resource(ref.name)
    if resource.has_results_role() and not has_files(resource):
        moved = moved_results(ws, ref.name)
        return moved is not None and bool(moved.certificates)  # a step made those that are meant
    return _known_there(ws, ref) is not None


def _known_there(ws: OpenWorkspace, ref: ResourceRef) -> Certificate | None:
    """The version known before whose content is there; none of results that were moved."""
    resource = ws.get_resource(ref.name)
    if not resource.is_here() or (resource.has_results_role() and not has_files(resource)):
        return None
    known = ws.index.known(ws.id, ref)
    left = ws.index.left_by([c.id for c in known])
    before = [c for c in known if c.id not in left]
    if not before:
        return None
    content = content_now(ws, resource, ref.subpath)
    return with_content(resource, ref, content, before)
