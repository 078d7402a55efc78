"""One side of a comparison: a snapshot, or the workspace as it is now, with its lineage in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dws_graph.api.refs import is_results, label, resolve_ref_in
from dws_graph.backends.views import EnvironmentInfo, StepInfo
from dws_graph.errors import LineageNotFoundError
from dws_graph.model.certificates import Certificate
from dws_graph.model.refs import ResourceRef
from dws_graph.model.subgraph import Node, Subgraph
from dws_graph.workspace.code_commits import CodeCommit, CodeCommits
from dws_graph.workspace.comparing import results_moved_to
from dws_graph.workspace.half_written import half_written
from dws_graph.workspace.metadata import SnapshotMetadata
from dws_graph.workspace.moved_results import results_at
from dws_graph.workspace.opened import OpenWorkspace
from dws_graph.workspace.reading import content_now, is_edited, living, read_entry
from dws_graph.workspace.snapshots import find_snapshot

NOW = "now"
EMPTY = Subgraph(root="", complete=True, nodes=(), edges=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A snapshot, or what is current, and all that it was made from.

    Attributes:
        label: The snapshot's tag or 7 digits of its hash; or `now`.
        snapshot: None for now.
        starts: Keys of what was asked for, or of what the side contains.
        subgraph: Its lineage; the root is the ref that was asked for, if one was.
        steps: The steps of it, by key.
        writers: The key of the step that wrote each version.
        certificates: The certificates of it, by key; those pending have the hash of what is on
            disk where that is what they name.
        environments: What the steps ran in, by hash, as far as it is known.
        commits: Finds the commits that hold what the steps ran.
        warnings: For people.
    """

    label: str
    snapshot: SnapshotMetadata | None
    starts: tuple[str, ...]
    subgraph: Subgraph
    steps: Mapping[str, StepInfo]
    writers: Mapping[str, str]
    certificates: Mapping[str, Certificate]
    environments: Mapping[str, EnvironmentInfo]
    commits: CodeCommits
    warnings: tuple[str, ...] = ()

    def content(self, certificate: Certificate) -> Certificate:
        """A certificate of a step as this side knows it."""
        return self.certificates.get(certificate.id, certificate)

    def writer(self, certificate: Certificate) -> StepInfo | None:
        """The step that wrote a version; None where none did."""
        return self.steps.get(self.writers.get(certificate.id, ""))

    def commit_of(self, step: StepInfo, code: Certificate | None = None) -> CodeCommit | None:
        """The commit that holds what a step ran: of this code, or of its first."""
        ran = code or next(iter(step.code), None)
        return self.commits.of(step, self.content(ran)) if ran is not None else None

    def knows(self, ref: ResourceRef) -> bool:
        """Whether a version of the ref is part of the lineage."""
        return any(c.ref == ref for c in self.certificates.values())


def side_in(
    ws: OpenWorkspace,
    name: str | None = None,
    ref: str | ResourceRef | None = None,
    *,
    as_it_ran: bool = False,
) -> Side:
    """The side of this name.

    Args:
        ws: The workspace.
        name: A snapshot; None for what is current.
        ref: Only what this was made from; else all that the side contains.
        as_it_ran: With the steps that were retracted since: they are part of how it came about.

    Raises:
        SnapshotNotFoundError, AmbiguousSnapshotError: The name fits none, or several.
        LineageNotFoundError: The side has nothing of `ref`.
    """
    snapshot = find_snapshot(ws, name) if name is not None else None
    warnings: Sequence[str] = ()
    root = ""
    if ref is not None:
        target = resolve_ref_in(ws, ref, snapshot=snapshot.hashval if snapshot else None)
        starts, warnings, root = list(target.starts), target.warnings, target.root
    elif snapshot is not None:
        starts = _held(ws, snapshot)
    else:
        starts, warnings = _current(ws)
    found = ws.index.upstream(starts, root=root, retracted=as_it_ran) if starts else EMPTY
    steps = _steps(ws, found)
    return Side(
        label=label(snapshot) if snapshot else NOW,
        snapshot=snapshot,
        starts=tuple(starts),
        subgraph=_with_outputs(found, steps),
        steps=steps,
        writers={e.target: e.source for e in found.edges if e.type == "WROTE"},
        certificates=_certificates(ws, found, steps.values()),
        environments=_environments(ws, steps.values()),
        commits=CodeCommits(ws),
        warnings=tuple(warnings),
    )


def side_or_empty_in(ws: OpenWorkspace, name: str | None, ref: str | ResourceRef) -> Side:
    """The same as it ran; empty where the side has nothing of `ref`."""
    try:
        return side_in(ws, name, ref, as_it_ran=True)
    except LineageNotFoundError as e:
        snapshot = find_snapshot(ws, name) if name is not None else None
        return Side(
            label=label(snapshot) if snapshot else NOW,
            snapshot=snapshot,
            starts=(),
            subgraph=EMPTY,
            steps={},
            writers={},
            certificates={},
            environments={},
            commits=CodeCommits(ws),
            warnings=(e.message,),
        )


def _held(ws: OpenWorkspace, snapshot: SnapshotMetadata) -> list[str]:
    """What a snapshot contains, and, where it found no results, those that were meant then."""
    held = ws.index.contains(ws.id, snapshot.hashval)
    # what is left of results that were moved, or emptied, has no lineage to be drawn
    starts = [c.id for c, entry in held if entry or not is_results(ws, c.ref.name)]
    recorded = {c.ref.name for c, entry in held if entry}
    for name in ws.get_resource_names():
        if name not in recorded and is_results(ws, name):
            moved = results_at(ws, name, snapshot.hashval)
            starts += [c.id for c in moved.certificates] if moved else []
    return starts


def _current(ws: OpenWorkspace) -> tuple[list[str], list[str]]:
    """What is current, and, of results that a snapshot moved, that snapshot's."""
    running = living(ws)[0]
    names = list(ws.get_resource_names())
    starts, warnings = [], [str(left) for left in half_written(ws)]
    for entry in ws.index.entries(ws.id, ws.instance):
        starts.append(entry.certificate.id)
        if entry.ref.name in names and is_edited(ws, entry, running):
            warnings.append(f"{entry.ref} was edited since its lineage was recorded")
    for name in (n for n in names if is_results(ws, n)):
        moved_to = results_moved_to(ws, ws.get_resource(name))
        if moved_to is not None:
            moved = results_at(ws, name, moved_to.hashval)
            starts += [c.id for c in moved.certificates] if moved else []
            since = f"{name} is empty since snapshot {label(moved_to)}"
            warnings.append(f"{since}, whose results are taken for it")
    return starts, warnings


def _steps(ws: OpenWorkspace, found: Subgraph) -> dict[str, StepInfo]:
    infos = (ws.index.step(node.key) for node in found.nodes if node.kind == "step")
    return {info.id: info for info in infos if info is not None}


def _with_outputs(found: Subgraph, steps: Mapping[str, StepInfo]) -> Subgraph:
    """The same, each step saying all that it wrote: by that it is known in another version."""

    def told(node: Node) -> Node:
        if node.key not in steps:
            return node
        outputs = sorted(str(c.ref) for c in steps[node.key].outputs)
        return replace(node, properties={**node.properties, "outputs": outputs})

    return replace(found, nodes=tuple(map(told, found.nodes)))


def _certificates(
    ws: OpenWorkspace, found: Subgraph, steps: Iterable[StepInfo]
) -> dict[str, Certificate]:
    keys = {node.key for node in found.nodes if node.kind == "certificate"}
    known = ws.index.certificates(keys)
    for step in steps:
        known |= {c.id: c for c in (*step.inputs, *step.code) if c.id not in known}
    known |= as_on_disk(ws, known.values())
    return {key: _less_lineage(ws, c) for key, c in known.items()}


def as_on_disk(ws: OpenWorkspace, certificates: Iterable[Certificate]) -> dict[str, Certificate]:
    """Those that are pending and what is on disk, by key, with the hash that a snapshot gives."""
    pending = {c.id for c in certificates if c.status == "pending"}
    if not pending:
        return {}
    running = living(ws)[0]
    return {
        entry.certificate.id: _as_on_disk(ws, entry.certificate)
        for entry in ws.index.entries(ws.id, ws.instance)
        if entry.certificate.id in pending and read_entry(ws, entry, running).why == "current"
    }


def _less_lineage(ws: OpenWorkspace, certificate: Certificate) -> Certificate:
    """The certificate, of an exported or imported resource by the hash less its `lineage.json`."""
    ref, hashval = certificate.ref, certificate.hash
    if hashval is None or ref.subpath is not None or ref.name not in list(ws.get_resource_names()):
        return certificate
    resource = ws.get_resource(ref.name)
    if not (resource.is_exported() or resource.is_imported()) or resource.has_results_role():
        return certificate
    known_as = resource.known_as(hashval) if resource.is_here() else None
    return certificate if known_as is None else replace(certificate, subpath_hash=known_as)


def _as_on_disk(ws: OpenWorkspace, certificate: Certificate) -> Certificate:
    """A pending certificate with the hash that a snapshot would give it."""
    if certificate.ref.name not in set(ws.get_resource_names()):
        return certificate
    resource = ws.get_resource(certificate.ref.name)
    if not resource.is_here():
        return certificate
    content = content_now(ws, resource, certificate.ref.subpath)
    below = content.subpath_hash
    if resource.has_results_role() and certificate.ref.subpath is None:
        below = content.known_as  # the same as of the folder that a snapshot moves it to
    return replace(certificate, hash=content.hash or content.known_as, subpath_hash=below)


def _environments(ws: OpenWorkspace, steps: Iterable[StepInfo]) -> dict[str, EnvironmentInfo]:
    wanted = {(s.environment, s.workspace) for s in steps if s.environment}
    found = (ws.index.environment(workspace, env) for env, workspace in wanted)
    return {info.hash: info for info in found if info is not None}
