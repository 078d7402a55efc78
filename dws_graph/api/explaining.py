"""The story of a result: what it was made from, how, whether that still holds, and why it changed.

The facts are gathered here; `api/story.py` makes sentences of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from dws_graph.api.causes import Since, since_in
from dws_graph.api.refs import RefTarget, is_results, label, resolve_ref_in, results_snapshot
from dws_graph.api.session import opened
from dws_graph.api.sides import Side, side_in
from dws_graph.api.story import (
    ExplainedResult,
    ExplainedSource,
    ExplainedStep,
    Facts,
    explained,
    sections_of,
)
from dws_graph.backends.views import StepInfo
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Node
from dws_graph.model.values import local_text
from dws_graph.render import prose
from dws_graph.workspace.again import again
from dws_graph.workspace.code_commits import CodeCommit
from dws_graph.workspace.half_written import failed_at, left_by
from dws_graph.workspace.moved_results import has_folder, moved_results, snapshots_back
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.snapshots import all_metadata, find_snapshot
from dws_graph.workspace.staleness import find_stale


class ExplainedJson(TypedDict):
    """Of `dws lineage explain --format json`.

    `holds` is None where this is not the current version; `commands` get the result again.
    """

    ref: str
    snapshot: str | None
    results: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    unknown: list[str]
    holds: bool | None
    stale: list[dict[str, str]]
    commands: list[str]
    since: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The story of a result.

    Attributes:
        facts: What is told.
        title: What it is about, for people.
        warnings: What people should know beside it.
    """

    facts: Facts
    title: str
    warnings: tuple[str, ...] = ()

    def to_text(self) -> str:
        """For a terminal."""
        return prose.to_text(self.title, sections_of(self.facts))

    def to_markdown(self) -> str:
        """For a README or an issue."""
        return prose.to_markdown(self.title, sections_of(self.facts))

    def to_html(self) -> str:
        """A page of its own, which opens from disk with no network."""
        return prose.to_html(self.title, sections_of(self.facts))

    def to_json(self) -> ExplainedJson:
        """As `--format json` prints it."""
        facts = self.facts
        return ExplainedJson(
            ref=facts.ref,
            snapshot=facts.snapshot,
            results=[r._asdict() for r in facts.results],
            sources=[s._asdict() for s in facts.sources],
            steps=[s._asdict() for s in facts.steps],
            unknown=[prose.plain(said) for said in facts.unknown],
            holds=facts.holds,
            stale=[{"step": s, "ref": ref, "reason": why} for s, ref, why in facts.stale],
            commands=list(facts.commands),
            since=None if facts.since is None else _since_json(facts.since),
        )


def lineage_explain(
    ref: str | ResourceRef,
    since: str | None = None,
    *,
    snapshot: str | None = None,
    workspace_uri_or_path: str | None = None,
    verbose: bool = False,
) -> Explanation:
    """Tell the story of a result.

    Args:
        ref: `resource`, `resource:/sub/path`, or a path on disk.
        since: Tell also why it differs from what it was in this snapshot.
        snapshot: As it is in this snapshot; else what is current.
        workspace_uri_or_path: The workspace; else the enclosing one.
        verbose: Tell more.

    Raises:
        ConfigurationError: There is no such resource or snapshot.
        LineageNotFoundError: Nothing was recorded of it, or it is not in a snapshot named.
    """
    with opened(workspace_uri_or_path, verbose) as ws:
        return lineage_explain_in(ws, ref, since, snapshot=snapshot)


def lineage_explain_in(
    ws: OpenWorkspace,
    ref: str | ResourceRef,
    since: str | None = None,
    *,
    snapshot: str | None = None,
) -> Explanation:
    """See `lineage_explain`."""
    target = resolve_ref_in(ws, ref, snapshot=snapshot)
    side = side_in(ws, target.snapshot, target.ref)
    holds, stale = holds_in(ws, target.ref.name, target.refs, target.starts, target.snapshot)
    steps = _in_lineage_order(side)
    facts = Facts(
        ref=str(target.ref),
        snapshot=target.snapshot,
        results=tuple(_results(ws, target, side)),
        sources=tuple(_sources(ws, side)),
        steps=tuple(_step(s, side) for s in steps),
        unknown=tuple(_unknown(ws, side, target)),
        holds=holds,
        stale=stale,
        commands=tuple(again(ws, steps, side.snapshot)),
        since=_since(ws, since, target) if since is not None else None,
    )
    where = "" if side.snapshot is None else f" in snapshot {label(side.snapshot)}"
    return Explanation(
        facts=facts, title=f"How {target.ref}{where} came about", warnings=target.warnings
    )


def _since(ws: OpenWorkspace, since: str, target: RefTarget) -> Since:
    snapshot = at = find_snapshot(ws, since)
    if is_results(ws, target.ref.name) and has_folder(ws.get_resource(target.ref.name)):
        back = snapshots_back(ws, snapshot.hashval)  # it may have found nothing new
        if (taken := results_snapshot(ws, target.ref, back)) is None:
            return Since(label=label(snapshot), same=False, causes=(), absent=True)
        at = taken
    then = side_in(ws, at.hashval, target.ref, as_it_ran=True)
    now = side_in(ws, target.snapshot, target.ref, as_it_ran=True)
    return replace(since_in(ws, then, now), label=label(snapshot))


def _results(ws: OpenWorkspace, target: RefTarget, side: Side) -> Iterable[ExplainedResult]:
    kept = _snapshots_with(ws, {c.id for c in target.certificates})
    for certificate in target.certificates:
        writer = side.writer(certificate)
        yield ExplainedResult(
            ref=str(certificate.ref),
            hash=certificate.hash,
            status=certificate.status,
            step=writer.name if writer else None,
            snapshots=kept.get(certificate.id, []),
        )


def _snapshots_with(ws: OpenWorkspace, keys: set[str]) -> dict[str, list[str]]:
    """The names of the snapshots that hold each of these certificates, oldest first."""
    found: dict[str, list[str]] = {}
    for metadata in all_metadata(ws):
        for certificate, _ in ws.index.contains(ws.id, metadata.hashval):
            if certificate.id in keys:
                found.setdefault(certificate.id, []).append(label(metadata))
    return found


def _in_lineage_order(side: Side) -> list[StepInfo]:
    keys = (node.key for node in side.subgraph.nodes if node.kind == "step")
    return [side.steps[key] for key in keys if key in side.steps]


def _step(step: StepInfo, side: Side) -> ExplainedStep:
    env = side.environments.get(step.environment or "")
    return explained(step, env, local_text(step.start_time))


def _sources(ws: OpenWorkspace, side: Side) -> Iterable[ExplainedSource]:
    """What no step wrote: data first, then code."""
    readers: dict[str, list[StepInfo]] = {}
    ran: dict[str, CodeCommit | None] = {}  # code, and the commit of the last step that ran it
    for step in _in_lineage_order(side):
        for certificate in (*step.inputs, *step.code):
            readers.setdefault(certificate.id, []).append(step)
        ran |= {c.id: side.commit_of(step, c) for c in step.code}
    nodes = [n for n in side.subgraph.nodes if _is_source(n, side)]
    codes = {n.key for n in nodes if n.key in ran or n.properties.get("role") == "code"}
    for node in sorted(nodes, key=lambda n: n.key in codes):
        certificate = side.certificates[node.key]
        workspace = node.properties.get("workspace")
        at = ran.get(node.key)
        yield ExplainedSource(
            ref=node.name,
            kind="code" if node.key in codes else "data",
            role=node.properties.get("role"),
            hash=certificate.hash,
            status=certificate.status,
            version=certificate.version,
            commit=at.commit if at else None,
            edited=at.edited if at else None,
            workspace=workspace if workspace != ws.id else None,
            read_by=list(dict.fromkeys(s.name for s in readers.get(node.key, ()))),
        )


def _is_source(node: Node, side: Side) -> bool:
    if node.kind != "certificate" or node.key not in side.certificates:
        return False
    return side.writer(side.certificates[node.key]) is None


def _unknown(ws: OpenWorkspace, side: Side, target: RefTarget) -> Iterable[prose.Sentence]:
    """What the story cannot tell."""
    say = prose.sentence
    sources = {n.key: n for n in side.subgraph.nodes if _is_source(n, side)}
    retracted = ws.index.retracted_producers(sources)
    left = left_by(ws, sources)
    for key, node in sources.items():
        ref, role = node.name, node.properties.get("role")
        if (workspace := node.properties.get("workspace")) not in (None, ws.id):
            known = ws.index.workspace_name(str(workspace)) or str(workspace)[:8]
            yield say("{} comes from another workspace ({}).", ref, known)
        elif key in retracted:
            step = ws.index.step(retracted[key])
            why = ws.index.retraction(ws.id, retracted[key])
            said = say("{} was written by the step {}, which was retracted", ref, _name(step))
            reason = say(": {}.", why.reason) if why and why.reason else say(".")
            yield (*said, *reason)
        elif key in left:
            failed = left[key]
            template = "{} was left by the step {}, which failed at {}."
            yield say(template, ref, failed.name, failed_at(failed))
        elif role in ("intermediate-data", "results"):
            yield say("Who made {} is not recorded: no step did.", ref)
    for certificate in side.certificates.values():
        if certificate.status == "not kept":
            yield say("{} was overwritten before a snapshot kept it.", str(certificate.ref))
    pending = [c for c in side.certificates.values() if c.status == "pending"]
    if pending:
        yield say("What {} held can no longer be told.", _listed(str(c.ref) for c in pending))
    if side.snapshot is None and any(c.status == "pending" for c in target.certificates):
        yield say("It is in no snapshot yet: nothing but this folder holds it.")
    for step in _in_lineage_order(side):
        for ref in step.changed_while_running:
            yield say("{} was changed while {} ran.", ref, step.name)
        for ref in step.read_while_written:
            yield say("{} was read by {} while another step wrote it.", ref, step.name)


def _name(step: StepInfo | None) -> str:
    return step.name if step else "(unknown)"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def holds_in(
    ws: OpenWorkspace,
    name: str,
    refs: Collection[ResourceRef],
    keys: Collection[str],
    snapshot: str | None,
) -> tuple[bool | None, tuple[tuple[str, str, str], ...]]:
    """Whether versions still follow from what is on disk; None: they are not the current ones.

    Args:
        ws: The workspace.
        name: The resource that they are of.
        refs: What in it.
        keys: The ids of their certificates.
        snapshot: Hash of the one in which they are looked at.

    Returns:
        Whether, and (step, ref, reason) why not.
    """
    current = {e.certificate.id for e in ws.index.entries(ws.id, ws.instance, name)}
    if moved := moved_results(ws, name):
        by_hand = keys if moved.snapshot == snapshot else ()
        current = {c.id for c in moved.certificates} or set(by_hand)
    if not current.issuperset(keys):
        return None, ()
    stale = [
        (found.step.name, str(ref), reason)
        for found in find_stale(ws, refs)
        for ref, reason in found.reasons
    ]
    return not stale, tuple(stale)


def _since_json(since: Since) -> dict[str, Any]:
    return {
        "snapshot": since.label,
        "same": since.same,
        "absent": since.absent,
        "causes": [cause.to_json() for cause in since.causes],
    }
