"""The story of a result in the words of `dws lineage explain`, from what a view of the graph says.

What only the workspace's own files can tell, how to get it again, is left to that command; whether
it still holds is told by who looked at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dws_graph.api.service.staleness import Holding
from dws_graph.api.story import (
    ExplainedResult,
    ExplainedSource,
    ExplainedStep,
    Facts,
    explained,
    sections_of,
)
from dws_graph.backends.views import EnvironmentInfo, Questions, StepInfo
from dws_graph.model.certificates import Certificate
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.render.prose import Section, Sentence, sentence

MOST_STEPS, MOST_SOURCES = 40, 40
HOLDS = "Whether it still holds"
HERE_ALONE = "To get it again"


def story(
    q: Questions,
    cert: Certificate,
    writer: StepInfo | None,
    snapshots: Sequence[str] = (),
    holding: Holding | None = None,
) -> list[Section]:
    """What a version is, what it was made from, how, and whether that still holds.

    Args:
        q: Who is asked.
        cert: The version.
        writer: The step that wrote it.
        snapshots: The names of snapshots that hold it.
        holding: Whether it follows from what there is; None: that is not known.
    """
    up = q.upstream([cert.id], root=cert.id)
    keys = [node.key for node in up.nodes if node.kind == "step"]
    steps = [s for s in map(q.step, keys[-MOST_STEPS:]) if s is not None]
    sources = list(_sources(up, steps))
    is_written = writer.name if writer else None
    facts = Facts(
        ref=str(cert.ref),
        snapshot=None,
        results=(
            ExplainedResult(str(cert.ref), cert.hash, cert.status, is_written, list(snapshots)),
        ),
        sources=tuple(sources[:MOST_SOURCES]),
        steps=tuple(_steps(q, steps)),
        unknown=tuple(_unknown(up, len(keys) - MOST_STEPS, len(sources) - MOST_SOURCES)),
        holds=holding.holds if holding else None,
        stale=holding.stale if holding else (),
        commands=(),
        since=None,
        looked=holding is None or holding.looked,
    )
    untold = {HERE_ALONE} if holding else {HERE_ALONE, HOLDS}
    return [section for section in sections_of(facts) if section.heading not in untold]


def _steps(q: Questions, steps: Sequence[StepInfo]) -> Iterator[ExplainedStep]:
    known: dict[tuple[str, str], EnvironmentInfo | None] = {}
    for step in steps:
        at = (step.workspace, step.environment or "")
        if at not in known:
            known[at] = q.environment(*at) if step.environment else None
        yield explained(step, known[at], f"{step.start_time[:19]} UTC")


def _sources(up: Subgraph, steps: Sequence[StepInfo]) -> Iterator[ExplainedSource]:
    """What no step wrote: data first, then code."""
    readers: dict[str, list[str]] = {}
    for step in steps:
        for cert in (*step.inputs, *step.code):
            readers.setdefault(cert.id, []).append(step.name)
    codes = {cert.id for step in steps for cert in step.code}
    found = [node for node in up.nodes if _is_source(node)]
    for node in sorted(found, key=lambda n: n.key in codes):
        p = node.properties
        yield ExplainedSource(
            ref=node.name,
            kind="code" if node.key in codes else "data",
            role=p.get("role"),
            hash=p.get("hash"),
            status=str(p.get("status")),
            version=p.get("version"),
            commit=None,
            edited=None,
            workspace=p.get("workspace"),
            read_by=list(dict.fromkeys(readers.get(node.key, ()))),
        )


def _is_source(node: Node) -> bool:
    return node.kind == "certificate" and not node.properties.get("produced")


def _unknown(up: Subgraph, steps: int, sources: int) -> Iterator[Sentence]:
    for node in up.nodes:
        if node.properties.get("status") == "not kept":
            yield sentence("{} was overwritten before a snapshot kept it.", node.name)
    if steps > 0:
        yield sentence(f"{steps:,} earlier steps are not told here: see the graph.")
    if sources > 0:
        yield sentence(f"{sources:,} more sources are not told here: see the graph.")
